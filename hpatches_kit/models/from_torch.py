"""Published PyTorch weights as Keras models."""

import os
from collections.abc import Mapping
from functools import cache

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.torch_files import read_tensors
from hpatches_kit.models import torch_networks
from hpatches_kit.models.torch_weights import IGNORED, torch_weights

NETWORKS = ("hardnet", "sosnet", "hynet", "tfeat")


def from_torch(network, file):
    """Read published PyTorch weights into a Keras model that gives the same descriptors.

        hardnet = hk.models.from_torch("hardnet", "HardNet++.pth")

    Nothing in the file is executed, and PyTorch is not needed. The difference to PyTorch on a CPU
    is less than 1e-5. The model can be trained further, saved and exported like any other.

    Args:
        network: `"hardnet"` (also for HardNetPS), `"sosnet"`, `"hynet"` or `"tfeat"` (also for
            HardTFeat).
        file: a `.pth`, `.pt`, `.params` or `.safetensors` file (for these: `pip install
            safetensors`), or the state dict itself, `{name: array or tensor}`. The names are those
            of the authors' code, which `kornia.feature` uses as well.

    Returns a `keras.Model` from patches `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors
    `(batch, 128)`. PyTorch code expects the same patches divided by 255, as `(batch, 1, 32, 32)`.
    The descriptors have unit norm, except those of TFeat, unlike those of HardTFeat.

    Raises FileNotFoundError for a missing file, and UserError for a file that is damaged, larger
    than 1 GiB or contains anything else than tensors, and for weights of another network: missing
    or unknown names, wrong shapes, numbers that are integers, not finite or too large for float32.

    References: Mishchuk et al., HardNet, NeurIPS 2017; Tian et al., SOSNet, CVPR 2019; Tian et al.,
    HyNet, NeurIPS 2020; Balntas et al., TFeat, BMVC 2016.
    """
    if network not in NETWORKS:
        raise UserError(f"Unknown network {network!r}: expected one of {', '.join(NETWORKS)}.")
    if not isinstance(file, (Mapping, str, os.PathLike)):
        raise UserError(
            f"{type(file).__name__} is neither a file nor a state dict: pass the path of a file, or"
            " network.state_dict()."
        )
    if isinstance(file, Mapping):
        state, source = {name: _array(value) for name, value in file.items()}, "The state dict"
    else:
        state, source = read_tensors(file), str(file)
    state = {name: array for name, array in state.items() if not _is_ignored(name)}
    model = _builder(network, state)()
    weights = torch_weights(model)
    _check_names(state, weights, network, source)
    for name, weight in weights.items():
        array = state[name]
        if array.shape != weight.shape:
            raise UserError(f"{source}: {name} has shape {array.shape}: expected {weight.shape}.")
        if array.dtype.kind != "f":
            raise UserError(f"{source}: {name} is of type {array.dtype}: expected float32.")
        with np.errstate(over="ignore"):  # float64 may be too large
            array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise UserError(f"{source}: {name} has values that are not finite in float32.")
        weight.set(array)
    return model


def _array(value):
    """An array or a PyTorch tensor, on any device, as an array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if value.is_floating_point() else value  # NumPy has no bfloat16
    return np.asarray(value)


def _is_ignored(name):
    return str(name).startswith(IGNORED) or str(name).endswith(IGNORED)


def _builder(network, state):
    """The function that builds a network, or its variant, for the names of a state dict."""
    if network == "tfeat" and "classifier.1.weight" in state:
        return torch_networks.hardtfeat
    if network == "hardnet" and "features.18.weight" in state:
        return torch_networks.hardnetps
    return getattr(torch_networks, network)


@cache
def _names(builder):
    return frozenset(torch_weights(builder()))


def _check_names(state, weights, network, source):
    missing = [name for name in weights if name not in state]
    unknown = [name for name in state if name not in weights]
    if not missing and not unknown:
        return
    parts = [f"it lacks {_listed(missing)}"] if missing else []
    parts += [f"it has {_listed(unknown)}, unknown to this network"] if unknown else []
    fitting = [other for other in NETWORKS if _names(_builder(other, state)) == set(state)]
    advice = f" These are the names of {fitting[0]!r}." if fitting else ""
    raise UserError(f"{source} has no weights of {network!r}: {' and '.join(parts)}.{advice}")


def _listed(names):
    first = repr(names[0])[:80]  # a file may contain any name
    return first if len(names) == 1 else f"{first} and {len(names) - 1} more"

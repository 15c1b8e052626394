"""The settings of a training run as JSON, and the differences between two runs."""

import hashlib
import json
import platform
import re
import zlib

import keras
import numpy as np
import pandas as pd

from hpatches_kit._support.version import __version__

FROM_KERAS = ("optimizer", "loss")  # another version of Keras may add settings to these
GREY_LEVELS = "grey levels"
# Largest difference of a patch's mean grey level between devices; two denoisers differ by more.
DEVICE_TOLERANCE = 0.05


def describe_run(model, batches, **more):
    """Collect everything that decides how training proceeds, except the global random state.

    The first batch identifies the patches, kind and denoiser. Returns a nested dictionary of JSON
    values.
    """
    compiled = model.get_compile_config() or {}
    options = {
        key: value
        for key, value in vars(batches).items()
        if isinstance(value, bool | int | float | str) and key[0] != "_" and key != "epoch"
    }
    settings = {
        "model": {
            "name": re.sub(r"_\d+$", "", model.name),  # Keras adds a number when a cell runs twice
            "parameters": model.count_params(),
            "architecture": _architecture(model),
        },
        **{key: compiled.get(key) for key in FROM_KERAS},
        "batches": {
            "class": type(batches).__name__,
            **options,
            "patches": repr(batches.patches),
            "first batch": _first_batch(batches),
        },
        **more,
        "versions": (
            f"hpatches_kit {__version__}, Keras {keras.__version__} on"
            f" {keras.backend.backend()}, Python {platform.python_version()}"
        ),
    }
    return json.loads(json.dumps(settings, default=str))


def differences_of(before, now, trained):
    """List every setting that differs, as `"loss, config, margin: 1.0 before, 0.5 now"`.

    Args:
        before, now: from `describe_run`. The versions may differ.
        trained: whether the optimiser has taken steps since `compile`; if so, the learning rate is
            not compared, because a callback may have changed it.
    """
    (before,), (now,) = (
        pd.json_normalize(settings, sep=", ").to_dict("records") for settings in (before, now)
    )
    ignored = {"versions", *(["optimizer, config, learning_rate"] if trained else [])}
    lines = []
    for key in sorted((before.keys() | now.keys()) - ignored):
        in_both = key in before and key in now
        if key.startswith(FROM_KERAS) and (not in_both or key.endswith(", name")):
            continue  # Keras numbers the names
        old, new = before.get(key, "nothing"), now.get(key, "nothing")
        if key.endswith(GREY_LEVELS) and in_both and len(old) == len(new):
            equal = np.allclose(old, new, rtol=0, atol=DEVICE_TOLERANCE)
        else:
            equal = old == new
        if not equal:
            lines.append(f"  {key}: {old} before, {new} now")
    return lines


def _architecture(model):
    """Hash the layers, their settings and connections, but not their names: 8 hex digits."""
    try:
        text = json.dumps(model.get_config(), default=repr)
    except NotImplementedError:  # a model class without `get_config`
        return ""
    for k, layer in enumerate(_layers(model)):
        text = text.replace(f'"{layer.name}"', f'"{k}"')
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _layers(model):
    for layer in getattr(model, "operations", None) or getattr(model, "layers", []):
        yield from _layers(layer)
    yield model


def _first_batch(batches):
    """Checksums of the first batch; means of denoised patches, which differ between devices."""
    epoch, batches.epoch = batches.epoch, 0
    try:
        patches, targets = batches[0]
    finally:
        batches.epoch = epoch
    if getattr(batches, "kind", None) == "denoised":
        means = patches.mean(axis=(1, 2, 3)).round(3).tolist()
        return {GREY_LEVELS: means, "labels": _checksum(targets)}
    inputs = patches if isinstance(patches, tuple) else (patches,)  # with sigma
    return "".join(map(_checksum, (*inputs, targets)))


def _checksum(array):
    return f"{zlib.crc32(array.tobytes()):08x}"

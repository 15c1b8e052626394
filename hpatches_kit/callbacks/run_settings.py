"""What a training was made with, in words that JSON knows, and how it differs from another."""

import hashlib
import json
import platform
import re
import zlib

import keras
import numpy as np

from hpatches_kit._support.version import __version__

OF_KERAS = ("optimizer", "loss")  # whose settings another version of Keras may add to
GREY = "grey levels"
# Grey levels. What two devices make of one patch differs by less, two denoisers by more.
DEVICES = 0.05


def describe_run(model, batches, **more):
    """All that decides how a training goes, besides chance that is seeded elsewhere.

    Args:
        model: compiled.
        batches: of `hk.batches`; their first batch stands for data, kind of patches and denoiser.
        more: further settings.
    """
    simple = (bool, int, float, str)
    compiled = model.get_compile_config() or {}
    about = {
        "model": {
            "name": re.sub(r"_\d+$", "", model.name),  # Keras numbers it in a cell run twice
            "parameters": model.count_params(),
            "architecture": _architecture(model),
        },
        **{key: compiled.get(key) for key in OF_KERAS},
        "batches": {
            "kind": type(batches).__name__,
            **{
                key: value
                for key, value in vars(batches).items()
                if isinstance(value, simple) and not key.startswith("_") and key != "epoch"
            },
            "patches": repr(batches.patches),
            "first batch": _first_batch(batches),
        },
        **more,
        "made with": (
            f"hpatches_kit {__version__}, Keras {keras.__version__} on"
            f" {keras.backend.backend()}, Python {platform.python_version()}"
        ),
    }
    return json.loads(json.dumps(about, default=str))


def differences_of(before, now, begun):
    """Lines that name every setting that differs, as "loss, config, margin: 1.0 then, 0.5 now".

    Args:
        before, now: of `describe_run`.
        begun: the optimiser has taken steps since it was compiled, so its rate may have moved.
    """
    before, now = dict(_flat(before)), dict(_flat(now))
    lines = []
    for key in sorted(before.keys() | now.keys()):
        one_side = key not in before or key not in now
        skip = key == "made with" or (one_side and key.startswith(OF_KERAS))
        skip = skip or (begun and key == "optimizer, config, learning_rate")
        then, today = (side.get(key, "nothing") for side in (before, now))
        if key.endswith(GREY) and not one_side:
            skip = len(then) == len(today) and np.allclose(then, today, rtol=0, atol=DEVICES)
        if not skip and then != today:
            lines.append(f"  {key}: {then} then, {today} now")
    return lines


def _architecture(model):
    """Eight letters for layers, their settings and how they are joined, whatever their names."""
    try:
        text = json.dumps(model.get_config(), default=repr)
    except NotImplementedError:  # a class of one's own without get_config
        return ""
    for k, layer in enumerate(_layers(model)):
        text = text.replace(f'"{layer.name}"', f'"{k}"')
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _layers(model):
    for layer in getattr(model, "operations", None) or getattr(model, "layers", []):
        yield from _layers(layer)
    yield model


def _first_batch(batches):
    """The first batch of the first epoch: a checksum, of denoised patches their mean grey levels.

    Those were computed, and come out a little different on another device, where a run may go on.
    """
    epoch, batches.epoch = batches.epoch, 0
    try:
        patches, targets = batches[0]
    finally:
        batches.epoch = epoch
    if getattr(batches, "kind", None) == "denoised":
        levels = patches.mean(axis=(1, 2, 3)).round(3).tolist()
        return {GREY: levels, "labels": _checksum(targets)}
    return _checksum(patches) + _checksum(targets)


def _checksum(array):
    return f"{zlib.crc32(array.tobytes()):08x}"


def _flat(settings, before=""):
    """Nested settings as `("optimizer, config, beta_1", 0.9)`, without the names that Keras numbers."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}, ")
        elif not (key == "name" and before.startswith(OF_KERAS)):
            yield before + key, value

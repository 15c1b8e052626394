"""What this session runs on, in one line."""

import os
import platform

import keras

from hpatches_kit.version import __version__


def environment(advice=True):
    """Report backend, device and versions as one text.

    Args:
        advice: add what to expect without a GPU.
    """
    backend = keras.backend.backend()
    if backend == "torch":  # Keras cannot ask it
        import torch

        gpus = torch.cuda.device_count()
    else:
        devices = keras.distribution.list_devices()  # asked for GPUs alone, JAX would rather raise
        gpus = len([device for device in devices if "cpu" not in device.lower()])
    line = (
        f"hpatches_kit {__version__}, Keras {keras.__version__} on {backend}"
        f" {_version(backend)}, Python {platform.python_version()},"
        f" {gpus} GPU and {os.cpu_count()} CPU cores."
    )
    if advice and not gpus:
        line += " No GPU here: quick settings run well without, longer training wants one."
    return line


def _version(package):
    return getattr(__import__(package), "__version__", "")

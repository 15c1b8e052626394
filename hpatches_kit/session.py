"""What this session runs on, in one line."""

import os
import platform

import keras

from hpatches_kit.version import __version__


def environment():
    """Report backend, device and versions, and what to expect without a GPU, as one text."""
    try:
        devices = keras.distribution.list_devices()
    except NotImplementedError:  # torch, before Keras learned to ask it
        import torch

        devices = ["gpu:0"] if torch.cuda.is_available() else ["cpu:0"]
    gpus = [device for device in devices if "cpu" not in device.lower()]
    backend = keras.backend.backend()
    line = (
        f"hpatches_kit {__version__}, Keras {keras.__version__} on {backend}"
        f" {_version(backend)}, Python {platform.python_version()},"
        f" {len(gpus)} GPU and {os.cpu_count()} CPU cores."
    )
    if not gpus:
        line += " No GPU here: quick settings run well without, longer training wants one."
    return line


def _version(package):
    return getattr(__import__(package), "__version__", "")

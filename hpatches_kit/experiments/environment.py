"""What this session runs on, in one line."""

import os
import platform

import keras

from hpatches_kit._support.processor import cores, processor
from hpatches_kit._support.version import __version__


def environment(advice=True):
    """Report backend, device and versions as one text.

    Args:
        advice: add what to expect without a GPU.
    """
    backend, gpus = keras.backend.backend(), len(accelerators())
    line = (
        f"hpatches_kit {__version__}, Keras {keras.__version__} on {backend}"
        f" {_version(backend)}, Python {platform.python_version()},"
        f" {gpus} GPU and {os.cpu_count()} CPU cores."
    )
    if advice and not gpus:
        line += " No GPU here: quick settings run well without, longer training wants one."
    return line


def hardware():
    """Processor and accelerators by name, and the packages that numbers depend on: a dict."""
    packages = "keras", keras.backend.backend(), "numpy", "scipy", "skimage"
    return {
        "processor": processor(),
        "cores": cores(),  # that this process may use
        "accelerators": accelerators(),
        "packages": {package: _version(package) for package in packages},
    }


def accelerators():
    """The names of the GPUs, or other devices, that the backend would use, such as `"Tesla T4"`."""
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        return [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    if backend == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    import tensorflow as tf

    about = tf.config.experimental.get_device_details
    return [
        about(gpu).get("device_name", gpu.name) for gpu in tf.config.list_physical_devices("GPU")
    ]


def _version(package):
    return getattr(__import__(package), "__version__", "")

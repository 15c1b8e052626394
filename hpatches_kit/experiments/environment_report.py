"""The environment report: versions, backend, accelerators and processor cores."""

import platform

import keras

from hpatches_kit._support.processor import cores, processor
from hpatches_kit._support.version import __version__


def environment(advice=True):
    """Report versions, backend, GPUs and the cores that this process may use, as one line.

    With `advice`, a machine without a GPU also gets a sentence on what to expect.
    """
    backend, gpus = keras.backend.backend(), len(accelerators())
    line = (
        f"hpatches_kit {__version__}, Keras {keras.__version__} on {backend}"
        f" {_version(backend)}, Python {platform.python_version()},"
        f" {gpus} GPU and {cores()} CPU cores."
    )
    if advice and not gpus:
        line += " No GPU: quick settings run well without one, longer training needs one."
    return line


def hardware():
    """Report processor, accelerators, and versions of the packages that numbers depend on."""
    packages = "keras", keras.backend.backend(), "numpy", "scipy", "skimage"
    return {
        "processor": processor(),
        "cores": cores(),
        "accelerators": accelerators(),
        "packages": {package: _version(package) for package in packages},
    }


def accelerators():
    """Name the GPUs, or other accelerators, that the backend uses, such as `["Tesla T4"]`."""
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        return [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    if backend == "jax":
        import jax

        return [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    return [
        details(gpu).get("device_name", gpu.name) for gpu in tf.config.list_physical_devices("GPU")
    ]


def _version(package):
    return getattr(__import__(package), "__version__", "")

"""Learn local patch descriptors with Keras: denoise, describe, score on HPatches.

    import hpatches_kit as hk

    train, test = hk.load("mini").split()

Keras is imported when a part that needs it is first used. To load a saved model, import Keras first, as
the alphabet has it: `load_model` then knows the losses, metrics and layers by name.
"""

import sys
from importlib import import_module

from hpatches_kit import (
    baselines,
    benchmark,
    descriptor_files,
    filters,
    plots,
    reports,
    sequences,
    statistics,
)
from hpatches_kit.baselines import pixels
from hpatches_kit.datasets import image_sequences, load
from hpatches_kit.denoise import denoise
from hpatches_kit.describe import describe
from hpatches_kit.descriptors import Descriptors
from hpatches_kit.explorer import explore, explore_mining
from hpatches_kit.normalise import pca_power_law
from hpatches_kit.patches import VIEWS, PatchSet
from hpatches_kit.storage import save
from hpatches_kit.version import __version__

__all__ = [
    "VIEWS",
    "Descriptors",
    "PatchSet",
    "__version__",
    "baselines",
    "batches",
    "benchmark",
    "callbacks",
    "denoise",
    "descriptor_files",
    "describe",
    "environment",
    "experiments",
    "explore",
    "explore_mining",
    "filters",
    "image_sequences",
    "load",
    "losses",
    "metrics",
    "models",
    "pca_power_law",
    "pixels",
    "plots",
    "quality",
    "reports",
    "resumable",
    "save",
    "sequences",
    "statistics",
    "training_log",
]

KERAS_FUNCTIONS = {
    "environment": "session",
    "quality": "quality_table",
    "resumable": "training",
    "training_log": "training",
}


def __getattr__(name):
    # These import Keras.
    if name in ("batches", "callbacks", "experiments", "losses", "metrics", "models"):
        return import_module(f"hpatches_kit.{name}")
    if name in KERAS_FUNCTIONS:
        return getattr(import_module(f"hpatches_kit.{KERAS_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'hpatches_kit' has no attribute {name!r}")


if "keras" in sys.modules:
    import_module("hpatches_kit.losses")
    import_module("hpatches_kit.models")

"""Learn local patch descriptors with Keras: denoise, describe, score on HPatches.

    import hpatches_kit as hk

    train, validation, test = hk.load("mini").split()

Every part is imported when it is first used. As soon as Keras is imported, before or after this
package, the losses, metrics and layers are registered, so that `keras.saving.load_model` finds them
by name.
"""

from importlib import import_module

import lazy_loader as lazy
import wrapt

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

# Modules with classes or functions that `load_model` has to find.
REGISTERED = (
    "losses.triplet",
    "losses.anchor_swap",
    "losses.random_negative",
    "losses.hard_negative",
    "losses.sosnet",
    "losses.hynet",
    "losses.ssim_and_mae",
    "metrics.denoising",
    "metrics.description",
    "models.hynet",
    "models.pair_norms",
    "experiments.distillation",
)


@wrapt.when_imported("keras")
def _register(_):
    for module in REGISTERED:
        import_module(f"{__name__}.{module}")

"""A model that takes 65x65 patches and resizes them itself."""

import keras
import numpy as np
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.prediction import takes_sigma
from hpatches_kit.patches.views import PATCH_SIZE, SOURCE_SIZE

# As in `patches/noise.py`: pixel x of the result lies at (x + 0.5) * 65 / 32 - 0.5 of the source,
# between two of its pixels. The weight is that of the second one, in 1/64.
_FIRST, _WEIGHT = np.divmod((2 * np.arange(PATCH_SIZE) + 1) * SOURCE_SIZE - PATCH_SIZE, 64)


def with_resize(model, name=None):
    """Put the resize of training in front of a model, which then takes patches as HPatches has them.

        exported = hk.models.with_resize(hk.models.pretrained("descriptor"))
        exported.save("descriptor-65.keras")

    The resize is the one of `hk.patches.resize`: bilinear without anti-aliasing, rounded half up to
    whole grey levels, with the same result for every patch of whole grey levels. It consists of
    Keras operations, so a saved or exported model needs no code of this package for it.

    Args:
        model: a `keras.Model` from patches `(batch, 32, 32, 1)`, grey levels 0..255.
        name: of the new model. Default: that of `model`.

    Returns a `keras.Model` from patches `(batch, 65, 65, 1)`, grey levels 0..255, to the outputs of
    `model`, with which it shares the weights. Raises UserError for a model of patches of another
    size, and for a denoiser with a second input.
    """
    if takes_sigma(model):
        raise UserError(
            f"{model.name} takes the sigma of the noise as a second input: expected a model of"
            " patches alone."
        )
    if tuple(model.input_shape)[1:] != (PATCH_SIZE, PATCH_SIZE, 1):
        raise UserError(f"{model.name} takes {model.input_shape}: expected (None, 32, 32, 1).")
    original = keras.Input((SOURCE_SIZE, SOURCE_SIZE, 1), dtype="float32", name="original")
    total = _mix_neighbours(_mix_neighbours(original, axis=1), axis=2)
    # Whole numbers up to 255 * 64 * 64, which float32 holds exactly, so that rounding is exact too.
    resized = ops.floor(total / 64**2 + 0.5)
    return keras.Model(original, model(resized), name=name or model.name)


def _mix_neighbours(x, axis):
    """Mix two neighbours along an axis with weights in 1/64: 65 pixels become 32."""
    weight = _WEIGHT.reshape(-1, *[1] * (3 - axis)).astype(np.float32)
    first, second = ops.take(x, _FIRST, axis), ops.take(x, _FIRST + 1, axis)
    return first * (64.0 - weight) + second * weight

"""Denoiser and descriptor network as one model."""

import keras

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.prediction import takes_sigma
from hpatches_kit.patches.views import PATCH_SIZE


def end_to_end(denoiser, descriptor, name="end_to_end"):
    """Connect a descriptor network to the output of a denoiser, so that one loss can train both.

    The gradient of the descriptor loss reaches the denoiser, which learns to keep the details that
    distinguish places. Unlike those of `hk.denoise`, the denoised patches are neither clipped nor
    rounded, because both would stop the gradient.

    Args:
        denoiser: a `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, in 0..255.
        descriptor: a `keras.Model` from `(batch, 32, 32, 1)`, in 0..255, to `(batch, dim)`.
        name: of the model.

    Returns a `keras.Model` that shares the weights of both: training it trains them. Set
    `denoiser.trainable = False` before `compile` to train only the descriptor network. Raises
    UserError for a denoiser with a second input.

    Reference: report A, section 5.2: a denoiser that is trained alone does not help the descriptor.
    """
    if takes_sigma(denoiser):
        raise UserError(
            f"{denoiser.name} takes the sigma of the noise as a second input: expected a denoiser"
            " of patches alone."
        )
    noisy = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="noisy")
    return keras.Model(noisy, descriptor(denoiser(noisy)), name=name)

"""Denoiser and descriptor as one network, so that one loss can train both."""

import keras

from hpatches_kit.patches.views import PATCH_SIZE


def end_to_end(denoiser, descriptor, name="end_to_end"):
    """Put a descriptor behind a denoiser: noisy patches in, descriptors out.

    The loss of the descriptors then reaches through to the denoiser, which learns to keep what tells
    places apart instead of what looks clean. Its grey levels are neither clipped nor rounded, as those of
    denoised patches are: there the gradient would end.

    Args:
        denoiser: a `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, in 0..255.
        descriptor: a `keras.Model` from `(batch, 32, 32, 1)`, in 0..255, to `(batch, dim)`.
        name: of the model.

    Returns:
        A `keras.Model` that shares its weights with both: training it trains them.
        `denoiser.trainable = False` before `compile` trains the descriptor alone.

    Reference: report A, section 5.2, on why a denoiser that was trained on its own does not serve the
    descriptor.
    """
    noisy = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="noisy")
    return keras.Model(noisy, descriptor(denoiser(noisy)), name=name)

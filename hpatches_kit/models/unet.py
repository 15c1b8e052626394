"""Denoising networks: a noisy 32x32 patch in, a clean one out, grey levels 0..255."""

import keras
from keras import layers

from hpatches_kit.patches import PATCH_SIZE

PRESETS = ("shallow",)


def unet(preset="shallow", kernel_initializer="he_normal", name=None):
    """Build a U-Net.

    Args:
        preset: `"shallow"`, the baseline of both reports: one step down, one step up, 59,777
            parameters.
        kernel_initializer: name of a Keras initialiser. A name, not an instance: one seeded
            instance would give layers of equal shape equal weights.
        name: of the model; default: the preset's.

    Returns:
        A `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255; the output
        is linear, so a few values may lie outside.

    References: Ronneberger et al., U-Net, 2015; report B, figure 1.
    """
    if preset not in PRESETS:
        raise ValueError(f"Unknown U-Net {preset!r}: expected one of {', '.join(PRESETS)}.")

    def conv(filters, size, activation="relu", **kwargs):
        return layers.Conv2D(
            filters,
            size,
            padding="same",
            activation=activation,
            kernel_initializer=kernel_initializer,
            **kwargs,
        )

    noisy = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="noisy")
    fine = conv(16, 3)(noisy)  # 32 x 32
    coarse = conv(32, 3)(layers.MaxPooling2D()(fine))  # 16 x 16: sees twice as far
    up = conv(64, 2)(layers.UpSampling2D()(coarse))
    both = layers.Concatenate()([fine, up])  # the skip brings back where exactly things are
    clean = conv(1, 3, activation=None, name="clean")(conv(64, 3)(both))
    return keras.Model(noisy, clean, name=name or f"unet_{preset}")

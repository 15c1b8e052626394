"""Descriptor networks: a 32x32 patch in, a vector of 128 numbers out."""

import keras
from keras import layers

from hpatches_kit.patches import PATCH_SIZE


def l2net(dim=128, normalise=True, dropout=0.3, kernel_initializer="he_normal", name="l2net"):
    """Build L2-Net as the coursework has it: seven convolutions, 1.34 million parameters.

    Args:
        dim: length of the descriptor.
        normalise: end with an L2-normalisation layer, so that descriptors have length 1 (report A,
            section 4.2.1). `False` is the baseline of both reports.
        dropout: rate before the last convolution.
        kernel_initializer: name of a Keras initialiser.
        name: of the model.

    Returns:
        A `keras.Model` from patches `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors
        `(batch, dim)`.

    Reference: Tian et al., L2-Net, CVPR 2017.
    """

    def conv(filters, size, **kwargs):
        return layers.Conv2D(filters, size, kernel_initializer=kernel_initializer, **kwargs)

    patch = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")
    x = patch
    for filters, strides in [(32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)]:
        x = conv(filters, 3, strides=strides, padding="same")(x)  # 32 -> 16 -> 8 pixels
        # Keras's own momentum of 0.99 remembers hundreds of batches: too long for a short course.
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Flatten()(conv(dim, 8)(layers.Dropout(dropout)(x)))  # 8 -> 1 pixel
    if normalise:
        # float32 also under mixed precision: half the digits of a distance would be lost.
        x = layers.UnitNormalization(dtype="float32", name="l2_normalisation")(x)
    return keras.Model(patch, x, name=name)

"""L2-Net: a 32x32 patch in, a vector of 128 numbers out."""

import keras
from keras import layers

from hpatches_kit.patches.views import PATCH_SIZE

# Filters and stride of each 3x3 convolution: 32 -> 16 -> 8 pixels.
CONVOLUTIONS = [(32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)]


def l2net(
    dim=128,
    normalise=True,
    standardise=False,
    dropout=0.3,
    affine=True,
    final_batch_norm=False,
    kernel_initializer="he_normal",
    name="l2net",
):
    """Build L2-Net as the coursework has it: seven convolutions, 1.34 million parameters.

    Args:
        dim: length of the descriptor.
        normalise: end with an L2-normalisation layer, so that descriptors have length 1 (report A,
            section 4.2.1). `False` is the baseline of both reports.
        standardise: begin with each patch at mean 0 and standard deviation 1, so that the network
            never sees how light a place is and how strong its contrast (L2-Net's paper).
        dropout: rate before the last convolution.
        affine: batch norms learn a scale and a shift, as in the coursework. `False` is L2-Net's and
            HardNet's: neither those nor the biases before them.
        final_batch_norm: a batch norm, without scale and shift, after the last convolution (HardNet): each
            number has mean 0 over places.
        kernel_initializer: name of a Keras initialiser.
        name: of the model.

    Returns:
        A `keras.Model` from patches `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors
        `(batch, dim)`.

    References: Tian et al., L2-Net, CVPR 2017; Mishchuk et al., HardNet, NeurIPS 2017.
    """

    def conv(filters, size, use_bias=affine, **kwargs):
        options = {"kernel_initializer": kernel_initializer, "use_bias": use_bias}
        return layers.Conv2D(filters, size, **options, **kwargs)

    def batch_norm(affine):
        # Keras's own momentum of 0.99 remembers hundreds of batches: too long for a short course.
        return layers.BatchNormalization(momentum=0.9, center=affine, scale=affine)

    patch = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")
    x = standardised(patch) if standardise else patch
    for filters, strides in CONVOLUTIONS:
        x = conv(filters, 3, strides=strides, padding="same")(x)
        x = layers.ReLU()(batch_norm(affine)(x))
    x = conv(dim, 8, use_bias=not final_batch_norm)(layers.Dropout(dropout)(x))  # 8 -> 1 pixel
    x = layers.Flatten()(batch_norm(False)(x) if final_batch_norm else x)
    return keras.Model(patch, unit_norm(x) if normalise else x, name=name)


def standardised(patch):
    """Patches at mean 0 and standard deviation 1, each on its own."""
    return layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, dtype="float32", name="standardised"
    )(patch)


def unit_norm(x):
    """Descriptors of length 1; float32 also under mixed precision, where half the digits go."""
    return layers.UnitNormalization(dtype="float32", name="l2_normalisation")(x)

"""L2-Net: from a 32x32 patch to a 128-D descriptor."""

import keras
from keras import layers

from hpatches_kit.models.pair_norms import pair_norms
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
    *,
    batch_norm_momentum=0.9,
    norm_regularizer=0.0,
):
    """Build L2-Net as in the coursework: seven convolutions, 1.34 million parameters.

    Args:
        dim: dimension of the descriptor.
        normalise: end with an L2-normalisation layer, so that descriptors have unit norm (report A,
            section 4.2.1). `False` is the baseline of both reports.
        standardise: scale each patch to mean 0 and standard deviation 1 first, so that the network
            does not see brightness and contrast (L2-Net paper).
        dropout: rate before the last convolution.
        affine: batch normalisation learns a scale and a shift, as in the coursework. With `False`
            (L2-Net, HardNet) it learns neither, and the convolutions before it have no bias.
        final_batch_norm: add batch normalisation without scale and shift after the last convolution
            (HardNet), so that each dimension has mean 0 over places.
        kernel_initializer: name of a Keras initialiser.
        name: of the model.
        batch_norm_momentum: of the moving mean and variance. Keras's default of 0.99 averages over
            hundreds of batches, too many for a short training; 0.9 averages over tens.
        norm_regularizer: weight of HyNet's regulariser (0.1 in the paper), which makes the norms of
            a pair before normalisation similar; for training with `hk.batches.Pairs`.

    Returns a `keras.Model` from patches `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors
    `(batch, dim)`.

    References: Tian et al., L2-Net, CVPR 2017; Mishchuk et al., HardNet, NeurIPS 2017.
    """

    def conv(filters, size, use_bias=affine, **kwargs):
        options = {"kernel_initializer": kernel_initializer, "use_bias": use_bias}
        return layers.Conv2D(filters, size, **options, **kwargs)

    def batch_norm(affine):
        options = {"momentum": batch_norm_momentum, "center": affine, "scale": affine}
        return layers.BatchNormalization(**options)

    patch = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")
    x = standardised(patch) if standardise else patch
    for filters, strides in CONVOLUTIONS:
        x = conv(filters, 3, strides=strides, padding="same")(x)
        x = layers.ReLU()(batch_norm(affine)(x))
    x = conv(dim, 8, use_bias=not final_batch_norm)(layers.Dropout(dropout)(x))  # 8 -> 1 pixel
    x = batch_norm(False)(x) if final_batch_norm else x
    x = layers.Flatten(activity_regularizer=pair_norms(norm_regularizer))(x)
    return keras.Model(patch, unit_norm(x) if normalise else x, name=name)


def standardised(patch):
    """Scale each patch to mean 0 and standard deviation 1."""
    options = {"center": False, "scale": False, "dtype": "float32", "name": "standardised"}
    return layers.LayerNormalization(axis=(1, 2, 3), **options)(patch)


def unit_norm(descriptors):
    """Scale descriptors to unit norm, in float32 because mixed precision loses digits."""
    return layers.UnitNormalization(dtype="float32", name="l2_normalisation")(descriptors)

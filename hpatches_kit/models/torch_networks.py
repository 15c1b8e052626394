"""HardNet, SOSNet, HyNet and TFeat with the arithmetic of their authors' PyTorch code.

Four things differ from the networks of the same name in this package. Patches are scaled to 0..1
first, for which the small constants in divisions were chosen. A stride-2 convolution pads its input
on all four sides, where Keras pads an image of even size only below and at the right. Batch
normalisation adds 1e-5 to the variance, Keras 1e-3. And the standard deviation of HardNet's patches
is divided by n - 1, not n.

A layer has the name of its PyTorch module, with `_` for `.`: `features_0` holds `features.0.weight`.
"""

import keras
from keras import layers, ops

from hpatches_kit.models.hynet import FilterResponseNormalization
from hpatches_kit.models.l2net import CONVOLUTIONS, unit_norm
from hpatches_kit.patches.views import PATCH_SIZE


def hardnet():
    """Build HardNet (Mishchuk et al., NeurIPS 2017)."""
    patch = _patch()
    x = _standardised(patch, unbiased=True, epsilon=1e-6)
    x = _convolutions(x, "features_{}".format, first=0)
    x = layers.Conv2D(128, 8, use_bias=False, name="features_19")(layers.Dropout(0.3)(x))
    return keras.Model(patch, unit_norm(_flat(_batch_norm("features_20")(x))), name="hardnet")


def hardnetps():
    """Build HardNet as trained on PhotoSynth (Mitra et al., 2018).

    It has biases, scales and shifts, and no batch normalisation at the end.
    """
    patch = _patch()
    x = _standardised(patch, unbiased=True, epsilon=1e-7)
    x = _convolutions(x, "features_{}".format, first=0, affine=True)
    x = layers.Conv2D(128, 8, name="features_18")(x)
    return keras.Model(patch, unit_norm(_flat(x)), name="hardnetps")


def sosnet():
    """Build SOSNet (Tian et al., CVPR 2019)."""
    patch = _patch()
    x = _standardised(patch, unbiased=False, epsilon=1e-5)
    x = _convolutions(x, "layers_{}".format, first=1)
    x = layers.Conv2D(128, 8, use_bias=False, name="layers_20")(layers.Dropout(0.1)(x))
    return keras.Model(patch, unit_norm(_flat(_batch_norm("layers_21")(x)) + 1e-10), name="sosnet")


def hynet():
    """Build HyNet (Tian et al., NeurIPS 2020)."""
    patch = _patch()
    x = layers.Rescaling(1 / 255, dtype="float32")(patch)
    x = FilterResponseNormalization(name="layer1_0")(x)
    for k, (filters, strides) in enumerate(CONVOLUTIONS, start=1):
        index = 2 if k == 1 else 0  # in PyTorch, the first layer also has the FRN of the patch
        x = _convolution(x, filters, strides, f"layer{k}_{index}", use_bias=True)
        x = FilterResponseNormalization(name=f"layer{k}_{index + 1}")(x)
    x = layers.Conv2D(128, 8, use_bias=False, name="layer7_1")(layers.Dropout(0.3)(x))
    return keras.Model(patch, unit_norm(_flat(_batch_norm("layer7_2")(x)) + 1e-10), name="hynet")


def tfeat():
    """Build TFeat (Balntas et al., BMVC 2016), whose descriptors do not have unit norm."""
    patch = _patch()
    x = _standardised(patch, unbiased=False, epsilon=1e-5)
    x = _tfeat_convolutions(x, ("features_1", "features_4", "descr_0"), dropout=0.0)
    return keras.Model(patch, x, name="tfeat")


def hardtfeat():
    """Build TFeat as trained with HardNet's loss (github.com/ducha-aiki/affnet, HardTFeat.pth)."""
    patch = _patch()
    x = _standardised(patch, unbiased=True, epsilon=1e-7)
    x = _tfeat_convolutions(x, ("features_0", "features_3", "classifier_1"), dropout=0.1)
    return keras.Model(patch, unit_norm(x), name="hardtfeat")


BUILDERS = (hardnet, hardnetps, sosnet, hynet, tfeat, hardtfeat)


def _patch():
    return keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")


def _standardised(patch, unbiased, epsilon):
    """Scale each patch to mean 0 and standard deviation 1.

    Built from operations, because a `LayerNormalization` divides by n and, on some backends, takes
    the difference of two large numbers for the variance. HardNet adds epsilon to the unbiased
    standard deviation, instance normalisation to the variance.
    """
    # The mean is subtracted before scaling to 0..1: the difference of whole grey levels is exact.
    x = (patch - ops.mean(patch, axis=(1, 2, 3), keepdims=True)) / 255
    squares = ops.sum(ops.square(x), axis=(1, 2, 3), keepdims=True)
    if unbiased:
        return x / (ops.sqrt(squares / (PATCH_SIZE**2 - 1)) + epsilon)
    return x / ops.sqrt(squares / PATCH_SIZE**2 + epsilon)


def _convolutions(x, name, first, affine=False):
    """The six 3x3 convolutions of HardNet and SOSNet, and batch normalisation after each."""
    for k, (filters, strides) in enumerate(CONVOLUTIONS):
        index = first + 3 * k  # convolution, batch normalisation, ReLU
        x = _convolution(x, filters, strides, name(index), use_bias=affine)
        x = layers.ReLU()(_batch_norm(name(index + 1), affine)(x))
    return x


def _convolution(x, filters, strides, name, use_bias):
    padding = "same"
    if strides > 1:
        x, padding = layers.ZeroPadding2D(1)(x), "valid"
    options = {"padding": padding, "use_bias": use_bias, "name": name}
    return layers.Conv2D(filters, 3, strides, **options)(x)


def _batch_norm(name, affine=False):
    options = {"momentum": 0.9, "epsilon": 1e-5, "center": affine, "scale": affine}
    return layers.BatchNormalization(**options, name=name)


def _tfeat_convolutions(x, names, dropout):
    x = layers.Conv2D(32, 7, activation="tanh", name=names[0])(x)
    x = layers.Conv2D(64, 6, activation="tanh", name=names[1])(layers.MaxPooling2D()(x))
    x = layers.Dropout(dropout)(x) if dropout else x
    return _flat(layers.Conv2D(128, 8, activation="tanh", name=names[2])(x))


def _flat(x):
    return layers.Flatten(dtype="float32")(x)  # also in mixed precision

"""NAFNet: a denoiser without activation functions."""

from functools import partial

import keras
from keras import layers, ops

from hpatches_kit.models.unet import check_levels, convolution, denoising_inputs, denoising_model


def nafnet(
    filters=(16, 32, 64, 128),
    blocks=1,
    kernel_initializer="he_normal",
    residual=True,
    name="nafnet",
    *,
    noise_map=False,
):
    """Build a NAFNet: a U-Net whose convolutions are blocks that multiply instead of using ReLU.

    A block has two parts, each of which adds to its input: layer normalisation and a 1x1
    convolution to twice the channels, of which one half multiplies the other (the simple gate),
    then a 1x1 convolution. The first part also has a depthwise 3x3 convolution before the gate, and
    after it multiplies each channel by a weight that depends on the means of all channels. A level
    is left by a 2x2 convolution with stride 2 and entered again by a transposed one, whose result
    is added to the encoder's (the skip connection).

    The paper has more blocks, and different numbers of them at each level and in the middle; it
    enters a level by a 1x1 convolution and a pixel shuffle; and it multiplies what a part adds by
    weights that start at 0, where here the last convolution starts at 0.

    Args:
        filters: of each level, from the top.
        blocks: in each level of the encoder and of the decoder.
        kernel_initializer: as for `unet`. Three kinds of convolutions have their own: the last of a
            part starts at 0, so that an untrained block changes nothing; the weights of channels
            start at 1; for depthwise ones, Keras would count the inputs of all channels.
        residual, name, noise_map: as for `unet`.

    Returns a `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255.
    Raises UserError for fewer than 2 or more than 6 levels.

    Reference: Chen et al., Simple Baselines for Image Restoration, ECCV 2022.
    """
    check_levels(filters)
    conv = partial(convolution, kernel_initializer=kernel_initializer, activation=None)
    inputs, x = denoising_inputs(noise_map)
    x = layers.Rescaling(1 / 255, name="to_unit")(x)  # about as large as what blocks add
    x, skips = conv(filters[0], 3, name="first")(x), []
    for level, width in enumerate(filters, start=1):
        if level > 1:
            x = conv(width, 2, strides=2, name=f"down{level - 1}")(x)
        for k in range(1, blocks + 1):
            x = _block(conv, x, width, f"enc{level}_{k}")
        skips.append(x)
    for level in range(len(filters) - 1, 0, -1):
        width = filters[level - 1]
        up = conv(width, 2, layer=layers.Conv2DTranspose, strides=2, name=f"up{level}")(x)
        x = layers.Add(name=f"skip{level}")([up, skips[level - 1]])
        for k in range(1, blocks + 1):
            x = _block(conv, x, width, f"dec{level}_{k}")
    x = layers.Rescaling(255.0, name="to_grey_levels")(x)
    return denoising_model(conv, inputs, x, residual, name)


def _block(conv, x, width, name):
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm1")(x)
    y = conv(2 * width, 1, name=f"{name}_wide1")(y)
    y = layers.DepthwiseConv2D(
        3,
        padding="same",
        depthwise_initializer=keras.initializers.VarianceScaling(1.0, "fan_out"),
        name=f"{name}_depthwise",
    )(y)
    y = _gate(y, f"{name}_gate1")
    means = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_means")(y)
    start_at_1 = {"kernel_initializer": "zeros", "bias_initializer": "ones"}
    weights = conv(width, 1, name=f"{name}_weights", **start_at_1)(means)
    y = layers.Multiply(name=f"{name}_weighted")([y, weights])
    y = conv(width, 1, kernel_initializer="zeros", name=f"{name}_narrow1")(y)
    x = layers.Add(name=f"{name}_add1")([x, y])
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm2")(x)
    y = _gate(conv(2 * width, 1, name=f"{name}_wide2")(y), f"{name}_gate2")
    y = conv(width, 1, kernel_initializer="zeros", name=f"{name}_narrow2")(y)
    return layers.Add(name=f"{name}_add2")([x, y])


def _gate(x, name):
    return layers.Multiply(name=name)(ops.split(x, 2, axis=-1))

"""The two denoisers that report B proposes but does not build: U-Net++ and Framing U-Net."""

from functools import partial

from keras import layers

from hpatches_kit.models.unet import (
    check_levels,
    convolution,
    denoising_inputs,
    denoising_model,
    double_size,
)


def unet_plus_plus(
    filters=(32, 64, 128, 256),
    up_convolution="nearest",
    kernel_initializer="he_normal",
    residual=False,
    name="unet_plus_plus",
):
    """Build a U-Net++: a triangle of nested U-Nets between encoder and decoder.

    Column 0 is the encoder. The input of node (level, column) is the upsampled node (level + 1,
    column - 1), concatenated with all earlier nodes of its level. The output comes from the last
    node of level 1. Each node is one 3x3 convolution (two in the paper), without deep supervision.

    Args:
        filters: of each level, from the top.
        up_convolution, kernel_initializer, residual, name: as for `unet`.

    Returns a `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255.
    Raises UserError for fewer than 2 or more than 6 levels.

    References: Zhou et al., UNet++, 2018; report B, section 5.
    """
    check_levels(filters)
    conv = partial(convolution, kernel_initializer=kernel_initializer)
    inputs, noisy = denoising_inputs()
    x, nodes = noisy, []  # nodes[level][column]
    for level, width in enumerate(filters):
        if level:
            x = layers.MaxPooling2D(name=f"pool{level}")(x)
        x = conv(width, 3, name=f"node{level + 1}_0")(x)
        nodes.append([x])
    for column in range(1, len(filters)):
        for level, width in enumerate(filters[:-column]):
            suffix = f"{level + 1}_{column}"
            below = nodes[level + 1][column - 1]
            x = double_size(conv, below, width, up_convolution, None, f"upsamp{suffix}")
            x = layers.Concatenate(name=f"concat{suffix}")([x, *nodes[level]])
            nodes[level].append(conv(width, 3, name=f"node{suffix}")(x))
    return denoising_model(conv, inputs, nodes[0][-1], residual, name)


def framing_unet(
    filters=(64, 128, 256), kernel_initializer="he_normal", residual=False, name="framing_unet"
):
    """Build a tight frame U-Net: pooling by Haar wavelets, which loses no information.

    Each 2x2 block is split into its mean, which goes down to the next level, and its three Haar
    details (across, along, diagonal), which go through the skip connection together with the level
    itself. Mean and details together reconstruct the level exactly.

    Args, returns, raises: as for `unet_plus_plus`.

    References: Han and Ye, Framing U-Net via Deep Convolutional Framelets, TMI 2018 (tight frame
    U-Net); report B, section 5.
    """
    check_levels(filters)
    conv = partial(convolution, kernel_initializer=kernel_initializer)
    inputs, noisy = denoising_inputs()
    x, skips = noisy, []
    for level, width in enumerate(filters, start=1):
        x = conv(width, 3, name=f"enc_conv{level}")(x)
        if level < len(filters):
            skips.append([x, *haar_details(x, f"haar{level}")])
            x = layers.AveragePooling2D(2, name=f"mean{level}")(x)
    for level in range(len(filters) - 1, 0, -1):
        width = filters[level - 1]
        x = conv(width, 3, name=f"low_conv{level}")(x)
        x = layers.UpSampling2D(name=f"mean_back{level}")(x)
        x = layers.Concatenate(name=f"concat{level}")([x, *skips[level - 1]])
        x = conv(width, 3, name=f"dec_conv{level}")(x)
    return denoising_model(conv, inputs, x, residual, name)


def haar_details(x, name):
    """The Haar details of 2x2 blocks, each at full size: across, along and diagonal.

    Each is a difference of means over columns, rows or all of a block. Their sum with the mean of
    the block is `x`.
    """

    def mean(size, part):
        pooled = layers.AveragePooling2D(size, name=f"{name}_{part}")(x)
        return layers.UpSampling2D(size, name=f"{name}_{part}_back")(pooled)

    down, right, block = mean((2, 1), "down"), mean((1, 2), "right"), mean((2, 2), "block")
    across = layers.Subtract(name=f"{name}_across")([down, block])
    along = layers.Subtract(name=f"{name}_along")([right, block])
    smooth = layers.Add(name=f"{name}_smooth")([block, across, along])
    return across, along, layers.Subtract(name=f"{name}_diagonal")([x, smooth])

"""The two denoisers that report B proposes but does not build: U-Net++ and Framing U-Net."""

from functools import partial

import keras
from keras import layers

from hpatches_kit.models.unet import check_levels, convolution, denoising_model, double_size
from hpatches_kit.patches.views import PATCH_SIZE


def unet_plus_plus(
    filters=(32, 64, 128, 256),
    up_convolution="nearest",
    kernel_initializer="he_normal",
    residual=False,
    name="unet_plus_plus",
):
    """Build a U-Net++: a triangle of nested U-Nets between encoder and decoder.

    The input of node (level, column) is all nodes of its level in earlier columns, concatenated with
    the upsampled node (level + 1, column - 1). Column 0 is the encoder; the last node of level 1 is
    the output. Each node is one 3x3 convolution, as in the other denoisers here (the paper uses two);
    there is no deep supervision.

    Args:
        filters: of each level, from the top.
        up_convolution, kernel_initializer, residual, name: as for `unet`.

    Returns:
        A `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255.

    Raises UserError for fewer than 2 or more than 6 levels.

    References: Zhou et al., UNet++, 2018; report B, section 5.
    """
    check_levels(filters)
    conv = partial(convolution, kernel_initializer=kernel_initializer)
    noisy = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="noisy")
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
    return denoising_model(conv, noisy, nodes[0][-1], residual, name)


def framing_unet(
    filters=(64, 128, 256),
    kernel_initializer="he_normal",
    residual=False,
    name="framing_unet",
):
    """Build a tight frame U-Net: pooling by Haar wavelets, which loses no information.

    The skip connection of a U-Net duplicates the low frequencies that pooling also passes down. Here
    each level splits each 2x2 block into its mean, which goes down, and its three Haar details
    (across, along, diagonal), which go through the skip connection together with the level itself.
    Mean and details together reconstruct the level exactly.

    Args:
        filters: of each level, from the top.
        kernel_initializer, residual, name: as for `unet`.

    Returns:
        A `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255.

    Raises UserError for fewer than 2 or more than 6 levels.

    References: Han and Ye, Framing U-Net via Deep Convolutional Framelets, TMI 2018 (the tight frame
    U-Net); report B, section 5.
    """
    check_levels(filters)
    conv = partial(convolution, kernel_initializer=kernel_initializer)
    noisy = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="noisy")
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
    return denoising_model(conv, noisy, x, residual, name)


def haar_details(x, name):
    """Three Haar details of 2x2 blocks, each at full size: across, along and diagonal.

    They are differences of means over columns, rows and blocks of each 2x2 block, each mean repeated
    over its pixels. Their sum with the block mean is `x`.
    """

    def mean(size, part):
        pooled = layers.AveragePooling2D(size, name=f"{name}_{part}")(x)
        return layers.UpSampling2D(size, name=f"{name}_{part}_back")(pooled)

    down, right, block = mean((2, 1), "down"), mean((1, 2), "right"), mean((2, 2), "block")
    across = layers.Subtract(name=f"{name}_across")([down, block])
    along = layers.Subtract(name=f"{name}_along")([right, block])
    smooth = layers.Add(name=f"{name}_smooth")([block, across, along])
    return across, along, layers.Subtract(name=f"{name}_diagonal")([x, smooth])

"""The two denoisers that report B proposes and does not build: U-Net++ and Framing U-Net."""

from functools import partial

import keras
from keras import layers

from hpatches_kit.models.unet import check_levels, convolution, denoiser, double
from hpatches_kit.patches.views import PATCH_SIZE


def unet_plus_plus(
    filters=(32, 64, 128, 256),
    up_convolution="nearest",
    kernel_initializer="he_normal",
    residual=False,
    name="unet_plus_plus",
):
    """Build a U-Net++: between encoder and decoder, a triangle of smaller U-Nets that share nodes.

    Node (level, column) sees all nodes of its level further left and the one below it to the left,
    doubled in size. Column 0 is the encoder; the last node of level 1 is the output. One 3x3
    convolution a node, as in the other denoisers here, where the paper has two; no deep supervision.

    Args:
        filters: of each level, the last at the bottom.
        up_convolution, kernel_initializer, residual, name: as for `unet`.

    Returns:
        A `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255.

    Raises UserError for fewer than 2 levels and more than 6.

    References: Zhou et al., UNet++, 2018; report B, section 5.
    """
    check_levels(filters)
    conv = partial(convolution, kernel_initializer=kernel_initializer)
    noisy = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="noisy")
    x, rows = noisy, []  # rows[level]: the nodes of a level so far
    for level, width in enumerate(filters):
        if level:
            x = layers.MaxPooling2D(name=f"pool{level}")(x)
        x = conv(width, 3, name=f"node{level + 1}_0")(x)
        rows.append([x])
    for column in range(1, len(filters)):
        for level, width in enumerate(filters[:-column]):
            here = f"{level + 1}_{column}"
            below = rows[level + 1][column - 1]
            up = double(conv, below, width, up_convolution, None, f"upsamp{here}")
            both = layers.Concatenate(name=f"concat{here}")([up, *rows[level][:column]])
            rows[level].append(conv(width, 3, name=f"node{here}")(both))
    return denoiser(conv, noisy, rows[0][-1], residual, name)


def framing_unet(
    filters=(64, 128, 256),
    kernel_initializer="he_normal",
    residual=False,
    name="framing_unet",
):
    """Build a tight frame U-Net: pooling that loses nothing, by Haar wavelets.

    Max-pooling and the skip of a U-Net count what is smooth twice and what is fine once. Here a level
    splits each 2x2 block into its mean, which goes down, and its three differences (across, along,
    diagonal), which go over the skip, beside the level itself, and meet on the way up the mean that
    comes back: together they would rebuild the level exactly.

    Args:
        filters: of each level, the last at the bottom.
        kernel_initializer, residual, name: as for `unet`.

    Returns:
        A `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255.

    Raises UserError for fewer than 2 levels and more than 6.

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
            skips.append([x, *differences(x, f"haar{level}")])
            x = layers.AveragePooling2D(2, name=f"mean{level}")(x)
    for level in range(len(filters) - 1, 0, -1):
        width = filters[level - 1]
        back = conv(width, 3, name=f"low_conv{level}")(x)
        back = layers.UpSampling2D(name=f"mean_back{level}")(back)
        x = layers.Concatenate(name=f"concat{level}")([back, *skips[level - 1]])
        x = conv(width, 3, name=f"dec_conv{level}")(x)
    return denoiser(conv, noisy, x, residual, name)


def differences(x, name):
    """The three Haar details of 2x2 blocks, each at full size: across, along and diagonal.

    A mean over part of a block, repeated over that part, keeps what is even there. So the means over
    rows, columns and blocks give all four components by subtraction; their sum with the block mean is
    `x`.
    """

    def mean(size, part):
        pooled = layers.AveragePooling2D(size, name=f"{name}_{part}")(x)
        return layers.UpSampling2D(size, name=f"{name}_{part}_back")(pooled)

    down, right, block = mean((2, 1), "down"), mean((1, 2), "right"), mean((2, 2), "block")
    across = layers.Subtract(name=f"{name}_across")([down, block])
    along = layers.Subtract(name=f"{name}_along")([right, block])
    smooth = layers.Add(name=f"{name}_smooth")([block, across, along])
    return across, along, layers.Subtract(name=f"{name}_diagonal")([x, smooth])

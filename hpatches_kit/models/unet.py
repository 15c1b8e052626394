"""U-Net denoisers: from a noisy 32x32 patch to a clean one, grey levels 0..255."""

from dataclasses import dataclass
from functools import partial

import keras
from keras import layers

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches import noise
from hpatches_kit.patches.views import PATCH_SIZE


@dataclass
class Preset:
    encoder: tuple  # filters of each level; each level has half the size of the one before
    decoder: tuple  # filters of each upsampling step
    up_activation: str | None = "relu"  # of the convolution in an upsampling step
    reported: str = ""  # number of parameters that the report states


UNET_PRESETS = {
    "shallow": Preset((16, 32), (64,)),
    # Report B counts layers and gives no filters. Our reading: the decoder mirrors the encoder, with
    # four times its filters at each level, as in the shallow U-Net (16 and 64).
    "6-layer": Preset((16, 32, 64), (128, 64)),
    "8-layer": Preset((16, 32, 64, 128), (256, 128, 64)),
    # Another reading, from student code for the same coursework: the filters double towards the
    # full size, where they are expensive.
    "6-layer-wide": Preset((16, 32, 64), (128, 256)),
    "8-layer-wide": Preset((16, 32, 64, 128), (256, 512, 1024)),
    # Report A, table 3, lists no ReLU between the 2x2 convolution and the concatenation.
    "deep": Preset((64, 128, 256, 512), (256, 128, 64), None, "1.3 M"),
    "deeper": Preset((64, 128, 256, 512, 1024), (512, 256, 128, 64), None, "13 M"),
}
UP_CONVOLUTIONS = ("nearest", "bilinear", "transposed")


def unet(
    preset="shallow",
    encoder=None,
    decoder=None,
    up_convolution="nearest",
    kernel_initializer="he_normal",
    residual=False,
    name=None,
    *,
    noise_map=False,
):
    """Build a U-Net.

    An encoder level is a 3x3 convolution (same padding, ReLU), followed by 2x2 max-pooling. An
    upsampling step of the decoder doubles the size, applies a 2x2 convolution, concatenates the
    encoder level of that size (the skip connection) and applies a 3x3 convolution.

    Args:
        preset: supplies `encoder` and `decoder` if they are not given:

            - `"shallow"`: the baseline of both reports, one step down and one up;
            - `"6-layer"`, `"8-layer"`: the shallow one with report B's 2 and 4 additional layers.
              The report gives no filters; these are our reading: at each level the decoder has four
              times the filters of the encoder, as in the shallow one;
            - `"6-layer-wide"`, `"8-layer-wide"`: another reading, in which the filters of the
              decoder double with each step up;
            - `"deep"`: report A, table 3, with its layer names;
            - `"deeper"`: one more level. Report A names it without listing its layers.
        encoder: filters of each level, from the top.
        decoder: filters of each upsampling step, from the bottom; one fewer than levels.
        up_convolution: `"nearest"` repeats pixels and `"bilinear"` interpolates them, both followed
            by a 2x2 convolution; `"transposed"` is a transposed 2x2 convolution.
        kernel_initializer: name of a Keras initialiser. Not an instance: one seeded instance would
            give layers of equal shape equal weights.
        residual: predict the noise and subtract it from the input.
        name: of the model. Default: the preset's.
        noise_map: take a second input, `sigma (batch, 1)`: the standard deviation of the noise in
            grey levels at 65 px. The network sees the map of `hk.patches.noise_map` beside the
            patch, for training with `hk.batches.NoisyClean(sigma=True)`.

    Returns a `keras.Model` from `(batch, 32, 32, 1)` to `(batch, 32, 32, 1)`, both in 0..255. The
    output is linear, so a few values may lie outside. Raises UserError for unknown names, fewer
    than 2 or more than 6 levels, and an encoder and a decoder that do not match.

    References: Ronneberger et al., U-Net, 2015; report A, table 3; report B, figure 1 and section
    3.2. Residual: Zhang et al., DnCNN, TIP 2017. Noise map: Zhang et al., FFDNet, TIP 2018.
    """
    if preset not in UNET_PRESETS:
        raise UserError(f"Unknown U-Net {preset!r}: expected one of {', '.join(UNET_PRESETS)}.")
    settings = UNET_PRESETS[preset]
    encoder = settings.encoder if encoder is None else tuple(encoder)
    decoder = settings.decoder if decoder is None else tuple(decoder)
    check_levels(encoder)
    if len(encoder) != len(decoder) + 1:
        raise UserError(f"{encoder=} with {decoder=}: expected one level more than steps up.")
    conv = partial(convolution, kernel_initializer=kernel_initializer)
    inputs, x = denoising_inputs(noise_map)
    skips = []
    for level, filters in enumerate(encoder, start=1):
        if level > 1:
            x = layers.MaxPooling2D(name=f"pool{level - 1}")(x)
        x = conv(filters, 3, name=f"enc_conv{level}")(x)
        skips.append(x)
    for filters, level in zip(decoder, range(len(decoder), 0, -1)):
        x = double_size(conv, x, filters, up_convolution, settings.up_activation, f"upsamp{level}")
        x = layers.Concatenate(name=f"concat{level}")([x, skips[level - 1]])
        x = conv(filters, 3, name=f"dec_conv{level}")(x)
    return denoising_model(conv, inputs, x, residual, name or f"unet_{preset}")


def denoising_inputs(noise_map=False):
    """Return the inputs of a denoiser, and what its first layer sees: the patch, and the map."""
    noisy = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="noisy")
    if not noise_map:
        return [noisy], noisy
    sigma = keras.Input((1,), name="sigma")
    strength = (
        layers.Reshape((1, 1, 1), name="sigma_of_patch")(sigma) * noise.noise_map()[None, ..., None]
    )
    return [noisy, sigma], layers.Concatenate(name="with_noise_map")([noisy, strength])


def check_levels(filters):
    """Raise UserError unless there are 2 to 6 levels: 5 halvings take 32 pixels to 1."""
    most = PATCH_SIZE.bit_length()
    if not 2 <= len(filters) <= most:
        raise UserError(f"{len(filters)} levels, {filters}: expected 2 to {most}.")


def convolution(filters, size, activation="relu", layer=layers.Conv2D, **kwargs):
    return layer(filters, size, padding="same", activation=activation, **kwargs)


def double_size(conv, x, filters, up_convolution, activation, name):
    if up_convolution not in UP_CONVOLUTIONS:
        raise UserError(f"Unknown {up_convolution=}: expected one of {', '.join(UP_CONVOLUTIONS)}.")
    options = {"activation": activation, "name": name}
    if up_convolution == "transposed":
        return conv(filters, 2, layer=layers.Conv2DTranspose, strides=2, **options)(x)
    x = layers.UpSampling2D(interpolation=up_convolution, name=f"{name}_size")(x)
    return conv(filters, 2, **options)(x)


def denoising_model(conv, inputs, x, residual, name):
    """Add the last layers in float32, because mixed precision rounds grey levels to integers."""
    out = conv(1, 3, activation=None, dtype="float32", name="noise" if residual else "out")(x)
    if residual:
        out = layers.Subtract(dtype="float32", name="out")([inputs[0], out])
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], out, name=name)

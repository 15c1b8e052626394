"""Exercises of lesson 4: a U-Net by hand, residual learning, and a loss of two terms."""

import keras
import numpy as np

import hpatches_kit as hk
from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_model,
    is_close,
)
from hpatches_kit.course.exercises.lesson_4_shallow_unet import EXERCISE as SHALLOW_UNET
from hpatches_kit.course.exercises.weights import shared


def residual(network):
    """Turn a network into a denoiser that predicts the noise and subtracts it.

    `network` is a `keras.Model` from (batch, 32, 32, 1) to (batch, 32, 32, 1). Returns a
    `keras.Model` of the same shapes: its output is its input minus what `network` predicts for it.
    It trains the weights of `network` itself.
    """
    noisy = keras.Input((32, 32, 1))
    noise = network(noisy)
    denoised = keras.layers.Subtract()([noisy, noise])
    return keras.Model(noisy, denoised)


def check_residual(residual):
    network = _one_convolution(weight=-0.1, bias=2.0)  # grey level 100: noise -8
    model = expect_model(residual(network), "residual(network)")
    expect(
        model is not network,
        "it returns the network itself: expected a new keras.Model that contains it.",
    )
    patches = np.full((3, 32, 32, 1), 100.0, "float32")
    patches[1], patches[2] = 0.0, 250.0
    outputs = expect_array(model(patches), (3, 32, 32, 1), "the output of three patches")
    _check_weights(model, network)
    _check_outputs(outputs[:, 16, 16, 0])


def _one_convolution(weight, bias):
    """A network whose output is `weight * input + bias`."""
    noisy = keras.Input((32, 32, 1))
    network = keras.Model(noisy, keras.layers.Conv2D(1, 1)(noisy))
    network.set_weights([np.full((1, 1, 1, 1), weight), np.full(1, bias)])
    return network


def _check_weights(model, network):
    count, expected = len(model.weights), len(network.weights)
    common = shared(network.weights, model.weights)
    expect(
        count > 0,
        f"the network has {expected} weights, and the model has none of them: training would change"
        " nothing. Call the network on a keras.Input; a Lambda layer hides its weights.",
    )
    expect(
        common == expected,
        f"the model contains {common} of the {expected} weights of the network: did you build"
        " or copy a second network? Call the one that you are given.",
    )
    expect(
        count == expected,
        f"the model has {count} weights, the network has {expected}: expected no others.",
    )
    trainable = len(model.trainable_weights)
    expect(
        trainable == expected,
        f"{trainable} of {expected} weights are trainable: expected all. Did you freeze the network?",
    )


def _check_outputs(outputs):
    first = f"for a grey level of 100 this network predicts the noise -8; the output is {outputs[0]:.0f}"
    known = {
        92: "the noise is added: subtract it.",
        -108: "the input is subtracted from the noise: subtract the noise from the input.",
        -8: "that is the noise itself: subtract it from the input.",
    }
    for value, sentence in known.items():
        expect(not is_close(outputs[0], value), f"{first}: expected 108. Here {sentence}")
    expect(is_close(outputs[0], 108), f"{first}: expected 100 - (-8) = 108.")
    for grey, noise, output in ((0, 2, outputs[1]), (250, -23, outputs[2])):
        expect(
            is_close(output, grey - noise),
            f"for a grey level of {grey} this network predicts the noise {noise}; the output is"
            f" {output:.0f}: expected {grey - noise}. Did you clip it? Outside of 0..255 a clipped"
            " output has no gradient: clip when the patches are used, not in the network.",
        )


def mixed_loss(clean, denoised):
    """Compute 0.84 (1 - SSIM) + 0.16 MAE / 255 of each patch: shape (batch,).

    Patches are (batch, 32, 32, 1), uint8 or float32, with grey levels 0..255. The SSIM of each patch
    is `hk.metrics.ssim(clean, denoised)`, (batch,); MAE is the mean absolute error of the patch.
    """
    difference = keras.ops.cast(clean, "float32") - keras.ops.cast(denoised, "float32")
    mae = keras.ops.mean(keras.ops.abs(difference), axis=(1, 2, 3))
    return 0.84 * (1 - hk.metrics.ssim(clean, denoised)) + 0.16 * mae / 255


def check_mixed_loss(mixed_loss):
    clean = np.full((3, 32, 32, 1), 100.0, "float32")
    denoised = clean + np.reshape([0, 10, -10], (3, 1, 1, 1)).astype("float32")
    value = mixed_loss(clean, denoised)
    expect(
        value is None or np.shape(value) != (),
        "it returns one number for the whole batch: expected one per patch. Average the absolute"
        " errors over axes 1, 2 and 3.",
    )
    value = expect_array(value, (3,), "mixed_loss of three patches")
    _check_terms(value)
    expect(
        is_close(value, [0, 0.010074, 0.010914], 1e-5),
        f"the losses of patches with errors 0, 10 and -10 are {np.round(value, 4)}: expected"
        " [0. 0.0101 0.0109]. The SSIM of these flat patches is 1, 0.9955 and 0.9945; `ssim` takes"
        " grey levels 0..255.",
    )
    _check_both_signs(mixed_loss)
    integers = mixed_loss(clean.astype("uint8"), denoised.astype("uint8"))
    integers = expect_array(integers, (3,), "mixed_loss of integers")
    expect(
        is_close(integers, value),
        f"for the same patches as uint8 the losses are {np.round(integers, 4)}: 100 - 110"
        " wraps to 246. Cast both to float32 before you subtract.",
    )


def _check_both_signs(mixed_loss):
    """A patch whose left half is too bright by 10, and whose right half is too dark by 30."""
    clean = np.full((2, 32, 32, 1), 100.0, "float32")
    denoised = clean.copy()
    denoised[1, :, :16], denoised[1, :, 16:] = 110, 70
    value = expect_array(mixed_loss(clean, denoised), (2,), "mixed_loss of two patches")[1]
    similarity = keras.ops.convert_to_numpy(hk.metrics.ssim(clean, denoised))[1]
    mae = (value - 0.84 * (1 - similarity)) * 255 / 0.16
    known = {
        10.0: " The errors cancel: take absolute values before the mean.",
        500**0.5: " That is the root of the mean squared error.",
        30.0: " That is the largest error.",
    }
    reason = next((known[k] for k in known if is_close(mae, k, 1e-3)), "")
    expect(
        is_close(mae, 20.0, 1e-3),
        "half of the pixels have the error 10, the other half -30: the MAE is 20, and yours is"
        f" {mae:.1f}.{reason}",
    )


def _check_terms(value):
    expect(
        not is_close(value[0], 0.16 * 20 / 3 / 255, 1e-5),
        "equal patches have the loss 0.0042, because other patches of the batch have errors: average"
        " the absolute errors of each patch alone, over axes 1, 2 and 3.",
    )
    expect(
        is_close(value[0], 0, 1e-5),
        f"equal patches have the loss {value[0]:.2f}: expected 0. SSIM is 1 for equal patches: a loss"
        " to be minimised needs 1 - SSIM.",
    )
    expect(
        value[1] < 1,
        f"an error of 10 grey levels has the loss {value[1]:.2f}: expected 0.0101. Divide the MAE by"
        " 255: without it, SSIM hardly counts.",
    )
    expect(
        not is_close(value[1], 0.003800 + 0.16 * 100 / 255, 1e-5),
        "that is the mean squared error, divided by 255: take the mean absolute error.",
    )
    expect(
        not is_close(value[1], 0.033665, 1e-5),
        "the weights are swapped: 0.84 belongs to 1 - SSIM, 0.16 to the mean absolute error.",
    )
    expect(
        not is_close(value[1], 0.003800 - 0.006275, 1e-5)
        and not is_close(value[2], 0.004639 - 0.006275, 1e-5),
        "errors of 10 and -10 have losses of different signs in the second term: the absolute value"
        " is missing, so they cancel within a patch.",
    )


EXERCISES = (
    SHALLOW_UNET,
    Exercise(
        "residual",
        4,
        residual,
        check_residual,
        (
            "The network is a layer like any other: call it on an input, and subtract.",
            "Input, predicted noise and output are all (batch, 32, 32, 1).",
            "denoised = keras.layers.Subtract()([noisy, network(noisy)])",
        ),
    ),
    Exercise(
        "mixed_loss",
        4,
        mixed_loss,
        check_mixed_loss,
        (
            "Both terms must be 0 for equal patches, and about 1 at worst: what turns a quality into"
            " a loss, and grey levels into a share of the range?",
            "Patches are (batch, 32, 32, 1), SSIM and MAE are (batch,): average over axes 1, 2, 3.",
            "return 0.84 * (1 - hk.metrics.ssim(clean, denoised)) + 0.16 * mae / 255",
        ),
    ),
)

"""Exercises of lesson 1: PSNR, and a generator of pairs."""

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_return,
    is_close,
)
from hpatches_kit.course.exercises.lesson_1_pairs import MyPairs, check_pairs

AXES = "Average over axes 1, 2 and 3: one value per patch remains."


def psnr(clean, denoised):
    """Peak signal-to-noise ratio in dB of each patch.

    Both are (batch, 32, 32, 1), grey levels 0..255, uint8 or float32. Returns (batch,).
    """
    difference = keras.ops.cast(clean, "float32") - keras.ops.cast(denoised, "float32")
    error = keras.ops.mean(difference**2, axis=(1, 2, 3))
    return 10 * keras.ops.log10(255**2 / error)


def check_psnr(psnr):
    clean = np.full((2, 32, 32, 1), 100, "float32")
    denoised = clean + np.reshape([10, 20], (2, 1, 1, 1)).astype("float32")
    value = psnr(clean, denoised)
    expect_return(value, "psnr(clean, denoised)")
    _check_axes(value)
    _check_logarithm(value)
    _check_mean_of_squares(psnr, clean)
    _check_grey_levels(psnr, clean)


def _check_axes(value):
    """`value` should be one number for each of two patches, with errors of 10 and 20."""
    shape = np.shape(value)
    if shape == ():
        value = expect_array(value, (), "psnr(clean, denoised)")
        is_mean = is_close(value, np.mean([28.1308, 22.1102]), 1e-3)
        expect(
            not is_mean,
            "you averaged the PSNR over the batch: return one value per patch, Keras averages them.",
        )
        mistake = (
            "you averaged the squared errors over the batch before the logarithm, so one bad patch"
            " decides the value of all"
            if is_close(value, 24.1514, 1e-3)
            else "it returns one number for the whole batch"
        )
        expect(False, f"{mistake}. {AXES}")
    expect(len(shape) == 1, f"psnr of two patches has shape {shape}: expected (2,). {AXES}")


def _check_logarithm(value):
    """Errors of 10 and 20 grey levels are 28.13 and 22.11 dB."""
    first = np.asarray(keras.ops.convert_to_numpy(value), float)[0]
    expect(
        not np.isposinf(first),
        "an error of 10 grey levels in every pixel gives infinity. Did you take the variance of"
        " the error? Take the mean of its square, without subtracting its mean.",
    )
    value = expect_array(value, (2,), "psnr of two patches")
    mistakes = {
        64.7731: "that is the natural logarithm: use log10",
        56.2617: "20 goes with 255 / error; with squares, 255^2 / error^2, it is 10",
        14.0654: "10 goes with squares, 255^2 / error^2; with 255 / error it is 20",
        -20.0: "that is for a peak of 1: these grey levels go up to 255",
        20.0: "that is for a peak of 100, the largest grey level of this patch: it is always 255",
        4.0654: "the peak is not squared: 255^2 / error^2",
        38.1308: "10 log10(255^2 / 10) has the mean absolute error: square each difference first",
        -28.1308: "the fraction is upside down: 255^2 is above, the error below",
        -1.9722: "that is the sum of the squared errors: take their mean",
        2.8131: "the factor 10 is missing: decibels are tenths of a bel",
        24.1514: "you averaged the squared errors over the batch before the logarithm. " + AXES,
    }
    for wrong, sentence in mistakes.items():
        found = is_close(value[0], wrong, 1e-3)
        expect(not found, f"an error of 10 gives {value[0]:.2f} dB instead of 28.13 dB: {sentence}")
    expect(
        is_close(value[0], 28.1308, 1e-3),
        f"an error of 10 grey levels in every pixel gives {value[0]:.2f} dB: expected 28.13 dB,"
        " which is 10 log10(255^2 / 10^2).",
    )
    expect(
        is_close(value[0] - value[1], 6.0206, 1e-3),
        f"half the error gives {value[0] - value[1]:+.2f} dB: expected +6.02 dB.",
    )


def _check_mean_of_squares(psnr, clean):
    """Half of the pixels are wrong by 10, the others by 30: the mean of the squares is 500."""
    denoised = clean.copy()
    denoised[:, :16] += 10
    denoised[:, 16:] -= 30
    value = expect_array(psnr(clean, denoised), (2,), "psnr of two patches")[0]
    mistakes = {
        22.1102: "that is the mean absolute error, 20, squared: square first, then take the mean",
        28.1308: "that is the error of the mean grey level: square each difference first",
        23.3596: "that is the mean of the PSNR of single pixels: take the mean before the logarithm",
    }
    for wrong, sentence in mistakes.items():
        found = is_close(value, wrong, 1e-3)
        expect(not found, f"errors of +10 and -30 give {value:.2f} dB, not 21.14 dB: {sentence}.")
    expect(
        is_close(value, 21.1411, 1e-3),
        f"errors of +10 in one half and -30 in the other give {value:.2f} dB: expected 21.14 dB,"
        " as the mean of 100 and 900 is 500.",
    )


def _check_grey_levels(psnr, clean):
    """Patches may be uint8, and predictions have decimals."""
    dark, bright = (np.full((2, 32, 32, 1), grey, "uint8") for grey in (200, 250))
    value = expect_array(psnr(dark, bright), (2,), "psnr of two uint8 patches")[0]
    expect(
        is_close(value, 14.1514, 1e-3),
        f"200 against 250 in uint8 gives {value:.2f} dB: expected 14.15 dB. The difference wraps"
        " around, 200 - 250 = 206: cast both patches to float32 before you subtract.",
    )
    value = psnr(clean, clean + np.float32(0.5))
    rounded = np.isinf(np.asarray(keras.ops.convert_to_numpy(value), float)).any()
    expect(
        not rounded and is_close(expect_array(value, (2,), "psnr"), [54.1514] * 2, 1e-3),
        "an error of half a grey level should give 54.15 dB. Do not round or cast to integers:"
        " the output of a network has decimals.",
    )


EXERCISES = (
    Exercise(
        "psnr",
        1,
        psnr,
        check_psnr,
        (
            "Compare the largest possible error, 255, with the mean squared error of the patch, on a"
            " logarithmic scale.",
            "Patches are (batch, 32, 32, 1): average over axes 1, 2 and 3, and (batch,) remains.",
            "return 10 * keras.ops.log10(255**2 / error)",
        ),
    ),
    Exercise(
        "MyPairs",
        1,
        MyPairs,
        check_pairs,
        (
            "Draw places, not points: a place has one label, but may have several points. Then draw"
            " two different views of each. Make a new generator for each batch, seeded by the seed,"
            " the epoch and the index of the batch; `on_epoch_end` counts the epoch.",
            "`self.patches.clean[points[:, None], views]` with points (pairs,) and views (pairs, 2)"
            " has shape (pairs, 2, 32, 32). A reshape to (2 * pairs, 32, 32, 1) keeps each pair in"
            " neighbouring rows.",
            "rng = np.random.default_rng((self.seed, self.epoch, index))",
        ),
        given=("__init__",),
    ),
)

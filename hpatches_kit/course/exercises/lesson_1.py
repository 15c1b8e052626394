"""Exercises of lesson 1: PSNR, and a generator of pairs."""

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.expectations import expect, expect_array, is_close


def psnr(clean, denoised):
    """Peak signal-to-noise ratio in dB of each patch: shape (batch,), for grey levels 0..255."""
    difference = keras.ops.cast(clean, "float32") - keras.ops.cast(denoised, "float32")
    error = keras.ops.mean(difference**2, axis=(1, 2, 3))
    return 10 * keras.ops.log10(255**2 / error)


def check_psnr(psnr):
    clean = np.full((2, 32, 32, 1), 100.0, "float32")
    noisy = clean + np.reshape([10.0, 20.0], (2, 1, 1, 1)).astype("float32")
    value = psnr(clean, noisy)
    expect(value is not None, "psnr returns None: is a `return` missing?")
    expect(
        np.shape(value) != (),
        "it returns one number for the whole batch: expected one value per patch. Did you average"
        " the squared errors over the batch before the logarithm? Average over axes 1, 2 and 3.",
    )
    value = expect_array(value, (2,), "psnr of two patches")
    expect(
        is_close(value, [28.1308, 22.1102], 1e-3),
        f"an error of 10 grey levels gives {value[0]:.2f} dB: expected 28.13 dB, which is"
        " 10 log10(255^2 / 10^2).",
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
)

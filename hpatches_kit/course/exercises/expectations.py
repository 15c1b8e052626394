"""What checks expect of an answer. Each raises `Wrong` with a sentence for the learner."""

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Wrong, with_article


def expect(condition, sentence):
    """Raise `Wrong` with the sentence unless the condition holds."""
    if not condition:
        raise Wrong(sentence)


def expect_return(value, what):
    """Raise `Wrong` for None, which a function without a `return` gives.

    `what` is what the learner computes, such as `"psnr(clean, noisy)"`.
    """
    expect(value is not None, f"{what} is None: is a `return` missing?")


def expect_array(value, shape, what):
    """Return `value` as an array of NumPy, if it is a finite one of this shape.

    `what` is as for `expect_return`. None in `shape` is any length.
    """
    expect_return(value, what)
    try:
        array = np.asarray(keras.ops.convert_to_numpy(value), dtype=float)
    except (TypeError, ValueError) as error:
        raise Wrong(f"{what} is {with_article(type(value).__name__)}: expected numbers.") from error
    matches = len(array.shape) == len(shape) and all(
        expected in (None, actual) for actual, expected in zip(array.shape, shape)
    )
    expected = str(shape).replace("None", "any")
    expect(matches, f"{what} has shape {array.shape}: expected {expected}.")
    expect(np.isfinite(array).all(), f"{what} is not finite: it contains NaN or infinity.")
    return array


def expect_model(value, what):
    """Return `value`, if it is a `keras.Model`; `what` is as for `expect_return`."""
    expect_return(value, what)
    expect(
        isinstance(value, keras.Model),
        f"{what} is {with_article(type(value).__name__)}: expected a keras.Model."
        " keras.Model(inputs, outputs) makes one of the first and the last tensor.",
    )
    return value


def is_close(actual, expected, tolerance=1e-4):
    """Whether numbers or arrays agree to a relative and absolute tolerance."""
    return np.shape(actual) == np.shape(expected) and np.allclose(
        actual, expected, rtol=tolerance, atol=tolerance
    )

"""What checks of answers that are models need: the model itself, and one step of training."""

import keras

from hpatches_kit.course.exercises.expectations import expect


def expect_model(value, what):
    """Return `value` if it is a `keras.Model`, else raise `Wrong`."""
    expect(value is not None, f"{what} returns None: is a `return` missing?")
    expect(
        isinstance(value, keras.Model),
        f"{what} returns a {type(value).__name__}: expected a keras.Model.",
    )
    return value


def values_of(weights):
    """Copies of the values of weights, as arrays of NumPy."""
    return [keras.ops.convert_to_numpy(weight).copy() for weight in weights]


def shared(weights, others):
    """Number of weights that are also among the others: the same objects, not equal numbers."""
    return sum(any(weight is other for other in others) for weight in weights)

"""The weights of models: their values, and which of them two models have in common."""

import keras


def values_of(weights):
    """Copies of the values of weights, as arrays of NumPy."""
    return [keras.ops.convert_to_numpy(weight).copy() for weight in weights]


def shared(weights, others):
    """Number of weights that are also among the others: the same objects, not equal numbers."""
    return sum(any(weight is other for other in others) for weight in weights)

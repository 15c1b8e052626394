"""The check of `trainable_count`, with networks whose weights one can count by hand."""

import keras
import numpy as np
from keras import layers

from hpatches_kit.course.exercises.expectations import expect, expect_array


def small_network():
    """A kernel (4, 3), a bias (3,), and batch normalisation: 15 + 6 trainable numbers of 27."""
    features = keras.Input((4,))
    x = layers.Dense(3, kernel_initializer="zeros")(features)
    return keras.Model(features, layers.BatchNormalization()(x), name="small")


def check_trainable_count(trainable_count):
    small = small_network()
    value = _count(trainable_count, small, "trainable_count of a small network")
    known = {
        27: ", with the moving means and variances of batch normalisation, which no gradient changes."
        " Use trainable_weights.",
        4: ". That is the number of arrays. Multiply the sizes of each.",
        13: ". You take the first size of each array: multiply all of them.",
        16: ". You add the sizes of each array: multiply them.",
        12: ", the kernel alone. Biases, and scale and shift of batch normalisation, are trained,"
        " too.",
        15: ", the dense layer alone. Scale and shift of batch normalisation are trained, too.",
        6: ": what is not trained.",
        0: ", nothing.",
    }
    expect(
        value == 21,
        f"a dense layer from 4 to 3 and batch normalisation have 12 + 3 + 3 + 3 = 21 trainable numbers:"
        f" you count {value:g}{known.get(value, '.')}",
    )
    features = keras.Input((4,))
    x = layers.Dense(4, kernel_initializer="zeros", name="first")(features)
    nested = keras.Model(features, small(x))
    value = _count(trainable_count, nested, "trainable_count of a network of networks")
    expect(
        value == 41,
        f"with a layer from 4 to 4 before it, the network has 20 + 21 = 41 trainable numbers: you"
        f" count {value:g}. Does it look into the networks that a network consists of?",
    )
    small.trainable = False
    value = _count(trainable_count, nested, "trainable_count of a network with a frozen part")
    expect(
        value == 20,
        f"with the small network frozen, 20 numbers are trained: you count {value:g}. A frozen weight"
        " is not among trainable_weights.",
    )
    twice = layers.Dense(4, kernel_initializer="zeros")
    value = _count(
        trainable_count, keras.Model(features, twice(twice(features))), "trainable_count"
    )
    expect(
        value == 20,
        f"a layer that is used twice has 20 numbers, which count once: you count {value:g}. Count the"
        " weights of the model, not those of each call.",
    )


def _count(trainable_count, model, what):
    value = trainable_count(model)
    number = float(expect_array(value, (), what))
    kind = np.asarray(keras.ops.convert_to_numpy(value)).dtype.kind
    expect(kind in "iu", f"{what} is {number}: expected a whole number, an int.")
    return number

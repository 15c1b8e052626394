"""Exercises of lesson 6: fine-tuning, end to end, and counting trainable weights."""

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.lesson_6_end_to_end import check_end_to_end
from hpatches_kit.course.exercises.lesson_6_fine_tuning import check_fine_tuned
from hpatches_kit.course.exercises.lesson_6_trainable_count import check_trainable_count


def fine_tuned(descriptor, learning_rate, loss):
    """Copy a trained descriptor network, ready to be trained further.

    `learning_rate` is the one that the network was trained with. Returns a new `keras.Model` with
    the same layers and the same weights, compiled with the loss and a new Adam optimiser, whose
    learning rate is a tenth of that. Training the copy must not change `descriptor`.
    """
    copy = keras.models.clone_model(descriptor)  # the layers, with new weights
    copy.set_weights(descriptor.get_weights())
    copy.compile(keras.optimizers.Adam(learning_rate / 10), loss)
    return copy


def end_to_end(denoiser, descriptor):
    """Connect a descriptor network to the output of a denoiser, with nothing between them.

    Returns one `keras.Model`: noisy patches (batch, 32, 32, 1) go in, what the descriptor network
    makes of the denoised patches comes out. It shares its weights with both networks, and
    training it trains both.
    """
    noisy = keras.Input((32, 32, 1))
    return keras.Model(noisy, descriptor(denoiser(noisy)))


def trainable_count(model):
    """Count the numbers that training changes: an int.

    A weight is an array: a kernel of shape (3, 3, 1, 32) holds 288 numbers.
    """
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


EXERCISES = (
    Exercise(
        "fine_tuned",
        6,
        fine_tuned,
        check_fine_tuned,
        (
            "A model has layers, weights, and what compile gives it: optimiser and loss. A copy needs"
            " all three, and each has its own call.",
            "keras.models.clone_model(descriptor) has the same layers and new weights. get_weights() is"
            " a list of arrays, one for each weight, with the moving means of batch normalisation;"
            " set_weights(...) takes such a list.",
            "copy.set_weights(descriptor.get_weights())",
        ),
    ),
    Exercise(
        "end_to_end",
        6,
        end_to_end,
        check_end_to_end,
        (
            "A model can be called like a layer: on the output of another one. No weights are copied.",
            "Begin with keras.Input((32, 32, 1)); denoised patches have the same shape as noisy ones.",
            "return keras.Model(noisy, descriptor(denoiser(noisy)))",
        ),
    ),
    Exercise(
        "trainable_count",
        6,
        trainable_count,
        check_trainable_count,
        (
            "A model knows which of its weights are trained. Multiply the sizes of each of them.",
            "model.trainable_weights is a list; the shape of each weight is a tuple.",
            "int(np.prod(weight.shape)) is the size of one weight; add those of all.",
        ),
    ),
)

"""The check of `end_to_end`, with two networks whose output is computed by hand."""

import keras
import numpy as np
from keras import layers

from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_model,
    is_close,
)
from hpatches_kit.course.exercises.weights import shared, values_of

GREY = 100.2  # not an integer, so that rounding is seen
EXPECTED = 2 * (GREY + 10)  # of the networks below, for a patch of this grey level
MISTAKES = (  # what comes out instead, and why
    (
        2 * GREY + 10,
        "It passes the patch to the descriptor first, and then to the denoiser: swap them.",
    ),
    (2 * GREY, "The denoiser is left out: the descriptor gets the noisy patch."),
    (GREY + 10, "The descriptor is left out: what comes out is the denoised patch."),
    (2 * (GREY + 20), "The patch goes through the denoiser twice."),
    (
        EXPECTED / 255,
        "The denoised patches are divided by 255 on their way: connect the networks directly, grey"
        " levels stay 0..255.",
    ),
    (
        2 * np.round(GREY + 10),
        "The denoised patches are rounded between the networks, which stops the gradient: connect"
        " them directly.",
    ),
)


def networks():
    """A denoiser that adds 10 to each grey level, and a descriptor that doubles it."""

    def one_to_one(kernel, bias, name):
        layer = layers.Conv2D(1, 1, kernel_initializer="zeros")
        patch = keras.Input((32, 32, 1))
        model = keras.Model(patch, layer(patch), name=name)
        model.set_weights([np.full((1, 1, 1, 1), kernel), np.full(1, bias)])
        return model

    return one_to_one(1.0, 10.0, "denoiser"), one_to_one(2.0, 0.0, "descriptor")


def check_end_to_end(end_to_end):
    denoiser, descriptor = networks()
    model = expect_model(end_to_end(denoiser, descriptor), "end_to_end(denoiser, descriptor)")
    patches = np.full((2, 32, 32, 1), GREY, "float32")
    output = expect_array(model(patches), (2, 32, 32, 1), "the output for two patches")
    _check_shared(model, denoiser, descriptor)
    value = output.flat[np.argmax(np.abs(output - EXPECTED))]
    reasons = [reason for mistake, reason in MISTAKES if is_close(value, mistake)]
    expect(
        is_close(output, np.full(output.shape, EXPECTED)),
        f"with a denoiser that adds 10 and a descriptor that doubles, the grey level {GREY} becomes"
        f" {value:.1f}: expected {EXPECTED:.1f}. {(reasons or ['Are both networks called?'])[0]}",
    )
    clipped = float(np.mean(model(np.full((1, 32, 32, 1), 250, "float32"))))
    expect(
        is_close(clipped, 520),
        f"a denoised patch of grey level 260 reaches the descriptor as {clipped / 2:.0f}: clipping"
        " stops the gradient of grey levels outside 0..255. Connect the networks directly.",
    )
    _check_trainable(model, denoiser, descriptor)


def _check_shared(model, denoiser, descriptor):
    own = len(model.weights) - shared(model.weights, denoiser.weights + descriptor.weights)
    missing = [
        part.name
        for part in (denoiser, descriptor)
        if shared(model.weights, part.weights) < len(part.weights)
    ]
    expect(
        own == 0 or not missing,
        f"the model has {own} weights of its own, and not those of the {' and the '.join(missing)}:"
        " training it leaves the networks that it was given as they are. Call the networks"
        " themselves; do not clone or build them again.",
    )


def _check_trainable(model, denoiser, descriptor):
    for part in (denoiser, descriptor):
        trained = shared(model.trainable_weights, part.weights)
        expect(
            trained == 2,
            f"{trained} of the 2 weights of the {part.name} are trainable: it is frozen. Its `trainable`"
            " must stay True.",
        )
    before = values_of(denoiser.weights)
    model.compile(keras.optimizers.SGD(1e-6), "mse", run_eagerly=True)
    model.train_on_batch(np.full((2, 32, 32, 1), GREY), np.zeros((2, 32, 32, 1)))
    expect(
        not any(np.array_equal(v, b) for v, b in zip(values_of(denoiser.weights), before)),
        "one step of training does not change the denoiser, although it is trainable: something"
        " between the networks stops the gradient.",
    )

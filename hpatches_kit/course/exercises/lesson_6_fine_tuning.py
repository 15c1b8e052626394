"""The check of `fine_tuned`: a copy of a network with its weights, compiled for fine-tuning."""

import keras
import numpy as np
from keras import layers

from hpatches_kit.course.exercises.expectations import expect, expect_model, is_close
from hpatches_kit.course.exercises.weights import shared, values_of
from hpatches_kit.losses import HardNegativeTriplet


def trained_descriptor():
    """A small descriptor network whose weights are not those that its layers begin with."""
    patch = keras.Input((32, 32, 1))
    x = layers.AveragePooling2D(8)(patch)
    x = layers.BatchNormalization(name="batch_normalisation")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(4, kernel_initializer="zeros", name="dense")(x)
    model = keras.Model(patch, layers.UnitNormalization()(x), name="descriptor")
    rng = np.random.default_rng(6)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.weights])
    return model


def check_fine_tuned(fine_tuned):
    loss = HardNegativeTriplet(1.0, "minimum")
    descriptor, optimizer = trained_descriptor(), keras.optimizers.Adam(0.02)
    descriptor.compile(optimizer, loss)
    before = values_of(descriptor.weights)
    copy = expect_model(fine_tuned(descriptor, 0.02, loss), "fine_tuned(...)")
    _check_weights(copy, descriptor, before)
    _check_trainable(copy, descriptor)
    expect(
        copy.optimizer is not optimizer,
        "the copy has the optimiser of the descriptor, which keeps the moments of other weights:"
        " make a new keras.optimizers.Adam.",
    )
    expect(
        descriptor.optimizer is optimizer and is_close(_rate_of(descriptor), 0.02, 1e-6),
        "it changes the optimiser of the descriptor: compile the copy alone.",
    )
    _check_compiled(fine_tuned, loss)
    _check_one_step(copy, descriptor, before)


def _rate_of(model):
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _check_weights(copy, descriptor, before):
    expect(
        copy is not descriptor,
        "it returns the descriptor itself: training it changes the trained network. Make a new one"
        " with keras.models.clone_model.",
    )
    both = shared(copy.weights, descriptor.weights)
    expect(
        both == 0,
        f"the copy shares {both} of its {len(copy.weights)} weights with the descriptor: a new"
        " keras.Model of the same layers is not a copy. Use keras.models.clone_model.",
    )
    changed = [not np.array_equal(v, b) for v, b in zip(values_of(descriptor.weights), before)]
    expect(
        not any(changed),
        f"it changes {sum(changed)} of the {len(before)} weights of the descriptor: weights go from"
        " the descriptor to the copy, `copy.set_weights(descriptor.get_weights())`.",
    )
    values = values_of(copy.weights)
    expect(
        [v.shape for v in values] == [b.shape for b in before],
        f"the copy has {len(values)} weights of other shapes: expected the {len(before)} of the"
        " descriptor. Is it built of the same layers?",
    )
    differ = [w.path for w, v, b in zip(copy.weights, values, before) if not np.array_equal(v, b)]
    expect(
        not differ or not all("moving" in path for path in differ),
        f"{' and '.join(differ)} differ: you copied the trainable weights alone. get_weights() also"
        " has the moving mean and variance of batch normalisation.",
    )
    expect(
        not differ,
        f"{len(differ)} of {len(before)} weights differ from those of the descriptor, {differ[0] if differ else ''}"
        " is the first: clone_model copies the layers, not their weights. Copy them with"
        " set_weights.",
    )


def _check_trainable(copy, descriptor):
    for model, name in ((copy, "copy"), (descriptor, "descriptor")):
        expect(
            len(model.trainable_weights) == 4,
            f"{len(model.trainable_weights)} of 4 weights of the {name} can be trained: the others are"
            " frozen. Fine-tuning trains all. Leave `trainable` as it is.",
        )


def _check_compiled(fine_tuned, loss):
    """Fine-tune a network that is not compiled, as a pretrained one, for two learning rates."""
    for before, advice in (
        (
            0.02,
            "With larger steps it loses what it has learned; with smaller ones it hardly learns.",
        ),
        (0.004, "Compute it from `learning_rate`."),
    ):
        copy = fine_tuned(trained_descriptor(), before, loss)
        expect(
            copy.compiled,
            "the copy of a network that is not compiled cannot be trained: call `copy.compile` with a"
            " new optimiser and the loss.",
        )
        expect(
            type(copy.optimizer) is keras.optimizers.Adam,  # not its subclass AdamW
            f"its optimiser is {type(copy.optimizer).__name__}: expected Adam.",
        )
        expect(
            is_close(_rate_of(copy), before / 10, 1e-6),
            f"trained with {before} before, its learning rate is now {_rate_of(copy):.4g}: expected a"
            f" tenth, {before / 10:.4g}. {advice}",
        )
        expect(
            isinstance(copy.loss, type(loss)),
            f"its loss is {copy.loss!r}: expected the one that the function is given.",
        )


def _check_one_step(copy, descriptor, before):
    """Train the copy on one batch of two pairs, without compiling anything."""
    patches = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 1)).astype("float32")
    copy.run_eagerly = True
    copy.train_on_batch(patches, np.array([0, 0, 1, 1]))
    after = values_of(copy.trainable_weights)
    expect(
        not all(
            np.array_equal(a, v) for a, v in zip(after, values_of(descriptor.trainable_weights))
        ),
        "one step of training does not change the copy.",
    )
    expect(
        all(np.array_equal(v, b) for v, b in zip(values_of(descriptor.weights), before)),
        "one step of training the copy changes the descriptor, too.",
    )

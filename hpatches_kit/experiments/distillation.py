"""Distillation: a network learns from the descriptors of a trained one as well."""

import keras
from keras import layers, ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.views import PATCH_SIZE


def with_teacher(student, teacher):
    """Connect two descriptor networks of the same dimension, for `Distillation`.

    Returns a `keras.Model` from patches `(batch, 32, 32, 1)` to `(batch, 2 * dim)`: the descriptors
    of the student, then those of the teacher, which is not trained. Raises UserError for different
    dimensions.
    """
    if student.output_shape != teacher.output_shape:
        raise UserError(
            f"Student and teacher have output shapes {student.output_shape} and"
            f" {teacher.output_shape}: expected the same."
        )
    weights = teacher.get_weights()
    teacher = keras.models.clone_model(teacher, clone_function=_without_dropout, recursive=True)
    teacher.set_weights(weights)
    teacher = keras.Model(teacher.inputs, teacher.outputs[0], name="teacher")  # another name
    teacher.trainable = False  # batch normalisation then uses its moving statistics
    patch = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")
    both = layers.Concatenate(dtype="float32", name="both")([student(patch), teacher(patch)])
    return keras.Model(patch, both)


def _without_dropout(layer):
    changed = {"rate": 0.0} if isinstance(layer, layers.Dropout) else {}
    return type(layer).from_config(layer.get_config() | changed)


def student_of(model):
    """The student of a model of `with_teacher`."""
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


@keras.saving.register_keras_serializable(package="hpatches_kit")
class Distillation(keras.losses.Loss):
    """A descriptor loss, plus the squared distance from the descriptors of the teacher.

    With `s[i]` and `t[i]` the descriptors of patch i by student and teacher:

        `loss = loss of all s + weight * mean over i of |s[i] - t[i]|^2`

    Args:
        loss: of `hk.losses`, for batches of `Pairs`.
        weight: of the squared distance.

    Call args:
        y_true: as for `loss`.
        y_pred: descriptors `(rows, 2 * dim)`, of student and teacher.

    References: Hinton et al., Distilling the Knowledge in a Neural Network, 2015; with a teacher of
    the same architecture: Furlanello et al., Born-Again Neural Networks, ICML 2018.
    """

    batch_class = "Pairs"

    def __init__(self, loss, weight=1.0, name="distillation", **kwargs):
        super().__init__(name=name, **kwargs)
        self.loss, self.weight = keras.losses.get(loss), weight

    def call(self, y_true, y_pred):
        student, teacher = ops.split(y_pred, 2, axis=1)
        return self.loss(y_true, student) + self.weight * ops.sum(
            ops.square(student - teacher), axis=1
        )

    def get_config(self):
        loss = keras.losses.serialize(self.loss)
        return {**super().get_config(), "loss": loss, "weight": self.weight}

"""Metrics that show how a descriptor network learns, computed on training or validation batches.

Rows with equal labels are positives of each other, all others are negatives. Batches may be `Pairs`
or `Triplets`, and descriptors may have any norm:

    model.compile("adam", loss, metrics=hk.metrics.diagnostics(loss))
"""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.metrics.recall_thresholds import BINS, fraction_at_recall, histogram


def _distances(labels, descriptors):
    """Distances of all rows, and two masks: `(distances, positive, negative)`, `(n, n)` each."""
    descriptors, label = ops.cast(descriptors, "float32"), ops.reshape(labels, (-1,))
    squared = ops.sum(ops.square(descriptors), axis=1)
    products = ops.matmul(descriptors, ops.transpose(descriptors))
    squared_distances = squared[:, None] + squared[None, :] - 2 * products
    same = label[:, None] == label[None, :]
    diagonal = ops.eye(ops.shape(descriptors)[0], dtype="bool")
    return ops.sqrt(ops.maximum(squared_distances, 0.0)), same & ~diagonal, ~same


@keras.saving.register_keras_serializable(package="hpatches_kit")
def positive_distance(y_true, y_pred):
    """Mean distance between two descriptors of one place, a scalar.

    Args:
        y_true: labels `(n,)`.
        y_pred: descriptors `(n, dim)`.
    """
    distances, positive, _ = _distances(y_true, y_pred)
    weight = ops.cast(positive, "float32")
    return ops.sum(weight * distances) / ops.maximum(ops.sum(weight), 1.0)


@keras.saving.register_keras_serializable(package="hpatches_kit")
def hardest_negative_distance(y_true, y_pred):
    """Distance from each descriptor to the nearest one of another place, `(n,)`.

    If it falls towards 0 while the loss stays at its margin, the descriptors have collapsed.

    Args: as for `positive_distance`.
    """
    distances, _, negative = _distances(y_true, y_pred)
    return ops.min(ops.where(negative, distances, ops.max(distances)), axis=1)


@keras.saving.register_keras_serializable(package="hpatches_kit")
class ActiveFraction(keras.metrics.Mean):
    """Fraction of active triplets: those with a loss above 0, which still have a gradient.

    For losses that need `Pairs`, each pair counts as one triplet.

    Args:
        loss: the loss of `hk.losses` that the model is trained with.
    """

    def __init__(self, loss, name="active_fraction", **kwargs):
        super().__init__(name=name, **kwargs)
        self.loss = loss

    def update_state(self, y_true, y_pred, sample_weight=None):
        active = self.loss.call(y_true, ops.cast(y_pred, "float32")) > 0
        return super().update_state(ops.cast(active, self.dtype), sample_weight)

    def get_config(self):
        return {**super().get_config(), "loss": keras.losses.serialize(self.loss)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "loss": keras.losses.deserialize(config["loss"])})


@keras.saving.register_keras_serializable(package="hpatches_kit")
class FalsePositiveRate(keras.metrics.Metric):
    """False positive rate at a given recall (FPR95): the lower, the better.

    It is the fraction of negative pairs below the distance that accepts 95 % of the positive pairs;
    0.95 for meaningless distances. Positives and negatives are those within each batch. Distances
    are counted in bins that are 1.2 % wide, so the threshold is exact to one bin.

    Args:
        recall: fraction of positive pairs to accept, above 0 and at most 1.

    Raises UserError for another recall.

    Reference: Brown, Hua and Winder, Discriminative Learning of Local Image Descriptors, PAMI 2011.
    """

    def __init__(self, recall=0.95, name="fpr95", **kwargs):
        if not 0 < recall <= 1:
            raise UserError(f"{recall=}: expected a fraction above 0, at most 1.")
        super().__init__(name=name, **kwargs)
        self.recall = recall
        self.positive = self.add_weight(shape=(BINS,), initializer="zeros", name="positive")
        self.negative = self.add_weight(shape=(BINS,), initializer="zeros", name="negative")

    def update_state(self, y_true, y_pred, sample_weight=None):
        distances, positive, negative = _distances(y_true, y_pred)
        self.positive.assign_add(histogram(distances, positive))
        self.negative.assign_add(histogram(distances, negative))

    def result(self):
        return fraction_at_recall(self.positive, self.negative, self.recall)

    def get_config(self):
        return {**super().get_config(), "recall": self.recall}


def diagnostics(loss):
    """Return new metrics for `compile`, given the loss of `hk.losses` that trains the model."""
    return [positive_distance, hardest_negative_distance, ActiveFraction(loss), FalsePositiveRate()]

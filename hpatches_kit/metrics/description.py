"""Metrics that show how a descriptor learns, on the batches that it is trained or validated with.

They go by labels alone: rows of equal label are positives, all others negatives. So they read `Pairs`
and `Triplets` alike, with descriptors of length 1 or of any other. Hand them to `compile`:

    model.compile("adam", loss, metrics=hk.metrics.diagnostics(loss))
"""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.metrics.recall_thresholds import BINS, histogram, share_at_recall


def _distances(labels, descriptors):
    """Distances of all rows and what they are: `(distances, positive, negative)`, `(n, n)` each."""
    x, label = ops.cast(descriptors, "float32"), ops.reshape(labels, (-1,))
    square = ops.sum(ops.square(x), axis=1)
    squares = square[:, None] + square[None, :] - 2 * ops.matmul(x, ops.transpose(x))
    same = label[:, None] == label[None, :]
    itself = ops.eye(ops.shape(x)[0], dtype="bool")
    return ops.sqrt(ops.maximum(squares, 0.0)), same & ~itself, ~same


@keras.saving.register_keras_serializable(package="hpatches_kit")
def positive_distance(y_true, y_pred):
    """Mean distance of two descriptors of one place.

    Args:
        y_true: labels `(n,)`.
        y_pred: descriptors `(n, dim)`.

    Returns:
        A number.
    """
    d, positive, _ = _distances(y_true, y_pred)
    weight = ops.cast(positive, "float32")
    return ops.sum(weight * d) / ops.maximum(ops.sum(weight), 1.0)


@keras.saving.register_keras_serializable(package="hpatches_kit")
def hardest_negative_distance(y_true, y_pred):
    """Distance to the nearest descriptor of another place, one for each row.

    When it falls towards 0 while the loss stays at its margin, the descriptor has collapsed.

    Args, shapes: as for `positive_distance`; returns `(n,)`.
    """
    d, _, negative = _distances(y_true, y_pred)
    return ops.min(ops.where(negative, d, ops.max(d)), axis=1)


@keras.saving.register_keras_serializable(package="hpatches_kit")
class ActiveFraction(keras.metrics.Mean):
    """Share of the triplets, or pairs, of which the loss is not 0: those from which there is to learn.

    Args:
        loss: a loss of `hk.losses`, the one that is trained with.
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
    """Share of negative pairs below the distance that lets enough of the positive ones through.

    The FPR at 95 % recall of patch benchmarks: the less, the better; 0.95 for distances that mean
    nothing. Positives and negatives are those of each batch; distances are counted in bins that are
    1.2 % wide, so the result is exact to a bin.

    Args:
        recall: share of positive pairs that must be let through.

    Reference: Brown, Hua and Winder, Discriminative Learning of Local Image Descriptors, PAMI 2011.
    """

    def __init__(self, recall=0.95, name="fpr95", **kwargs):
        if not 0 < recall <= 1:
            raise UserError(f"{recall=}: expected a share above 0, at most 1.")
        super().__init__(name=name, **kwargs)
        self.recall = recall
        self.positive = self.add_weight(shape=(BINS,), initializer="zeros", name="positive")
        self.negative = self.add_weight(shape=(BINS,), initializer="zeros", name="negative")

    def update_state(self, y_true, y_pred, sample_weight=None):
        d, positive, negative = _distances(y_true, y_pred)
        self.positive.assign_add(histogram(d, positive))
        self.negative.assign_add(histogram(d, negative))

    def result(self):
        return share_at_recall(self.positive, self.negative, self.recall)

    def get_config(self):
        return {**super().get_config(), "recall": self.recall}


def diagnostics(loss):
    """What to watch while a descriptor learns, a fresh list for `compile`.

    Args:
        loss: a loss of `hk.losses`, the one that is trained with.
    """
    return [positive_distance, hardest_negative_distance, ActiveFraction(loss), FalsePositiveRate()]

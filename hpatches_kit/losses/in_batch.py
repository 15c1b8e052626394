"""Base class of the losses that choose one negative per row and column of a batch."""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.losses.batch_distances import (
    anchors_and_positives,
    norm,
    same_place,
    unit_vector_distances,
)

COMBINE = {"average": lambda row, column: (row + column) / 2, "minimum": ops.minimum}


class InBatchTriplet(keras.losses.Loss):
    """In-batch mining: the negatives of a pair are the other pairs of its batch.

    A subclass defines `choose`. `HardNegativeTriplet` states the formula.
    """

    batch_class = "Pairs"

    def __init__(self, margin, negative, name, **kwargs):
        if negative not in COMBINE:
            raise UserError(f"Unknown {negative=}: expected 'average' or 'minimum'.")
        super().__init__(name=name, **kwargs)
        self.margin, self.negative = margin, negative

    def call(self, y_true, y_pred):
        same, (anchors, positives) = same_place(y_true), anchors_and_positives(y_pred)
        distances = unit_vector_distances(anchors, positives)
        row = self.choose(distances, same)
        column = self.choose(ops.transpose(distances), same)
        positive = norm(anchors - positives)
        return ops.relu(self.margin + positive - COMBINE[self.negative](row, column))

    def choose(self, distances, same):
        """The distance to one negative per row: `(pairs, pairs)` -> `(pairs,)`."""
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "negative": self.negative}

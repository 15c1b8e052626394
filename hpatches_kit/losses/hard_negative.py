"""In-batch mining: every pair is held against negatives that the batch already contains."""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.losses.batch_distances import (
    FAR,
    hardest,
    length,
    of_unit_vectors,
    pairs_of,
    same_place,
)

COMBINE = {"average": lambda row, column: (row + column) / 2, "minimum": ops.minimum}


@keras.saving.register_keras_serializable(package="hpatches_kit")
class HardNegativeTriplet(keras.losses.Loss):
    """In-batch hard mining: every pair is held against the hardest negatives of the whole batch.

    With `d[i, j]` the distance of anchor i to positive j, pair i has the negatives of its row and those
    of its column of `d`, and one of each is chosen:

        `loss[i] = max(0, margin + d[i, i] - combine(chosen of d[i, :], chosen of d[:, i]))`

    Args:
        margin: how much farther than the positive the negatives should be.
        negative: `"average"` of the two (report A, equation 6) or their `"minimum"` (HardNet, with
            margin 1).
        percentile: which negative of a row or column is chosen: 0 is the nearest, 50 the median, what
            lies between two is interpolated (report A, figure 3: 0, 2, 5, 10, 15).

    Call args:
        y_true: labels `(2 * pairs,)`; equal ones are never each other's negatives.
        y_pred: descriptors of length 1, `(2 * pairs, dim)`; rows 2k and 2k + 1 are a pair. Others
            (`l2net(normalise=False)`) make no sense here: distances come from cosines.

    Raises UserError for an unknown `negative` and a percentile outside 0..100.

    References: report A, section 4.2 and appendix A; Mishchuk et al., HardNet, NeurIPS 2017.
    """

    batches = "Pairs"

    def __init__(
        self, margin=0.01, negative="average", percentile=0, name="hard_negative_triplet", **kwargs
    ):
        if negative not in COMBINE:
            raise UserError(f"Unknown {negative=}: expected 'average' or 'minimum'.")
        if not 0 <= percentile <= 100:
            raise UserError(f"{percentile=}: expected 0 (the nearest negative) to 100.")
        super().__init__(name=name, **kwargs)
        self.margin, self.negative, self.percentile = margin, negative, percentile

    def call(self, y_true, y_pred):
        (a, p), same = pairs_of(y_pred), same_place(y_true)
        d = of_unit_vectors(a, p)
        row, column = self.choose(d, same), self.choose(ops.transpose(d), same)
        return ops.relu(self.margin + length(a - p) - COMBINE[self.negative](row, column))

    def choose(self, d, same):
        """One negative for each row of the distances: `(pairs, pairs)` -> `(pairs,)`."""
        if self.percentile == 0:
            return hardest(d, same)  # sorting everything would cost more
        ranked = ops.sort(ops.where(same, FAR, d), axis=1)
        last = ops.sum(ops.cast(~same, "float32"), axis=1) - 1
        place = ops.maximum(self.percentile / 100 * last, 0)
        below = ops.floor(place)
        above = ops.minimum(below + 1, ops.maximum(last, 0))
        low, high = (
            ops.take_along_axis(ranked, ops.cast(k, "int32")[:, None], axis=1)[:, 0]
            for k in (below, above)
        )
        return low + (place - below) * (high - low)

    def get_config(self):
        settings = {"margin": self.margin, "negative": self.negative, "percentile": self.percentile}
        return {**super().get_config(), **settings}

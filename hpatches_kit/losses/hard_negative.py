"""Triplet loss with the hardest negatives of the batch (report A, HardNet)."""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.losses.batch_distances import NO_NEGATIVE, hardest_negative
from hpatches_kit.losses.in_batch import InBatchTriplet


@keras.saving.register_keras_serializable(package="hpatches_kit")
class HardNegativeTriplet(InBatchTriplet):
    """In-batch mining of the hardest negatives.

    With `d[i, j]` the distance from anchor i to positive j, the negatives of pair i are in row i
    and in column i of `d`. One of each is chosen:

        `loss[i] = max(0, margin + d[i, i] - combine(negative of d[i, :], negative of d[:, i]))`

    Args:
        margin: how much farther than the positive the negatives should be.
        negative: `"average"` of the two negatives (report A, equation 6) or their `"minimum"`
            (HardNet, with margin 1).
        percentile: which negative of a row or column is chosen, 0..100: 0 is the nearest, 50 the
            median, with linear interpolation (report A, figure 3: 0, 2, 5, 10, 15).

    Call args:
        y_true: labels `(2 * pairs,)`; pairs with equal labels are not negatives of each other.
        y_pred: descriptors of unit norm, `(2 * pairs, dim)`; rows 2k and 2k + 1 are a pair. With
            other norms (`l2net(normalise=False)`) the distances are wrong.

    Raises UserError for an unknown `negative` and a percentile outside 0..100.

    References: report A, section 4.2 and appendix A; Mishchuk et al., HardNet, NeurIPS 2017.
    """

    def __init__(
        self, margin=0.01, negative="average", percentile=0, name="hard_negative_triplet", **kwargs
    ):
        if not 0 <= percentile <= 100:
            raise UserError(f"{percentile=}: expected 0 (the nearest negative) to 100.")
        super().__init__(margin, negative, name, **kwargs)
        self.percentile = percentile

    def choose(self, distances, same):
        if self.percentile == 0:
            return hardest_negative(distances, same)  # sorting would take longer
        ranked = ops.sort(ops.where(same, NO_NEGATIVE, distances), axis=1)
        last = ops.sum(ops.cast(~same, "float32"), axis=1) - 1
        position = ops.maximum(self.percentile / 100 * last, 0)
        below = ops.floor(position)
        above = ops.minimum(below + 1, ops.maximum(last, 0))
        low, high = (
            ops.take_along_axis(ranked, ops.cast(rank, "int32")[:, None], axis=1)[:, 0]
            for rank in (below, above)
        )
        return low + (position - below) * (high - low)

    def get_config(self):
        return {**super().get_config(), "percentile": self.percentile}

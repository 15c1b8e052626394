"""Anchor swapping in the words of report B."""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.losses.batch_distances import check_rows
from hpatches_kit.losses.triplet import DISTANCES, triplet_margin


@keras.saving.register_keras_serializable(package="hpatches_kit")
class AnchorSwapTriplet(keras.losses.Loss):
    """Two triplets from two pairs of different places (report B, section 5).

    "If two negatives are selected, one of these negatives becomes the anchor, the other negative
    becomes a positive, and the original anchor becomes the new negative": with pairs `(a, p)` and
    `(n, m)`, the loss is the mean of the losses of the triplets `(a, p, n)` and `(n, m, a)`.
    `TripletMargin(swap=True)` is what the paper that the report cites calls anchor swap.

    Args:
        margin, distance: as for `TripletMargin`.

    Call args:
        y_true: labels `(2 * pairs,)`, which are not used: `hk.batches.Pairs` shows each place once.
        y_pred: descriptors `(2 * pairs, dim)` of any norm; rows 4k and 4k + 1 are one pair, 4k + 2
            and 4k + 3 the other.

    Raises UserError for an unknown distance, and for an odd number of pairs.
    """

    batch_class = "Pairs"

    def __init__(self, margin=1.0, distance="mean_squared", name="anchor_swap_triplet", **kwargs):
        if distance not in DISTANCES:
            raise UserError(f"Unknown {distance=}: expected one of {', '.join(DISTANCES)}.")
        super().__init__(name=name, **kwargs)
        self.margin, self.distance = margin, distance

    def call(self, y_true, y_pred):
        check_rows(y_pred, 4, "Pairs")
        groups = ops.reshape(y_pred, (-1, 4, y_pred.shape[-1]))
        anchor, positive, negative, second_negative = (groups[:, k] for k in range(4))
        first = triplet_margin(anchor, positive, negative, self.margin, self.distance)
        second = triplet_margin(negative, second_negative, anchor, self.margin, self.distance)
        return ops.reshape(ops.stack([first, second], axis=1), (-1,))  # one loss per pair

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "distance": self.distance}

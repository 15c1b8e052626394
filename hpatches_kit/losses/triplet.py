"""The baseline triplet loss."""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.losses.batch_distances import check_rows, norm

DISTANCES = {
    "mean_squared": lambda difference: ops.mean(ops.square(difference), axis=-1),
    "squared": lambda difference: ops.sum(ops.square(difference), axis=-1),
    "euclidean": norm,
}


def triplet_margin(anchor, positive, negative, margin, distance, swap=False):
    """The formula of `TripletMargin`: descriptors `(triplets, dim)` each -> `(triplets,)`."""
    rows = (ops.cast(x, "float32") for x in (anchor, positive, negative))
    (anchor, positive, negative), distance = rows, DISTANCES[distance]
    to_negative = distance(anchor - negative)
    if swap:
        to_negative = ops.minimum(to_negative, distance(positive - negative))
    return ops.relu(margin + distance(anchor - positive) - to_negative)


@keras.saving.register_keras_serializable(package="hpatches_kit")
class TripletMargin(keras.losses.Loss):
    """`max(0, margin + d(anchor, positive) - d(anchor, negative))`, for `hk.batches.Triplets`.

    Args:
        margin: how much farther than the positive the negative should be.
        distance: the distance `d` of two descriptors:

            - `"mean_squared"`: mean of the squared differences (the course's starter code, with
              margin 1);
            - `"euclidean"`: root of the sum of squared differences (report A, equation 2, which has
              no margin);
            - `"squared"`: sum of squared differences (report B, section 1).
        swap: anchor swap: use the smaller of the distances from anchor and positive to the negative
            (report B, section 5; Balntas et al., BMVC 2016).

    Call args:
        y_true: labels `(3 * triplets,)`, which are not used.
        y_pred: descriptors `(3 * triplets, dim)` of any norm; rows 3k, 3k + 1 and 3k + 2 are the
            anchor, the positive and the negative.

    Raises UserError for an unknown distance.
    """

    batch_class = "Triplets"

    def __init__(
        self, margin=1.0, distance="mean_squared", swap=False, name="triplet_margin", **kwargs
    ):
        if distance not in DISTANCES:
            raise UserError(f"Unknown {distance=}: expected one of {', '.join(DISTANCES)}.")
        super().__init__(name=name, **kwargs)
        self.margin, self.distance, self.swap = margin, distance, swap

    def call(self, y_true, y_pred):
        check_rows(y_pred, 3, "Triplets")
        triplets = y_pred[0::3], y_pred[1::3], y_pred[2::3]
        return triplet_margin(*triplets, self.margin, self.distance, self.swap)

    def get_config(self):
        settings = {"margin": self.margin, "distance": self.distance, "swap": self.swap}
        return {**super().get_config(), **settings}

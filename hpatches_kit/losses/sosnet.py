"""SOSNet's loss: neighbours of the anchors should be neighbours of the positives, equally far away."""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.losses.batch_distances import (
    FAR,
    SMALLEST,
    hardest_of_all,
    of_unit_vectors,
    same_place,
)


@keras.saving.register_keras_serializable(package="hpatches_kit")
class SOSNetLoss(keras.losses.Loss):
    """A squared hinge on the hardest negative, plus second-order similarity.

    With `a[i]` and `p[i]` the descriptors of pair i, `n[i]` the nearest distance of either to any row of
    another pair, and `N[i]` the pairs that are among the nearest `neighbours` of `a[i]` among the
    anchors or of `p[i]` among the positives:

        `loss[i] = max(0, margin + |a[i] - p[i]| - n[i])^2
                 + weight * sqrt(sum over j in N[i] of (|a[i] - a[j]| - |p[i] - p[j]|)^2)`

    Args:
        margin: how much farther than the positive the negative should be.
        neighbours: how many neighbours the second order looks at; more where some are equally far.
        weight: of the second order; 0 leaves the squared hinge.

    Call args: as for `HardNegativeTriplet`.

    Raises UserError for fewer than 1 neighbours.

    Reference: Tian et al., SOSNet, CVPR 2019, equations 1 to 5.
    """

    batches = "Pairs"

    def __init__(self, margin=1.0, neighbours=8, weight=1.0, name="sosnet_loss", **kwargs):
        if not isinstance(neighbours, int) or neighbours < 1:
            raise UserError(f"{neighbours=}: expected a whole number, 1 or more.")
        super().__init__(name=name, **kwargs)
        self.margin, self.neighbours, self.weight = margin, neighbours, weight

    def call(self, y_true, y_pred):
        positive, negative = hardest_of_all(y_true, y_pred)
        first = ops.square(ops.relu(self.margin + positive - negative))
        a, p, same = y_pred[::2], y_pred[1::2], same_place(y_true)
        anchors, positives = of_unit_vectors(a, a), of_unit_vectors(p, p)
        near = self.near(anchors, same) | self.near(positives, same)
        change = ops.where(near, anchors - positives, 0.0)
        total = ops.sum(ops.square(change), axis=1)
        return first + self.weight * ops.sqrt(ops.maximum(total, SMALLEST))

    def near(self, d, same):
        """Which pairs are among the nearest neighbours of each, booleans `(pairs, pairs)`."""
        d = ops.where(same, FAR, d)
        farthest = ops.sort(d, axis=1)[:, : self.neighbours][:, -1:]
        return (d <= farthest) & ~same

    def get_config(self):
        settings = {"margin": self.margin, "neighbours": self.neighbours, "weight": self.weight}
        return {**super().get_config(), **settings}

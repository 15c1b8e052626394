"""The loss of SOSNet."""

import keras
from keras import ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.losses.batch_distances import (
    NO_NEGATIVE,
    norm,
    positive_and_hardest_negative,
    same_place,
    unit_vector_distances,
)


@keras.saving.register_keras_serializable(package="hpatches_kit")
class SOSNetLoss(keras.losses.Loss):
    """A squared hinge on the hardest negative, plus second-order similarity.

    The second term makes the distances among anchors similar to those among their positives. With
    `a[i]` and `p[i]` the descriptors of pair i, `n[i]` the smallest distance of either to a row of
    another place, and `N[i]` the pairs among the nearest `neighbours` of `a[i]` (among anchors) or
    of `p[i]` (among positives):

        `loss[i] = max(0, margin + |a[i] - p[i]| - n[i])^2
                 + weight * sqrt(sum over j in N[i] of (|a[i] - a[j]| - |p[i] - p[j]|)^2)`

    Args:
        margin: how much farther than the positive the negative should be.
        neighbours: number of neighbours in the second-order term; ties may add some.
        weight: of the second-order term.

    Call args: as for `HardNegativeTriplet`. Raises UserError for fewer than 1 neighbours.

    Reference: Tian et al., SOSNet, CVPR 2019, equations 1 to 5.
    """

    batch_class = "Pairs"

    def __init__(self, margin=1.0, neighbours=8, weight=1.0, name="sosnet_loss", **kwargs):
        if not isinstance(neighbours, int) or neighbours < 1:
            raise UserError(f"{neighbours=}: expected a whole number, 1 or more.")
        super().__init__(name=name, **kwargs)
        self.margin, self.neighbours, self.weight = margin, neighbours, weight

    def call(self, y_true, y_pred):
        positive, negative = positive_and_hardest_negative(y_true, y_pred)
        first_order = ops.square(ops.relu(self.margin + positive - negative))
        same = same_place(y_true)
        anchors, positives = (unit_vector_distances(x, x) for x in (y_pred[::2], y_pred[1::2]))
        neighbours = self.neighbours_of(anchors, same) | self.neighbours_of(positives, same)
        second_order = norm(ops.where(neighbours, anchors - positives, 0.0))
        return first_order + self.weight * second_order

    def neighbours_of(self, distances, same):
        """Whether pair j is among the nearest neighbours of pair i, booleans `(pairs, pairs)`."""
        distances = ops.where(same, NO_NEGATIVE, distances)
        farthest = ops.sort(distances, axis=1)[:, : self.neighbours][:, -1:]
        return (distances <= farthest) & ~same

    def get_config(self):
        settings = {"margin": self.margin, "neighbours": self.neighbours, "weight": self.weight}
        return {**super().get_config(), **settings}

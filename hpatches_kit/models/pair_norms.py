"""HyNet's regulariser: the descriptors of a pair should have similar norms before normalisation."""

import keras
from keras import ops

SMALLEST_SQUARED_NORM = 1e-12  # the slope of the square root is infinite at 0
# Since version 3.14, Keras divides the value of an activity regulariser by the number of rows.
DIVIDED_BY_ROWS = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 14)


@keras.saving.register_keras_serializable(package="hpatches_kit")
class PairNormRegularizer(keras.regularizers.Regularizer):
    """An activity regulariser that makes the two norms of a pair similar.

    It adds `weight` times the mean over pairs of the squared difference of norms to the loss, for a
    model that is trained with `hk.batches.Pairs`: rows 2k and 2k + 1 of a batch are a pair; a last
    single row is ignored.

    Args:
        weight: of the regulariser in the loss; 0.1 in the paper.

    Reference: Tian et al., HyNet, NeurIPS 2020, section 3.3.
    """

    def __init__(self, weight=0.1):
        self.weight = weight

    def __call__(self, descriptors):
        squared = ops.sum(ops.square(ops.cast(descriptors, "float32")), axis=-1)
        norms = ops.sqrt(ops.maximum(squared, SMALLEST_SQUARED_NORM))
        rows = ops.shape(norms)[0]
        pairs = rows // 2
        anchors, positives = norms[: 2 * pairs : 2], norms[1 : 2 * pairs : 2]
        total = ops.sum(ops.square(anchors - positives))
        loss = self.weight * total / ops.cast(ops.maximum(pairs, 1), "float32")
        return loss * ops.cast(rows, "float32") if DIVIDED_BY_ROWS else loss

    def get_config(self):
        return {"weight": self.weight}


def pair_norms(weight):
    """A `PairNormRegularizer`, or None for no weight."""
    return PairNormRegularizer(weight) if weight else None

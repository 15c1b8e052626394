"""Triplet loss with random negatives of the batch: the baseline of hard negative mining."""

import keras
from keras import ops

from hpatches_kit.losses.batch_distances import NO_NEGATIVE
from hpatches_kit.losses.in_batch import InBatchTriplet


@keras.saving.register_keras_serializable(package="hpatches_kit")
class RandomNegativeTriplet(InBatchTriplet):
    """In-batch negatives without mining: a random negative from each row and column.

    The negatives of a pair come from the next pair of the batch that shows another place. They are
    random, because the order of the pairs is random; the loss draws no random numbers.

    Args, call args, errors: as for `HardNegativeTriplet`.
    """

    def __init__(self, margin=1.0, negative="average", name="random_negative_triplet", **kwargs):
        super().__init__(margin, negative, name, **kwargs)

    def choose(self, distances, same):
        pairs = ops.shape(distances)[0]
        pair = ops.arange(pairs)
        steps_ahead = (pair[None, :] - pair[:, None]) % pairs
        next_pair = ops.argmin(ops.where(same, pairs, steps_ahead), axis=1)
        negatives = ops.where(same, NO_NEGATIVE, distances)
        return ops.take_along_axis(negatives, next_pair[:, None], axis=1)[:, 0]

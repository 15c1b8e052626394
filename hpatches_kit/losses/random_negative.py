"""losses.random_negative."""

import keras
from keras import ops

from hpatches_kit.losses.batch_distances import (
    FAR,
)
from hpatches_kit.losses.hard_negative import HardNegativeTriplet


@keras.saving.register_keras_serializable(package="hpatches_kit")
class RandomNegativeTriplet(HardNegativeTriplet):
    """In-batch mining without the mining: a random negative from each row and column.

    What hard mining is to be compared with. The negative of pair i belongs to the next pair of the
    batch that shows another place: pairs stand in random order, so this is a random one, and the loss
    needs no dice of its own.

    Args:
        margin, negative: as for `HardNegativeTriplet`.

    Call args: as for `HardNegativeTriplet`.
    """

    def __init__(self, margin=1.0, negative="average", name="random_negative_triplet", **kwargs):
        super().__init__(margin, negative, 0, name, **kwargs)

    def choose(self, d, same):
        pair = ops.arange(ops.shape(d)[0])
        ahead = (pair[None, :] - pair[:, None]) % ops.shape(d)[0]
        next_one = ops.argmin(ops.where(same, ops.shape(d)[0], ahead), axis=1)
        return ops.take_along_axis(ops.where(same, FAR, d), next_one[:, None], axis=1)[:, 0]

    def get_config(self):
        config = super().get_config()
        del config["percentile"]
        return config

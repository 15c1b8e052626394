"""Losses that read a batch as `batches.py` lays it out: `loss(labels, descriptors)`."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="hpatches_kit")
class Triplet(keras.losses.Loss):
    """The baseline triplet loss: `max(0, margin + d(anchor, positive) - d(anchor, negative))`.

    `d` is the mean of the squared differences over the numbers of a descriptor.

    Args:
        margin: how much farther than the positive the negative should be.

    Call args:
        y_true: labels `(3 * triplets,)`; not looked at, rows 3k, 3k + 1 and 3k + 2 are anchor,
            positive and negative.
        y_pred: descriptors `(3 * triplets, dim)`, of any length.

    Reference: both reports, section 2; the distance is that of the course's starter code.
    """

    def __init__(self, margin=1.0, name="triplet", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        anchor, positive, negative = y_pred[0::3], y_pred[1::3], y_pred[2::3]
        to_positive = ops.mean(ops.square(anchor - positive), axis=-1)
        to_negative = ops.mean(ops.square(anchor - negative), axis=-1)
        return ops.relu(self.margin + to_positive - to_negative)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable(package="hpatches_kit")
class HardMining(keras.losses.Loss):
    """In-batch hard mining: every pair is held against the hardest negatives of the whole batch.

    With `d[i, j]` the distance of anchor i to positive j, pair i has one hardest negative in its
    row and one in its column of `d`:

        `loss[i] = max(0, margin + d[i, i] - combine(min over j of d[i, j], min over j of d[j, i]))`

    Args:
        margin: how much farther than the positive the negatives should be.
        negative: `"average"` of the two hardest (report A, equation 6) or their `"minimum"`
            (HardNet, with margin 1).

    Call args:
        y_true: labels `(2 * pairs,)`; equal ones are never each other's negatives.
        y_pred: descriptors of length 1, `(2 * pairs, dim)`; rows 2k and 2k + 1 are a pair. Others
            (`l2net(normalise=False)`) make no sense here: distances come from cosines.

    References: report A, section 4.2 and appendix A; Mishchuk et al., HardNet, NeurIPS 2017.
    """

    def __init__(self, margin=0.01, negative="average", name="hard_mining", **kwargs):
        if negative not in ("average", "minimum"):
            raise ValueError(f"Unknown {negative=}: expected 'average' or 'minimum'.")
        super().__init__(name=name, **kwargs)
        self.margin, self.negative = margin, negative

    def call(self, y_true, y_pred):
        label = ops.reshape(y_true, (-1,))[::2]
        cosine = ops.matmul(y_pred[::2], ops.transpose(y_pred[1::2]))
        d = ops.sqrt(ops.maximum(2.0 - 2.0 * cosine, 1e-6))  # the slope of sqrt at 0 is infinite
        apart = ops.where(label[:, None] == label[None, :], 10.0, d)  # unit vectors: d <= 2
        row, column = ops.min(apart, axis=1), ops.min(apart, axis=0)
        hardest = (row + column) / 2 if self.negative == "average" else ops.minimum(row, column)
        return ops.relu(self.margin + ops.diagonal(d) - hardest)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "negative": self.negative}

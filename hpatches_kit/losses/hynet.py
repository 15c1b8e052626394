"""HyNet's loss: a similarity between distance and cosine, for gradients that suit near and far."""

import keras
from keras import ops

from hpatches_kit.losses.batch_distances import hardest_of_all


@keras.saving.register_keras_serializable(package="hpatches_kit")
class HyNetLoss(keras.losses.Loss):
    """A hinge on the hardest negative, by `h(d) = d + alpha * d^2 / 2`.

    The slope of a distance is largest where descriptors are near, that of a cosine (`1 - d^2 / 2`) at
    right angles; the sum pushes at both. With `n[i]` the nearest distance of pair i to any row of another
    pair:

        `loss[i] = max(0, margin + h(d[i, i]) - h(n[i]))`

    The paper divides `h` by a constant that makes its largest slope 1; as in the authors' code, that
    constant is left to the margin. The paper's regulariser, which likes the two descriptors of a pair to
    have the same length before they are normalised, is not part of it.

    Args:
        margin: how much farther than the positive the negative should be, by `h`.
        alpha: weight of the cosine.

    Call args: as for `HardNegativeTriplet`.

    Reference: Tian et al., HyNet, NeurIPS 2020, section 3.
    """

    batches = "Pairs"

    def __init__(self, margin=1.2, alpha=2.0, name="hynet_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin, self.alpha = margin, alpha

    def call(self, y_true, y_pred):
        positive, negative = (
            d + self.alpha / 2 * ops.square(d) for d in hardest_of_all(y_true, y_pred)
        )
        return ops.relu(self.margin + positive - negative)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "alpha": self.alpha}

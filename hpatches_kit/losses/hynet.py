"""The loss of HyNet."""

import keras
from keras import ops

from hpatches_kit.losses.batch_distances import positive_and_hardest_negative


@keras.saving.register_keras_serializable(package="hpatches_kit")
class HyNetLoss(keras.losses.Loss):
    """A hinge on the hardest negative, with distances replaced by `h(d) = d + alpha * d^2 / 2`.

    The gradient of a distance is largest between near descriptors, that of a cosine
    (`1 - d^2 / 2`) between orthogonal ones; `h` combines both. With `n[i]` the smallest distance of
    pair i to any row of another place:

        `loss[i] = max(0, margin + h(d[i, i]) - h(n[i]))`

    The paper divides `h` by a constant, so that its largest slope is 1; here, as in the authors'
    code, the margin absorbs that constant. The paper's regulariser, which makes the norms of a pair
    before normalisation similar, is an option of the network: `hynet(norm_regularizer=0.1)`.

    Args:
        margin: how much larger `h` should be for the negative than for the positive.
        alpha: weight of the cosine.

    Call args: as for `HardNegativeTriplet`.

    Reference: Tian et al., HyNet, NeurIPS 2020, section 3.
    """

    batch_class = "Pairs"

    def __init__(self, margin=1.2, alpha=2.0, name="hynet_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin, self.alpha = margin, alpha

    def call(self, y_true, y_pred):
        positive, negative = (
            distance + self.alpha / 2 * ops.square(distance)
            for distance in positive_and_hardest_negative(y_true, y_pred)
        )
        return ops.relu(self.margin + positive - negative)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "alpha": self.alpha}

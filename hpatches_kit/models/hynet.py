"""HyNet, and its filter response normalisation (FRN)."""

import keras
from keras import layers, ops

from hpatches_kit.models.l2net import CONVOLUTIONS, unit_norm
from hpatches_kit.models.pair_norms import pair_norms
from hpatches_kit.patches.views import PATCH_SIZE


@keras.saving.register_keras_serializable(package="hpatches_kit")
class FilterResponseNormalization(layers.Layer):
    """Divide each channel of each patch by its root mean square, then apply a learned threshold.

        `y = max(gamma * x / sqrt(mean(x^2) + epsilon) + beta, tau)`

    The mean is over the pixels of one channel of one patch, so the result does not depend on the
    other patches of the batch. Input and output are `(batch, height, width, channels)`.

    Args:
        epsilon: added to the mean square.
        threshold: initial value of `tau`. `gamma` starts at 1, `beta` at 0.

    Reference: Singh & Krishnan, Filter Response Normalization Layer, CVPR 2020.
    """

    def __init__(self, epsilon=1e-6, threshold=-1.0, **kwargs):
        super().__init__(**kwargs)
        self.epsilon, self.threshold = epsilon, threshold

    def build(self, input_shape):
        def weight(name, value):
            initializer = keras.initializers.Constant(value)
            return self.add_weight(shape=input_shape[-1:], initializer=initializer, name=name)

        self.gamma, self.beta = weight("gamma", 1.0), weight("beta", 0.0)
        self.tau = weight("tau", self.threshold)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")  # in float16, squares of values above 255 overflow
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=(1, 2), keepdims=True) + self.epsilon)
        x = ops.cast(x, self.compute_dtype)
        return ops.maximum(self.gamma * x + self.beta, self.tau)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon, "threshold": self.threshold}


def hynet(
    dim=128, dropout=0.3, kernel_initializer="he_normal", name="hynet", *, norm_regularizer=0.0
):
    """Build HyNet: L2-Net with FRN, and batch normalisation after the last convolution.

    Args:
        dim, dropout, kernel_initializer, name, norm_regularizer: as for `l2net`.

    Returns a `keras.Model` from patches `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors
    `(batch, dim)` of unit norm.

    Reference: Tian et al., HyNet, NeurIPS 2020.
    """

    def conv(filters, size, **kwargs):
        return layers.Conv2D(filters, size, kernel_initializer=kernel_initializer, **kwargs)

    patch = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")
    x = FilterResponseNormalization()(patch)
    for filters, strides in CONVOLUTIONS:
        x = conv(filters, 3, strides=strides, padding="same")(x)
        x = FilterResponseNormalization()(x)
    x = conv(dim, 8, use_bias=False)(layers.Dropout(dropout)(x))
    x = layers.BatchNormalization(momentum=0.9, center=False, scale=False)(x)  # 0.9: see l2net
    x = layers.Flatten(activity_regularizer=pair_norms(norm_regularizer))(x)
    return keras.Model(patch, unit_norm(x), name=name)

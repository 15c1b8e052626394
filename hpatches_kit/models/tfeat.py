"""TFeat: two convolutions and a dense layer."""

import keras
from keras import layers

from hpatches_kit.models.l2net import standardised, unit_norm
from hpatches_kit.patches.views import PATCH_SIZE


def tfeat(dim=128, normalise=True, kernel_initializer="glorot_uniform", name="tfeat"):
    """Build TFeat: 600,000 parameters, about a sixth of the multiplications of L2-Net.

    Args:
        dim: dimension of the descriptor.
        normalise: end with an L2-normalisation layer, which in-batch mining losses need. The paper
            has no such layer and trains with triplets.
        kernel_initializer: name of a Keras initialiser.
        name: of the model.

    Returns a `keras.Model` from patches `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors
    `(batch, dim)`.

    Reference: Balntas et al., Learning local feature descriptors with triplets and shallow
    convolutional neural networks, BMVC 2016.
    """
    options = {"activation": "tanh", "kernel_initializer": kernel_initializer}
    patch = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")
    x = layers.Conv2D(32, 7, **options)(standardised(patch))  # 32 -> 26 pixels
    x = layers.Conv2D(64, 6, **options)(layers.MaxPooling2D()(x))  # 13 -> 8
    # With biases of 0, a constant patch would give a zero descriptor and a gradient of NaN.
    x = layers.Dense(dim, bias_initializer="random_uniform", **options)(layers.Flatten()(x))
    return keras.Model(patch, unit_norm(x) if normalise else x, name=name)

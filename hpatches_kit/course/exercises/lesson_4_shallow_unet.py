"""The shallow U-Net by hand, and a check that names its first layer that differs."""

from functools import lru_cache

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise, Wrong
from hpatches_kit.course.exercises.expectations import expect, expect_array, expect_model
from hpatches_kit.course.exercises.lesson_4_networks import all_layers, first_difference
from hpatches_kit.models.unet import unet


def shallow_unet():
    """Build the shallow U-Net of both reports from Keras layers.

    Returns a `keras.Model` from (batch, 32, 32, 1) to (batch, 32, 32, 1), with these layers:
    1. convolution 3x3, 16 filters     5. convolution 2x2, 64 filters
    2. 2x2 max-pooling                 6. concatenation of layers 5 and 1 along the channels
    3. convolution 3x3, 32 filters     7. convolution 3x3, 64 filters
    4. upsampling by 2 (nearest)       8. convolution 3x3, 1 filter, no activation

    Convolutions have same padding, ReLU (except the last) and He normal initial weights.
    """
    layers = keras.layers
    options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    noisy = keras.Input((32, 32, 1))
    level_1 = layers.Conv2D(16, 3, **options)(noisy)
    level_2 = layers.Conv2D(32, 3, **options)(layers.MaxPooling2D()(level_1))
    up = layers.Conv2D(64, 2, **options)(layers.UpSampling2D()(level_2))
    joined = layers.Concatenate()([up, level_1])
    joined = layers.Conv2D(64, 3, **options)(joined)
    clean = layers.Conv2D(1, 3, **(options | {"activation": None}))(joined)
    return keras.Model(noisy, clean)


def check_shallow_unet(shallow_unet):
    expected, patches, wanted = _expected()
    model = expect_model(_build(shallow_unet), "shallow_unet()")
    outputs = model(patches)
    if _has_equal_outputs(model, expected.get_weights(), patches, wanted):
        return _check_initialisers(model)
    count = model.count_params()
    parameters = (
        f" The network has {count:,} parameters: expected 59,777." if count != 59_777 else ""
    )
    sentence = first_difference(model, expected)
    expect(sentence is None, f"{sentence}{parameters}")
    expect_array(outputs, (2, 32, 32, 1), "the output of two patches")
    compare = (
        'Compare hk.plots.architecture(shallow_unet()) with that of hk.models.unet("shallow").'
    )
    expect(not parameters, f"{parameters.strip()} {compare}")
    expect(False, f"with equal weights, its outputs differ from the expected ones. {compare}")


def _build(shallow_unet):
    """The learner's network; maps of different sizes in the concatenation get a sentence."""
    try:
        return shallow_unet()
    except ValueError as error:
        if "`Concatenate` layer requires inputs with matching shapes" not in str(error):
            raise
        shapes = str(error).partition("input_shape=")[2]
        raise Wrong(
            f"the concatenation receives maps of different sizes, {shapes}: expected 32x32. Have all"
            ' convolutions padding="same", and does upsampling undo the pooling?'
        ) from error


@lru_cache
def _expected():
    """The expected network, two patches, and its outputs for them, which have both signs.

    Weights that are drawn anew each time may give positive outputs alone, and a ReLU behind them
    would pass. Biases are not 0, so that they count.
    """
    network, rng = unet("shallow"), np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.1, weight.shape) for weight in network.weights])
    patches = rng.uniform(0, 255, (2, 32, 32, 1)).astype("float32")
    return network, patches, keras.ops.convert_to_numpy(network(patches))


def _has_equal_outputs(model, weights, patches, wanted):
    """Whether a network that gets the weights of the expected one has its outputs, too.

    A class may create its layers in any order: each convolution has a kernel of another shape. The
    two inputs of the concatenation may be in either order: the kernel behind it is then in the
    other order, too. Sums in another order round differently, so the tolerance is relative to the
    largest output.
    """
    layers = {kernel.shape: (kernel, bias) for kernel, bias in zip(weights[::2], weights[1::2])}
    shapes = [tuple(weight.shape) for weight in model.weights]
    kernels = shapes[::2]
    if sorted(kernels) != sorted(layers) or shapes[1::2] != [kernel[-1:] for kernel in kernels]:
        return False
    behind = (3, 3, 64 + 16, 64)
    kernel, bias = layers[behind]
    for shift in (0, 16):
        layers[behind] = np.roll(kernel, shift, axis=2), bias
        model.set_weights([array for shape in kernels for array in layers[shape]])
        outputs = keras.ops.convert_to_numpy(model(patches, training=True))
        if np.shape(outputs) != wanted.shape:
            return False
        if np.abs(outputs - wanted).max() < 1e-4 * np.abs(wanted).max():
            return True
    return False


def _check_initialisers(model):
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Conv2D):
            config = layer.kernel_initializer.get_config()
            kind = (config.get("scale"), config.get("mode"), config.get("distribution"))
            is_he_normal = type(layer.kernel_initializer).__name__ == "HeNormal"
            expect(
                is_he_normal or kind == (2.0, "fan_in", "truncated_normal"),
                f"the layers are right, but `{layer.name}` draws its initial weights with"
                f" {type(layer.kernel_initializer).__name__}: expected He normal,"
                ' kernel_initializer="he_normal".',
            )


EXERCISE = Exercise(
    "shallow_unet",
    4,
    shallow_unet,
    check_shallow_unet,
    (
        "Every layer is called on the output of the one before. Keep the output of the first"
        " convolution in a variable of its own: the concatenation needs it again.",
        "Pooling takes 32x32 to 16x16, upsampling takes it back. The concatenation joins"
        " (batch, 32, 32, 64) and (batch, 32, 32, 16) to (batch, 32, 32, 80).",
        "joined = keras.layers.Concatenate()([up, level_1])",
    ),
)

"""Exercise of lesson 5: L2-Net, layer by layer."""

from functools import lru_cache

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise, Wrong, with_article
from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_model,
)
from hpatches_kit.models.l2net import l2net as reference

PARAMETERS = 1_336_928


def l2net():
    """L2-Net: patches (batch, 32, 32, 1) to descriptors (batch, 128) of norm 1.

    Six convolutions of 3x3, padding "same", with 32, 32, 64, 64, 128 and 128 filters; the third
    and the fifth have stride 2, the others 1. Each is followed by BatchNormalization and ReLU. Then
    come Dropout with rate 0.3, a convolution of 8x8 with 128 filters, padding "valid", Flatten, and
    UnitNormalization. All convolutions have a bias. Returns a `keras.Model`.
    """
    x = patch = keras.Input((32, 32, 1))
    for filters, strides in [(32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)]:
        x = keras.layers.Conv2D(filters, 3, strides, "same")(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Conv2D(128, 8)(keras.layers.Dropout(0.3)(x))
    x = keras.layers.UnitNormalization()(keras.layers.Flatten()(x))
    return keras.Model(patch, x)


def check_l2net(l2net):
    model = expect_model(_build(l2net), "l2net()")
    expect(
        model.built,
        f"l2net() is {with_article(type(model).__name__)} without the shape of its input: expected"
        " keras.Model(inputs, outputs). Begin with keras.Input((32, 32, 1)).",
    )
    shape = tuple(getattr(model, "input_shape", ()))
    expect(
        shape[1:] == (32, 32, 1),
        f"its input has shape {shape}: expected (None, 32, 32, 1).",
    )
    expected_model = _expected_model()
    _check_layers(_layers(model), _layers(expected_model))
    expect(
        model.output_shape == (None, 128),
        f"its output has shape {model.output_shape}: expected (None, 128). Is Flatten missing?",
    )
    count = model.count_params()
    expect(
        count == PARAMETERS,
        f"it has {count:,} parameters: expected {PARAMETERS:,}. Which layer has other settings, or"
        " is used twice?",
    )
    _check_descriptors(model, expected_model)


def _build(l2net):
    """The learner's network; too few pixels for the last convolution get a sentence."""
    try:
        model = l2net()
        if isinstance(model, keras.Sequential) and not model.built:  # it may begin without an Input
            model.build((None, 32, 32, 1))
        return model
    except ValueError as error:
        if "zero or negative" not in str(error):
            raise
        raise Wrong(
            "too few pixels remain for the 8x8 convolution: 3x3 convolutions without padding make"
            ' the feature maps smaller. Give each of them padding="same".'
        ) from error


@lru_cache
def _expected_model():
    return reference()


def _check_layers(actual, expected):
    """Name the first layer that differs. Layers are in words, as `_layers` returns them."""
    for number, (layer, wanted) in enumerate(zip(actual, expected), 1):
        expect(layer == wanted, f"layer {number} is {layer}: expected {wanted}.")
    if len(actual) < len(expected):
        wanted = expected[len(actual)]
        expect(False, f"it ends after {len(actual)} layers: expected {wanted} next.")
    if len(actual) > len(expected):
        expect(False, f"layer {len(expected) + 1} is {actual[len(expected)]}: expected none.")


def _layers(model):
    """The convolutions, normalisations, activations and dropout of a network, in words."""
    words = []
    for layer in getattr(model, "operations", None) or model.layers:
        kind = type(layer).__name__
        if isinstance(layer, keras.Model):
            words += _layers(layer)
        elif isinstance(layer, keras.layers.Conv2D):
            words.append(_convolution(layer))
        elif isinstance(layer, keras.layers.BatchNormalization):
            whole = layer.center and layer.scale
            words.append(f"batch normalisation{'' if whole else ' without scale or shift'}")
        elif isinstance(layer, keras.layers.Dropout):
            words.append(f"dropout with rate {layer.rate:g}")
        elif kind.lower() == "relu":  # the layer, or keras.ops.relu
            words.append("ReLU")
        elif kind in ("Dense", "MaxPooling2D", "LeakyReLU", "LayerNormalization", "Rescaling"):
            words.append(f"a layer {kind}")
        activation = getattr(layer, "activation", None)
        name = getattr(activation, "__name__", "linear")
        if name != "linear" and kind != "ReLU":
            words.append("ReLU" if name == "relu" else f"the activation {name}")
    return words


def _convolution(layer):
    height, width = layer.kernel_size
    return (
        f"a convolution of {height}x{width} with {layer.filters} filters, stride"
        f' {layer.strides[0]} and padding "{layer.padding}"'
        + ("" if layer.use_bias else ", without bias")
    )


def _check_descriptors(model, expected_model):
    """Compare descriptors of the same weights."""
    rng = np.random.default_rng(0)
    weights = [
        rng.normal(0, (2 / w[..., 0].size) ** 0.5, w.shape) if w.ndim > 1 else rng.random(w.shape)
        for w in model.get_weights()
    ]
    for network in (model, expected_model):
        network.set_weights(weights)
    patches = rng.uniform(0, 255, (3, 32, 32, 1)).astype("float32")
    expected = np.asarray(keras.ops.convert_to_numpy(expected_model(patches, training=False)))
    actual = expect_array(model(patches, training=False), (3, 128), "the output for 3 patches")
    norms = np.linalg.norm(actual, axis=1)
    expect(
        np.allclose(norms, 1, atol=1e-3),
        f"the descriptor of a patch has norm {norms[0]:.4g}: expected 1. End with"
        " UnitNormalization, over the axis of the 128 numbers.",
    )
    expect(
        not np.allclose(actual, actual[0], atol=1e-6),
        "all descriptors are equal: collapse. Does the output depend on the patch?",
    )
    difference = np.abs(actual - expected).max()
    expect(
        difference < 1e-3,
        f"with equal weights, its descriptors differ from those of hk.models.l2net() by"
        f" {difference:.3f}. Does something else change the patch or the features, such as a"
        " division by 255?",
    )


L2NET = Exercise(
    "l2net",
    5,
    l2net,
    check_l2net,
    (
        "Six times: convolution, batch normalisation, ReLU. One last convolution sees all that"
        " remains of the patch; UnitNormalization divides its output by its norm.",
        "(32, 32, 32), (32, 32, 32), (16, 16, 64), (16, 16, 64), (8, 8, 128), (8, 8, 128), then"
        " (1, 1, 128): an 8x8 convolution without padding leaves one pixel. Flatten makes it 128.",
        "x = keras.layers.UnitNormalization()(keras.layers.Flatten()(x))",
    ),
)

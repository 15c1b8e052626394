"""Read the network that a learner built, and find the first layer that differs from another."""

from dataclasses import dataclass
from itertools import zip_longest

import keras

from hpatches_kit.course.exercises.exercise import with_article

TRAITS = (  # in the order in which they are compared
    ("filters", "filters"),
    ("kernel_size", "kernel size"),
    ("pool_size", "pool size"),
    ("size", "size"),
    ("interpolation", "interpolation"),
    ("strides", "strides"),
    ("dilation_rate", "dilation rate"),
    ("padding", "padding"),
    ("use_bias", "use_bias"),
    ("axis", "axis"),
)
INSTEAD = {  # kind of layer: what to say where another one is expected
    "AveragePooling2D": "The U-Net keeps the maximum of four values, not their mean.",
    "Conv2DTranspose": "Here, pixels are repeated, and a convolution follows.",
    "Add": "An addition needs equal channels; the U-Net keeps both sets of channels.",
}


def all_layers(model):
    """The layers of a model, and those of the models in it."""
    for layer in model.layers:
        yield from all_layers(layer) if isinstance(layer, keras.Model) else (layer,)


@dataclass
class Step:
    """A layer with the activation that follows it; `output` is what the next layer receives."""

    layer: keras.layers.Layer
    activation: str | None
    output: object


def first_difference(model, expected):
    """A sentence about the first layer that differs, or None.

    All layers are compared in their order. Of a model with operations that are not layers, or with
    models in it, only the convolutions are.
    """
    steps, wanted = _read_steps(model), _read_steps(expected)
    whole = _is_plain(model)
    if not whole:
        steps, wanted = _convolutions(steps), _convolutions(wanted)
    noun = "layer" if whole else "convolution"
    for number, (step, target) in enumerate(zip_longest(steps, wanted), start=1):
        if step is None:
            return f"the network ends after {noun} {number - 1}: expected {_describe(target)} next."
        name = f"{noun} {number}, `{step.layer.name}`,"
        if target is None:
            return f"{name} is one too many: expected {len(wanted)} {noun}s."
        if sentence := _difference(step, target, name, last=number == len(wanted)):
            return sentence
    return _wrong_skip(steps, wanted) if whole else None


def _is_plain(model):
    """Whether all operations of a model are layers, in a known order."""
    operations = getattr(model, "operations", model.layers)
    known = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    nested = any(isinstance(layer, keras.Model) for layer in model.layers)
    return known and not nested and len(operations) == len(model.layers)


def _convolutions(steps):
    return [step for step in steps if isinstance(step.layer, keras.layers.Conv2D)]


def _read_steps(model):
    steps = []
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        output = getattr(layer, "output", None)
        is_activation = isinstance(layer, (keras.layers.Activation, keras.layers.ReLU))
        if is_activation and steps and steps[-1].activation == "linear":
            steps[-1].activation, steps[-1].output = _activation_name(layer), output
        else:
            steps.append(Step(layer, _activation_name(layer), output))
    return steps


def _activation_name(layer):
    if isinstance(layer, keras.layers.ReLU):
        return "relu"
    activation = getattr(layer, "activation", None)
    return activation and getattr(activation, "__name__", type(activation).__name__)


def _difference(step, target, name, last):
    """A sentence on how a layer differs from the one that is expected in its place, or None."""
    kind, expected = type(step.layer).__name__, type(target.layer).__name__
    if kind != expected:
        advice = INSTEAD.get(kind, "")
        if expected == "Concatenate":
            advice = "The skip connection belongs here: it joins layers 5 and 1."
        return f"{name} is {with_article(kind)}: expected {_describe(target)}. {advice}".strip()
    for attribute, word in TRAITS:
        value, wanted = getattr(step.layer, attribute, None), getattr(target.layer, attribute, None)
        if value != wanted and attribute == "filters":
            return f"{name} has {value} filters: expected {wanted}."
        if value != wanted:
            return f"{name} has {word} {_short(value)}: expected {_short(wanted)}."
    if step.activation == target.activation:
        return None
    if last:
        reason = "a linear output, which reaches every grey level and passes every gradient"
        return f"{name} has the activation {step.activation}: expected none, {reason}."
    given = step.activation if step.activation != "linear" else "none"
    return f"{name} has the activation {given}: expected {target.activation}."


def _describe(step):
    layer = step.layer
    if not isinstance(layer, keras.layers.Conv2D):
        return with_article(type(layer).__name__)
    return f"a Conv2D {_short(layer.kernel_size)} with {layer.filters} filters"


def _short(value):
    return "x".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _wrong_skip(steps, wanted):
    """A sentence on a concatenation of other tensors than those of layers 5 and 1, or None."""
    for step, target in zip(steps, wanted):
        if not isinstance(target.layer, keras.layers.Concatenate):
            continue
        sources = [_name_of_source(tensor, steps) for tensor in step.layer.input]
        right = [_number_of_source(tensor, wanted) for tensor in target.layer.input]
        if sorted(sources) != sorted(f"layer {number}" for number in right):
            joined, expected = " and ".join(sources), " and ".join(f"layer {n}" for n in right)
            return (
                f"the concatenation `{step.layer.name}` joins {joined}: expected {expected}."
                " The skip connection carries the 16 feature maps of the first convolution, after"
                " its activation."
            )
    return None


def _number_of_source(tensor, steps):
    """The number of the layer whose output this tensor is, or None."""
    numbers = (n for n, step in enumerate(steps, start=1) if step.output is tensor)
    return next(numbers, None)


def _name_of_source(tensor, steps):
    number = _number_of_source(tensor, steps)
    return f"layer {number}" if number else f"a tensor of {tensor.shape[-1]} channels"

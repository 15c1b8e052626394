"""The layers of a network as blocks for its drawing."""

import re
from dataclasses import dataclass, field
from textwrap import fill

import numpy as np

from hpatches_kit.plots import style

GREY = "#777777"
KINDS = {  # part of the name of a layer's class: name in the legend, and colour
    "Transpose": ("transposed convolution", style.GREEN),
    "Conv": ("convolution", style.BLUE),
    "Pooling": ("pooling", style.RED),
    "UpSampling": ("upsampling", style.GREEN),
    "Concatenate": ("concatenation", style.PURPLE),
    "Subtract": ("", style.PURPLE),  # not in the legend: the label says it
    "Add": ("", style.PURPLE),
    "Dense": ("", style.BLUE),
}
OTHER = "", GREY
STRIP, LINE = 0.055, 0.13  # inches: width of a strip, height of a line of text


@dataclass(eq=False)
class Block:
    """A layer, what is folded into it, and its place in the drawing."""

    name: str
    label: str
    kind: tuple
    shape: tuple  # of the output, without the batch
    sources: list
    has_weights: bool = False
    model: str = ""  # the nested model that it is part of
    folded: list = field(default_factory=list)  # activation, normalisation, dropout
    side_layers: list = field(default_factory=list)  # names, drawn as part of a skip connection
    row: int = 0
    column: int = 0
    x: float = 0.0
    turn: float = 0.0  # x where a line from another row goes up or down
    y: float = 0.0
    height: float = 0.0

    @property
    def maps(self):
        """Number of pixels along a side of the feature maps."""
        return (self.shape[0] or 1) if len(self.shape) > 1 else 1

    @property
    def size_label(self):
        sides = self.shape[:-1] or self.shape
        return "x".join(str(side or "?") for side in sides) + ("-D" if len(self.shape) == 1 else "")

    @property
    def body(self):
        """Width without the strips."""
        return 0.06 * (1 + np.log2(self.shape[-1] or 1))

    @property
    def width(self):
        return self.body + STRIP * len(self.folded)

    @property
    def label_top(self):
        return self.y + self.height / 2 + 0.04 + LINE * len(self.label.split("\n"))


def read_blocks(model):
    """The blocks of a model, each after its sources; those of skip connections are merged."""
    several = len(model.inputs) > 1
    blocks = [
        Block("input", tensor.name if several else "input", OTHER, tuple(tensor.shape[1:]), [])
        for tensor in model.inputs
    ]
    _add_layers(model, dict(zip(map(id, model.inputs), blocks)), blocks)
    return _merge_side_layers(blocks)


def _add_layers(model, made_by, blocks, nested=""):
    """Add the layers of a model to `blocks`, and to `made_by`: `{id of a tensor: block}`."""
    for layer in getattr(model, "operations", model.layers):  # only functional models have both
        node = next(  # a layer that several models share has a node for each of them
            node
            for node in layer._inbound_nodes
            if all(id(tensor) in made_by for tensor in node.input_tensors)
        )
        sources = [made_by[id(tensor)] for tensor in node.input_tensors]
        if not sources:  # an input, which has a block already
            continue
        if hasattr(layer, "inputs"):  # a model
            made_by.update(zip(map(id, layer.inputs), sources))
            _add_layers(layer, made_by, blocks, layer.name)
            outputs = [made_by[id(tensor)] for tensor in layer.outputs]
        else:
            outputs = [_add_layer(layer, node, sources, blocks, nested)] * len(node.output_tensors)
        made_by.update(zip(map(id, node.output_tensors), outputs))


def _add_layer(layer, node, sources, blocks, nested):
    """Return a new block for a layer, or the block of its source, into which it is folded."""
    type_name, shape = type(layer).__name__, tuple(node.output_tensors[0].shape[1:])
    kind = next((kind for part, kind in KINDS.items() if part in type_name), OTHER)
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    has_weights = bool(getattr(layer, "weights", ()))
    folds = kind == OTHER and (not has_weights or "Norm" in type_name)
    folds = folds and all(_users_of(tensor) == 1 for tensor in node.input_tensors)
    if folds and [(shape, nested)] == [(source.shape, source.model) for source in sources]:
        sources[0].folded.append(_words(type_name if activation == "linear" else activation))
        return sources[0]
    label = _label(layer, type_name, shape)
    block = Block(layer.name, label, kind, shape, sources, has_weights, nested)
    if activation != "linear":
        block.folded.append(_words(activation))
    blocks.append(block)
    return block


def _users_of(tensor):
    """How many layers use a tensor: a skip connection starts before what one of them is folded."""
    nodes = tensor._keras_history.operation._outbound_nodes
    return sum(any(tensor is other for other in node.input_tensors) for node in nodes)


def _label(layer, type_name, shape):
    sides = (getattr(layer, name, None) for name in ("kernel_size", "pool_size", "size"))
    size = "x".join(map(str, np.atleast_1d(next(filter(None, sides), ()))))
    if "Conv" in type_name:
        stride = max(layer.strides)
        return f"{size}, {shape[-1]}" + (f"\nstride {stride}" if stride > 1 else "")
    if "Dense" in type_name:
        return f"dense, {shape[-1]}"
    if "Pooling" in type_name:
        return f"{'max' if 'Max' in type_name else 'mean'} {size}".strip()
    if "UpSampling" in type_name:
        return f"up {size}"
    return "concat" if "Concatenate" in type_name else fill(_words(type_name), 16)


def _words(name):
    """The name of a class as words: `BatchNormalization` -> `batch normalisation`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name).lower().replace("_", " ")
    return words.replace("relu", "ReLU").replace("ization", "isation")


def _merge_side_layers(blocks):
    """Remove the layers of skip connections, such as the Haar details of a Framing U-Net.

    They have no weights, lead only to layers with several inputs, and are not on the main path: the
    path from input to output with the most layers with weights.
    """
    longest = {}
    for block in blocks:
        before = max((longest[source] for source in block.sources), default=(0, 0))
        longest[block] = before[0] + block.has_weights, before[1] + 1
    path = [blocks[-1]]
    while path[-1].sources:
        path.append(max(path[-1].sources, key=longest.get))
    side = set()
    for block in reversed(blocks):
        users = [user for user in blocks if block in user.sources]
        ends = all(user in side or len(user.sources) > 1 for user in users)
        if ends and users and block.sources and not block.has_weights and block not in path:
            side.add(block)
    kept = [block for block in blocks if block not in side]

    def expand(source):
        return sum(map(expand, source.sources), []) if source in side else [source]

    for block in kept:
        block.side_layers = [source.name for source in block.sources if source in side]
        block.sources = list(dict.fromkeys(sum(map(expand, block.sources), [])))
    return kept

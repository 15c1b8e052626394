"""A drawing of a network: its layers as blocks, from left to right."""

from itertools import groupby

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from hpatches_kit.plots import style
from hpatches_kit.plots.network_blocks import GREY, LINE, STRIP, read_blocks

STRIPS = {
    "ReLU": style.ORANGE,
    "tanh": "#d1b000",
    "dropout": "#b5b5b5",
    "batch normalisation": style.LINE,
    "filter response normalisation": "#5f7f95",
    "layer normalisation": "#8a6d3b",
    "unit normalisation": "#3fb3ad",
}
OTHER_STRIP = "#d48ac0"
# All lengths are inches.
TALLEST, LOWEST = 1.3, 0.07  # blocks with the largest and the smallest feature maps
GAP, LANE, MARGIN = 0.24, 0.13, 0.2
HEAD, FOOT = 0.6, 0.36  # for the title, for the legend
TEXT, SMALL = 7.5, 7  # font sizes in points


def architecture(model):
    """Draw the layers of a network from left to right, with its number of parameters.

    The height of a block shows the size of the feature maps; its width shows the number of channels
    on a logarithmic scale. Activation, normalisation and dropout are strips at the end of the block
    that they follow. In a network with skip connections, each size has its own row. Layers without
    weights that lie on a skip connection are named on its line.

    Args:
        model: a functional or sequential `keras.Model` that is built. Models in it are framed.
    """
    blocks = read_blocks(model)
    skips = _place(blocks)
    left, right = 0, max(block.x + _slot(block) / 2 for block in blocks) + MARGIN
    bottom = min(block.y - block.height / 2 for block in blocks) - LINE - 0.1
    top = max([*(block.label_top for block in blocks), *skips.values()]) + 0.1
    frames = list(dict.fromkeys(block.model for block in blocks if block.model))
    top, bottom = top + (0.3 if frames else 0), bottom - (0.1 if frames else 0)
    handles = _legend_handles(blocks, skips)
    legend_width = sum(_text_width(handle.get_label(), SMALL) + 0.35 for handle in handles)
    width, height = max(right - left, legend_width), top - bottom + HEAD + FOOT
    figure = plt.figure(figsize=(width, height))
    axis = figure.add_axes((0, FOOT / height, 1, (top - bottom) / height))
    middle = (left + right) / 2
    axis.set(xlim=(middle - width / 2, middle + width / 2), ylim=(bottom, top))
    axis.set_axis_off()
    for name in frames:
        _draw_frame(axis, name, [block for block in blocks if block.model == name], skips)
    for block in blocks:
        for source in block.sources:
            if (source, block) in skips:
                _draw_skip(axis, source, block, skips[source, block])
            else:
                _draw_step(axis, source, block)
    for block in blocks:
        _draw_block(axis, block)
    options = {"handlelength": 1, "columnspacing": 1.4, "fontsize": SMALL, "frameon": False}
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), **options)
    title = f"{model.name}: {model.count_params():,} parameters"
    figure.suptitle(title, y=1 - 0.12 / height, va="top", fontsize=11)
    text = "height: pixels along a side; width: channels (logarithmic)"
    figure.text(0.5, 1 - 0.36 / height, text, ha="center", va="top", fontsize=SMALL, color=GREY)
    return style.finish(figure)


def _place(blocks):
    """Set the place of each block; return the height of the line of each skip connection.

    The heights are `{(source, block): y}`.
    """
    for model in {block.model for block in blocks}:
        part = [block for block in blocks if block.model == model]
        if any(len(block.sources) > 1 for block in part):
            sizes = sorted({block.maps for block in part}, reverse=True)
            for block in part:
                block.row = sizes.index(block.maps)
    taken, largest = set(), max(block.maps for block in blocks)
    for block in blocks:
        block.height = max(TALLEST * block.maps / largest, LOWEST)
        block.column = max((source.column + 1 for source in block.sources), default=0)
        while (block.column, block.row) in taken:
            block.column += 1
        taken.add((block.column, block.row))
    x = MARGIN - GAP
    for _, column in groupby(sorted(blocks, key=lambda block: block.column), lambda b: b.column):
        column = list(column)
        slot = max(map(_slot, column))
        for block in column:
            block.x, block.turn = x + GAP + slot / 2, x + GAP / 2
        x += GAP + slot
    lines, y = {}, 0.0
    for _, row in groupby(sorted(blocks, key=lambda block: (block.row, block.x)), lambda b: b.row):
        row = list(row)
        ends = [block for block in row if _skips_to(block)]
        half = max(block.height for block in row) / 2
        above = half + max(block.label_top - block.height / 2 for block in row)
        y -= LANE * len(ends) + 0.1 + above
        for block in row:
            block.y = y
        for lane, block in enumerate(ends, start=1):
            lines |= {(source, block): y + above + LANE * lane for source in _skips_to(block)}
        y -= half + LINE + 0.1
    return lines


def _skips_to(block):
    return [source for source in block.sources if source.column != block.column - 1]


def _slot(block):
    """The width that a block and its texts need."""
    lines = [(line, TEXT) for line in block.label.split("\n")] + [(block.size_label, SMALL)]
    return max(block.width, *(_text_width(text, size) for text, size in lines))


def _text_width(text, size):
    return TextPath((0, 0), text, size=size).get_extents().width / 72


def _draw_block(axis, block):
    left, bottom = block.x - block.width / 2, block.y - block.height / 2
    _, colour = block.kind
    options = {"facecolor": _light(colour), "edgecolor": colour, "linewidth": 1, "zorder": 2}
    axis.add_patch(Rectangle((left, bottom), block.body, block.height, gid="block", **options))
    for k, name in enumerate(block.folded):
        corner = left + block.body + STRIP * k, bottom
        options = {"color": STRIPS.get(name, OTHER_STRIP), "linewidth": 1, "zorder": 2}
        axis.add_patch(Rectangle(corner, STRIP, block.height, gid="strip", **options))
    top, options = bottom + block.height, {"ha": "center", "linespacing": 1.1}
    axis.text(block.x, top + 0.04, block.label, va="bottom", fontsize=TEXT, **options)
    options |= {"fontsize": SMALL, "color": GREY}
    axis.text(block.x, bottom - 0.04, block.size_label, va="top", **options)


def _draw_step(axis, source, block):
    """Draw an arrow from a block to one in the next column."""
    start, end = source.x + source.width / 2 + 0.02, block.x - block.width / 2 - 0.02
    points = [(start, source.y), (end, block.y)]
    if source.y != block.y:
        points[1:1] = [(block.turn, source.y), (block.turn, block.y)]
    _draw_arrow(axis, points, style.LINE, "step")


def _draw_skip(axis, source, block, y):
    points = [(source.x, source.label_top + 0.02), (source.x, y)]
    points += [(block.x, y), (block.x, block.label_top + 0.02)]
    _draw_arrow(axis, points, style.PURPLE, "skip")
    if block.side_layers:
        text, middle = "with " + ", ".join(block.side_layers), (source.x + block.x) / 2
        options = {"ha": "center", "fontsize": SMALL, "color": style.PURPLE}
        axis.text(middle, y + 0.02, text, va="bottom", **options)


def _draw_arrow(axis, points, colour, gid, radius=0.08):
    """Draw lines through points, with round corners, and an arrow head at the end."""
    points = [np.array(point) for point in points]
    vertices, codes = [points[0]], [Path.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:]):
        ends = [corner + radius * _unit(other - corner) for other in (before, after)]
        vertices += [ends[0], corner, ends[1]]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    path = Path([*vertices, points[-1]], [*codes, Path.LINETO])
    options = {"arrowstyle": "-|>", "mutation_scale": 6, "linewidth": 1, "color": colour}
    axis.add_patch(FancyArrowPatch(path=path, gid=gid, zorder=1, **options))


def _unit(vector):
    return vector / np.linalg.norm(vector)


def _draw_frame(axis, name, blocks, skips):
    """Draw a frame around the blocks of a nested model, with its name."""
    left = min(block.x - _slot(block) / 2 for block in blocks) - 0.08
    right = max(block.x + _slot(block) / 2 for block in blocks) + 0.08
    bottom = min(block.y - block.height / 2 for block in blocks) - LINE - 0.1
    lines = [y for (_, block), y in skips.items() if block in blocks]
    top = max([*(block.label_top for block in blocks), *lines]) + 0.26
    options = {"facecolor": "#f4f5f7", "edgecolor": style.BAR, "gid": "frame", "zorder": 0}
    shape = "round,pad=0,rounding_size=0.08"
    box = FancyBboxPatch((left, bottom), right - left, top - bottom, boxstyle=shape, **options)
    axis.add_patch(box)
    axis.text(left + 0.08, top - 0.05, name, va="top", fontsize=8, color=style.INTERVAL)


def _legend_handles(blocks, skips):
    kinds = dict(block.kind for block in blocks)
    strips = dict.fromkeys(sum((block.folded for block in blocks), []))
    handles = [
        Patch(facecolor=_light(colour), edgecolor=colour, label=name)
        for name, colour in kinds.items()
        if name
    ]
    handles += [Patch(color=STRIPS.get(name, OTHER_STRIP), label=name) for name in strips]
    if skips:
        handles.append(Line2D([], [], color=style.PURPLE, label="skip connection"))
    return handles


def _light(colour):
    """A colour mixed with as much white."""
    return tuple((1 + np.array(to_rgb(colour))) / 2)

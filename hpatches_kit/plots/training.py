"""Figures of a training."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from hpatches_kit.plots.style import GROUP_COLOURS, closed


def curves(histories, quantities=("loss",), labels=None):
    """Training and validation curves, one panel a quantity, three in a row, one colour a run.

    Args:
        histories: a Keras `History`, what `hk.callbacks.read_log` returns, or a dictionary of lists by name; or several of
            them by label.
        quantities: names as in `history.history`; `val_` curves are drawn solid beside them.
        labels: axis labels by quantity.
    """
    several = isinstance(histories, dict) and not isinstance(next(iter(histories.values())), list)
    histories = histories if several else {"": histories}
    labels = {"loss": "loss", "psnr": "PSNR in dB"} | (labels or {})
    columns = min(len(quantities), 3)
    rows = -(-len(quantities) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(4.6 * columns + 2 * (len(histories) > 3), 3.2 * rows),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat[len(quantities) :]:
        axis.remove()
    colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for axis, quantity in zip(axes.flat, quantities):
        for k, (run, history) in enumerate(histories.items()):
            for key, style, side in (
                (quantity, "--", "train"),
                (f"val_{quantity}", "-", "validation"),
            ):
                numbers = getattr(history, "history", history)
                if key in numbers:
                    epochs = np.arange(1, len(numbers[key]) + 1)
                    look = {"marker": "o", "ms": 3, "color": colours[k % len(colours)]}
                    axis.plot(epochs, numbers[key], style, label=f"{run} {side}".strip(), **look)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(xlabel="epoch", ylabel=labels.get(quantity, quantity.replace("_", " ")))
        axis.grid(alpha=0.3)
        if axis.lines and len(histories) <= 3:
            axis.legend(fontsize=8)
    if len(histories) > 3:  # a panel has no room for them
        entries = [Line2D([], [], color=colours[k % len(colours)]) for k in range(len(histories))]
        entries += [Line2D([], [], color="#333333", linestyle=style) for style in ("--", "-")]
        names = [*histories, "(train)", "(validation)"]
        figure.legend(entries, names, loc="outside right upper", frameon=False, fontsize=8)
    return closed(figure)


def ranking(values, label, lines=None, digits=2):
    """A bar for each number, the largest on top.

    Args:
        values: `{name: number}` or a pandas Series.
        label: of the axis.
        lines: `{name: number}` drawn as upright lines, to compare with.
        digits: of the numbers beside the bars.
    """
    ranked = sorted(dict(values).items(), key=lambda item: item[1])
    names, numbers = zip(*ranked)
    figure, axis = plt.subplots(figsize=(7.2, 0.7 + 0.3 * len(ranked)), layout="constrained")
    axis.barh(names, numbers, color="#c9d3e0", height=0.7)
    every = [*numbers, *(lines or {}).values()]
    room = (max(every) - min(every) or 1) * 0.25
    axis.set_xlim(min(every) - room, max(every) + room)  # differences, not sizes, are compared
    for row, number in enumerate(numbers):
        axis.text(number, row, f" {number:.{digits}f}", va="center", fontsize=9)
    for (name, number), colour in zip((lines or {}).items(), GROUP_COLOURS[1:]):
        axis.axvline(number, color=colour, linewidth=1.4, label=f"{name} {number:.{digits}f}")
    if lines:
        axis.legend(fontsize=8, loc="lower right")
    axis.set_xlabel(label)
    axis.spines[["top", "right"]].set_visible(False)
    return closed(figure)

"""Figures of training: curves over epochs, and a ranking of results."""

from itertools import cycle, product
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from hpatches_kit.plots import style


def curves(histories, quantities=("loss",), labels=None):
    """Draw training (dashed) and validation (solid) curves, one panel per quantity.

    Args:
        histories: a Keras `History`, a DataFrame from `hk.callbacks.read_log`, or a dictionary of
            lists; or several of these as `{label: history}`, one colour each.
        quantities: names as in `history.history`, without `val_`.
        labels: `{quantity: axis label}`.
    """
    several = isinstance(histories, dict) and not isinstance(next(iter(histories.values())), list)
    histories = histories if several else {"": histories}
    labels = {"loss": "loss", "psnr": "PSNR in dB"} | (labels or {})
    columns = min(len(quantities), 3)
    rows = -(-len(quantities) // columns)
    size = 4.6 * columns + 2 * (len(histories) > 3), 3.2 * rows
    figure, axes = style.axes_grid(rows, columns, size)
    for axis in axes.flat[len(quantities) :]:
        axis.remove()
    looks = cycle(product(style.RUN_MARKERS, style.RUN_COLOURS))
    line_styles = [
        {"marker": marker, "ms": 3, "color": colour}
        for (marker, colour), _ in zip(looks, histories)
    ]
    for axis, quantity in zip(axes.flat, quantities):
        lines = {"train": (quantity, "--"), "validation": (f"val_{quantity}", "-")}
        for (run, history), line_style in zip(histories.items(), line_styles):
            numbers = getattr(history, "history", history)
            for subset, (key, dashes) in lines.items():
                if key in numbers:
                    epochs, label = range(1, len(numbers[key]) + 1), f"{run} {subset}".strip()
                    axis.plot(epochs, numbers[key], dashes, label=label, **line_style)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(xlabel="epoch", ylabel=labels.get(quantity, quantity.replace("_", " ")))
        axis.grid(alpha=0.3)
        if axis.lines and len(histories) <= 3:
            axis.legend(fontsize=8)
    if len(histories) > 3:  # too many for the legend of a panel
        entries = [Line2D([], [], **line_style) for line_style in line_styles]
        names = list(histories)
        drawn = {line.get_linestyle() for axis in figure.axes for line in axis.lines}
        if drawn == {"--", "-"}:
            entries += [
                Line2D([], [], color=style.LINE, linestyle=dashes) for dashes in ("--", "-")
            ]
            names += ["(train)", "(validation)"]
        figure.legend(entries, names, loc="outside right upper", frameon=False, fontsize=8)
    return style.finish(figure)


def curve_panels(logs):
    """Draw the learning curves of the rows of a table, one panel per row.

    The curves are the PSNR if each row has it, else the loss. A thick line is the mean over seeds,
    a thin one a single seed. Panels share their scale, and show the other rows in grey, unless a
    row would be flat on it.

    Args:
        logs: `{label of the row: DataFrame}` with columns `seed`, `epoch`, `loss`, `val_loss` and
            so on, as parts of `hk.experiments.logs`; an empty one for a row that was not run.
    """
    logs = {label: log.dropna(axis="columns", how="all") for label, log in logs.items()}
    has_psnr = all("val_psnr" in log for log in logs.values() if len(log))
    quantity, ylabel = ("psnr", "PSNR in dB") if has_psnr else ("loss", "loss")
    colours = {quantity: style.ORANGE, f"val_{quantity}": style.BLUE}
    down = -(-len(logs) // 4)
    across = -(-len(logs) // down)
    figure, axes = style.axes_grid(down, across, (2.8 * across + 0.3, 2.2 * down + 0.6))
    for axis in axes.flat[len(logs) :]:
        axis.remove()
    means = {}  # of the validation curves
    for axis, (label, log) in zip(axes.flat, logs.items()):
        axis.set_title(fill(label, 34), fontsize=9)
        for key in [key for key in colours if len(log) and key in log]:
            by_seed = log.pivot(index="epoch", columns="seed", values=key)
            by_seed.index += 1
            if len(by_seed.columns) > 1:
                axis.plot(by_seed, color=colours[key], linewidth=0.6, alpha=0.5)
            means[axis] = by_seed.mean(axis=1)
            axis.plot(means[axis], color=colours[key], linewidth=1.8)
        if axis in means:
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.grid(alpha=0.3)
        else:
            axis.set(xticks=[], yticks=[])
            axis.text(0.5, 0.5, "not run", ha="center", va="center", transform=axis.transAxes)
    names = {"training": style.ORANGE, "validation": style.BLUE}
    limits = np.array([axis.get_ylim() for axis in means])
    if len(limits) > 1 and np.ptp(limits, axis=1).max() < 5 * np.ptp(limits, axis=1).min():
        names["validation, other rows"] = style.BAR
        for axis, own in means.items():
            for other in means.values():
                if other is not own:
                    axis.plot(other, color=style.BAR, linewidth=1, zorder=1)
            axis.set_ylim(limits.min(), limits.max())
    figure.supxlabel("epoch", fontsize=10)
    figure.supylabel(ylabel, fontsize=10)
    handles = [Line2D([], [], color=colour, label=name) for name, colour in names.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return style.finish(figure)


def ranking(values, label, lines=None, digits=2):
    """Draw a dot for each number, the largest at the top; of several numbers, one for each seed.

    Dots and not bars, because the axis does not start at 0.

    Args:
        values: `{name: number}` or a pandas Series; or `{name: numbers}`, one number for each seed.
            Then the small dots are the seeds, and the large dot and the printed number their mean.
        label: of the axis.
        lines: `{name: number}`, drawn as vertical lines for comparison.
        digits: decimal places of the printed numbers.
    """
    lines = lines or {}
    seeds = {name: np.atleast_1d(numbers) for name, numbers in dict(values).items()}
    names = sorted(seeds, key=lambda name: seeds[name].mean())
    figure, axis = plt.subplots(figsize=(7.2, 0.7 + 0.3 * len(names)), layout="constrained")
    for row, name in enumerate(names):
        numbers, mean = seeds[name], seeds[name].mean()
        if len(numbers) > 1:
            axis.plot(numbers, np.full(len(numbers), row), "o", ms=4, color=style.BLUE, alpha=0.5)
        axis.plot(mean, row, "o", ms=7, color=style.BLUE)
        axis.text(numbers.max(), row, f"   {mean:.{digits}f}", va="center", fontsize=9)
    drawn = np.concatenate([*seeds.values(), list(lines.values())])
    padding = (np.ptp(drawn) or 1) * 0.25
    axis.set_xlim(drawn.min() - padding / 2, drawn.max() + padding)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.grid(axis="y", alpha=0.3)
    for (name, number), colour in zip(lines.items(), cycle(style.GROUP_COLOURS[1:])):
        axis.axvline(number, color=colour, linewidth=1.4, label=f"{name} {number:.{digits}f}")
    if lines:
        axis.legend(fontsize=8, loc="lower right")
    axis.set_xlabel(label)
    axis.spines[["top", "right"]].set_visible(False)
    return style.finish(figure)

"""The figures of the notebooks. Each function returns a closed `Figure`: a cell shows it once."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit.benchmark.bootstrap import interval
from hpatches_kit.patches import LEVELS, VIEWS, view_index

GREY = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "nearest"}  # one scale for all
LEVEL_COLOURS = {"e": "#3a9e5c", "h": "#e08e2b", "t": "#c8403c"}
RIGHT, WRONG, QUERY = "#3a9e5c", "#c8403c", "#3b6fb6"


def _closed(figure):
    plt.close(figure)
    return figure


def _patch(axis, patch, edge=None):
    axis.imshow(np.asarray(patch).reshape(patch.shape[0], patch.shape[1]), **GREY)
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(visible=edge is not None, color=edge, linewidth=3)


def patch_rows(rows, count=10):
    """Labelled rows of patches; a column is one patch seen several ways.

    Args:
        rows: `{label: patches}`, each `(n, height, width)` or `(n, height, width, 1)`, 0..255.
        count: columns drawn, the first of each row.
    """
    count = min(count, *(len(patches) for patches in rows.values()))
    figure, axes = plt.subplots(
        len(rows),
        count,
        figsize=(0.9 * count + 1, 0.95 * len(rows)),
        squeeze=False,
        layout="constrained",
    )
    for line, (label, patches) in zip(axes, rows.items()):
        for axis, patch in zip(line, patches):
            _patch(axis, patch)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    return _closed(figure)


def triplets(patches, count=8):
    """Anchor, positive and negative of a batch laid out like `Triplets`, a column each."""
    return patch_rows(
        {"anchor": patches[0::3], "positive": patches[1::3], "negative": patches[2::3]}, count
    )


def views(patches, points=(0,), kind="clean"):
    """Points in all their 16 views: reference, then five of each level.

    Args:
        patches: a `PatchSet`.
        points: rows of the set.
        kind: `"clean"`, `"noisy"` or `"denoised"`.
    """
    figure, axes = plt.subplots(
        len(points),
        len(VIEWS),
        figsize=(12.5, 0.8 * len(points) + 0.2),
        squeeze=False,
        layout="constrained",
    )
    drawn = patches[kind]
    for line, point in zip(axes, points):
        for column, (view, axis) in enumerate(zip(VIEWS, line)):
            _patch(axis, drawn[point, column], LEVEL_COLOURS.get(view[0], QUERY))
    for view, axis in zip(VIEWS, axes[0]):
        axis.set_title(view, fontsize=9)
    return _closed(figure)


def curves(histories, quantities=("loss",), labels=None):
    """Training and validation curves, one panel a quantity, one colour a run.

    Args:
        histories: a Keras `History` or `{label: History}`.
        quantities: names as in `history.history`; `val_` curves are drawn solid beside them.
        labels: axis labels by quantity.
    """
    histories = histories if isinstance(histories, dict) else {"": histories}
    labels = {"loss": "loss", "psnr": "PSNR in dB"} | (labels or {})
    figure, axes = plt.subplots(
        1,
        len(quantities),
        figsize=(4.6 * len(quantities), 3.2),
        squeeze=False,
        layout="constrained",
    )
    for axis, quantity in zip(axes[0], quantities):
        for colour, (run, history) in zip(
            plt.rcParams["axes.prop_cycle"].by_key()["color"], histories.items()
        ):
            for key, style, side in (
                (quantity, "--", "train"),
                (f"val_{quantity}", "-", "validation"),
            ):
                if key in history.history:
                    values = history.history[key]
                    epochs = np.arange(1, len(values) + 1)
                    axis.plot(
                        epochs,
                        values,
                        style,
                        marker="o",
                        ms=3,
                        color=colour,
                        label=f"{run} {side}".strip(),
                    )
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(xlabel="epoch", ylabel=labels.get(quantity, quantity))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    return _closed(figure)


def scores(*results):
    """The chart of the HPatches paper: a bar for the mean AP, marks for easy, hard and tough.

    A thin line through the end of a bar is its 95 % confidence interval over sequences.

    Args:
        results: `Scores`; the best over all tasks stands at the top.
    """
    tasks = list(results[0].tasks)
    ranked = sorted(results, key=lambda result: sum(result[task]["mean_ap"] for task in tasks))
    figure, axes = plt.subplots(
        1,
        len(tasks),
        figsize=(12, 1.2 + 0.33 * len(results)),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, task in zip(axes[0], tasks):
        for row, result in enumerate(ranked):
            mean = 100 * result[task]["mean_ap"]
            axis.barh(row, mean, color="#c9d3e0", height=0.7)
            low, high = interval(result[task]["draws"])
            axis.hlines(row, 100 * low, 100 * high, color="#5b6b7f", linewidth=1.2)
            axis.text(104, row, f"{mean:.1f}", va="center", fontsize=9)
            for level, value in result.levels(task).items():
                axis.plot(100 * value, row, "D", ms=5, color=LEVEL_COLOURS[level])
        axis.set(xlim=(0, 102), xlabel="mean AP in %", title=task.capitalize())
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_yticks(range(len(ranked)), [result.title for result in ranked])
    marks = [plt.Line2D([], [], ls="", marker="D", color=LEVEL_COLOURS[k]) for k in LEVELS]
    figure.legend(marks, LEVELS.values(), loc="outside lower center", ncols=3, frameon=False)
    return _closed(figure)


def neighbours(descriptors, patches, points, kind="clean", view="h1", count=8):
    """Query patches and their nearest patches among all points, nearest first.

    Args:
        descriptors: `Descriptors` of the same points as `patches`.
        patches: a `PatchSet`.
        points: rows of the queries, whose `ref` patch is searched for.
        kind: which patches to draw: `"clean"`, `"noisy"` or `"denoised"`.
        view: the view in which all points are searched.
        count: neighbours drawn. A green frame is the same place, a red one another.
    """
    column = view_index(view)
    apart = cdist(descriptors.values[points, 0], descriptors.values[:, column])
    nearest = np.argsort(apart, axis=1, kind="stable")[:, :count]
    figure, axes = plt.subplots(
        len(points),
        count + 1,
        figsize=(0.95 * (count + 1), 1.02 * len(points) + 0.25),
        squeeze=False,
        layout="constrained",
    )
    drawn = patches[kind]
    for line, point, row in zip(axes, points, nearest):
        _patch(line[0], drawn[point, 0], QUERY)
        for axis, found in zip(line[1:], row):
            same = descriptors.label[found] == descriptors.label[point]
            _patch(axis, drawn[found, column], RIGHT if same else WRONG)
    axes[0, 0].set_title("query", fontsize=9)
    for k in range(count):
        axes[0, k + 1].set_title(f"{k + 1}.", fontsize=9)
    return _closed(figure)

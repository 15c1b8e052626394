"""Figures of the benchmark: what it asks, how answers become curves, and the scores."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit.benchmark.bootstrap import interval
from hpatches_kit.patches.views import LEVELS, view_index
from hpatches_kit.plots.patches import draw
from hpatches_kit.plots.style import GROUP_COLOURS, LEVEL_COLOURS, QUERY, RIGHT, WRONG, closed


def distances(groups):
    """Histograms of distances, one colour a group: where they overlap, no threshold is right.

    Args:
        groups: `{label: distances}`.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3), layout="constrained")
    bins = np.linspace(0, np.max([np.max(values) for values in groups.values()]), 80)
    for (label, values), colour in zip(groups.items(), GROUP_COLOURS):
        axis.hist(values, bins, density=True, alpha=0.45, color=colour, label=label)
    axis.set(xlabel="distance of two descriptors", yticks=[])
    axis.set_ylabel("share of pairs")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)
    return closed(figure)


def precision_recall(rankings, marks=False):
    """Precision over recall down each ranking; the area below is the average precision.

    Args:
        rankings: `{label: (distances, positive)}`; the smallest distances rank first, at equal
            distance what stands first in the list.
        marks: draw a dot at every rank, for short lists.
    """
    figure, axis = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
    for (label, (apart, positive)), colour in zip(rankings.items(), GROUP_COLOURS):
        positive = np.asarray(positive)[np.argsort(apart, kind="stable")]
        found = np.cumsum(positive)
        recall = np.concatenate([[0], found / found[-1]])
        precision = np.concatenate([[1], found / np.arange(1, len(found) + 1)])
        area = np.trapezoid(precision, recall)
        label = f"{label}: AP {area:.3f}"
        axis.plot(recall, precision, color=colour, marker="o" if marks else None, ms=5, label=label)
        axis.fill_between(recall, precision, color=colour, alpha=0.12)
    axis.set(xlabel="recall: found, of all right ones", ylabel="precision: right, of those listed")
    axis.set(xlim=(0, 1.01), ylim=(0, 1.03))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9, loc="lower left")
    return closed(figure)


def pools(*results):
    """Retrieval mAP by the size of the pool, one panel a level, one colour a descriptor.

    Args:
        results: `Scores`.
    """
    figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True, layout="constrained")
    for axis, (level, name) in zip(axes, LEVELS.items()):
        for result in results:
            sizes = result["retrieval"][level]
            ap = [100 * value for value in sizes.values()]
            axis.plot([int(size) for size in sizes], ap, "o-", ms=4, label=result.title)
        axis.set(xscale="log", xlabel="patches in the pool", title=name)
        axis.set_xticks([int(size) for size in sizes], sizes)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("mAP in %")
    axes[0].set_ylim(0, 102)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return closed(figure)


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
            axis.hlines(row, 100 * low, 100 * high, color="#3d4a5a", linewidth=1.6)
            axis.text(104, row, f"{mean:.1f}", va="center", fontsize=9)
            for level, value in result.levels(task).items():
                axis.plot(100 * value, row, "D", ms=5, color=LEVEL_COLOURS[level])
        axis.set(xlim=(0, 102), xlabel="mean AP in %", title=task.capitalize())
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_yticks(range(len(ranked)), [result.title for result in ranked])
    marks = [plt.Line2D([], [], ls="", marker="D", color=LEVEL_COLOURS[k]) for k in LEVELS]
    figure.legend(marks, LEVELS.values(), loc="outside lower center", ncols=3, frameon=False)
    return closed(figure)


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
        draw(line[0], drawn[point, 0], QUERY)
        for axis, found in zip(line[1:], row):
            same = descriptors.label[found] == descriptors.label[point]
            draw(axis, drawn[found, column], RIGHT if same else WRONG)
    axes[0, 0].set_title("query", fontsize=9)
    for k in range(count):
        axes[0, k + 1].set_title(f"{k + 1}.", fontsize=9)
    return closed(figure)

"""Figures of the benchmark: distances, precision-recall curves, scores, and nearest neighbours."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit._support.escaping import figure_text
from hpatches_kit.benchmark.bootstrap import interval
from hpatches_kit.benchmark.comparison import check_same_protocol
from hpatches_kit.patches.views import LEVELS, view_index
from hpatches_kit.plots import style
from hpatches_kit.plots.patches import draw_patch


def distances(groups):
    """Draw a histogram of distances for each group of pairs.

    Args:
        groups: `{label: distances}`, such as a level of `hk.benchmark.verification_distances`.
    """
    figure, axis = plt.subplots(figsize=(6.4, 3), layout="constrained")
    bins = np.linspace(0, np.max([np.max(values) for values in groups.values()]), 80)
    for (label, values), colour in zip(groups.items(), cycle(style.GROUP_COLOURS)):
        axis.hist(values, bins, density=True, alpha=0.45, color=colour, label=label)
    axis.set(xlabel="distance between two descriptors", ylabel="fraction of pairs", yticks=[])
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)
    return style.finish(figure)


def precision_recall(rankings, marks=False):
    """Draw precision over recall of each ranking; the area below is the average precision (AP).

    Args:
        rankings: `{label: (distances, positive)}`. The smallest distance ranks first; equal
            distances keep their order.
        marks: draw a dot at every rank, for short rankings.
    """
    figure, axis = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
    for (label, (distance, positive)), colour in zip(rankings.items(), cycle(style.GROUP_COLOURS)):
        positive = np.asarray(positive)[np.argsort(distance, kind="stable")]
        true_positives = np.cumsum(positive)
        ranks = np.arange(1, len(positive) + 1)
        recall = np.concatenate([[0], true_positives / true_positives[-1]])
        precision = np.concatenate([[1], true_positives / ranks])
        label = f"{label}: AP {np.trapezoid(precision, recall):.3f}"
        axis.plot(recall, precision, color=colour, marker="o" if marks else None, ms=5, label=label)
        axis.fill_between(recall, precision, color=colour, alpha=0.12)
    axis.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.03))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9, loc="lower left")
    return style.finish(figure)


def pools(*results):
    """Draw retrieval mAP over the pool size, one panel per level, one colour per `Scores`.

    Raises UserError for scores of different protocols.
    """
    check_same_protocol(results)
    figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True, layout="constrained")
    for axis, (level, name) in zip(axes, LEVELS.items()):
        sizes = set()
        for result, colour in zip(results, cycle(style.RUN_COLOURS)):
            by_size = {int(size): 100 * ap for size, ap in result["retrieval"][level].items()}
            sizes.update(by_size)
            axis.plot(
                *zip(*by_size.items()), "o-", ms=4, color=colour, label=figure_text(result.title)
            )
        axis.set(xscale="log", xlabel="patches in the pool", title=name)
        axis.set_xticks(sorted(sizes), sorted(sizes), rotation=90, fontsize=8)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set(ylabel="mAP in %", ylim=(0, 102))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return style.finish(figure)


def scores(*results):
    """Draw the chart of the HPatches paper: a bar for the mAP, marks for easy, hard and tough.

    Each row is one `Scores`, the best at the top. The thin line at the end of a bar is the 95 %
    confidence interval over sequences. Raises UserError for scores of different protocols.
    """
    check_same_protocol(results)
    tasks = list(results[0].tasks)
    ranked = sorted(results, key=lambda result: sum(result[task]["mean_ap"] for task in tasks))
    figure, axes = style.axes_grid(1, len(tasks), (12, 1.2 + 0.33 * len(results)), sharey=True)
    for axis, task in zip(axes[0], tasks):
        for row, result in enumerate(ranked):
            mean = 100 * result[task]["mean_ap"]
            axis.barh(row, mean, color=style.BAR, height=0.7)
            low, high = interval(result[task]["draws"])
            axis.hlines(row, 100 * low, 100 * high, color=style.INTERVAL, linewidth=1.6)
            axis.text(104, row, f"{mean:.1f}", va="center", fontsize=9)
            for level, value in result.levels(task).items():
                axis.plot(100 * value, row, "D", ms=5, color=style.LEVEL_COLOURS[level])
        axis.set(xlim=(0, 102), xlabel="mAP in %", title=task.capitalize())
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_yticks(range(len(ranked)), [figure_text(result.title) for result in ranked])
    colours = [style.LEVEL_COLOURS[level] for level in LEVELS]
    marks = [plt.Line2D([], [], ls="", marker="D", color=colour) for colour in colours]
    figure.legend(marks, LEVELS.values(), loc="outside lower center", ncols=3, frameon=False)
    return style.finish(figure)


def neighbours(descriptors, patches, points, kind="clean", view="h1", count=8):
    """Draw query patches and their nearest patches among all points, nearest first.

    A neighbour has a green frame if it shows the same place as the query, and a red one otherwise.

    Args:
        descriptors, patches: `Descriptors` and `PatchSet` of the same points.
        points: rows of the queries. Each query is the reference patch of its point.
        kind: the patches that are drawn: `"clean"`, `"noisy"` or `"denoised"`.
        view: the view of all points that is searched.
        count: number of neighbours.
    """
    column = view_index(view)
    distance = cdist(descriptors.values[points, 0], descriptors.values[:, column])
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :count]
    size = 0.95 * (count + 1), 1.02 * len(points) + 0.25
    figure, axes = style.axes_grid(len(points), count + 1, size)
    arrays, labels = patches[kind], descriptors.label
    for axis_row, point, neighbour_row in zip(axes, points, nearest):
        draw_patch(axis_row[0], arrays[point, 0], style.QUERY)
        for axis, neighbour in zip(axis_row[1:], neighbour_row):
            frame = style.MATCHING if labels[neighbour] == labels[point] else style.NON_MATCHING
            draw_patch(axis, arrays[neighbour, column], frame)
    axes[0, 0].set_title("query", fontsize=9)
    for rank, axis in enumerate(axes[0, 1:], start=1):
        axis.set_title(f"{rank}.", fontsize=9)
    return style.finish(figure)

"""Figures of in-batch mining: the distance matrix of a batch, and the negatives chosen from it."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit.plots import style


def distances_in_batch(descriptors, pairs=None):
    """Distances of all anchors (rows 2k) to all positives (rows 2k + 1) of the first pairs.

    `descriptors` is `(2 * n, dim)`, of a batch of `Pairs`; the result is `(pairs, pairs)`.
    """
    descriptors = np.asarray(descriptors, np.float64)
    return cdist(descriptors[0::2], descriptors[1::2])[:pairs, :pairs]


def distance_matrix(descriptors, pairs=20, pair=0, percentile=0):
    """Draw the distances of a batch as an image, and the negatives that mining chooses for a pair.

    Args:
        descriptors: `(2 * n, dim)`, of a batch of `Pairs` without two pairs of the same place.
        pairs: number of pairs drawn, the first of the batch. Negatives are chosen among these.
        pair: the marked pair: its positive in green, the negatives chosen from its row and from its
            column in red.
        percentile: as for `hk.losses.HardNegativeTriplet`; marks the negative nearest to it.
    """
    matrix = distances_in_batch(descriptors, pairs)
    figure, axis = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    largest = max(2.0, matrix.max())  # 2 for unit norm: one scale, so that a collapse is seen
    image = axis.imshow(matrix, cmap=style.DISTANCE, vmin=0, vmax=largest)
    figure.colorbar(image, label="distance", shrink=0.85)
    others = np.delete(np.arange(len(matrix)), pair)
    rank = round(percentile / 100 * (len(others) - 1))
    in_row, in_column = (
        others[np.argsort(negatives)[rank]]
        for negatives in (matrix[pair, others], matrix[others, pair])
    )
    axis.axhspan(pair - 0.5, pair + 0.5, fill=False, edgecolor=style.QUERY, linewidth=1.2)
    axis.axvspan(pair - 0.5, pair + 0.5, fill=False, edgecolor=style.QUERY, linewidth=1.2)
    for x, y in ((pair, pair), (in_row, pair), (pair, in_column)):
        colour = style.MATCHING if x == y else style.NON_MATCHING
        axis.plot(x, y, "s", ms=11, mfc="none", mec=colour, mew=3)
    axis.set(xlabel="positive of pair", ylabel="anchor of pair", xticks=[], yticks=[])
    axis.set_title(
        f"pair {pair}: positive {matrix[pair, pair]:.2f}, negative in row"
        f" {matrix[pair, in_row]:.2f}, in column {matrix[in_column, pair]:.2f}",
        fontsize=10,
    )
    return style.finish(figure)


def percentiles(descriptors, shown=(0, 2, 5, 10, 15, 50)):
    """Draw histograms of all positive and negative distances of a batch, with percentiles.

    Args:
        descriptors: `(2 * n, dim)`, of a batch of `Pairs`.
        shown: percentiles of the negatives of a row. Each is drawn at its mean over the rows.
    """
    matrix = distances_in_batch(descriptors)
    negatives = matrix[~np.eye(len(matrix), dtype=bool)].reshape(len(matrix), -1)
    figure, axis = plt.subplots(figsize=(7.2, 3.1), layout="constrained")
    bins = np.linspace(0, matrix.max(), 70)
    options = {"bins": bins, "density": True, "alpha": 0.45}
    axis.hist(np.diagonal(matrix), color=style.MATCHING, label="matching pairs", **options)
    axis.hist(negatives.ravel(), color=style.NON_MATCHING, label="non-matching pairs", **options)
    top = axis.get_ylim()[1]
    box = {"color": "white", "pad": 0.5}
    label_style = {"fontsize": 8, "ha": "center", "va": "top", "bbox": box}
    for k, percentile in enumerate(shown):
        x = np.percentile(negatives, percentile, axis=1).mean()
        axis.axvline(x, color=style.LINE, linewidth=1)
        axis.text(x, top * (0.98 - 0.08 * (k % 5)), f"q={percentile}", **label_style)
    axis.set(xlabel="distance between two descriptors", ylabel="fraction of pairs", yticks=[])
    axis.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    return style.finish(figure)


def metric_curve(table, xlabel, ylabel="mAP"):
    """Draw each column of a DataFrame over its index: for example mAP over the percentile.

    Where the index repeats, for example for several seeds, the line goes through the means. A
    column such as `"Matching, real"` has the colour of `"Matching"`, and a dashed line.
    """
    heads = [str(column).partition(", ")[0] for column in table.columns]
    colours = dict(zip(dict.fromkeys(heads), cycle(style.GROUP_COLOURS)))
    beside = len(heads) > 3  # many names would cover the lines
    size = (6.8 if beside else 5.6, 3.2)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    means = table.groupby(level=0).mean()
    for column, head in zip(table.columns, heads):
        line = "o--" if head in table.columns and head != column else "o-"
        axis.plot(means.index, means[column], line, color=colours[head], label=column)
        if len(table) > len(means):
            axis.plot(table.index, table[column], "_", color=colours[head], ms=9)
    axis.set(xlabel=xlabel, ylabel=ylabel, xticks=means.index)
    axis.grid(alpha=0.3)
    place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if beside else {}
    axis.legend(fontsize=8, **place)
    return style.finish(figure)

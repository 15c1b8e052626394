"""Figures of in-batch mining: the matrix of distances, and what is chosen from it."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit.plots.style import GROUP_COLOURS, QUERY, RIGHT, WRONG, closed


def matrix_of(descriptors, pairs=None):
    """Distances of the anchors (rows 2k) to the positives (rows 2k + 1) of a batch of `Pairs`.

    Args:
        descriptors: `(2 * n, dim)`.
        pairs: only the first so many.

    Returns:
        `(pairs, pairs)`.
    """
    descriptors = np.asarray(descriptors, np.float64)
    return cdist(descriptors[0::2], descriptors[1::2])[:pairs, :pairs]


def distance_matrix(descriptors, pairs=20, pair=0, percentile=0):
    """The distances of a batch as a picture, with what mining chooses for one pair.

    Args:
        descriptors: `(2 * n, dim)` of a batch of `Pairs`, no two pairs of one place.
        pairs: rows and columns drawn, the first ones; mining looks at these alone.
        pair: whose row and column are marked: its positive (green) and the negatives that are
            chosen from its row and its column (red).
        percentile: as for `hk.losses.HardNegativeTriplet`; marks the negative nearest to it.
    """
    d = matrix_of(descriptors, pairs)
    figure, axis = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    image = axis.imshow(d, cmap="gray", vmin=0)  # grey: the marks are in colour
    figure.colorbar(image, label="distance", shrink=0.85)
    others = np.delete(np.arange(len(d)), pair)
    chosen = [
        others[np.argsort(line)[round(percentile / 100 * (len(others) - 1))]]
        for line in (d[pair, others], d[others, pair])
    ]
    axis.axhspan(pair - 0.5, pair + 0.5, fill=False, edgecolor=QUERY, linewidth=1.2)
    axis.axvspan(pair - 0.5, pair + 0.5, fill=False, edgecolor=QUERY, linewidth=1.2)
    places = [(pair, pair, RIGHT), (chosen[0], pair, WRONG), (pair, chosen[1], WRONG)]
    for x, y, colour in places:
        axis.plot(x, y, "s", ms=11, mfc="none", mec=colour, mew=3)
    axis.set(xlabel="positive of pair", ylabel="anchor of pair", xticks=[], yticks=[])
    row, column = d[pair, chosen[0]], d[chosen[1], pair]
    axis.set_title(
        f"pair {pair}: positive {d[pair, pair]:.2f}, row {row:.2f}, column {column:.2f}",
        fontsize=10,
    )
    return closed(figure)


def percentiles(descriptors, shown=(0, 2, 5, 10, 15, 50)):
    """All distances of a batch, positive and negative, and where the percentiles of mining fall.

    Args:
        descriptors: `(2 * n, dim)` of a batch of `Pairs`.
        shown: percentiles of the negatives of a row; each line stands at its mean over the rows.
    """
    d = matrix_of(descriptors)
    negatives = d[~np.eye(len(d), dtype=bool)].reshape(len(d), -1)
    figure, axis = plt.subplots(figsize=(7.2, 3.1), layout="constrained")
    bins = np.linspace(0, d.max(), 70)
    for values, colour, label in (
        (np.diagonal(d), RIGHT, "right pairs"),
        (negatives.ravel(), WRONG, "wrong pairs"),
    ):
        axis.hist(values, bins, density=True, alpha=0.45, color=colour, label=label)
    top = axis.get_ylim()[1]
    for k, q in enumerate(shown):
        at = np.percentile(negatives, q, axis=1).mean()
        axis.axvline(at, color="#333333", linewidth=1)
        axis.text(at, top * (0.98 - 0.08 * (k % 5)), f" q={q}", fontsize=8, va="top")
    axis.set(xlabel="distance of two descriptors", ylabel="share of pairs", yticks=[])
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9, loc="center left")
    return closed(figure)


def metric_curve(table, xlabel, ylabel="mAP"):
    """Numbers over a setting, a line for each column, such as the tasks over the percentile.

    Args:
        table: a DataFrame; its index is the setting.
    """
    figure, axis = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    for column, colour in zip(table.columns, GROUP_COLOURS):
        axis.plot(table.index, table[column], "o-", color=colour, label=column)
    axis.set(xlabel=xlabel, ylabel=ylabel, xticks=table.index)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return closed(figure)

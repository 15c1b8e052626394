"""Move a pair through a ranking, and see precision, recall and the average precision change."""

from string import ascii_uppercase as LETTERS

import matplotlib.pyplot as plt
import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.precision_recall import average_precision, mean_precision, roc_auc
from hpatches_kit.course.playthings.plaything import Plaything
from hpatches_kit.plots import style

TEN_PAIRS = (True, True, False, True, False, False, True, False, True, False)  # as in lesson 3


def ap_slider(is_positive=TEN_PAIRS):
    """Move a pair through a ranking, and see the curves and their areas change.

        hk.course.ap_slider()

    Three controls: which pair, its rank, and the number of positives that are never found: they are
    not in the ranking, but count in recall.

    Args:
        is_positive: `(pairs,)` booleans, the ranking at first; the smallest distance comes first.

    Returns a `Plaything`. Raises UserError for more than 26 pairs, and unless there are positives
    and negatives.
    """
    is_positive = np.asarray(is_positive, bool)
    if len(is_positive) > len(LETTERS) or len(set(is_positive.tolist())) < 2:
        raise UserError(
            f"is_positive has {len(is_positive)} pairs, {is_positive.sum()} of them positive:"
            f" expected up to {len(LETTERS)} pairs, with positives and negatives."
        )
    import ipywidgets as widgets

    letters = LETTERS[: len(is_positive)]
    ranking = list(letters)
    pair = widgets.Dropdown(options=list(letters), description="pair")
    rank = widgets.IntSlider(1, 1, len(letters), description="rank")
    whole = {"description_width": "initial"}  # the default cuts off long descriptions
    missing = widgets.IntSlider(0, 0, 10, description="never found", style=whole)

    def show_rank(_):
        rank.value = ranking.index(pair.value) + 1

    def move_pair(_):
        ranking[:] = moved(ranking, pair.value, rank.value)

    def draw():
        order = [letters.index(letter) for letter in ranking]
        return ranking_figure(is_positive[order], ranking, missing.value, pair.value)

    pair.observe(show_rank, "value")
    rank.observe(move_pair, "value")
    return Plaything(draw, {"pair": pair, "rank": rank, "missing": missing})


def moved(ranking, entry, rank):
    """The ranking, a list, with one of its entries moved to a rank, 1 for the first."""
    others = [other for other in ranking if other != entry]
    return [*others[: rank - 1], entry, *others[rank - 1 :]]


def ranking_numbers(is_positive, missing=0):
    """The curves and areas of a ranking.

    Args:
        is_positive: `(pairs,)` booleans in the order of the ranking.
        missing: number of positives that are not in the ranking.

    Returns a dictionary: precision, recall, true_positive_rate, false_positive_rate,
    `(pairs + 1,)` each, and the numbers ap, mean_precision and roc_area. The ROC curve ignores the
    missing positives.
    """
    is_positive = np.asarray(is_positive, bool)
    true, false = (np.append(0, np.cumsum(counted)) for counted in (is_positive, ~is_positive))
    positives = true[-1] + missing
    before = false[1:][is_positive]
    return {
        "precision": np.append(1, true[1:] / np.arange(1, len(true))),
        "recall": true / positives,
        "true_positive_rate": true / true[-1],
        "false_positive_rate": false / false[-1],
        "ap": float(average_precision(before, positives)),
        "mean_precision": float(mean_precision(before, positives)),
        "roc_area": float(roc_auc(before, false[-1])),
    }


def ranking_figure(is_positive, names, missing=0, marked=None):
    """Draw a ranking, its precision-recall curve and its ROC curve.

    Args:
        is_positive: `(pairs,)` booleans in the order of the ranking.
        names: of the pairs, in the same order.
        missing: number of positives that are not in the ranking.
        marked: the name of the pair that gets a frame.
    """
    numbers = ranking_numbers(is_positive, missing)
    figure = plt.figure(figsize=(8.4, 4.8), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 3.4))
    _draw_pairs(figure.add_subplot(grid[0, :]), is_positive, names, numbers["precision"], marked)
    left, right = (figure.add_subplot(grid[1, column]) for column in range(2))
    _draw_curve(left, numbers["recall"], numbers["precision"])
    left.set(xlabel="recall", ylabel="precision")
    left.set_title(
        f"AP {numbers['ap']:.3f} (mean precision at the positives {numbers['mean_precision']:.3f})",
        fontsize=10,
    )
    _draw_curve(right, numbers["false_positive_rate"], numbers["true_positive_rate"])
    right.set(xlabel="fraction of the negatives", ylabel="fraction of the positives")
    right.set_title(f"ROC area {numbers['roc_area']:.3f}", fontsize=10)
    return style.finish(figure)


def _draw_pairs(axis, is_positive, names, precision, marked):
    for rank, (positive, name) in enumerate(zip(is_positive, names), start=1):
        colour = style.MATCHING if positive else style.NON_MATCHING
        edge = style.LINE if name == marked else "none"
        square = (rank - 0.42, 0), 0.84, 1
        axis.add_patch(plt.Rectangle(*square, facecolor=colour, edgecolor=edge, linewidth=3))
        axis.text(rank, 0.5, name, ha="center", va="center", color="white", fontsize=12)
        axis.text(rank, -0.15, f"{precision[rank]:.2f}", ha="center", va="top", fontsize=9)
    axis.text(0.4, -0.15, "precision", ha="right", va="top", fontsize=9)
    axis.set(xlim=(-0.6, len(names) + 0.6), ylim=(-0.6, 1.1), xticks=[], yticks=[])
    axis.set_title("ranking, smallest distance first: positives green, negatives red", fontsize=10)
    axis.spines[:].set_visible(False)


def _draw_curve(axis, x, y):
    axis.plot(x, y, "o-", color=style.BLUE, ms=5)
    axis.fill_between(x, y, color=style.BLUE, alpha=0.12)
    axis.set(xlim=(0, 1.02), ylim=(0, 1.04))
    axis.grid(alpha=0.3)

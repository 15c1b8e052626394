"""Verification: do these two patches show the same point?"""

import numpy as np

from hpatches_kit.benchmark.average_precision import average_precision, negatives_before, roc_auc
from hpatches_kit.patches import VIEWS

BLOCK = 1 << 14  # pairs at a time, so that memory stays bounded


def verification(descriptors, tasks, distance="L2"):
    """Score verification on every level, against negatives of the same and of any sequence.

    Returns:
        `{"mean_ap": .., "e": {"intra": {"ap": .., "auc": ..}, "inter": ..}, "h": .., "t": ..}`. `ap` is
        imbalanced: all negatives, the first fifth of the positives. `auc` is balanced.
    """
    result = {}
    for level in "eht":
        columns = np.array([0, *(VIEWS.index(f"{level}{k}") for k in range(1, 5))])
        first, second = columns[tasks.anchor_image], columns[tasks.other_image]
        positive, intra, inter = (
            pair_distances(descriptors.values, tasks.anchor, first, rows, second, distance)
            for rows in (tasks.positive, tasks.intra, tasks.inter)
        )
        result[level] = {"intra": _scores(intra, positive), "inter": _scores(inter, positive)}
    result["mean_ap"] = float(
        np.mean([result[level][kind]["ap"] for level in "eht" for kind in ("intra", "inter")])
    )
    return result


def _scores(negative, positive):
    def before(some):
        # Negatives stand first: at equal distance the negative ranks first.
        found = np.repeat([False, True], [len(negative), len(some)])
        return negatives_before(np.concatenate([negative, some]), found)

    fifth = positive[: int(0.2 * len(positive))]
    return {
        "ap": float(average_precision(before(fifth))),
        "auc": float(roc_auc(before(positive), len(negative))),
    }


def pair_distances(values, rows, views, other_rows, other_views, distance="L2"):
    """Distances of pairs of descriptors, `float64 (pairs,)`.

    As the official code has them: differences in single precision, summed in double (L2) or single
    (L1) precision, the result rounded to single. This rounding makes the ties that the official
    numbers contain.
    """
    result = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        difference = (
            values[rows[block], views[block]] - values[other_rows[block], other_views[block]]
        )
        if distance == "L2":
            difference = difference.astype(np.float64)
            squared = np.einsum("ij,ij->i", difference, difference)
            result[block] = np.sqrt(squared).astype(np.float32)
        elif distance == "L1":
            result[block] = np.abs(difference).sum(axis=1)
        else:
            raise ValueError(f"Unknown {distance=}: expected 'L2' or 'L1'.")
    return result

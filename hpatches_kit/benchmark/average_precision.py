"""Average precision and ROC area from ranks alone.

A ranking is summed up by one number for each retrieved positive: how many negatives stand before
it. Only steps at which a positive is retrieved have width under the curve, so nothing else counts.
"""

import numpy as np

_NOTHING = 1e-10  # stands for 0 where the protocol would divide by 0


def negatives_before(distance, positive):
    """How many negatives stand before each positive, in ranking order, `(positives,)`.

    Args:
        distance: `(n,)`, the smallest ranks first; at equal distance the input order decides.
        positive: `(n,)` booleans.
    """
    ranked = np.asarray(positive, bool)[np.argsort(distance, kind="stable")]
    places = np.flatnonzero(ranked)
    return places - np.arange(len(places))


def average_precision(before, positives=None):
    """Area under the precision-recall curve by the trapezoid rule.

    Args:
        before: `(..., retrieved)` negatives before each retrieved positive, ascending.
        positives: how many there are to retrieve; default: all are retrieved.

    Returns:
        `(...)`. 0 when nothing was retrieved.
    """
    before = np.asarray(before, np.float64)
    j = np.arange(1, before.shape[-1] + 1)
    at_positive = j / (j + before)
    just_before = np.maximum(j - 1, _NOTHING) / np.maximum(j - 1 + before, _NOTHING)
    return np.sum((just_before + at_positive) / 2, axis=-1) / (positives or before.shape[-1])


def roc_auc(before, negatives):
    """Area under the ROC curve, from the same counts and the number of negatives."""
    before = np.asarray(before, np.float64)
    return 1 - np.sum(before, axis=-1) / (before.shape[-1] * negatives)

"""Average precision and ROC area, computed from ranks.

A ranking is described by one number per retrieved positive: how many negatives rank before it. This
is enough, because recall grows only where a positive is retrieved.
"""

import numpy as np
from scipy.special import digamma

EPSILON = 1e-10  # replaces 0 where the protocol would divide by 0


def average_precision(before, positives=None):
    """Area under the precision-recall curve by the trapezoid rule, as in the official Python code.

    >>> round(float(average_precision([0, 0, 1])), 4)  # a negative before the third positive
    0.9028

    Args:
        before: `(..., retrieved)` number of negatives before each retrieved positive, ascending.
        positives: number of positives to retrieve; default: all are retrieved.

    Returns `(...)`, 0 when nothing is retrieved.
    """
    before = np.asarray(before, np.float64)
    j = np.arange(1, before.shape[-1] + 1)
    at_positive = j / (j + before)
    just_before = np.maximum(j - 1, EPSILON) / np.maximum(j - 1 + before, EPSILON)
    return np.sum((just_before + at_positive) / 2, axis=-1) / (positives or before.shape[-1])


def mean_precision(before, positives=None):
    """Mean precision at the positives: `average_precision` in the MATLAB code and the paper."""
    before = np.asarray(before, np.float64)
    j = np.arange(1, before.shape[-1] + 1)
    return np.sum(j / (j + before), axis=-1) / (positives or before.shape[-1])


def roc_auc(before, negatives):
    """Area under the ROC curve, from `before` and the number of negatives."""
    before = np.asarray(before, np.float64)
    return 1 - np.sum(before, axis=-1) / (before.shape[-1] * negatives)


def tie_neutral_area(positives_before, entries_before, positives, entries, trapezoid=True):
    """What a group of entries at equal distance adds to `average_precision`, for any order of them.

    Ties are broken at random: at each rank of the group, the curve has the expected number of
    positives, their fraction in the group times the rank in the group. Without ties, this is the
    trapezoid of `average_precision`. AP is the sum over all groups, divided by the number of
    positives to retrieve.

    Args:
        positives_before, entries_before: positives, and all entries, before the group; any shape.
        positives, entries: positives, and all entries, of the group; may be fractional.
        trapezoid: false for the share of `mean_precision` instead of `average_precision`.
    """
    positives_before = np.asarray(positives_before, np.float64)
    entries_before = np.asarray(entries_before, np.float64)
    positives, entries = np.asarray(positives, np.float64), np.asarray(entries, np.float64)
    fraction = positives / entries
    # Precision at rank i of the group is (positives_before + i * fraction) / (entries_before + i),
    # that is, fraction + (positives_before - entries_before * fraction) / (entries_before + i).
    # The sum of the latter over i is a difference of harmonic numbers.
    harmonic = 1 / (entries_before + 1)
    tied = entries > 1
    entries_after = entries_before + entries
    harmonic[tied] = digamma(entries_after[tied] + 1) - digamma(entries_before[tied] + 1)
    precisions = positives + (positives_before - entries_before * fraction) * harmonic
    if not trapezoid:
        return fraction * precisions
    first = np.where(entries_before > 0, positives_before / np.maximum(entries_before, 1), 1.0)
    last = (positives_before + positives) / entries_after
    return fraction * (precisions + (first - last) / 2)

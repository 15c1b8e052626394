"""Average precision and ROC area from ranks alone.

A ranking is summed up by one number for each retrieved positive: how many negatives stand before
it. Only steps at which a positive is retrieved have width under the curve, so nothing else counts.
"""

import numpy as np
from scipy.special import digamma

_NOTHING = 1e-10  # stands for 0 where the protocol would divide by 0


def average_precision(before, positives=None):
    """Area under the precision-recall curve by the trapezoid rule, as the official Python code has it.

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


def mean_precision(before, positives=None):
    """Mean precision at the positives: the average precision of the MATLAB code and of the paper.

    The arguments are those of `average_precision`.
    """
    before = np.asarray(before, np.float64)
    j = np.arange(1, before.shape[-1] + 1)
    return np.sum(j / (j + before), axis=-1) / (positives or before.shape[-1])


def roc_auc(before, negatives):
    """Area under the ROC curve, from the same counts and the number of negatives."""
    before = np.asarray(before, np.float64)
    return 1 - np.sum(before, axis=-1) / (before.shape[-1] * negatives)


def tie_neutral_area(found, seen, positives, entries):
    """What a group of entries at equal distance adds to `average_precision`, whatever their order.

    At each rank within the group the curve has the number of positives to be expected there: the
    share of positives in the group, times the entries so far. Without ties this is the trapezoid
    of `average_precision`. Divide the sum over all groups by the number of positives to retrieve.

    Args:
        found, seen: positives, and entries of both kinds, before the group; any shape.
        positives, entries: of the group itself; positives may be fractions.
    """
    found, seen = np.asarray(found, np.float64), np.asarray(seen, np.float64)
    positives, entries = np.asarray(positives, np.float64), np.asarray(entries, np.float64)
    share = positives / entries
    # Precision i entries into the group is (found + i * share) / (seen + i), which is
    # share + (found - seen * share) / (seen + i); summed over i, the latter is harmonic.
    harmonic = 1 / (seen + 1)
    many = entries > 1
    harmonic[many] = digamma((seen + entries)[many] + 1) - digamma(seen[many] + 1)
    precisions = positives + (found - seen * share) * harmonic
    first = np.where(seen > 0, found / np.maximum(seen, 1), 1.0)
    last = (found + positives) / (seen + entries)
    return share * (precisions + (first - last) / 2)

"""Bootstrap over sequences: how much scores vary with the choice of the test sequences.

Whole sequences are drawn, because the points of one sequence share a camera and a scene.
"""

import numpy as np

DRAWS = 1000


def resampling(sequences):
    """Draw sequences with replacement: how often each is drawn, `int (1000, sequences)`.

    The draws are the same for all descriptors, so differences between descriptors are paired.
    """
    rng = np.random.default_rng(0)
    return rng.multinomial(sequences, np.full(sequences, 1 / sequences), size=DRAWS)


def resampled_means(total, count):
    """Means over resampled sequences, `(1000,)`; NaN for a draw without scores.

    All are NaN if fewer than two sequences have scores.

    Args:
        total, count: `(sequences,)`, sum and number of the scores of each sequence.
    """
    total, count = np.asarray(total, np.float64), np.asarray(count, np.float64)
    if np.count_nonzero(count) < 2:
        return np.full(DRAWS, np.nan)
    drawn = resampling(len(total))
    with np.errstate(invalid="ignore"):
        return (drawn @ total) / (drawn @ count)


def resampled_average_precision(positive, negative, official):
    """Average precision of one ranking over resampled sequences, `(1000,)`.

    Distances are in bins, and within a bin all negatives rank before the positives, as in the Python
    protocol. To correct the error of binning, the difference to `official` is added to all draws.
    NaN for a single sequence, and for a draw without positives.

    Args:
        positive, negative: `(sequences, bins)` number of distances of each sequence in each bin,
            nearest first. Sequences with no distances are ignored.
        official: average precision of the ranking itself.
    """
    used = (positive.sum(axis=1) + negative.sum(axis=1)) > 0
    if used.sum() < 2:
        return np.full(DRAWS, np.nan)
    drawn = resampling(len(used))[:, used]
    drawn = np.concatenate([np.ones_like(drawn[:1]), drawn]).astype(np.float64)
    in_bin, negatives = drawn @ positive[used], drawn @ negative[used]
    positives_before = np.cumsum(in_bin, axis=1) - in_bin
    entries_before = positives_before + np.cumsum(negatives, axis=1)
    # Precision x positives into the bin is (positives_before + x) / (entries_before + x). This is
    # its integral from 0 to `in_bin`, minus `in_bin`.
    loss = np.where(
        entries_before > 0,
        (positives_before - entries_before) * np.log1p(in_bin / np.maximum(entries_before, 1)),
        0,
    )
    positives = in_bin.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = (in_bin + loss).sum(axis=1) / positives
    return np.clip(precision[1:] + official - precision[0], 0, 1)


def interval(draws, level=0.95):
    """The percentile interval of the draws, `(low, high)`; NaN when no draw is finite."""
    draws = np.asarray(draws)[np.isfinite(draws)]
    if not len(draws):
        return np.nan, np.nan
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(draws, [tail, 100 - tail])
    return float(low), float(high)

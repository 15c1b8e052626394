"""How far scores would move with other sequences: resampling of whole sequences.

Points of one sequence share a camera, a scene and its changes. So sequences are drawn, not points.
"""

import numpy as np

DRAWS = 1000


def resampling(sequences, draws=DRAWS, seed=0):
    """How often each of so many sequences is drawn, `int (draws, sequences)`, with replacement.

    The same for every descriptor that is scored on the same sequences: differences between
    descriptors are then paired.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(sequences, np.full(sequences, 1 / sequences), size=draws)


def resampled_means(total, count):
    """Means over resampled sequences, `(draws,)`; NaN when there is but one sequence.

    Args:
        total: `(sequences,)` sum of the scores in each sequence.
        count: `(sequences,)` how many scores were summed.
    """
    total, count = np.asarray(total, np.float64), np.asarray(count, np.float64)
    if len(total) < 2:
        return np.full(DRAWS, np.nan)
    drawn = resampling(len(total))
    return (drawn @ total) / (drawn @ count)


def resampled_average_precision(positive, negative, official):
    """Average precision of one ranking, over resampled sequences, `(draws,)`.

    Within a bin all negatives are taken to stand before the positives, as the official rule has it
    for equal distances. What this costs where distances differ is the same for all draws, and is
    given back. NaN when there is but one sequence, or where a draw has no positive.

    Args:
        positive, negative: `(sequences, bins)` how many of each sequence lie in each bin of
            distance, nearest first. Sequences without any are left out.
        official: average precision of the ranking itself.
    """
    used = (positive.sum(axis=1) + negative.sum(axis=1)) > 0
    if used.sum() < 2:
        return np.full(DRAWS, np.nan)
    drawn = resampling(used.sum())
    drawn = np.concatenate([np.ones_like(drawn[:1]), drawn]).astype(np.float64)
    step, passed = drawn @ positive[used], drawn @ negative[used]
    found = np.cumsum(step, axis=1) - step
    seen = found + np.cumsum(passed, axis=1)
    # Precision x positives into the bin is (found + x) / (seen + x): its integral from 0 to step.
    fall = np.where(seen > 0, (found - seen) * np.log1p(step / np.maximum(seen, 1)), 0)
    positives = step.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = (step + fall).sum(axis=1) / positives
    return np.clip(precision[1:] + official - precision[0], 0, 1)


def interval(draws, level=0.95):
    """The middle share `level` of the draws, `(low, high)`; NaN when there is none."""
    draws = np.asarray(draws)[np.isfinite(draws)]
    if not len(draws):
        return np.nan, np.nan
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(draws, [tail, 100 - tail])
    return float(low), float(high)

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
    """Means over resampled sequences, `(draws,)`.

    Args:
        total: `(sequences,)` sum of the scores in each sequence.
        count: `(sequences,)` how many scores were summed.
    """
    total, count = np.asarray(total, np.float64), np.asarray(count, np.float64)
    drawn = resampling(len(total))
    return _defined(drawn @ total, drawn @ count)


def resampled_average_precision(positive, negative):
    """Average precision of one ranking, over resampled sequences, `(draws,)`.

    Args:
        positive, negative: `(sequences, bins)` how many of each sequence lie in each bin of
            distance, nearest first.
    """
    drawn = resampling(len(positive)).astype(np.float64)
    found = np.cumsum(drawn @ positive, axis=1)
    seen = found + np.cumsum(drawn @ negative, axis=1)
    precision = found / np.maximum(seen, 1)
    step = np.diff(found, axis=1, prepend=0)
    before = np.concatenate([np.ones((len(drawn), 1)), precision[:, :-1]], axis=1)
    return _defined((step * (before + precision) / 2).sum(axis=1), found[:, -1])


def interval(draws, level=0.95):
    """The middle share `level` of the draws, `(low, high)`."""
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def _defined(total, count):
    """Their ratio; NaN where a draw has nothing to be averaged."""
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)

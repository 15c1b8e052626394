"""Ranks, and which of them are ties: differences that the choice of the sequences can explain."""

import numpy as np

CONFIDENCE = 0.95
SMALLEST = 0.0005  # difference that tables show; rounding alone tells copies apart, by 1e-5


def ranks(means):
    """Return the rank of each mean, best first, from 1; equal means share the better rank."""
    means = np.asarray(means)
    return [int((means > mean).sum()) + 1 for mean in means]


def tied_ranks(draws, ranks):
    """Return for each submission the ranks of the others with which it is tied, ascending.

    Args:
        draws: `(submissions, draws)` scores over resampled sequences; all NaN if there are too few.
        ranks: `(submissions,)`.
    """
    draws, ranks, tied = np.asarray(draws), np.asarray(ranks), []
    for k, own in enumerate(draws):
        same = compare(draws, own) == 0
        same[k] = False
        tied.append(np.unique(ranks[same]).tolist())
    return tied


def compare(draws, own):
    """Return 1 for each submission that is better than one's own, -1 for worse, 0 for a tie.

    Two submissions are tied if the 95 % interval of their difference contains 0, rounded to three
    digits. Draws are paired: each draw has the same sequences for all submissions. Without draws,
    all are tied.

    Args:
        draws: `(submissions, draws)`.
        own: `(draws,)`.
    """
    draws = np.atleast_2d(draws)
    finite = np.isfinite(draws).all(axis=0) & np.isfinite(own)
    if not finite.any():
        return np.zeros(len(draws), int)
    enough = 1 - (1 - CONFIDENCE) / 2
    difference = draws[:, finite] - own[finite]
    better = (difference > SMALLEST).mean(axis=1) >= enough
    worse = (difference < -SMALLEST).mean(axis=1) >= enough
    return better.astype(int) - worse


def as_ranges(numbers):
    """Write ascending numbers briefly: `[2, 3, 4, 7]` is `"2–4, 7"`.

    Spreadsheets take `2-4`, with a hyphen, as a date.
    """
    numbers = np.asarray(numbers, int)
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(
        f"{part[0]}–{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts if len(part)
    )

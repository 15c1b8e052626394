"""Retrieval: find the five other views of a patch in a pool of distractors."""

import numpy as np

from hpatches_kit.benchmark.average_precision import (
    average_precision,
    mean_precision,
    tie_neutral_area,
)
from hpatches_kit.benchmark.bootstrap import resampled_means
from hpatches_kit.benchmark.distances import (
    QuickDistances,
    all_distances,
    check,
    exact_distances,
)
from hpatches_kit.patches import VIEWS
from hpatches_kit.threads import side_by_side

BLOCK = 1 << 20  # distances at a time for a thread
LEVELS = [[VIEWS.index(f"{level}{k}") for k in range(1, 6)] for level in "eht"]


def retrieval(descriptors, tasks, distance="L2", progress=True):
    """Rank, for every query, the five patches of its point among pools of distractors.

    A pool of k is the five positives and the first k - 5 distractors of other sequences. At equal
    distance the positive ranks first, as in the official code. Where several sequences show the
    same place, a distractor of the query's own place never counts.

    Returns:
        `{"mean_ap": .., "e": {"100": .., "500": ..}, "h": .., "t": .., "mean_per_pool": {"100": ..},
        "queries": ..}`, means over queries; `mean_ap` gives every pool the same weight.
        `tie_neutral`, `matlab`, `ties` and `draws` are those of `verification`.

    Raises ValueError when there is no query, or one without distractors.
    """
    check(distance)
    if not len(tasks.queries):
        raise ValueError("Retrieval has no queries: it needs distractors from other sequences.")
    closer, tied, apart, drawn = _counts(descriptors, tasks, distance, progress)
    official = average_precision(np.sort(closer, axis=3))  # (queries, levels, pools)
    matlab = mean_precision(np.sort(closer, axis=3))

    # Positives may tie with each other, too: each stands for its share of the tied group.
    found = (apart[..., None, :] < apart[..., :, None]).sum(axis=3)[:, :, None]
    many = (apart[..., None, :] == apart[..., :, None]).sum(axis=3)[:, :, None]
    groups = np.broadcast_arrays(found, found + closer, many, many + tied)
    neutral = (tie_neutral_area(*groups) / many).sum(axis=3) / 5

    names, sequence = np.unique(descriptors.sequence[tasks.queries], return_inverse=True)
    total = np.bincount(sequence, official.mean(axis=(1, 2)))
    return {
        **_means(official, tasks.pools),
        "queries": len(tasks.queries),
        "tie_neutral": _means(neutral, tasks.pools),
        "matlab": _means(matlab, tasks.pools),
        "ties": float((tied[:, :, -1] / drawn[:, None, None]).mean()),
        "draws": resampled_means(total, np.bincount(sequence)),
    }


def _means(precision, pools):
    """Means over queries of `(queries, levels, pools)`, by level and pool."""
    each = precision.mean(axis=0)
    return {
        "mean_ap": float(each.mean()),
        **{level: dict(zip(map(str, pools), row.tolist())) for level, row in zip("eht", each)},
        "mean_per_pool": dict(zip(map(str, pools), each.mean(axis=0).tolist())),
    }


def _counts(descriptors, tasks, distance, progress):
    """For each of the five positives: distractors closer, and as far, in each pool.

    Returns:
        `closer` and `tied`, integers `(queries, levels, pools, 5)`; `apart`, float64
        `(queries, levels, 5)`, distances of the positives; `drawn`, distractors in the last pool.
    """
    values, pools = descriptors.values, np.array(tasks.pools)
    place = descriptors.label if len(set(descriptors.label.tolist())) < len(values) else None
    number = np.unique(descriptors.sequence, return_inverse=True)[1]
    of_query = number[tasks.queries]
    closer = np.zeros((len(tasks.queries), 3, len(pools), 5), np.int64)
    tied, drawn = np.zeros_like(closer), np.zeros(len(tasks.queries))
    apart = np.empty((len(tasks.queries), 3, 5))

    def one_sequence(sequence):
        # All queries of a sequence share their distractors, and where each pool of them ends.
        mine = np.flatnonzero(of_query == sequence)
        others = tasks.distractors[number[tasks.distractors] != sequence]
        if not len(others):
            name = descriptors.sequence[tasks.queries[mine[0]]]
            raise ValueError(f"A query of {name} has no distractor from another sequence.")
        pool = np.ascontiguousarray(values[others, 0])
        ends = np.clip(pools - 5, 0, len(others))
        quick = QuickDistances(pool) if distance == "L2" else None
        step = max(BLOCK // len(pool), 1)
        for some in np.split(mine, range(step, len(mine), step)):
            rows = tasks.queries[some]
            query, positives = values[rows, 0], values[rows][:, LEVELS]
            positives = positives.reshape(-1, positives.shape[-1])
            near = exact_distances(np.repeat(query, 15, axis=0), positives, distance)
            near = near.reshape(len(some), 15)
            same = place[rows][:, None] == place[others] if place is not None else None
            counts = _quick_counts(query, pool, near, ends, quick, same) if quick else None
            if counts is None:
                counts = _exact_counts(query, pool, near, ends, distance, same)
            closer[some], tied[some] = (
                c.reshape(len(some), 3, 5, -1).swapaxes(2, 3) for c in counts
            )
            apart[some], drawn[some] = near.reshape(-1, 3, 5), ends[-1]

    side_by_side(one_sequence, np.unique(of_query), "Retrieval", progress)
    return closer, tied, apart, drawn


def _exact_counts(query, pool, near, ends, distance, same):
    away = all_distances(query, pool, distance)
    if same is not None:
        away[same] = np.inf
    closer = _count_below(away, near, ends)
    return closer, _count_below(away, near, ends, np.less_equal) - closer


def _quick_counts(query, pool, near, ends, quick, same):
    """The same from quick distances; None when too many are too close to a positive to tell."""
    away, base, margin = quick(query)
    if same is not None:
        away[same] = np.inf
    limit = np.square(near / quick.scale) - base[:, None]
    low = np.nextafter((limit - margin[:, None]).astype(np.float32), np.float32(-np.inf))
    high = np.nextafter((limit + margin[:, None]).astype(np.float32), np.float32(np.inf))
    closer = _count_below(away, low, ends)
    unsure = _count_below(away, high, ends, np.less_equal)[..., -1] - closer[..., -1]
    tied = np.zeros_like(closer)
    if unsure.sum() > away.size / 10:
        return None
    which, positive = np.nonzero(unsure)
    for some in np.array_split(np.arange(len(which)), max(len(which) * len(pool) // BLOCK, 1)):
        row, column = which[some], positive[some]
        between = (away[row] >= low[row, column][:, None]) & (away[row] <= high[row, column][:, None])  # fmt: skip
        k, distractor = np.divmod(np.flatnonzero(between), len(pool))
        exact = exact_distances(query[row[k]], pool[distractor])
        decided = near[row[k], column[k]]
        inside = distractor[:, None] < ends  # (undecided, pools)
        np.add.at(closer, (row[k], column[k]), inside & (exact < decided)[:, None])
        np.add.at(tied, (row[k], column[k]), inside & (exact == decided)[:, None])
    return closer, tied


def _count_below(away, limit, ends, compare=np.less):
    """How many of the first `end` distances lie below each limit, `(queries, limits, ends)`.

    Args:
        away: `(queries, distractors)`.
        limit: `(queries, limits)`.
        ends: ascending.
    """
    result = np.empty((*limit.shape, len(ends)), np.int64)
    below = np.empty(away.shape, bool)
    for k in range(limit.shape[1]):
        compare(away, limit[:, k, None], out=below)
        start = 0
        for i, end in enumerate(ends):  # eight to a byte, then bits are counted
            result[:, k, i] = np.bitwise_count(np.packbits(below[:, start:end], axis=1)).sum(axis=1)
            start = end
    return np.cumsum(result, axis=2)

"""Retrieval: find the five other views of a patch in a pool of distractors."""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.average_precision import (
    average_precision,
    mean_precision,
    tie_neutral_area,
)
from hpatches_kit.benchmark.bootstrap import resampled_means
from hpatches_kit.benchmark.exact_distances import (
    ManyDistances,
    check,
    count_closer,
    exact_distance,
)

BLOCK = 1 << 21  # distances at a time for a thread


def retrieval(descriptors, tasks, distance="L2", progress=True):
    """Rank, for every query, the five patches of its point among pools of distractors.

    A pool of k is the five positives and the first k - 5 distractors of other sequences. At equal
    distance the positive ranks first, as in the official code. Where several sequences show the
    same place, a distractor of the query's own place never counts.

    Returns:
        `{"mean_ap": .., "e": {"100": .., "500": ..}, "h": .., "t": .., "mean_per_pool": {"100": ..},
        "queries": ..}`, means over queries; `mean_ap` gives every pool the same weight.
        `tie_neutral`, `matlab`, `ties` and `draws` are those of `verification`.

    Raises UserError when there is no query, or one without distractors.
    """
    check(distance)
    if not len(tasks.queries):
        raise UserError(
            "Retrieval has no queries: the lists have none, or there is one sequence only."
        )
    pools = sorted(set(tasks.pools))
    closer, tied, apart, drawn = _counts(descriptors, tasks, pools, distance, progress)
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
        **_means(official, pools),
        "queries": len(tasks.queries),
        "tie_neutral": _means(neutral, pools),
        "matlab": _means(matlab, pools),
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


def _counts(descriptors, tasks, pools, distance, progress):
    """For each of the five positives: distractors closer, and as far, in each pool.

    Returns:
        `closer` and `tied`, integers `(queries, levels, pools, 5)`; `apart`, float64
        `(queries, levels, 5)`, distances of the positives; `drawn`, distractors in the last pool.
    """
    values, pools = descriptors.values, np.array(pools)
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
            raise UserError(f"A query of {name} has no distractor from another sequence.")
        pool = np.ascontiguousarray(values[others, 0])
        ends = np.clip(pools - 5, 0, len(others))
        distances = ManyDistances(pool, values[tasks.queries[mine], 0], distance)
        step = max(BLOCK // len(pool), 1)
        for some in np.split(mine, range(step, len(mine), step)):
            rows = tasks.queries[some]
            query = values[rows, 0]
            near = _to_positives(query, values[rows], distance == "L1")
            prepared, base, margin = distances.prepared(query)
            many = distances.many(prepared)
            if place is not None:
                many[place[rows][:, None] == place[others]] = np.inf
            limits = distances.limits(near, base, margin)
            counts = np.empty((2, len(some), 15, len(ends)), np.int64)
            count_closer(many, *limits, near, ends, query, pool, distance == "L1", *counts)
            counts = counts.reshape(2, len(some), 3, 5, len(ends)).swapaxes(3, 4)
            closer[some], tied[some] = counts
            apart[some], drawn[some] = near.reshape(-1, 3, 5), ends[-1]

    parallel_map(one_sequence, np.unique(of_query), "Retrieval", progress)
    return closer, tied, apart, drawn


@compiled()
def _to_positives(query, views, absolute):
    """`float64 (queries, 15)` from `(queries, dim)` and all views of the same points."""
    near = np.empty((len(query), 15))
    for i in range(len(query)):
        for k in range(15):
            near[i, k] = exact_distance(query[i], views[i, k + 1], absolute)  # view 0 is `ref`
    return near

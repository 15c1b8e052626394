"""Retrieval: find the five other views of a patch in a pool of distractors."""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.bootstrap import resampled_means
from hpatches_kit.benchmark.exact_distances import (
    BlockDistances,
    check,
    count_closer,
    exact_distance,
)
from hpatches_kit.benchmark.precision_recall import tie_neutral_area
from hpatches_kit.benchmark.protocols import PYTHON
from hpatches_kit.benchmark.retrieval_pools import POSITIVES, pool_ends, pool_names

BLOCK = 1 << 21  # distances that a thread computes at a time


def retrieval(descriptors, tasks, distance="L2", progress=True, protocol=PYTHON):
    """Rank, for every query, the five patches of its point among pools of distractors.

    A pool of k consists of the five positives and the first k - 5 distractors of other sequences;
    protocols differ, see `retrieval_pools.py`. At equal distance the positive ranks first, as in
    both official evaluators. When several sequences show the same place, distractors of the query's
    own place are left out.

    Returns `{"mean_ap": .., "e": {"100": .., "500": ..}, "h": .., "t": .., "mean_per_pool": {..},
    "queries": .., "pool_sizes": {"100": [100, 100], ..}}`, means over queries. `mean_ap` gives every
    pool the same weight. `pool_sizes`: the smallest and the largest number of patches over queries,
    without the query's own sequence. And `tie_neutral`, `ties` and `draws` as in `verification`.

    Raises UserError when there are no queries, for a query without distractors, for an unknown
    distance, and for L1 if the protocol squares distances.
    """
    check(distance, protocol.squared_distances)
    if not len(tasks.queries):
        raise UserError(
            "Retrieval has no queries: the task lists have none, or there is only one sequence."
        )
    pools = pool_names(tasks, protocol)
    closer, tied, distances, drawn = _counts(
        descriptors, tasks, pools, distance, progress, protocol.mask_after_cut
    )
    official = protocol.precision(np.sort(closer, axis=3))  # (queries, levels, pools)

    # Positives may tie with each other, too: each then counts as one part of its group of ties.
    before = (distances[..., None, :] < distances[..., :, None]).sum(axis=3)[:, :, None]
    group = (distances[..., None, :] == distances[..., :, None]).sum(axis=3)[:, :, None]
    groups = np.broadcast_arrays(before, before + closer, group, group + tied)
    area = tie_neutral_area(*groups, trapezoid=not protocol.precision_at_positives)
    tie_neutral = (area / group).sum(axis=3) / 5

    # In the order of the other tasks, so that the draws of all tasks hold the same sequences.
    position = {name: k for k, name in enumerate(descriptors.names)}
    sequence = [position[name] for name in descriptors.sequence[tasks.queries]]
    count = np.bincount(sequence, minlength=len(position))
    total = np.bincount(sequence, official.mean(axis=(1, 2)), minlength=len(position))
    return {
        **_means(official, pools),
        "queries": len(tasks.queries),
        "pool_sizes": {
            str(pool): [POSITIVES + int(sizes.min()), POSITIVES + int(sizes.max())]
            for pool, sizes in zip(pools, drawn.T)
        },
        "tie_neutral": _means(tie_neutral, pools),
        "ties": float((tied[:, :, -1] / drawn[:, -1, None, None]).mean()),
        "draws": resampled_means(total, count),
    }


def _means(precision, pools):
    """Means over queries of `(queries, levels, pools)`, by level and pool."""
    means = precision.mean(axis=0)
    return {
        "mean_ap": float(means.mean()),
        **{level: dict(zip(map(str, pools), row.tolist())) for level, row in zip("eht", means)},
        "mean_per_pool": dict(zip(map(str, pools), means.mean(axis=0).tolist())),
    }


def _counts(descriptors, tasks, pools, distance, progress, mask_after_cut=False):
    """Count, for each of the five positives, the distractors of each pool that are closer or tied.

    Returns `closer` and `tied`, integers `(queries, levels, pools, 5)`; the distances of the
    positives, float64 `(queries, levels, 5)`; the number of distractors, `(queries, pools)`.
    """
    values = descriptors.values
    label = descriptors.label if len(set(descriptors.label.tolist())) < len(values) else None
    sequence = np.unique(descriptors.sequence, return_inverse=True)[1]
    query_sequence = sequence[tasks.queries]
    closer = np.zeros((len(tasks.queries), 3, len(pools), 5), np.int64)
    tied, drawn = np.zeros_like(closer), np.zeros((len(tasks.queries), len(pools)), np.int64)
    positive_distances = np.empty((len(tasks.queries), 3, 5))

    def count_sequence(number):
        # All queries of a sequence have the same distractors, and the same ends of the pools.
        queries = np.flatnonzero(query_sequence == number)
        is_foreign = sequence[tasks.distractors] != number
        ends = pool_ends(pools, is_foreign, mask_after_cut)
        distractors = tasks.distractors[is_foreign][: ends[-1]]
        if not ends[-1]:
            name = descriptors.sequence[tasks.queries[queries[0]]]
            raise UserError(f"A query of {name} has no distractor from another sequence.")
        pool = np.ascontiguousarray(values[distractors, 0])
        distances = BlockDistances(pool, values[tasks.queries[queries], 0], distance)
        step = max(BLOCK // len(pool), 1)
        for part in np.split(queries, range(step, len(queries), step)):
            rows = tasks.queries[part]
            query = values[rows, 0]
            near = _distances_to_positives(query, values[rows], distance == "L1")
            prepared, base, error = distances.prepare(query)
            block = distances.block(prepared)
            if label is not None:
                block[label[rows][:, None] == label[distractors]] = np.inf
            bounds = distances.bounds(near, base, error)
            counts = np.empty((2, len(part), 15, len(ends)), np.int64)
            count_closer(block, *bounds, near, ends, query, pool, distance == "L1", *counts)
            counts = counts.reshape(2, len(part), 3, 5, len(ends)).swapaxes(3, 4)
            closer[part], tied[part] = counts
            positive_distances[part], drawn[part] = near.reshape(-1, 3, 5), ends

    parallel_map(count_sequence, np.unique(query_sequence), "Retrieval", progress)
    return closer, tied, positive_distances, drawn


@compiled()
def _distances_to_positives(query, views, absolute):
    """`float64 (queries, 15)` from `(queries, dim)` and all views of the same points."""
    near = np.empty((len(query), 15))
    for i in range(len(query)):
        for k in range(15):
            near[i, k] = exact_distance(query[i], views[i, k + 1], absolute)  # view 0 is `ref`
    return near

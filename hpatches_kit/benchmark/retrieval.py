"""Retrieval: find the five other views of a patch in a pool of distractors."""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.bootstrap import resampled_means, sequence_numbers
from hpatches_kit.benchmark.exact_distances import BlockDistances, check, count_closer
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
    official, tie_neutral, ties, drawn = query_scores(
        descriptors, tasks, pools, distance, progress, protocol
    )
    # In the order of the other tasks, so that the draws of all tasks hold the same sequences.
    sequence, sequences = sequence_numbers(descriptors)[tasks.queries], len(descriptors.names)
    count = np.bincount(sequence, minlength=sequences)
    total = np.bincount(sequence, official.mean(axis=(1, 2)), minlength=sequences)
    return {
        **_means(official, pools),
        "queries": len(tasks.queries),
        "pool_sizes": {
            str(pool): [POSITIVES + int(sizes.min()), POSITIVES + int(sizes.max())]
            for pool, sizes in zip(pools, drawn.T)
        },
        "tie_neutral": _means(tie_neutral, pools),
        "ties": float(ties.mean()),
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


def query_scores(descriptors, tasks, pools, distance="L2", progress=True, protocol=PYTHON):
    """Average precision of every query, with the official and the tie-neutral order of ties.

    Returns both, `(queries, levels, pools)`; the fraction of distractors of the largest pool that
    are tied with each positive, `(queries, levels, 5)`; the number of distractors, `(queries,
    pools)`.
    """
    values = descriptors.values
    label = descriptors.label if len(set(descriptors.label.tolist())) < len(values) else None
    sequence = sequence_numbers(descriptors)
    query_sequence, distractor_sequence = sequence[tasks.queries], sequence[tasks.distractors]
    official, tie_neutral = np.empty((2, len(tasks.queries), 3, len(pools)))
    ties, drawn = np.empty((len(tasks.queries), 3, 5)), np.empty(official[:, 0].shape, int)
    step, ends, jobs = max(BLOCK // max(len(tasks.distractors), 1), 1), {}, []
    for number in np.unique(query_sequence):
        queries = np.flatnonzero(query_sequence == number)
        is_foreign = distractor_sequence != number
        ends[number], drawn[queries] = pool_ends(pools, is_foreign, protocol.mask_after_cut)
        if not drawn[queries[0], -1]:
            name = descriptors.names[number]
            raise UserError(f"A query of {name} has no distractor from another sequence.")
        jobs += [(number, part) for part in np.split(queries, range(step, len(queries), step))]
    distractors = tasks.distractors[: max(end[-1] for end in ends.values())]
    pool = np.ascontiguousarray(values[distractors, 0])
    to_pool = BlockDistances(pool, values[tasks.queries, 0], distance)

    def score_block(job):
        number, part = job  # queries of one sequence, which share the ends of the pools
        rows, listed = tasks.queries[part], slice(ends[number][-1])
        query = values[rows, 0]
        near = _distances_to_positives(query, values[rows], distance)
        prepared, base, error = to_pool.prepare(query)
        block = to_pool.block(prepared, listed)
        block[:, distractor_sequence[listed] == number] = np.inf
        if label is not None:
            block[label[rows][:, None] == label[distractors[listed]]] = np.inf
        bounds = to_pool.bounds(near, base, error)
        known, counts = np.empty(len(pool)), np.empty((2, len(part), 15, len(pools)), np.int64)
        arguments = near, ends[number], query, pool, distance == "L1", known
        count_closer(block, *bounds, *arguments, *counts)
        closer, tied = counts.reshape(2, len(part), 3, 5, len(pools)).swapaxes(3, 4)
        official[part] = protocol.precision(np.sort(closer, axis=3))
        tie_neutral[part] = _tie_neutral(near.reshape(-1, 3, 5), closer, tied, protocol)
        ties[part] = tied[:, :, -1] / drawn[part, -1, None, None]

    parallel_map(score_block, jobs, "Retrieval", progress)
    return official, tie_neutral, ties, drawn


def _tie_neutral(near, closer, tied, protocol):
    """Tie-neutral average precision, `(queries, levels, pools)`.

    Args:
        near: `(queries, levels, 5)` distances of the positives.
        closer, tied: `(queries, levels, pools, 5)` distractors closer than each, and at its distance.
    """
    # Positives may tie with each other, too: each then counts as one part of its group of ties.
    before = (near[..., None, :] < near[..., :, None]).sum(axis=3)[:, :, None]
    group = (near[..., None, :] == near[..., :, None]).sum(axis=3)[:, :, None]
    groups = np.broadcast_arrays(before, before + closer, group, group + tied)
    area = tie_neutral_area(*groups, trapezoid=not protocol.precision_at_positives)
    return (area / group).sum(axis=3) / 5


def _distances_to_positives(query, views, distance):
    """`float64 (queries, 15)` from `(queries, dim)` and all views of the same points."""
    terms = np.abs(views[:, 1:] - query[:, None].astype(np.float64))  # view 0 is `ref`
    if distance == "L2":
        terms *= terms
    total = np.cumsum(terms, axis=2)[..., -1]  # one after another, as in `exact_distance`
    return total if distance == "L1" else np.sqrt(total)

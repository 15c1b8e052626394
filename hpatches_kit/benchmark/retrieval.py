"""Retrieval: find the five other views of a patch in a pool of distractors."""

import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit.benchmark.average_precision import average_precision
from hpatches_kit.benchmark.matching import METRICS
from hpatches_kit.patches import VIEWS

BLOCK = 256  # queries at a time


def retrieval(descriptors, tasks, distance="L2"):
    """Rank, for every query, the five patches of its point among pools of distractors.

    A pool of k is the five positives and the first k - 5 distractors that are of another sequence
    and another place. At equal distance the positive ranks first, as in the official code.

    Returns:
        `{"mean_ap": .., "e": {"100": .., "500": ..}, "h": .., "t": ..}`, the mean over queries; the
        mean gives every pool the same weight.
    """
    if distance not in METRICS:
        raise ValueError(f"Unknown {distance=}: expected one of {', '.join(METRICS)}.")
    values, sequence, label = descriptors.values, descriptors.sequence, descriptors.label
    pool = values[tasks.distractors, 0].astype(np.float64)
    total = {level: np.zeros(len(tasks.pools)) for level in "eht"}
    for start in range(0, len(tasks.queries), BLOCK):
        rows = tasks.queries[start : start + BLOCK]
        query = values[rows, 0].astype(np.float64)
        apart = cdist(query, pool, METRICS[distance])
        foreign = sequence[rows][:, None] != sequence[tasks.distractors]
        foreign &= label[rows][:, None] != label[tasks.distractors]
        if not foreign.any(axis=1).all():
            lonely = sequence[rows[~foreign.any(axis=1)][0]]
            raise ValueError(
                f"A query of {lonely} has no distractor from another sequence and place:"
                " retrieval needs more sequences."
            )
        place = np.cumsum(foreign, axis=1)  # 1, 2, 3 ... counting only those
        for level in "eht":
            columns = [VIEWS.index(f"{level}{k}") for k in range(1, 6)]
            positives = values[rows][:, columns].astype(np.float64)
            near = np.stack(
                [cdist(q[None], p, METRICS[distance])[0] for q, p in zip(query, positives)]
            )
            for i, size in enumerate(tasks.pools):
                in_pool = foreign & (place <= size - 5)
                before = np.stack([(in_pool & (apart < d[:, None])).sum(1) for d in near.T], 1)
                total[level][i] += average_precision(np.sort(before, axis=1)).sum()
    result = {
        level: {str(size): float(ap) for size, ap in zip(tasks.pools, sums / len(tasks.queries))}
        for level, sums in total.items()
    }
    mean = float(np.mean([list(result[level].values()) for level in "eht"]))
    return {"mean_ap": mean, **result}

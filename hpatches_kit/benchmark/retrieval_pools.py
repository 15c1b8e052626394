"""Which distractors the pools of retrieval hold, in the Python and in the MATLAB evaluator."""

import numpy as np

POSITIVES = 5  # of each query


def pool_names(tasks, protocol):
    """Sizes of the pools, ascending, before distractors of the query's own sequence are left out.

    They include the five positives: `[100, 500, ..]`, those of the task lists, or one pool.
    """
    if protocol.distractors is None:
        return sorted(set(tasks.pools))
    available = len(tasks.distractors)
    wanted = available if protocol.distractors == "all" else protocol.distractors
    return [POSITIVES + min(wanted, available)]


def pool_ends(pools, is_foreign, mask_after_cut):
    """Number of foreign distractors in each pool, `(pools,)`.

    Args:
        pools: `(pools,)` sizes, from `pool_names`.
        is_foreign: `(distractors,)` true for those of other sequences than the query, in list order.
        mask_after_cut: take the first distractors of the list, and leave out those that are not
            foreign, as the MATLAB evaluator does. Otherwise take the first foreign distractors, as
            many as fit in the pool, as the Python evaluator does.
    """
    taken = np.asarray(pools) - POSITIVES
    if mask_after_cut:
        foreign_before = np.concatenate([[0], np.cumsum(is_foreign)])
        return foreign_before[np.clip(taken, 0, len(is_foreign))]
    return np.clip(taken, 0, is_foreign.sum())

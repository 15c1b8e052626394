"""Matching by the ratio of the distances of the second and the first nearest patch.

A match is reliable if its patch is much closer than every other (Lowe, IJCV 2004). The MATLAB
evaluator reports the AP of this ranking beside that of the distances.
"""

import numpy as np

from hpatches_kit.benchmark.exact_distances import nearest


def second_nearest(queries, pools, first, distance="L2"):
    """Distance of the second nearest row of each pool for every query, float64 `(pools, n)`.

    Infinite for pools of one row. Equal to the smallest distance where several rows have it.

    Args:
        queries, pools: as in `nearest`.
        first: `(pools, n)` the nearest rows, from `nearest`.
    """
    if pools.shape[1] == 1:
        return np.full(first.shape, np.inf)
    return nearest(queries, pools, distance, without=first)[0]


def ratio_precision(smallest, second, is_right, protocol):
    """AP of the matches of one image, ranked by `second / smallest`, the largest ratio first.

    As in the MATLAB code, the ratio is that of squared distances in single precision, equal ratios
    keep the order of the points, and 0 / 0 ranks before every number; AP is 0 if all are 0 / 0.

    Args:
        smallest, second: `(points,)` distances of the two nearest patches.
        is_right: `(points,)` whether the nearest patch shows the same point.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.square(second).astype(np.float32) / np.square(smallest).astype(np.float32)
    is_number = ~np.isnan(ratio)
    if not is_number.any():
        return 0.0
    order = np.lexsort((-ratio, is_number))  # stable; the last key counts first
    positions = np.flatnonzero(is_right[order])
    return float(protocol.precision(positions - np.arange(len(positions)), len(is_right)))

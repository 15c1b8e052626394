"""Nearest neighbours among descriptors, with the two usual tests of a match."""

from numbers import Real

import numpy as np
from sklearn.neighbors import NearestNeighbors

from hpatches_kit._support.errors import UserError


def nearest_pairs(descriptors_a, descriptors_b, mutual=True, ratio=None):
    """Pair each descriptor with its nearest neighbour among the others.

    Args:
        descriptors_a, descriptors_b: `(n, dim)` and `(m, dim)`.
        mutual: keep a pair only if each is the nearest neighbour of the other.
        ratio: keep a pair only if its distance is less than this fraction of the distance to the
            second nearest neighbour (Lowe, IJCV 2004, who uses 0.8). None: no such test.

    Returns `(pairs, distances)`: rows `int (pairs, 2)` in the order of the first descriptors, and
    Euclidean distances `(pairs,)`. Raises UserError for a ratio outside 0..1, and for descriptors
    of different dimensions.
    """
    check_ratio(ratio)
    if not len(descriptors_a) or not len(descriptors_b):
        return np.empty((0, 2), int), np.empty(0)
    dims = np.shape(descriptors_a)[1:], np.shape(descriptors_b)[1:]
    if dims[0] != dims[1]:
        raise UserError(f"The descriptors have dimensions {dims[0]} and {dims[1]}: expected equal.")
    distances, nearest = _neighbours(descriptors_a, descriptors_b, min(2, len(descriptors_b)))
    rows, columns = np.arange(len(descriptors_a)), nearest[:, 0]
    keep = np.ones(len(rows), bool)
    if mutual:
        _, nearest_to_b = _neighbours(descriptors_b, descriptors_a, 1)
        keep &= nearest_to_b[columns, 0] == rows
    if ratio is not None and distances.shape[1] > 1:
        keep &= distances[:, 0] < ratio * distances[:, 1]
    return np.column_stack([rows, columns])[keep], distances[keep, 0]


def check_ratio(ratio):
    """Raise UserError for a ratio outside 0..1."""
    if ratio is not None and not (isinstance(ratio, Real) and 0 < ratio <= 1):
        raise UserError(f"{ratio=}: expected a number greater than 0, at most 1, or None.")


def _neighbours(queries, descriptors, count):
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(descriptors)
    return search.kneighbors(queries)

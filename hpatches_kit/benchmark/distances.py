"""Distances between descriptors: fast where only an order is wanted, exact where it is decided.

A matrix product in single precision gives all squared distances of two sets at once, each within a
known margin. Whatever lies closer together than that is decided again in double precision, summed
in the order in which the official code sums it, so that ties stay ties.
"""

import numpy as np
from scipy.spatial.distance import cdist

METRICS = {"L2": "euclidean", "L1": "cityblock"}
ROUNDING = 2.0**-24  # relative, of one operation in single precision
BLOCK = 1 << 22  # distances held at once by a thread


def check(distance):
    """Raise ValueError for a distance that the benchmark does not know."""
    if distance not in METRICS:
        raise ValueError(f"Unknown {distance=}: expected one of {', '.join(METRICS)}.")


def all_distances(one, other, distance):
    """`float64 (n, m)` between `(n, dim)` and `(m, dim)`: the arithmetic that decides."""
    return cdist(one, other, METRICS[distance])


def exact_distances(one, other, distance="L2"):
    """`float64 (n,)` between rows of `(n, dim)` and `(n, dim)`, to the last bit as in `all_distances`."""
    difference = one.astype(np.float64) - other
    terms = np.abs(difference) if distance == "L1" else np.square(difference)
    total = np.cumsum(terms, axis=1)[:, -1]  # a plain sum would add in another order
    return total if distance == "L1" else np.sqrt(total)


class QuickDistances:
    """Squared L2 distances from one matrix product: `base + quick(queries)`, in units of `scale`.

    Args:
        pool: `(m, dim)`, measured from its mean: the smaller the numbers, the smaller the margin.
    """

    def __init__(self, pool):
        self.centre = pool.mean(axis=0, dtype=np.float64)
        pool = pool - self.centre
        self.scale = np.abs(pool).max(initial=0) or 1.0  # no square leaves the range of float32
        pool = (pool / self.scale).astype(np.float32)
        self.squares = np.einsum("ij,ij->i", pool, pool, dtype=np.float64)
        self.longest = np.sqrt(self.squares.max(initial=0))
        self.pool = np.concatenate([-2 * pool, self.squares.astype(np.float32)[:, None]], axis=1)

    def __call__(self, queries):
        """`quick` float32 `(n, m)`, `base` float64 `(n,)` and `margin` float64 `(n,)`.

        The squared distance of query i to row j, over `scale` squared, lies within `margin[i]` of
        `base[i] + quick[i, j]`, also after one more rounding to single precision.
        """
        queries = ((queries - self.centre) / self.scale).astype(np.float32)
        squares = np.einsum("ij,ij->i", queries, queries, dtype=np.float64)
        queries = np.concatenate([queries, np.ones_like(queries[:, :1])], axis=1)
        # A sum of dim + 1 products is off by (dim + 1) roundings of the sum of their sizes at most;
        # rounding the descriptors themselves and the result costs a few more.
        terms = queries.shape[1] + 16
        margin = terms * ROUNDING * (np.sqrt(squares) + self.longest) ** 2
        return queries @ self.pool.T, squares, margin


def nearest(queries, pool, distance="L2"):
    """All nearest rows of the pool for every query.

    Args:
        queries, pool: `float32 (n, dim)` and `(m, dim)`.

    Returns:
        `apart` float64 `(n,)`, the distance of the nearest; and `rows`, `columns`: each query with
        every pool row at exactly that distance, in ascending order.
    """
    quick = QuickDistances(pool) if distance == "L2" else None
    step = max(BLOCK // len(pool), 1)
    found = []
    for start in range(0, len(queries), step):
        some = queries[start : start + step]
        pairs = _proposed(some, pool, quick) if quick else None
        if pairs is None:
            apart = all_distances(some, pool, distance)
            rows, columns = np.nonzero(apart == apart.min(axis=1)[:, None])
            apart = apart[rows, columns]
        else:
            rows, columns = pairs
            apart = exact_distances(some[rows], pool[columns])
        least = np.minimum.reduceat(apart, np.searchsorted(rows, np.arange(len(some))))
        kept = apart == least[rows]
        found.append((least, rows[kept] + start, columns[kept]))
    return tuple(np.concatenate(part) for part in zip(*found))


def _proposed(queries, pool, quick):
    """Pairs that may be nearest, or None when there are so many that quick is no longer quick."""
    apart, _, margin = quick(queries)
    limit = (apart.min(axis=1) + 2 * margin).astype(np.float32)
    limit = np.nextafter(limit, np.float32(np.inf))
    pairs = np.divmod(np.flatnonzero(apart <= limit[:, None]), len(pool))
    return pairs if len(pairs[0]) <= 50 * len(queries) else None

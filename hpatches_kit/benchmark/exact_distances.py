"""Distances between descriptors: fast where only an order is wanted, exact where it is decided.

A matrix product in single precision gives all squared distances of two sets at once, each within a
known margin. Whatever lies closer together than that is decided again in double precision, summed
in the order in which the official code sums it, so that ties stay ties.
"""

import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError

METRICS = {"L2": "euclidean", "L1": "cityblock"}
ROUNDING = 2.0**-24  # relative, of one operation in single precision
BLOCK = 1 << 22  # distances held at once by a thread


def check(distance):
    """Raise UserError for a distance that the benchmark does not know."""
    if distance not in METRICS:
        raise UserError(f"Unknown {distance=}: expected one of {', '.join(METRICS)}.")


@compiled()
def exact_distance(one, other, absolute):
    """Distance of two descriptors to the last bit as SciPy's `cdist` has it, L1 if `absolute`.

    Terms are added one after another: a sum in another order would break ties.
    """
    total = 0.0
    for k in range(len(one)):
        difference = np.float64(one[k]) - np.float64(other[k])
        total += abs(difference) if absolute else difference * difference
    return total if absolute else np.sqrt(total)


@compiled(fastmath=True)
def _squared_lengths(vectors):
    """`float64 (n,)` of float32 `(n, dim)`."""
    result = np.zeros(len(vectors))
    for i in range(len(vectors)):
        row, total = vectors[i], 0.0
        for k in range(len(row)):
            total += np.float64(row[k]) * np.float64(row[k])
        result[i] = total
    return result


class ManyDistances:
    """Distances of queries to a pool, all at once, each within a known margin.

    For L2 from one matrix product in single precision: the squared distance of query i to row j of
    the pool, over `scale` squared, lies within `margin[i]` of `base[i] + many[i, j]`, also after
    one more rounding to single precision. L1, and L2 of absurdly large numbers, know no such short
    cut: there `many` is exact.

    Args:
        pool: `(m, dim)`, measured from its mean: the smaller the numbers, the smaller the margin.
        queries: `(n, dim)`, all that will be asked for.
    """

    def __init__(self, pool, queries, distance):
        smallest, largest = (np.abs(some).max(initial=0) for some in (pool, queries))
        largest = max(smallest, largest)
        # Squares must not leave the range of float32.
        self.quick = distance == "L2" and largest < 1e18 * min(max(smallest, 1e-30), 1)
        self.original, self.metric = pool, METRICS[distance]
        self.memory = np.empty(0, np.float32)
        if self.quick:
            self.centre = pool.mean(axis=0, dtype=np.float64).astype(np.float32)
            pool = pool - self.centre
            # Nor may squares vanish; a power of 2 rounds nothing.
            self.scale = 2.0 ** max(np.ceil(np.log2(np.abs(pool).max(initial=0) or 1)), -100)
            pool *= np.float32(1 / self.scale)
            squares = _squared_lengths(pool)
            self.longest = np.sqrt(squares.max(initial=0))
            self.pool = np.empty((pool.shape[0], pool.shape[1] + 1), np.float32)
            np.multiply(pool, np.float32(-2), out=self.pool[:, :-1])
            self.pool[:, -1] = squares

    def prepared(self, queries):
        """Queries as `many` takes them, `base` and `margin`, both float64 `(n,)`."""
        if not self.quick:
            return queries, np.zeros(len(queries)), np.zeros(len(queries))
        queries = (queries - self.centre) * np.float32(1 / self.scale)
        base = _squared_lengths(queries)
        queries = np.concatenate([queries, np.ones_like(queries[:, :1])], axis=1)
        # A sum of dim + 1 products is off by (dim + 1) roundings of the sum of their sizes at most;
        # rounding the descriptors themselves and the result costs a few more.
        terms = queries.shape[1] + 16
        return queries, base, terms * ROUNDING * (np.sqrt(base) + self.longest) ** 2

    def many(self, prepared, some=slice(None)):
        """`(n, m)` for some rows of the pool, float32 for L2.

        The next call uses its memory again: fresh memory would cost a tenth of the time.
        """
        if not self.quick:
            return cdist(prepared, self.original[some], self.metric)
        pool = self.pool[some]
        shape = (len(prepared), len(pool))
        if self.memory.size < shape[0] * shape[1]:
            self.memory = np.empty(shape[0] * shape[1], np.float32)
        result = self.memory[: shape[0] * shape[1]].reshape(shape)
        return np.matmul(prepared, pool.T, out=result)

    def limits(self, near, base, margin):
        """Numbers `low` and `high`, float32 for L2, that tell which entries of `many` are decided.

        Those below `low` are closer than `near`, those above `high` farther.

        Args:
            near: `(n, limits)` exact distances.
        """
        if not self.quick:
            return near, near
        limit = np.square(near / self.scale) - base[:, None]
        low, high = limit - margin[:, None], limit + margin[:, None]
        away = np.float32(np.inf)
        return np.nextafter(low.astype("f4"), -away), np.nextafter(high.astype("f4"), away)


def nearest(queries, pools, distance="L2"):
    """The nearest row of each pool for every query, and its ties.

    Args:
        queries: `float32 (n, dim)`.
        pools: `float32 (pools, n, dim)`; row i of each shows what query i shows.

    Returns:
        Each `(pools, n)`: `apart` float64, the distance of the nearest; `first`, the first row at
        that distance; `tied`, how many there are; and `own`, whether row i is one of them.
    """
    count, points, dim = pools.shape
    flat = np.ascontiguousarray(pools).reshape(-1, dim)
    all_pools = ManyDistances(flat, queries, distance)
    apart, own = np.empty((count, points)), np.zeros((count, points), bool)
    first, tied = np.empty((2, count, points), np.int64)
    step = max(BLOCK // points, 1)
    for start in range(0, points, step):
        block = slice(start, start + step)
        some = queries[block]
        prepared, _, margin = all_pools.prepared(some)
        for k in range(count):
            part = slice(k * points, (k + 1) * points)
            many = all_pools.many(prepared, part)
            limit = (many.min(axis=1) + 2 * margin).astype(many.dtype)
            limit = np.nextafter(limit, many.dtype.type(np.inf))
            results = apart[k, block], first[k, block], tied[k, block], own[k, block]
            _settle_nearest(many, limit, some, flat[part], start, distance == "L1", *results)
    return apart, first, tied, own


@compiled()
def _settle_nearest(many, limit, queries, pool, start, absolute, apart, first, tied, own):
    """Look again, exactly, at every row of the pool that lies below the limit of its query."""
    for i in range(len(queries)):
        apart[i] = np.inf
        for begin in range(0, len(pool), 128):
            part, below = many[i, begin : begin + 128], np.int32(0)
            for j in range(len(part)):  # no branch: 16 at a time
                below += np.int32(part[j] <= limit[i])
            for j in range(len(part) if below else 0):
                if part[j] <= limit[i]:
                    row = begin + j
                    exact = exact_distance(queries[i], pool[row], absolute)
                    if exact < apart[i]:
                        apart[i], first[i], tied[i], own[i] = exact, row, 0, False
                    if exact == apart[i]:
                        tied[i] += 1
                        own[i] |= row == i + start


@compiled()
def count_closer(many, low, high, near, ends, queries, pool, absolute, closer, tied):
    """How many of the first `end` rows of the pool are closer than `near`, and how many as close.

    Args:
        many, low, high: from `ManyDistances`; `inf` in `many` for a row that does not count.
        near: `(n, limits)` exact distances.
        ends: ascending.
        queries, pool: `(n, dim)` and `(m, dim)`.
        closer, tied: integers `(n, limits, ends)`, filled.
    """
    for i in range(len(queries)):
        known = np.empty(0)  # exact distances, once they were needed
        for k in range(near.shape[1]):
            start, nearer, same = 0, 0, 0
            for e in range(len(ends)):
                part, below, upto = many[i, start : ends[e]], np.int32(0), np.int32(0)
                for j in range(len(part)):  # no branch: 16 at a time
                    below += np.int32(part[j] < low[i, k])
                    upto += np.int32(part[j] <= high[i, k])
                for j in range(len(part) if upto > below else 0):
                    if low[i, k] <= part[j] <= high[i, k]:
                        if not len(known):
                            known = np.full(len(pool), -1.0)
                        if known[start + j] < 0:
                            exact = exact_distance(queries[i], pool[start + j], absolute)
                            known[start + j] = exact
                        nearer += known[start + j] < near[i, k]
                        same += known[start + j] == near[i, k]
                nearer, start = nearer + below, ends[e]
                closer[i, k, e], tied[i, k, e] = nearer, same


@compiled(fastmath=True)
def pair_distances(values, first, first_view, second, second_view, apart):
    """L2 distances of pairs of patches, `apart` float32 `(pairs,)` filled, as the official code has them.

    Differences in single precision, summed in double precision, the result rounded to single. This
    rounding makes the ties that the official numbers contain; the order of the sum does not matter
    to it, so that here the sum may be the fastest one.

    Args:
        values: `float32 (points, views, dim)`.
        first, first_view, second, second_view: `(pairs,)`.
    """
    for i in range(len(first)):
        one, other = values[first[i], first_view[i]], values[second[i], second_view[i]]
        total = 0.0
        for k in range(len(one)):
            difference = np.float64(one[k] - other[k])
            total += difference * difference
        apart[i] = np.sqrt(total)


def pair_distances_l1(values, first, first_view, second, second_view, apart):
    """L1 distances of pairs of patches: in single precision throughout, added as NumPy adds."""
    difference = values[first, first_view] - values[second, second_view]
    apart[:] = np.abs(difference).sum(axis=1)

"""The nearest wrong neighbours of a submission: points that matching confuses, as pictures."""

from dataclasses import dataclass

import numpy as np

from hpatches_kit.course.challenge.dealing.halves import HALVES
from hpatches_kit.course.challenge.dealing.secret_order import secret_order
from hpatches_kit.patches.views import VIEWS

# Pictures show participants which patches belong together. All submissions show some of the same
# few queries, of the public half, so that many pages do not show more than one.
QUERIES = 40
SHOWN = 8


@dataclass
class Failure:
    """A query whose nearest neighbour is wrong.

    Attributes:
        point: row of the query, shown by its `ref` patch.
        view: index of the view that is searched.
        wrong: row of the point whose patch is nearest.
        closer: number of patches that are closer than the right one.
        ratio: distance of the wrong patch divided by that of the right one, below 1.
    """

    point: int
    view: int
    wrong: int
    closer: int
    ratio: float


def choose_queries(key):
    """Return secret queries of the public half, `[(point, view), ...]`."""
    rows = np.flatnonzero(np.isin(key.sequence, key.names_of(HALVES[0])) & ~key.flat)
    points = rows[secret_order(key.secret, "queries", len(rows))[:QUERIES]]
    views = secret_order(key.secret, "views", len(points)) % (len(VIEWS) - 1) + 1
    return list(zip(points.tolist(), views.tolist()))


def find_failures(key, values, queries):
    """List the queries whose nearest neighbour is wrong, the smallest ratio first.

    A neighbour is a patch of the same sequence in the view of the query, as in matching. `values`
    are `float32 (points, 16, dim)`.
    """
    failures = []
    for point, view in queries:
        pool = np.flatnonzero(key.sequence == key.sequence[point])
        differences = values[pool, view].astype(np.float64) - values[point, 0]
        distance = np.sqrt((differences**2).sum(axis=1))
        right = distance[pool == point][0]
        nearest = int(distance.argmin())
        if distance[nearest] < right:
            closer = int((distance < right).sum())
            ratio = float(distance[nearest] / right)
            failures.append(Failure(point, view, int(pool[nearest]), closer, ratio))
    return sorted(failures, key=lambda failure: failure.ratio)

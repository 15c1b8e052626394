"""Random descriptors and task lists, on which two implementations of the benchmark must agree."""

import numpy as np

import hpatches_kit as hk
from hpatches_kit.benchmark.tasks import PairList, Tasks


def random_descriptors(seed, kind, shortest=1):
    """Descriptors of sequences of different lengths, one with `shortest` points; some are equal."""
    rng = np.random.default_rng(seed)
    lengths = [shortest, *rng.integers(2, 40, 4)]
    points, dim = sum(lengths), int(rng.integers(2, 20))
    values = rng.normal(size=(points, 1, dim)) + rng.normal(0, 0.8, (points, 16, dim))
    if kind == "tied":
        values = np.round(values)
    elif kind == "bits":
        values = (values > 0) * 1.0
    elif kind == "equal":
        values[:] = 3
    values[rng.integers(0, points, 6), rng.integers(0, 16, 6)] = values[0, 0]
    names = [f"{'iv'[k % 2]}_{k}" for k in range(5)]
    return hk.Descriptors(values, np.repeat(rng.permutation(names), lengths))


def random_tasks(descriptors, seed, pairs=300):
    """Random task lists; unlike in official lists, the three pair lists share no first patches."""
    rng, points = np.random.default_rng(seed), len(descriptors)

    def pair_list(count):
        rows, images = rng.integers(0, points, (2, count)), rng.integers(0, 6, (2, count))
        return PairList(rows[0], images[0], rows[1], images[1])

    lists = [pair_list(count) for count in (pairs, pairs + 20, pairs - 20)]
    order = rng.permutation(points)
    pools = (60, 10, 25, 100)  # in any order
    return Tasks(*lists, order[: points // 3], order[points // 3 :], pools, "random", points)

"""Fast distances, compared with SciPy to the last bit."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, cityblock, euclidean

from hpatches_kit.benchmark import exact_distances as distances
from hpatches_kit.benchmark.exact_distances import exact_distance, pair_distances, pair_distances_l1
from hpatches_kit.benchmark.verification import sort_distances

VALUES = ["normal", "unit", "halves", "bits", "nearly equal", "huge", "extreme", "tiny", "equal"]
VALUES += ["far from 0", "squares underflow"]


def vectors(kind, count=150, dim=33, seed=0):
    """Descriptors for which exact distances are difficult."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, dim))
    if kind == "unit":
        values /= np.linalg.norm(values, axis=1, keepdims=True)
    values = {
        "halves": np.round(values * 2) / 2,  # many equal distances
        "bits": (values > 0) * 1.0,
        "nearly equal": 1 + 1e-6 * values,
        "huge": 1e15 * values,
        "extreme": 1e38 * values / np.abs(values).max(),
        "tiny": 1e-42 * values,
        "equal": np.ones_like(values),
        "far from 0": values + 1e4,
        "squares underflow": np.where(np.arange(dim) == 0, 1, 1e-22 * values),
    }.get(kind, values)
    values[5] = values[count // 2] = values[9]  # exact duplicates
    return values.astype(np.float32)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_exact_distances_are_those_of_scipy_to_the_last_bit(kind, distance):
    values = vectors(kind, 60)
    expected = cdist(values, values, distances.METRICS[distance])
    result = [[distances.exact_distance(a, b, distance == "L1") for b in values] for a in values]
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind != "extreme"])
def test_block_distances_stay_within_their_error_bound(kind):
    queries, pool = vectors(kind), vectors(kind, seed=1)
    to_pool = distances.BlockDistances(pool, queries, "L2")
    prepared, base, error = to_pool.prepare(queries)
    expected = np.square(cdist(queries, pool))
    squared = to_pool.block(prepared).astype(np.float64) + base[:, None]
    assert (np.abs(squared - expected) <= error[:, None]).all()
    if kind in ("normal", "unit", "huge"):
        assert error.max() < 1e-3 * expected.max()  # the bound is narrow


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_nearest_returns_the_first_row_and_every_tie(kind, distance, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", 2000)  # several blocks
    queries = vectors(kind)
    pools = np.stack([vectors(kind, seed=seed) for seed in (0, 1)])
    pools[0, 40:43] = queries[3:6]
    for pool, results in zip(pools, zip(*distances.nearest(queries, pools, distance))):
        smallest, first, tied, own_is_nearest = results
        expected = cdist(queries, pool, distances.METRICS[distance])
        minimum = expected.min(axis=1)
        np.testing.assert_array_equal(smallest, minimum)
        np.testing.assert_array_equal(first, expected.argmin(axis=1))
        np.testing.assert_array_equal(tied, (expected == minimum[:, None]).sum(axis=1))
        np.testing.assert_array_equal(own_is_nearest, expected.diagonal() == minimum)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_closer_and_tied_rows_are_counted_exactly(kind, distance):
    queries, pool = vectors(kind, 40), vectors(kind, 150, seed=1)
    pool[100] = queries[7]
    expected = cdist(queries, pool, distances.METRICS[distance])
    near = expected[:, [3, 100, 20]]  # so that there are ties
    to_pool, ends = distances.BlockDistances(pool, queries, distance), np.array([0, 10, 64, 150])
    prepared, base, error = to_pool.prepare(queries)
    closer, tied = np.empty((2, 40, 3, 4), np.int64)
    bounds, is_l1, known = to_pool.bounds(near, base, error), distance == "L1", np.empty(150)
    arguments = *bounds, near, ends, queries, pool, is_l1, known
    distances.count_closer(to_pool.block(prepared), *arguments, closer, tied)
    for e, end in enumerate(ends):
        in_pool = expected[:, None, :end]
        np.testing.assert_array_equal(closer[..., e], (in_pool < near[..., None]).sum(axis=2))
        np.testing.assert_array_equal(tied[..., e], (in_pool == near[..., None]).sum(axis=2))


@pytest.mark.parametrize("kind", ["normal", "unit", "halves", "bits", "far from 0"])
@pytest.mark.parametrize("dim", [5, 128, 200])
def test_pair_distances_are_those_of_scipy_rounded_to_single_precision(kind, dim):
    values, result = vectors(kind, 300, dim).reshape(100, 3, dim), np.empty(300, np.float32)
    first, second = np.random.default_rng(1).integers(0, 100, (2, 300))
    view, other_view = np.random.default_rng(2).integers(0, 3, (2, 300))
    order = np.random.default_rng(3).permutation(300)
    oracles = {distances.pair_distances: euclidean, distances.pair_distances_l1: cityblock}
    for measure, oracle in oracles.items():
        measure(values, first, view, second, other_view, order, result)
        pairs = zip(values[first, view], values[second, other_view])
        expected = [np.float32(oracle(*pair)) for pair in pairs]
        np.testing.assert_array_equal(result[order], expected)


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_distances_are_sorted_as_numpy_sorts(count):
    rng = np.random.default_rng(count)
    numbers = rng.choice([0, 1e-40, 1e-3, 1, 1.5, 3e38], count) * rng.random(count)
    for values in (numbers.astype(np.float32), np.round(numbers).astype(np.float32)[::2].copy()):
        np.testing.assert_array_equal(sort_distances(values), np.sort(values))


def test_l1_is_the_sum_of_absolute_differences():
    values, result = np.array([[[0, 0], [3, 4]]], np.float32), np.empty(1, np.float32)
    point, view, other_view = np.array([0]), np.array([0]), np.array([1])
    pair_distances_l1(values, point, view, point, other_view, point, result)
    assert result == exact_distance(*values[0], True) == 7
    pair_distances(values, point, view, point, other_view, point, result)
    assert result == exact_distance(*values[0], False) == 5

import numpy as np
import pytest
from scipy.spatial.distance import cdist, cityblock, euclidean

from hpatches_kit.benchmark import exact_distances as distances
from hpatches_kit.benchmark.exact_distances import (
    ManyDistances,
    count_closer,
    exact_distance,
    nearest,
    pair_distances,
    pair_distances_l1,
)
from hpatches_kit.benchmark.verification import sort_distances

KINDS = ["normal", "unit", "halves", "bits", "alike", "huge", "absurd", "tiny", "equal", "far from 0"]  # fmt: skip


def vectors(kind, count=150, dim=33, seed=0):
    """Descriptors that put exactness to the test."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, dim))
    if kind == "unit":
        values /= np.linalg.norm(values, axis=1, keepdims=True)
    values = {
        "halves": np.round(values * 2) / 2,  # many equal distances
        "bits": (values > 0) * 1.0,
        "alike": 1 + 1e-6 * values,
        "huge": 1e17 * values,
        "absurd": 1e38 * values / np.abs(values).max(),
        "tiny": 1e-42 * values,
        "equal": np.ones_like(values),
        "far from 0": values + 1e4,
    }.get(kind, values)
    values[5] = values[count // 2] = values[9]  # exact duplicates
    return values.astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_exact_distances_are_those_of_scipy_to_the_last_bit(kind, distance):
    values = vectors(kind, 60)
    expected = cdist(values, values, distances.METRICS[distance])
    found = [[exact_distance(a, b, distance == "L1") for b in values] for a in values]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "absurd"])
def test_many_distances_keep_within_their_margin(kind):
    one, other = vectors(kind), vectors(kind, seed=1)
    quick = ManyDistances(other, one, "L2")
    prepared, base, margin = quick.prepared(one)
    true = np.square(cdist(one, other) / quick.scale)
    found = quick.many(prepared).astype(np.float64) + base[:, None]
    assert (np.abs(found - true) <= margin[:, None]).all()
    if kind in ("normal", "unit", "huge"):
        assert margin.max() < 1e-3 * true.max()  # and it is narrow


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_nearest_finds_the_first_and_every_tie(kind, distance, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", 2000)  # several blocks
    one = vectors(kind)
    pools = np.stack([vectors(kind, seed=seed) for seed in (0, 1)])
    pools[0, 40:43] = one[3:6]
    for pool, (apart, first, tied, own) in zip(pools, zip(*nearest(one, pools, distance))):
        expected = cdist(one, pool, distances.METRICS[distance])
        least = expected.min(axis=1)
        np.testing.assert_array_equal(apart, least)
        np.testing.assert_array_equal(first, expected.argmin(axis=1))
        np.testing.assert_array_equal(tied, (expected == least[:, None]).sum(axis=1))
        np.testing.assert_array_equal(own, expected.diagonal() == least)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_closer_and_tied_rows_are_counted_exactly(kind, distance):
    queries, pool = vectors(kind, 40), vectors(kind, 150, seed=1)
    pool[100] = queries[7]
    expected = cdist(queries, pool, distances.METRICS[distance])
    near = expected[:, [3, 100, 20]]  # so that there are ties
    many, ends = ManyDistances(pool, queries, distance), np.array([0, 10, 64, 150])
    prepared, base, margin = many.prepared(queries)
    closer, tied = np.empty((2, 40, 3, 4), np.int64)
    limits = many.limits(near, base, margin)
    found = many.many(prepared)
    count_closer(found, *limits, near, ends, queries, pool, distance == "L1", closer, tied)
    for e, end in enumerate(ends):
        some = expected[:, None, :end]
        np.testing.assert_array_equal(closer[..., e], (some < near[..., None]).sum(axis=2))
        np.testing.assert_array_equal(tied[..., e], (some == near[..., None]).sum(axis=2))


@pytest.mark.parametrize("kind", ["normal", "unit", "halves", "bits", "far from 0"])
@pytest.mark.parametrize("dim", [5, 128, 200])
def test_pair_distances_are_those_of_scipy_rounded_to_single_precision(kind, dim):
    values, found = vectors(kind, 300, dim).reshape(100, 3, dim), np.empty(300, np.float32)
    first, second = np.random.default_rng(1).integers(0, 100, (2, 300))
    view, other_view = np.random.default_rng(2).integers(0, 3, (2, 300))
    for measure, oracle in ((pair_distances, euclidean), (pair_distances_l1, cityblock)):
        measure(values, first, view, second, other_view, found)
        pairs = zip(values[first, view], values[second, other_view])
        expected = [np.float32(oracle(one, other)) for one, other in pairs]
        np.testing.assert_array_equal(found, expected)


def test_l1_is_the_sum_of_absolute_differences():
    values, found = np.array([[[0, 0], [3, 4]]], np.float32), np.empty(1, np.float32)
    point, view, other_view = np.array([0]), np.array([0]), np.array([1])
    pair_distances_l1(values, point, view, point, other_view, found)
    assert found == exact_distance(*values[0], True) == 7
    pair_distances(values, point, view, point, other_view, found)
    assert found == exact_distance(*values[0], False) == 5


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_distances_are_sorted_as_numpy_sorts(count):
    rng = np.random.default_rng(count)
    found = rng.choice([0, 1e-40, 1e-3, 1, 1.5, 3e38], count) * rng.random(count)
    for values in (found.astype(np.float32), np.round(found).astype(np.float32)[::2].copy()):
        np.testing.assert_array_equal(sort_distances(values), np.sort(values))

import numpy as np
import pytest
from scipy.spatial.distance import cdist, cityblock, euclidean

from hpatches_kit.benchmark import distances
from hpatches_kit.benchmark.distances import QuickDistances, exact_distances, nearest
from hpatches_kit.benchmark.verification import pair_distances

KINDS = ["normal", "unit", "halves", "bits", "alike", "huge", "tiny", "equal", "far from 0"]


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
        "huge": 1e30 * values,
        "tiny": 1e-30 * values,
        "equal": np.ones_like(values),
        "far from 0": values + 1e4,
    }.get(kind, values)
    values[5] = values[70] = values[9]  # exact duplicates
    return values.astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_exact_distances_are_those_of_scipy_to_the_last_bit(kind, distance):
    values = vectors(kind)
    expected = cdist(values, values, distances.METRICS[distance])
    rows, columns = np.divmod(np.arange(150 * 150), 150)
    found = exact_distances(values[rows], values[columns], distance)
    np.testing.assert_array_equal(found.reshape(150, 150), expected)
    np.testing.assert_array_equal(
        exact_distances(values[:1], values[1:2], distance), expected[0, 1:2]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_quick_distances_keep_within_their_margin(kind):
    one, other = vectors(kind), vectors(kind, seed=1)
    quick = QuickDistances(other)
    found, base, margin = quick(one)
    true = np.square(cdist(one, other) / quick.scale)
    assert (np.abs(found.astype(np.float64) + base[:, None] - true) <= margin[:, None]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_nearest_finds_every_tie_and_nothing_else(kind, distance, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", 2000)  # several blocks
    one, other = vectors(kind), vectors(kind, count=90, seed=1)
    other[40:43] = one[3:6]
    expected = cdist(one, other, distances.METRICS[distance])
    apart, rows, columns = nearest(one, other, distance)
    np.testing.assert_array_equal(apart, expected.min(axis=1))
    wanted = np.nonzero(expected == expected.min(axis=1)[:, None])
    np.testing.assert_array_equal([rows, columns], wanted)


def test_nearest_of_a_single_row():
    one = vectors("unit")
    apart, rows, columns = nearest(one[:1], one[3:4])
    assert (apart[0], rows.tolist(), columns.tolist()) == (cdist(one[:1], one[3:4])[0, 0], [0], [0])


@pytest.mark.parametrize("kind", ["normal", "unit", "halves", "bits", "far from 0"])
def test_pair_distances_are_those_of_scipy_rounded_to_single_precision(kind):
    one, other = vectors(kind, 300, 200), vectors(kind, 300, 200, seed=1)
    for distance, oracle in (("L2", euclidean), ("L1", cityblock)):
        expected = [np.float32(oracle(a, b)) for a, b in zip(one, other)]
        np.testing.assert_array_equal(pair_distances(one, other, distance), expected)


def test_l1_is_the_sum_of_absolute_differences():
    one, other = np.zeros((1, 2), np.float32), np.array([[3, 4]], np.float32)
    assert pair_distances(one, other, "L1") == exact_distances(one, other, "L1") == [7]
    assert pair_distances(one, other) == exact_distances(one, other) == [5]

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hpatches_kit.benchmark.average_precision import (
    average_precision,
    mean_precision,
    roc_auc,
    tie_neutral_area,
)


def area_slowly(true):
    """Area under precision and recall, from the positives found (or expected) at each rank."""
    area, recall, precision = 0.0, 0.0, 1.0
    for rank, found in enumerate(true, 1):
        r, p = found / true[-1], max(found, 1e-10) / rank
        area += (r - recall) * (p + precision) / 2
        recall, precision = r, p
    return area


def ranks(distance, positive):
    """Negatives before each positive, by a stable sort."""
    ranked = positive[np.argsort(distance, kind="stable")]
    return np.cumsum(~ranked)[ranked]


def groups(distance, positive):
    """Arguments of `tie_neutral_area`, counted one distance at a time."""
    rows = []
    for value in np.unique(distance):
        before, here = distance < value, distance == value
        rows.append([(before & positive).sum(), before.sum(), (here & positive).sum(), here.sum()])
    return np.array(rows).T


def test_average_precision_by_hand():
    assert average_precision([0, 0, 0]) == pytest.approx(1)  # all positives first
    # one negative, then both positives: precision 0 -> 1/2, 1/2 -> 2/3
    assert average_precision([1, 1]) == pytest.approx((0.25 + (0.5 + 2 / 3) / 2) / 2)
    assert average_precision([0], positives=4) == pytest.approx(0.25)  # three never found
    assert average_precision([], positives=4) == 0
    assert average_precision(np.zeros((7, 5))).shape == (7,)


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_the_area_under_the_whole_curve(seed):
    rng = np.random.default_rng(seed)
    distance, positive = rng.integers(0, 15, 60), rng.random(60) < 0.4
    true = np.cumsum(positive[np.argsort(distance, kind="stable")])
    found = average_precision(ranks(distance, positive))
    assert found == pytest.approx(area_slowly(true), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_without_ties_mean_precision_and_roc_area_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    distance, positive = rng.normal(size=200), rng.random(200) < 0.3
    before = ranks(distance, positive)
    assert mean_precision(before) == pytest.approx(average_precision_score(positive, -distance))
    assert roc_auc(before, (~positive).sum()) == pytest.approx(roc_auc_score(positive, -distance))


def test_mean_precision_by_hand():
    assert mean_precision([1, 1]) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert mean_precision([0], positives=4) == 0.25


@pytest.mark.parametrize("distance", [[0, 0, 0, 0], [0, 1, 1, 1, 2], [0, 0, 1, 1, 1], [2, 1, 1, 1]])
def test_tie_neutral_curves_have_what_all_orders_of_the_ties_have_on_average(distance):
    distance = np.array(distance)
    for bits in range(1, 2 ** len(distance)):
        positive = np.array([bits >> k & 1 for k in range(len(distance))], bool)
        curves = []
        for order in permutations(range(len(distance))):
            if (np.diff(distance[list(order)]) >= 0).all():
                curves.append(np.cumsum(positive[list(order)]))
        expected = area_slowly(np.mean(curves, axis=0))
        found = tie_neutral_area(*groups(distance, positive)).sum() / positive.sum()
        assert found == pytest.approx(expected, abs=1e-9)


def test_without_ties_the_tie_neutral_number_is_the_official_one():
    rng = np.random.default_rng(0)
    distance, positive = rng.permutation(5000), rng.random(5000) < 0.2
    found = tie_neutral_area(*groups(distance, positive)).sum() / positive.sum()
    assert found == pytest.approx(average_precision(ranks(distance, positive)), abs=1e-9)

"""Average precision and ROC area, compared with slow forms and with scikit-learn."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hpatches_kit.benchmark.precision_recall import (
    average_precision,
    mean_precision,
    roc_auc,
    tie_neutral_area,
)


def curve_area(true):
    """Area under the precision-recall curve, from the (expected) positives up to each rank."""
    area, recall, precision = 0.0, 0.0, 1.0
    for rank, count in enumerate(true, 1):
        r, p = count / true[-1], max(count, 1e-10) / rank
        area += (r - recall) * (p + precision) / 2
        recall, precision = r, p
    return area


def negatives_before(distance, positive):
    """Number of negatives before each positive, by a stable sort."""
    ranked = positive[np.argsort(distance, kind="stable")]
    return np.cumsum(~ranked)[ranked]


def tie_groups(distance, positive):
    """Arguments of `tie_neutral_area`, counted one distance at a time."""
    rows = []
    for value in np.unique(distance):
        before, tied = distance < value, distance == value
        rows.append([(before & positive).sum(), before.sum(), (tied & positive).sum(), tied.sum()])
    return np.array(rows).T


def test_average_precision_by_hand():
    assert average_precision([0, 0, 0]) == pytest.approx(1)  # all positives first
    # one negative, then both positives: precision 0 -> 1/2, 1/2 -> 2/3
    assert average_precision([1, 1]) == pytest.approx((0.25 + (0.5 + 2 / 3) / 2) / 2)
    assert average_precision([0], positives=4) == pytest.approx(0.25)  # three are never retrieved
    assert average_precision([], positives=4) == 0
    assert mean_precision([0], positives=4) == 0.25
    assert average_precision(np.zeros((7, 5))).shape == (7,)


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_the_area_under_the_whole_curve(seed):
    rng = np.random.default_rng(seed)
    distance, positive = rng.integers(0, 15, 60), rng.random(60) < 0.4
    true = np.cumsum(positive[np.argsort(distance, kind="stable")])
    area = average_precision(negatives_before(distance, positive))
    assert area == pytest.approx(curve_area(true), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_without_ties_mean_precision_and_roc_area_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    distance, positive = rng.normal(size=200), rng.random(200) < 0.3
    before = negatives_before(distance, positive)
    assert mean_precision(before) == pytest.approx(average_precision_score(positive, -distance))
    assert roc_auc(before, (~positive).sum()) == pytest.approx(roc_auc_score(positive, -distance))


@pytest.mark.parametrize("distance", [[0, 0, 0, 0], [0, 1, 1, 1, 2], [0, 0, 1, 1, 1], [2, 1, 1, 1]])
def test_the_tie_neutral_curve_is_the_mean_over_all_orders_of_the_ties(distance):
    distance = np.array(distance)
    for bits in range(1, 2 ** len(distance)):
        positive = np.array([bits >> k & 1 for k in range(len(distance))], bool)
        curves = []
        for order in permutations(range(len(distance))):
            if (np.diff(distance[list(order)]) >= 0).all():
                curves.append(np.cumsum(positive[list(order)]))
        expected = curve_area(np.mean(curves, axis=0))
        area = tie_neutral_area(*tie_groups(distance, positive)).sum() / positive.sum()
        assert area == pytest.approx(expected, abs=1e-9)


def test_mean_precision_by_hand():
    assert mean_precision([1, 1]) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert mean_precision([0], positives=4) == 0.25


def test_without_ties_the_tie_neutral_number_is_the_official_one():
    rng = np.random.default_rng(0)
    distance, positive = rng.permutation(5000), rng.random(5000) < 0.2
    area = tie_neutral_area(*tie_groups(distance, positive)).sum() / positive.sum()
    assert area == pytest.approx(average_precision(negatives_before(distance, positive)), abs=1e-9)

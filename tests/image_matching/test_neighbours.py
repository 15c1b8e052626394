"""Nearest neighbours among descriptors."""

import numpy as np
import pytest
from skimage.feature import match_descriptors

from hpatches_kit._support.errors import UserError
from hpatches_kit.image_matching.neighbours import nearest_pairs


def on_a_line(*places):
    return np.array(places, float)[:, None]


def test_a_mutual_pair_is_nearest_from_both_sides():
    a, b = on_a_line(0, 2, 10), on_a_line(1.5, 10.5, 30)
    pairs, distances = nearest_pairs(a, b)
    assert pairs.tolist() == [[1, 0], [2, 1]]  # 0 is nearest to 1.5, which is nearer to 2
    np.testing.assert_allclose(distances, [0.5, 0.5])
    one_sided, _ = nearest_pairs(a, b, mutual=False)
    assert one_sided.tolist() == [[0, 0], [1, 0], [2, 1]]


def test_the_ratio_test_keeps_a_pair_below_the_ratio_to_the_second_nearest():
    a, b = on_a_line(0, 10), on_a_line(1, -2, 9, 12)  # ratios 1/2 and 1/2
    assert len(nearest_pairs(a, b, ratio=0.51)[0]) == 2
    assert len(nearest_pairs(a, b, ratio=0.49)[0]) == 0
    assert nearest_pairs(on_a_line(0), on_a_line(5), ratio=0.1)[0].tolist() == [[0, 0]]


def test_pairs_agree_with_scikit_image():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 80, 16)).astype(np.float32)
    b[:60] = a[20:] + rng.normal(0, 0.4, (60, 16))
    for ratio in (None, 0.8):
        expected = match_descriptors(a, b, cross_check=True, max_ratio=ratio or 1.0)
        pairs, distances = nearest_pairs(a, b, ratio=ratio)
        np.testing.assert_array_equal(pairs, expected)
        np.testing.assert_allclose(
            distances, np.linalg.norm(a[pairs[:, 0]] - b[pairs[:, 1]], axis=1), rtol=1e-3
        )


@pytest.mark.parametrize(("count_a", "count_b"), [(0, 5), (5, 0), (0, 0)])
def test_no_descriptors_give_no_pairs(count_a, count_b):
    pairs, distances = nearest_pairs(np.ones((count_a, 8)), np.ones((count_b, 8)))
    assert pairs.shape == (0, 2) and distances.shape == (0,)


def test_descriptors_of_different_dimensions_are_refused():
    with pytest.raises(UserError, match=r"dimensions \(4,\) and \(5,\): expected equal"):
        nearest_pairs(np.ones((3, 4)), np.ones((3, 5)))


@pytest.mark.parametrize("ratio", [0, -1, 1.1])
def test_a_ratio_outside_0_to_1_is_refused(ratio):
    with pytest.raises(UserError, match="expected a number greater than 0, at most 1"):
        nearest_pairs(np.ones((2, 2)), np.ones((2, 2)), ratio=ratio)

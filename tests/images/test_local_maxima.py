"""Local maxima."""

import numpy as np
import pytest
from skimage.feature import peak_local_max

from hpatches_kit.images.local_maxima import local_maxima


@pytest.mark.parametrize("has_ties", [False, True])
@pytest.mark.parametrize("min_distance", [1, 2])
def test_they_are_those_of_scikit_image_in_the_same_order(min_distance, has_ties):
    response = np.random.default_rng(0).normal(size=(4, 30, 40)).astype(np.float32)
    if has_ties:
        response = np.round(2 * response) / 2
    options = {"threshold_abs": 0.5, "min_distance": min_distance, "exclude_border": False}
    expected = peak_local_max(response, **options)
    found = local_maxima(response, 0.5, (min_distance,) * 3)
    assert len(found) > 20
    np.testing.assert_array_equal(found, expected)
    of_plane = local_maxima(response[:1], 0.5, (0, min_distance, min_distance))
    np.testing.assert_array_equal(of_plane[:, 1:], peak_local_max(response[0], **options))


def test_a_uniform_response_has_no_maximum_above_itself():
    assert local_maxima(np.ones((3, 9, 9), np.float32), 1.0, (1, 1, 1)).shape == (0, 3)

"""Keypoints of any origin, and of resized pictures."""

from types import SimpleNamespace

import numpy as np

from hpatches_kit.image_matching.keypoints import as_keypoints, from_opencv, move_keypoints
from hpatches_kit.images.homographies import scaling_homography


def test_a_keypoint_of_opencv_has_twice_the_scale_as_its_size_and_its_angle_in_degrees():
    point = SimpleNamespace(pt=(10.5, 20.0), size=6.0, angle=90.0)
    without_angle = SimpleNamespace(pt=(1.0, 2.0), size=4.0, angle=-1.0)
    expected = [[10.5, 20.0, 3.0, np.pi / 2], [1.0, 2.0, 2.0, 0.0]]
    np.testing.assert_allclose(from_opencv([point, without_angle]), expected)
    np.testing.assert_allclose(as_keypoints((point, without_angle), (50, 50)), expected)
    assert from_opencv([]).shape == (0, 4)


def test_keypoints_keep_their_place_when_a_picture_is_enlarged():
    """The centre of the first of 10 pixels is half a pixel from the edge: 1.5 pixels of 30."""
    scaling = scaling_homography((10, 10), (30, 30))
    moved = move_keypoints(np.array([[0.0, 4.5, 2.0, 0.7]]), scaling)
    np.testing.assert_allclose(moved, [[1.0, 14.5, 6.0, 0.7]])
    back = move_keypoints(moved, np.linalg.inv(scaling))
    np.testing.assert_allclose(back, [[0.0, 4.5, 2.0, 0.7]], atol=1e-12)


def test_points_on_the_outer_edge_of_the_first_and_last_pixel_are_inside():
    edge = np.array([[-0.5, -0.5, 1, 0], [19.5, 9.5, 1, 0]])
    np.testing.assert_array_equal(as_keypoints(edge, (10, 20)), edge)

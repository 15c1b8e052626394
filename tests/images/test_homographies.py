import numpy as np

from hpatches_kit.images.homographies import project, random_homography, scaling_homography


def test_scaling_maps_the_edges_and_the_centre_to_those_of_the_other_size():
    # 200x100 pixels become 50x20: x by 1/4, y by 1/5. The edges lie half a pixel outside.
    matrix = scaling_homography((100, 200), (20, 50))
    x, y = project(matrix[None], np.array([[-0.5, -0.5], [199.5, 99.5], [99.5, 49.5]]))
    np.testing.assert_allclose(x[0], [-0.5, 49.5, 24.5], atol=1e-12)
    np.testing.assert_allclose(y[0], [-0.5, 19.5, 9.5], atol=1e-12)


def test_a_random_homography_moves_the_centre_by_at_most_3_percent_of_the_size():
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(random_homography((100, 200), 0, rng), np.eye(3), atol=1e-12)
    maps = np.stack([random_homography((100, 200), 1, rng) for _ in range(200)])
    x, y = project(maps, np.array([[99.5, 49.5]]))
    assert 5 < np.abs(x - 99.5).max() <= 6 and 2.5 < np.abs(y - 49.5).max() <= 3


def test_points_behind_the_camera_have_no_projection():
    # A plane whose horizon crosses the image: the part left of x = 100 is behind the camera.
    homography = np.array([[1, 0, -150], [0.5, 1, -150], [0.01, 0, -1]])
    squares = [[[10, 0, x], [0, 10, 100], [0, 0, 1]] for x in (40, 250, 101)]
    maps = homography @ np.array(squares, float)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    x, y = project(maps, corners)
    assert np.isnan(x[0]).all() and np.isfinite(x[1]).all() and np.isnan(x[2]).any()
    np.testing.assert_array_equal(np.isnan(x), np.isnan(y))
    negated, _ = project(-maps, corners)  # the same homographies
    np.testing.assert_allclose(negated, x)

import numpy as np
import pytest

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.homographies import project
from hpatches_kit.images.virtual_sequences import lighting_sequence, relight, viewpoint_sequence


@pytest.fixture(scope="module")
def coffee():
    return photograph("coffee")


def test_the_homography_maps_a_pixel_to_its_position_in_each_image(coffee):
    marked = np.full_like(coffee, 30)
    marked[197:204, 297:304] = 250  # one bright square in the centre
    sequence = viewpoint_sequence("v_marked", marked, seed=2)
    for image, matrix in zip(sequence.images[1:], sequence.homographies):
        x, y = project(matrix[None], np.array([[300.0, 200.0]]))
        bright = np.argwhere(image > 150).mean(axis=0)
        assert np.hypot(bright[1] - x[0, 0], bright[0] - y[0, 0]) < 0.6


def test_each_viewpoint_is_farther_from_the_photograph_than_the_one_before(coffee):
    distance = np.zeros(5)
    for seed in range(20):
        for k, matrix in enumerate(viewpoint_sequence("v", coffee[::8, ::8], seed).homographies):
            x, y = project(matrix[None], np.array([[0.0, 0], [74, 0], [74, 49], [0, 49]]))
            distance[k] += np.hypot(x - [0, 74, 74, 0], y - [0, 0, 49, 49]).mean()
    assert (np.diff(distance) > 0).all()


def test_lighting_moves_no_pixel_and_its_change_grows(coffee):
    sequence = lighting_sequence("i_coffee", coffee, seed=0)
    np.testing.assert_array_equal(sequence.homographies, np.repeat(np.eye(3)[None], 5, 0))
    change = np.zeros(5)
    for seed in range(10):
        images = lighting_sequence("i", coffee[::4, ::4], seed).images
        change += [np.abs(image - images[0]).mean() for image in images[1:]]
    assert change[-1] > 2 * change[0]


def test_relighting_of_strength_0_only_applies_jpeg(coffee):
    relit = relight(coffee, 0.0, np.random.default_rng(0))
    assert np.abs(relit - coffee).mean() < 2  # JPEG at quality 95


def test_the_same_seed_gives_the_same_images_and_another_seed_gives_others(coffee):
    for make in (viewpoint_sequence, lighting_sequence):
        first, same, other = (make("x", coffee[::4, ::4], seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.images[5], same.images[5])
        assert (first.images[5] != other.images[5]).any()

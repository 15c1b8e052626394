import numpy as np
import pytest

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.homographies import project
from hpatches_kit.images.virtual_effects import EFFECTS
from hpatches_kit.images.virtual_sequences import (
    LIGHTING,
    VIEWPOINT,
    lighting_sequence,
    viewpoint_sequence,
    warp,
)

BOTH = pytest.mark.parametrize("make", [viewpoint_sequence, lighting_sequence])


@pytest.fixture(scope="module")
def coffee():
    return photograph("coffee")


def test_the_strengths_list_the_effects_in_the_order_of_application():
    assert list(VIEWPOINT) == list(LIGHTING) == ["homography", "displacement", *EFFECTS]
    assert 0 <= min([*VIEWPOINT.values(), *LIGHTING.values()])
    assert max([*VIEWPOINT.values(), *LIGHTING.values()]) == 1


def test_the_homography_maps_a_pixel_to_its_position_in_each_image(coffee):
    marked = np.full_like(coffee, 30)
    marked[197:204, 297:304] = 250  # one bright square in the centre
    sequence = viewpoint_sequence("v_marked", marked, seed=2, strengths={"homography": 0.5})
    for image, matrix in zip(sequence.images[1:], sequence.homographies):
        x, y = project(matrix[None], np.array([[300.0, 200.0]]))
        bright = np.argwhere(image > 150).mean(axis=0)
        assert np.hypot(bright[1] - x[0, 0], bright[0] - y[0, 0]) < 0.6


def test_displacement_moves_a_pixel_away_from_where_the_homography_says(coffee):
    marked = np.full_like(coffee, 30)
    marked[197:204, 297:304] = 250
    distances = []
    for seed in range(10):
        sequence = lighting_sequence("i", marked, seed, {"displacement": 2})
        np.testing.assert_array_equal(sequence.homographies, np.repeat(np.eye(3)[None], 5, 0))
        bright = np.argwhere(sequence.images[5] > 150).mean(axis=0)
        distances.append(np.hypot(*(bright - [200, 300])))
    assert 0.5 < np.mean(distances) < 5 and max(distances) < 8


@pytest.mark.parametrize("axis", [0, 1])
def test_a_reduced_image_is_blurred_against_aliasing_along_both_axes(axis):
    stripes = np.full((200, 200), 60.0, np.float32)
    stripes[:, ::2] = 200
    squeeze = np.diag([0.3, 1.0, 1.0])  # across the stripes
    if axis == 1:
        stripes, squeeze = stripes.T, np.diag([1.0, 0.3, 1.0])
    squeezed = warp(stripes, squeeze, np.zeros((2, 200, 200)))[:50, :50]
    assert stripes.std() == 70 and squeezed.std() < 7


def test_each_viewpoint_is_farther_from_the_photograph_than_the_one_before(coffee):
    distance = np.zeros(5)
    for seed in range(20):
        for k, matrix in enumerate(viewpoint_sequence("v", coffee[::8, ::8], seed).homographies):
            x, y = project(matrix[None], np.array([[0.0, 0], [74, 0], [74, 49], [0, 49]]))
            distance[k] += np.hypot(x - [0, 74, 74, 0], y - [0, 0, 49, 49]).mean()
    assert (np.diff(distance) > 0).all()


@BOTH
def test_the_change_grows_from_image_to_image(make, coffee):
    change = np.zeros(5)
    for seed in range(10):
        images = make("x", coffee[::4, ::4], seed).images
        change += [np.abs(image - images[0]).mean() for image in images[1:]]
    assert (np.diff(change) > 0).all() and change[-1] > 3 * change[0]


@BOTH
def test_without_effects_all_images_are_the_photograph(make, coffee):
    sequence = make("x", coffee, strengths={})
    for image, matrix in zip(sequence.images[1:], sequence.homographies):
        np.testing.assert_array_equal(image, np.rint(coffee))
        np.testing.assert_allclose(matrix, np.eye(3), atol=1e-12)


@BOTH
def test_an_effect_alone_changes_only_what_it_names(make, coffee):
    for seed in range(4):  # haze takes part in every sequence
        image = make("x", coffee[::4, ::4], seed, {"haze": 1}).images[5]
        order = np.argsort(coffee[::4, ::4], axis=None)
        assert (np.diff(image.ravel()[order]) >= -1).all()  # moved no pixel, rounded


@BOTH
def test_the_same_seed_gives_the_same_images_and_another_seed_gives_others(make, coffee):
    first, same, other = (make("x", coffee[::4, ::4], seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.images[5], same.images[5])
    assert (first.images[5] != other.images[5]).any()


@BOTH
@pytest.mark.parametrize(
    "strengths, message",
    [
        ({"fog": 1}, "Unknown effect 'fog': expected some of homography, displacement, shadow"),
        ({"haze": -1}, "haze has strength -1"),
        ({"homography": 1.3}, "homography has strength 1.3: expected 0 .* to 1.2"),
        ({"defocus": 2.5}, "defocus has strength 2.5: expected 0 .* to 2"),
        ({"displacement": np.nan}, "displacement has strength nan"),
    ],
)
def test_wrong_strengths_are_named_before_any_image_is_made(make, strengths, message, coffee):
    with pytest.raises(ValueError, match=message):
        make("x", coffee, strengths=strengths)


@BOTH
def test_a_colour_photograph_is_refused(make):
    with pytest.raises(ValueError, match=r"\(8, 8, 3\): expected grey"):
        make("x", np.zeros((8, 8, 3)))

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from skimage.transform import rescale

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.keypoints import detect_keypoints
from hpatches_kit.images.sequences import ImageSequence, read_sequence
from hpatches_kit.images.virtual_sequences import viewpoint_sequence
from hpatches_kit.patches import extraction
from hpatches_kit.patches.extraction import extract, image_of_views
from hpatches_kit.patches.views import VIEWS

REAL = Path(__file__).resolve().parents[3] / "shared" / "sequences"  # beside some checkouts


def correlations(patches):
    """Correlation of each view with the reference of its point, and with that of the next point."""
    pixels = patches.reshape(len(patches), 16, -1).astype(float)
    pixels -= pixels.mean(axis=2, keepdims=True)
    pixels /= np.linalg.norm(pixels, axis=2, keepdims=True)
    references = pixels[:, 0]
    return [
        np.einsum("pd,pvd->pv", compared, pixels)
        for compared in (references, np.roll(references, 1, axis=0))
    ]


@pytest.fixture(scope="module")
def virtual():
    return viewpoint_sequence("v_coffee", photograph("coffee"), 0, {"homography": 1})


@pytest.fixture(scope="module")
def cut(virtual):
    return extract(virtual, count=150, seed=0)


def test_the_overlap_of_a_shifted_region_is_the_intersection_over_union():
    shift = np.repeat(np.eye(3)[None], 3, 0)
    shift[:, 0, 2] = 0, 0.5, 3
    np.testing.assert_allclose(extraction.overlap(shift, 401), [1, 3 / 5, 0], atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "median"), [("e", 0.85), ("h", 0.72), ("t", 0.60)])
def test_the_median_overlap_of_jittered_regions_is_that_of_hpatches(level, median):
    maps = extraction.jitter(800, level, np.random.default_rng(0))
    assert np.median(extraction.overlap(maps)) == pytest.approx(median, abs=0.012)


def test_a_region_reaches_five_scales_to_each_side_and_is_rotated_by_its_angle():
    (matrix,) = extraction.regions([[50.0, 40.0, 2.0, np.pi / 2]])
    x, y = extraction.project(matrix[None], np.array([[0, 0], [1, 0], [0, 1]], float))
    np.testing.assert_allclose(x[0], [50, 50, 40], atol=1e-9)
    np.testing.assert_allclose(y[0], [40, 50, 40], atol=1e-9)


def test_sampling_at_the_pixels_of_an_image_gives_the_image():
    image = np.random.default_rng(0).integers(0, 256, (90, 100)).astype(np.float32)
    window = np.array([[32.5, 0, 40], [0, 32.5, 45], [0, 0, 1.0]])  # 65 pixels wide
    patch = extraction.sample(image, window[None])[0]
    np.testing.assert_array_equal(patch, image[45 - 32 : 45 + 33, 40 - 32 : 40 + 33])


def test_sampling_equals_bilinear_interpolation_by_scipy_inside_and_outside_the_image():
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 256, (60, 80)).astype(np.float32)
    maps = np.eye(3) + rng.normal(0, 0.05, (20, 3, 3))  # perspective, too
    maps[:, :2] *= 15  # no region is so large that it is read from the pyramid
    maps[:, :2, 2] = rng.uniform(-10, 90, (20, 2))
    centres = (2 * np.arange(65) + 1) / 65 - 1
    x, y = extraction.project(maps, np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 2))
    assert (x < 0).any() and (x > 79).any() and (y < 0).any() and (y > 59).any()
    coordinates = [y.astype(np.float32), x.astype(np.float32)]
    expected = map_coordinates(image, coordinates, np.float32, order=1, mode="nearest")
    expected = np.clip(np.rint(expected), 0, 255).reshape(-1, 65, 65)
    np.testing.assert_array_equal(extraction.sample(image, maps), expected)


@pytest.mark.parametrize("period", [2.0, 2.5, 3.1])
def test_a_large_region_of_fine_stripes_is_grey_without_aliasing(period):
    x = np.arange(700)
    stripes = np.broadcast_to(127.5 + 127 * np.sin(2 * np.pi * x / period), (700, 700))
    window = np.array([[300.0, 0, 350], [0, 300.0, 350], [0, 0, 1]])  # steps of 9 pixels
    patch = extraction.sample(stripes, window[None])[0].astype(float)
    assert patch.std() < 2 and patch.mean() == pytest.approx(127.5, abs=2)


def test_a_large_region_shows_the_same_as_a_reduced_image():
    image = photograph("astronaut")
    small = rescale(image, 0.25, anti_aliasing=True, preserve_range=True)
    large_region = np.array([[[130.0, 0, 255.5], [0, 130.0, 255.5], [0, 0, 1]]])
    small_region = np.array([[[32.5, 0, 63.5], [0, 32.5, 63.5], [0, 0, 1]]])
    from_image = extraction.sample(image, large_region)
    from_small = extraction.sample(small, small_region)
    assert np.corrcoef(from_image.ravel(), from_small.ravel())[0, 1] > 0.99


def test_without_jitter_and_motion_all_views_equal_the_reference(monkeypatch):
    monkeypatch.setattr(extraction, "JITTER", dict.fromkeys("eht", 0.0))
    image = photograph("coins")
    still = ImageSequence("i_coins", [image] * 6, np.repeat(np.eye(3)[None], 5, 0))
    patches, _ = extract(still, count=40)
    np.testing.assert_array_equal(patches, np.repeat(patches[:, :1], 16, axis=1))


def test_patches_are_bytes_and_the_same_seed_gives_the_same_patches(virtual, cut):
    patches, kept = cut
    assert patches.shape == (150, len(VIEWS), 65, 65) and patches.dtype == np.uint8
    assert kept.shape == (150, 4)
    np.testing.assert_array_equal(extract(virtual, count=150, seed=0)[0], patches)


@pytest.mark.slow
def test_regions_outside_an_image_and_blank_patches_are_dropped(virtual):
    points = detect_keypoints(virtual.images[0])
    edge = np.array([[3.0, 3.0, 4.0, 0.0], [200.0, 200.0, 500.0, 0.0]])
    _, kept = extract(virtual, np.concatenate([edge, points]))
    assert len(kept) and not (kept[:, None] == edge).all(2).any()

    half = photograph("coffee").copy()
    half[:, 300:] = 90  # the right half is blank
    still = ImageSequence("i_half", [half] * 6, np.repeat(np.eye(3)[None], 5, 0))
    right = points[points[:, 0] > 380]
    patches, kept = extract(still, right[right[:, 2] < 3])
    assert len(right) > 20 and len(patches) == len(kept) == 0


def test_views_use_the_images_of_a_short_sequence_in_turn():
    # Views e1..e5 are cut from images 2 to 6, or from 2, 3, 2, 3, 2 if there are three images.
    assert image_of_views(6) == [0] + 3 * [1, 2, 3, 4, 5]
    assert image_of_views(5) == [0] + 3 * [1, 2, 3, 4, 1]
    assert image_of_views(3) == [0] + 3 * [1, 2, 1, 2, 1]
    assert image_of_views(2) == [0] + 15 * [1]


def test_each_view_is_cut_from_its_image():
    image = photograph("coins")
    images = [image, 0.75 * image, 0.5 * image]  # only the brightness changes
    sequence = ImageSequence("i_coins", images, np.repeat(np.eye(3)[None], 2, 0))
    brightness = np.median(extract(sequence, count=30)[0].mean((2, 3)), axis=0)
    expected = [1.0, *3 * [0.75, 0.5, 0.75, 0.5, 0.75]]
    assert len(VIEWS) == len(expected)
    np.testing.assert_allclose(brightness / brightness[0], expected, atol=0.06)


def test_the_views_of_a_point_show_the_same_place(virtual, monkeypatch):
    monkeypatch.setattr(extraction, "JITTER", dict.fromkeys("eht", 0.0))
    pixels = extract(virtual, count=100)[0].reshape(100, 16, -1).astype(float)
    pixels -= pixels.mean(axis=2, keepdims=True)
    pixels /= np.linalg.norm(pixels, axis=2, keepdims=True)
    references = pixels[:, 0]
    same = np.einsum("pd,pvd->pv", references, pixels)
    other = np.einsum("pd,pvd->pv", np.roll(references, 1, axis=0), pixels)
    assert np.median(same, axis=0).min() > 0.97  # even in the most oblique image
    assert np.abs(np.median(other)) < 0.4  # all patches are turned to their strongest gradient


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="no real sequences beside the checkout")
@pytest.mark.parametrize(
    ("name", "points", "least"),
    [("v_dogman", 500, 0.7), ("v_wormhole", 500, 0.7), ("i_room", 8, 0.6)],
)
def test_the_views_of_a_point_of_a_real_sequence_show_the_same_place(
    name, points, least, monkeypatch
):
    monkeypatch.setattr(extraction, "JITTER", dict.fromkeys("eht", 0.0))
    patches, kept = extract(read_sequence(REAL / name), count=600)
    assert len(patches) == len(kept) >= points
    same, other = correlations(patches)
    assert np.median(same, axis=0).min() > least > np.median(other) + 0.15

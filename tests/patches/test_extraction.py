from pathlib import Path

import numpy as np
import pytest
from skimage.transform import rescale

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.keypoints import detect_keypoints
from hpatches_kit.images.sequences import ImageSequence, read_sequence
from hpatches_kit.images.virtual_sequences import viewpoint_sequence
from hpatches_kit.patches import extraction as extraction
from hpatches_kit.patches.extraction import extract
from hpatches_kit.patches.views import VIEWS

REAL = Path(__file__).resolve().parents[2] / "shared" / "sequences"  # beside a checkout, if at all


@pytest.fixture(scope="module")
def virtual():
    return viewpoint_sequence("v_coffee", photograph("coffee"), seed=0)


@pytest.fixture(scope="module")
def cut(virtual):
    return extract(virtual, count=150, seed=0)


def test_the_overlap_of_a_shifted_region_is_the_area_in_common():
    shift = np.repeat(np.eye(3)[None], 3, 0)
    shift[:, 0, 2] = 0, 0.5, 3
    np.testing.assert_allclose(extraction.overlap(shift, 401), [1, 3 / 5, 0], atol=0.02)


@pytest.mark.parametrize(("level", "median"), [("e", 0.85), ("h", 0.72), ("t", 0.60)])
def test_the_median_overlap_of_jittered_regions_is_that_of_hpatches(level, median):
    maps = extraction.jitter(800, level, np.random.default_rng(0))
    assert np.median(extraction.overlap(maps)) == pytest.approx(median, abs=0.012)


def test_a_region_is_five_scales_to_each_side_and_turned_by_its_angle():
    (matrix,) = extraction.regions([[50.0, 40.0, 2.0, np.pi / 2]])
    x, y = extraction.project(matrix[None], np.array([[0, 0], [1, 0], [0, 1]], float))
    np.testing.assert_allclose(x[0], [50, 50, 40], atol=1e-9)
    np.testing.assert_allclose(y[0], [40, 50, 40], atol=1e-9)


def test_sampling_an_image_pixel_by_pixel_gives_the_image():
    image = np.random.default_rng(0).integers(0, 256, (90, 100)).astype(np.float32)
    window = np.array([[32.5, 0, 40], [0, 32.5, 45], [0, 0, 1.0]])  # 65 pixels to a side
    patch = extraction.sample(image, window[None])[0]
    np.testing.assert_array_equal(patch, image[45 - 32 : 45 + 33, 40 - 32 : 40 + 33])


@pytest.mark.parametrize("period", [2.0, 2.5, 3.1])
def test_a_large_region_over_fine_stripes_is_grey_and_does_not_alias(period):
    x = np.arange(700)
    stripes = np.broadcast_to(127.5 + 127 * np.sin(2 * np.pi * x / period), (700, 700))
    window = np.array([[300.0, 0, 350], [0, 300.0, 350], [0, 0, 1]])  # steps of 9 pixels
    patch = extraction.sample(stripes, window[None])[0].astype(float)
    assert patch.std() < 2 and patch.mean() == pytest.approx(127.5, abs=2)


def test_a_large_region_shows_what_a_small_image_shows():
    image = photograph("astronaut")
    small = rescale(image, 0.25, anti_aliasing=True, preserve_range=True)
    large = extraction.sample(image, np.array([[[130.0, 0, 255.5], [0, 130.0, 255.5], [0, 0, 1]]]))[
        0
    ]
    same = extraction.sample(small, np.array([[[32.5, 0, 63.5], [0, 32.5, 63.5], [0, 0, 1]]]))[0]
    assert np.corrcoef(large.ravel(), same.ravel())[0, 1] > 0.99


def test_without_jitter_and_motion_all_views_are_the_reference(monkeypatch):
    monkeypatch.setattr(extraction, "JITTER", dict.fromkeys("eht", 0.0))
    image = photograph("coins")
    still = ImageSequence("i_coins", [image] * 6, np.repeat(np.eye(3)[None], 5, 0))
    patches, _ = extract(still, count=40)
    np.testing.assert_array_equal(patches, np.repeat(patches[:, :1], 16, axis=1))


def test_patches_are_bytes_in_the_order_of_the_views_and_seeded(virtual, cut):
    patches, kept = cut
    assert patches.shape == (150, len(VIEWS), 65, 65) and patches.dtype == np.uint8
    assert kept.shape == (150, 4)
    again, _ = extract(virtual, count=150, seed=0)
    np.testing.assert_array_equal(patches, again)


def test_regions_that_leave_an_image_and_blank_patches_are_dropped(virtual):
    points = detect_keypoints(virtual.images[0])
    edge = np.array([[3.0, 3.0, 4.0, 0.0], [200.0, 200.0, 500.0, 0.0]])
    _, kept = extract(virtual, np.concatenate([edge, points]))
    assert len(kept) and not (kept[:, None] == edge).all(2).any()

    half = photograph("coffee").copy()
    half[:, 300:] = 90  # nothing to see on the right
    still = ImageSequence("i_half", [half] * 6, np.repeat(np.eye(3)[None], 5, 0))
    right = points[points[:, 0] > 380]
    patches, kept = extract(still, right[right[:, 2] < 3])
    assert len(right) > 20 and len(patches) == len(kept) == 0


def test_what_lies_behind_the_camera_is_outside():
    # A plane whose horizon crosses the image: left of x = 100 it lies behind the camera.
    homography = np.array([[1, 0, -150], [0.5, 1, -150], [0.01, 0, -1]])
    maps = homography @ extraction.regions(
        [[40.0, 100, 2, 0], [250.0, 100, 2, 0], [101.0, 100, 2, 0]]
    )
    x, y = extraction.project(maps, extraction.SQUARE)
    assert np.isnan(x[0]).all() and np.isfinite(x[1]).all() and np.isnan(x[2]).any()
    np.testing.assert_array_equal(np.isnan(x), np.isnan(y))
    flipped, _ = extraction.project(-maps, extraction.SQUARE)  # the same homographies
    np.testing.assert_allclose(flipped, x)


def likeness(patches):
    """Correlation of each view with the reference of its point, and of the next point."""
    flat = patches.reshape(len(patches), 16, -1).astype(float)
    flat -= flat.mean(axis=2, keepdims=True)
    flat /= np.linalg.norm(flat, axis=2, keepdims=True)
    own = np.einsum("pd,pvd->pv", flat[:, 0], flat)
    return own, np.einsum("pd,pvd->pv", np.roll(flat[:, 0], 1, axis=0), flat)


def test_the_views_of_a_point_show_the_same_place(virtual, monkeypatch):
    monkeypatch.setattr(extraction, "JITTER", dict.fromkeys("eht", 0.0))
    own, strangers = likeness(extract(virtual, count=100)[0])
    assert np.median(own, axis=0).min() > 0.97  # even in the most oblique image
    assert np.abs(np.median(strangers)) < 0.2


@pytest.mark.skipif(not REAL.exists(), reason="no real sequences beside the checkout")
@pytest.mark.parametrize(
    ("name", "points", "alike"),
    [("v_dogman", 500, 0.7), ("v_wormhole", 500, 0.7), ("i_room", 8, 0.6)],
)
def test_real_sequences_show_the_same_place_in_all_views(name, points, alike, monkeypatch):
    monkeypatch.setattr(extraction, "JITTER", dict.fromkeys("eht", 0.0))
    patches, kept = extract(read_sequence(REAL / name), count=600)
    assert len(patches) == len(kept) >= points
    own, strangers = likeness(patches)
    print(name, len(patches), np.median(own, axis=0).round(2))
    assert np.median(own, axis=0).min() > alike > np.median(strangers) + 0.15

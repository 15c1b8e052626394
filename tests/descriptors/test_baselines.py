"""The hand-crafted baselines."""

import sys

import numpy as np
import pytest
from processes import run_python

import hpatches_kit as hk
from hpatches_kit.descriptors.baselines import (
    BASELINES,
    mean_std,
    orb,
    pixels,
    resized,
    rootsift,
    sift,
)

cv2 = pytest.importorskip("cv2")

DIMS = {"mean_std": 2, "resized": 36, "pixels": 1024, "sift": 128, "rootsift": 128, "orb": 256}


def smooth_patches(count=40, seed=0):
    """Blurred noise: smooth, with gradients everywhere, like patches of photographs."""
    noise = np.random.default_rng(seed).uniform(0, 255, (count, 65, 65)).astype("float32")
    smooth = np.stack([cv2.GaussianBlur(patch, (0, 0), 3) for patch in noise])
    low, high = smooth.min(axis=(1, 2), keepdims=True), smooth.max(axis=(1, 2), keepdims=True)
    return (255 * (smooth - low) / (high - low)).astype("uint8")


def cells(descriptors):
    """SIFT as `(batch, row, column, direction)`."""
    return descriptors.reshape(-1, 4, 4, 8)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_accepts_square_patches_of_integers_or_floats(name):
    function, patches = BASELINES[name], smooth_patches(5)[:, :32, :32]
    values = function(patches)
    assert values.shape == (5, DIMS[name]) and values.dtype == np.float32
    np.testing.assert_array_equal(function(patches[..., None]), values)
    np.testing.assert_allclose(function(patches.astype("float64")), values, rtol=1e-5, atol=1e-5)
    assert len(function(smooth_patches(2))) == 2


@pytest.mark.parametrize("name", BASELINES)
def test_blank_patches_give_finite_numbers(name):
    levels = np.array([0, 7, 255], "uint8")[:, None, None]
    values = BASELINES[name](np.broadcast_to(levels, (3, 32, 32)))
    np.testing.assert_array_equal(values[:, -1], 0)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", BASELINES)
def test_describe_runs_baselines_under_their_names(patches, name):
    described = hk.describe(BASELINES[name], patches, "noisy", batch_size=3)
    assert (described.values.shape, described.name) == ((20, 16, DIMS[name]), name)
    np.testing.assert_array_equal(described.values[3], BASELINES[name](patches.noisy[3]))


def test_pixels_have_mean_zero_and_unit_norm_and_ignore_brightness():
    patches = smooth_patches(5)[:, :32, :32] // 3
    values = pixels(patches)
    np.testing.assert_allclose(values.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(pixels(2 * patches + 10), values, atol=1e-5)


def test_mean_and_standard_deviation_of_a_half_black_patch():
    patch = np.zeros((1, 32, 32), "uint8")
    patch[:, 16:] = 200
    np.testing.assert_array_equal(mean_std(patch), [[100, 100]])


def test_resized_agrees_with_opencv_and_ignores_brightness():
    patches = smooth_patches()[:, :32, :32]
    floats = patches.astype("float32")
    small = [cv2.resize(patch, (6, 6), 0, 0, 0, cv2.INTER_AREA) for patch in floats]
    mean, std = mean_std(patches).T[..., None]
    expected = (np.reshape(small, (-1, 36)) - mean) / std
    np.testing.assert_allclose(resized(patches), expected, atol=1e-4)
    np.testing.assert_allclose(resized(patches * 0.5 + 30), resized(patches), atol=1e-4)


def test_sift_agrees_with_opencv_at_the_middle():
    patches = smooth_patches(3)[:, :32, :32]
    keypoint = cv2.KeyPoint(15.5, 15.5, 32 / 6, 0)  # OpenCV rounds it to (16, 16)
    expected = [cv2.SIFT_create().compute(patch, [keypoint])[1][0] for patch in patches]
    np.testing.assert_array_equal(sift(patches), expected)


def test_a_dot_in_the_middle_of_a_cell_is_counted_in_that_cell():
    dots = np.zeros((16, 32, 32), "uint8")
    row, column = np.divmod(np.arange(16), 4)
    for dot, y, x in zip(dots, 8 * row + 4, 8 * column + 4):  # cells of 8 pixels from 0 to 32
        dot[y, x] = 255
    energy = (cells(sift(dots)) ** 2).sum(axis=3).reshape(16, 16)
    share = energy / energy.sum(axis=1, keepdims=True)
    assert share.argmax(axis=1).tolist() == list(range(16))
    assert share.max(axis=1).min() > 0.6  # gradients at a border count in part for the next cell


def test_border_pixels_change_only_border_cells():
    patches = smooth_patches(30)[:, :32, :32]
    framed = patches.copy()
    framed[:, 0], framed[:, :, 0], framed[:, -1], framed[:, :, -1] = 0, 0, 255, 255
    before, after = cells(rootsift(patches)), cells(rootsift(framed))
    assert (np.abs(after - before).max(axis=(1, 2, 3)) > 0.05).all()
    # Rows keep unit norm, so inner cells change too, but all by the same factor.
    inner, changed = before[:, 1:3, 1:3].reshape(30, -1), after[:, 1:3, 1:3].reshape(30, -1)
    norms = np.linalg.norm(inner, axis=1) * np.linalg.norm(changed, axis=1)
    assert ((inner * changed).sum(axis=1) / norms).min() > 0.98


@pytest.mark.parametrize(
    ("direction", "turns"), [(0, 0), (2, 1), (4, 2), (6, 3)], ids=["right", "up", "left", "down"]
)
def test_a_ramp_brightens_in_one_direction_in_every_cell(direction, turns):
    ramp = np.rot90(np.tile(np.arange(32, dtype="uint8") * 8, (32, 1)), turns)[None]
    values = cells(sift(ramp))[0]
    assert values[..., direction].min() > 0
    assert np.delete(values, direction, axis=2).max() <= 1


def test_half_a_turn_of_the_patch_rotates_cells_and_directions():
    patches = smooth_patches()  # the middle of 65 pixels is a pixel: the grid is symmetric
    rotated = cells(sift(patches[:, ::-1, ::-1]))
    expected = np.roll(rotated[:, ::-1, ::-1], 4, axis=3)
    assert np.abs(cells(sift(patches)) - expected).max() <= 1  # rounding; the norm is 512


def test_the_product_of_two_rootsift_descriptors_is_their_bhattacharyya_coefficient():
    patches = smooth_patches(2)
    roots, (p, q) = rootsift(patches), sift(patches)
    np.testing.assert_allclose(np.linalg.norm(roots, axis=1), 1, rtol=1e-5)
    expected = np.sqrt(p / p.sum() * q / q.sum()).sum()
    assert roots[0] @ roots[1] == pytest.approx(expected, rel=1e-5)


def test_orb_agrees_with_opencv_in_the_middle_of_an_image_and_its_distance_is_hamming():
    patches = smooth_patches(4)[:, :32, :32]
    extractor, keypoint = cv2.ORB_create(nlevels=1, edgeThreshold=0), cv2.KeyPoint(66, 66, 31, 0)
    framed = [np.pad(patch, 50, mode="reflect") for patch in patches]
    bits = np.stack([extractor.compute(image, [keypoint])[1][0] for image in framed])
    values = orb(patches)
    np.testing.assert_array_equal(values, np.unpackbits(bits, axis=1))
    for k in range(3):
        hamming = cv2.norm(bits[k], bits[k + 1], cv2.NORM_HAMMING)
        assert ((values[k] - values[k + 1]) ** 2).sum() == hamming > 0


def test_orb_ignores_brightness_and_shrinks_larger_patches():
    patches = smooth_patches(5)
    half = orb(patches[:, :32, :32] // 2)
    assert (half == orb(patches[:, :32, :32])).mean() > 0.97  # rounding swaps close pixels
    assert (orb(patches) == orb(patches[:, ::2, ::2][:, :32, :32])).mean() > 0.8


def test_fractional_grey_levels_are_rounded_and_clipped():
    patches = smooth_patches(4)[:, :32, :32]
    blurred = np.random.default_rng(0).uniform(-0.4, 0.4, patches.shape) + patches
    np.testing.assert_array_equal(sift(blurred), sift(patches))
    np.testing.assert_array_equal(sift(patches - 1000.0), np.zeros((4, 128)))


def test_patches_with_other_shapes_or_ranges_are_refused():
    for function in (mean_std, resized, sift, rootsift):
        with pytest.raises(ValueError, match=r"shape \(2, 32, 31\): expected \(batch, 32, 32, 1\)"):
            function(np.zeros((2, 32, 31)))
        with pytest.raises(ValueError, match=r"shape \(32, 32\)"):
            function(np.zeros((32, 32)))
        with pytest.raises(ValueError, match="NaN or infinite pixels"):
            function(np.full((1, 32, 32), np.nan))
    with pytest.raises(ValueError, match=r"reach 1: expected grey levels 0\.\.255"):
        sift(smooth_patches(1) / 255)


def test_the_error_without_opencv_names_the_package_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="pip install opencv-python-headless"):
        sift(np.zeros((1, 32, 32), "uint8"))
    assert pixels(np.zeros((1, 32, 32), "uint8")).shape == (1, 1024)


def test_importing_the_baselines_imports_neither_keras_nor_opencv():
    code = (
        "import sys, hpatches_kit.descriptors.baselines;"
        "print([module for module in ('keras', 'cv2') if module in sys.modules])"
    )
    assert run_python(code) == "[]\n"


def test_a_resized_chessboard_is_plus_and_minus_one():
    board = np.indices((6, 6)).sum(axis=0) % 2  # 0 and 1
    patch = np.kron(board, np.ones((5, 5)))[None] * 80 + 20
    np.testing.assert_allclose(resized(patch), 2.0 * board.reshape(1, 36) - 1, atol=1e-6)

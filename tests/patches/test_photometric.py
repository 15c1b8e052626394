import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hpatches_kit.patches.photometric import change_photometry, random_photometry


def random_patches(count, size=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), np.uint8)


def constant_patches(*grey):
    return np.broadcast_to(np.array(grey, np.uint8)[:, None, None], (len(grey), 32, 32))


def change_all(patches, gain=1.0, gamma=1.0, blur=0.0):
    return change_photometry(patches, np.tile([gain, gamma, blur], (len(patches), 1)))


def test_the_identity_and_strength_0_change_nothing():
    patches = random_patches(20)
    np.testing.assert_array_equal(change_all(patches), patches)
    changes = random_photometry(20, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(changes, np.tile([1, 1, 0], (20, 1)))


def test_gain_multiplies_the_grey_level_rounds_half_up_and_clips():
    doubled = change_all(constant_patches(0, 50, 127, 128, 255), gain=2.0)
    np.testing.assert_array_equal(doubled, constant_patches(0, 100, 254, 255, 255))
    halved = change_all(constant_patches(0, 1, 2, 3, 255), gain=0.5)
    np.testing.assert_array_equal(halved, constant_patches(0, 1, 1, 2, 128))


def test_gamma_keeps_black_and_white_and_changes_the_levels_between():
    grey = constant_patches(0, 51, 102, 255)  # 51 is a fifth of 255
    squared = change_all(grey, gamma=2.0)
    np.testing.assert_array_equal(squared, constant_patches(0, 10, 41, 255))
    root = change_all(grey, gamma=0.5)
    np.testing.assert_array_equal(root, constant_patches(0, 114, 161, 255))


def test_gain_is_applied_after_gamma():
    result = change_all(constant_patches(51), gain=2.0, gamma=2.0)
    np.testing.assert_array_equal(result, constant_patches(20))  # 2 * 255 / 5**2 = 20.4


def test_blur_keeps_constant_patches():
    grey = constant_patches(*range(256))
    for blur in (0.3, 0.7, 2.1, 10.0):
        np.testing.assert_array_equal(change_all(grey, blur=blur), grey)


def test_blur_keeps_the_mean_of_a_blob_in_the_middle_and_widens_it():
    blob = np.zeros((1, 32, 32), np.uint8)
    blob[0, 12:20, 12:20] = 250
    result = change_all(blob, blur=1.0)[0].astype(float)
    assert result.mean() == pytest.approx(blob.mean(), rel=0.005)
    np.testing.assert_array_equal(result, result[::-1, ::-1])
    np.testing.assert_array_equal(result, result.T)
    variance = np.average((np.arange(32) - 15.5) ** 2, weights=result.sum(axis=0))
    assert variance == pytest.approx((8**2 - 1) / 12 + 1.0**2, rel=0.02)  # variances add


def test_blur_agrees_with_scipy_which_repeats_the_edge_pixels():
    patches = random_patches(30)
    changes = random_photometry(30, 3.0, np.random.default_rng(1))
    changes[:, :2] = 1
    for patch, change, result in zip(patches, changes, change_photometry(patches, changes)):
        oracle = gaussian_filter(patch.astype(float), change[2], mode="nearest", truncate=3)
        assert np.abs(result - oracle).max() <= 0.5 + 1e-3  # they differ by rounding only


def test_values_above_white_are_clipped_after_the_blur():
    edge = np.zeros((1, 32, 32), np.uint8)
    edge[0, :, 16:] = 200
    blurred_first = change_all(change_all(edge, blur=2.0), gain=2.0)
    together = change_all(edge, gain=2.0, blur=2.0)
    assert np.abs(together.astype(int) - blurred_first).max() <= 1  # rounded once, not twice


def test_random_changes_are_within_the_limits_of_the_strength():
    gain, gamma, blur = random_photometry(4000, 2.0, np.random.default_rng(2)).T
    for logarithm in (np.log(gain), np.log(gamma)):
        assert 0.99 * 0.6 < np.abs(logarithm).max() <= 0.6 + 1e-5
        assert np.abs(logarithm).mean() == pytest.approx(0.3, rel=0.05)
        assert logarithm.mean() == pytest.approx(0, abs=0.03)
    assert 0 <= blur.min() < 0.01 and 1.39 < blur.max() <= 1.4 + 1e-5
    assert blur.mean() == pytest.approx(0.7, rel=0.05)
    assert np.abs(np.corrcoef([gain, gamma, blur]) - np.eye(3)).max() < 0.06


def test_each_patch_is_changed_on_its_own():
    patches = random_patches(50)
    changes = random_photometry(50, 1.0, np.random.default_rng(3))
    together = change_photometry(patches, changes)
    for i in (0, 17, 49):
        alone = change_photometry(patches[i : i + 1], changes[i : i + 1])
        np.testing.assert_array_equal(alone[0], together[i])


@pytest.mark.parametrize("size", [0, 1, 2, 65])
def test_patches_of_any_size_are_changed_without_reading_outside_them(size):
    patches = np.full((3, size, size), 90, np.uint8)
    np.testing.assert_array_equal(change_all(patches, gain=2.0, blur=10.0), patches * 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: change_all(p * 1.0), "Patches are float64"),
        (lambda p: change_all(p[:, 1:]), r"\(4, 31, 32\): expected uint8 \(n, size, size\)"),
        (lambda p: change_all(p[..., None]), r"\(4, 32, 32, 1\): expected uint8"),
        (lambda p: change_photometry(p, [1, 1, 0]), r"Changes have shape \(3,\): .* \(4, 3\)"),
        (lambda p: change_all(p, gain=-1.0), "entries below 0, above 10 or NaN"),
        (lambda p: change_all(p, blur=10.1), "entries below 0, above 10 or NaN"),
        (lambda p: change_all(p, gamma=np.nan), "entries below 0, above 10 or NaN"),
    ],
)
def test_wrong_patches_and_changes_are_rejected(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(random_patches(4))

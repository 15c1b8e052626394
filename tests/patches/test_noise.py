import zlib

import numpy as np
import pytest
from scipy.stats import norm
from skimage.transform import resize as skimage_resize

from hpatches_kit.patches.noise import (
    SIGMA,
    VIEW_SIGMA,
    _deviations,
    add_noise,
    noisy_and_clean,
    resize,
    view_seed,
)
from hpatches_kit.patches.views import VIEWS

GOLDEN = (3248353874, 2555926954)  # CRC-32 of noisy and clean


def test_resize_agrees_with_scikit_image_without_anti_aliasing():
    patches = np.random.default_rng(0).integers(0, 256, (5, 65, 65), np.uint8)
    for patch, small in zip(patches, resize(patches)):
        oracle = skimage_resize(patch, (32, 32), order=1, anti_aliasing=False, preserve_range=True)
        assert np.abs(small - oracle).max() <= 0.5 + 1e-6  # nothing but the rounding


def test_resize_of_a_ramp_reads_the_ramp_at_pixel_centres():
    ramp = np.broadcast_to(3 * np.arange(65, dtype=np.uint8), (65, 65))
    expected = 3 * ((np.arange(32) + 0.5) * 65 / 32 - 0.5)
    np.testing.assert_allclose(resize(ramp)[0], expected, atol=0.5)


@pytest.mark.parametrize("level", ["e", "h", "t"])
def test_on_flat_grey_the_noise_is_uneven_as_in_the_coursework(level):
    sigma = SIGMA[level]
    noisy = add_noise(np.full((24_000, 65, 65), 128, np.uint8), sigma, seed=1)
    noise = noisy.astype(np.float32) - 128
    assert noise.std() == pytest.approx(0.666 * sigma, rel=0.01)
    assert noise[..., 12:20, 12:20].std() == pytest.approx(
        0.89 * sigma, rel=0.015
    )  # 45 is clipped a little
    assert noise[..., 0, 0].std() == pytest.approx(0.50 * sigma, rel=0.03)


def test_levels_have_their_own_noise_and_ref_has_that_of_easy():
    grey = np.full((300, 16, 65, 65), 128, np.uint8)
    noisy, clean = noisy_and_clean(grey)
    spread = (noisy.astype(float) - clean).std(axis=(0, 2, 3))
    np.testing.assert_allclose(spread, 0.666 * VIEW_SIGMA, rtol=0.03)
    assert SIGMA["ref"] == SIGMA["e"] == 25 and (SIGMA["h"], SIGMA["t"]) == (35, 45)


def test_on_photographs_error_and_psnr_are_those_measured_on_the_course_data(mini):
    difference = mini.noisy.astype(np.int16) - mini.clean
    for level, mae, psnr in (("e", 12.9, 23.9), ("h", 17.7, 21.1), ("t", 22.4, 19.1)):
        columns = [k for k, view in enumerate(VIEWS) if view[0] == level]
        here = difference[:, columns].astype(np.float32)
        assert np.abs(here).mean() == pytest.approx(mae, rel=0.05)
        mse = np.square(here).mean(axis=(2, 3))
        assert (10 * np.log10(255**2 / mse)).mean() == pytest.approx(psnr, abs=0.4)


def black_and_white():
    return np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (4, 16, 65, 65))


def test_noise_is_seeded_and_a_view_can_be_made_alone():
    patches = black_and_white()
    one, clean = noisy_and_clean(patches, seed=5)
    np.testing.assert_array_equal(one, noisy_and_clean(patches, seed=5)[0])
    assert (one != noisy_and_clean(patches, seed=6)[0]).any()
    assert one.dtype == clean.dtype == np.uint8
    alone = add_noise(patches[:, 9], SIGMA["h"], view_seed(5, 9))
    np.testing.assert_array_equal(alone, one[:, 9])


def test_a_seed_gives_the_same_bytes_on_every_machine():
    # From raw bits and whole numbers: another value here means that the noise has changed.
    noisy, clean = noisy_and_clean(black_and_white(), seed=(1, 2))
    assert (zlib.crc32(noisy.tobytes()), zlib.crc32(clean.tobytes())) == GOLDEN


def test_noise_is_gaussian_and_clipped_before_the_resize():
    levels = _deviations(25.0)
    np.testing.assert_array_equal(np.sort(levels), levels)
    np.testing.assert_array_equal(levels, -levels[::-1])
    share = np.bincount(levels + 200, minlength=401) / len(levels)
    edges = np.arange(-200.5, 201)
    np.testing.assert_allclose(share, np.diff(norm.cdf(edges / 25)), atol=1.6e-5)  # one in 65536
    black = add_noise(np.zeros((500, 65, 65), np.uint8), 25)
    assert black.mean() == pytest.approx(25 / np.sqrt(2 * np.pi), rel=0.02)  # of max(0, noise)


def test_half_a_grey_level_never_decides():
    # The quantiles lie so far from the halves that no mathematical library rounds them otherwise.
    from scipy.special import ndtri

    for sigma in set(SIGMA.values()):
        exact = sigma * ndtri((np.arange(1 << 16) + 0.5) / (1 << 16))
        assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-6


def test_a_small_patch_gets_the_noise_of_a_large_one():
    sigma = np.repeat([25, 45], 3000)
    small = np.full((6000, 32, 32), 100, np.uint8)
    from_small, from_large = (
        add_noise(np.full((6000, size, size), 100, np.uint8), sigma, seed)
        for size, seed in ((32, 1), (65, 2))
    )
    for half in (slice(3000), slice(3000, None)):
        one, other = (patches[half].astype(float) - 100 for patches in (from_small, from_large))
        np.testing.assert_allclose(one.std(0), other.std(0), rtol=0.12)
        assert one.std() == pytest.approx(other.std(), rel=0.01)
    np.testing.assert_array_equal(add_noise(small, 0), small)


@pytest.mark.parametrize("shape", [(3, 16, 32, 32), (3, 15, 65, 65), (16, 65, 65)])
def test_patches_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(points, 16, 65, 65\)"):
        noisy_and_clean(np.zeros(shape, np.uint8))


def test_patches_that_are_not_bytes_are_refused():
    with pytest.raises(ValueError, match="float64.*expected uint8"):
        resize(np.zeros((2, 65, 65)))


def test_noise_wants_single_patches_of_one_of_two_sizes():
    with pytest.raises(ValueError, match=r"\(2, 64, 64\): expected uint8 \(n, 65, 65\) or \(n, 32"):
        add_noise(np.zeros((2, 64, 64), np.uint8), 25)

import hashlib
import tracemalloc
import zlib

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm
from skimage.transform import resize as skimage_resize

from hpatches_kit.patches import noise
from hpatches_kit.patches.noise import (
    SIGMA,
    VIEW_SIGMA,
    add_noise,
    noise_map,
    noisy_and_clean,
    resize,
)
from hpatches_kit.patches.views import VIEWS

GOLDEN_CRC32 = (3248353874, 2555926954)  # of noisy and clean
GOLDEN_SHA256 = {  # of the noisy patches, by size and sigma
    (65, 25): "742c1a900d5f8cbcae0a8734ce704e69cb9f817e37577236dbf9d25705b919cc",
    (65, 35): "bcfa9798b2f0527b67b18ec5c02a806262ea0f438bead703af56385fdb84aeda",
    (65, 45): "4b064f995e648b26bfeb9ae1422ac318a8e619216b22331861a7bbcf2b5bc451",
    (32, 25): "bae523181a259cdd8d74d7e18265b1a88a0ed2af5809862c0e7ada471fb0e782",
    (32, 35): "1b94b9f0d53407b0e63889854b8327a34836e349d15fb6eb84b1299b78911ff4",
    (32, 45): "d064554f64e7a320b09547f4aced5f33c2ee1453343477babb3245deb5da2dad",
}


def fixed_patches(count, size):
    values = np.arange(count * size * size) * 7919 // 8 % 256
    return values.astype(np.uint8).reshape(count, size, size)


def whole_noise(sigma):
    """The noise in whole grey levels for each value of 16 random bits."""
    return np.rint(sigma * ndtri((np.arange(1 << 16) + 0.5) / (1 << 16))).astype(int)


def test_resize_agrees_with_scikit_image_without_anti_aliasing():
    patches = np.random.default_rng(0).integers(0, 256, (5, 65, 65), np.uint8)
    for patch, small in zip(patches, resize(patches)):
        oracle = skimage_resize(patch, (32, 32), order=1, anti_aliasing=False, preserve_range=True)
        assert np.abs(small - oracle).max() <= 0.5 + 1e-6  # they differ by rounding only


@pytest.mark.parametrize("level", ["e", "h", "t"])
def test_the_noise_is_strongest_in_the_centre_as_in_the_coursework(level):
    sigma = SIGMA[level]
    noisy = add_noise(np.full((24_000, 65, 65), 128, np.uint8), sigma, seed=1)
    difference = noisy.astype(np.float32) - 128
    centre = difference[..., 12:20, 12:20]  # sigma 45 is clipped slightly
    assert difference.std() == pytest.approx(0.666 * sigma, rel=0.01)
    assert centre.std() == pytest.approx(0.89 * sigma, rel=0.015)
    assert difference[..., 0, 0].std() == pytest.approx(0.50 * sigma, rel=0.03)


def test_the_noise_map_is_the_standard_deviation_of_the_noise_after_the_resize():
    noisy = add_noise(np.full((24_000, 65, 65), 128, np.uint8), 25, seed=1)
    rounding = 1 / 12  # the variance of rounding to whole grey levels
    expected = np.sqrt(noise_map(25.0) ** 2 + rounding)
    np.testing.assert_allclose(noisy.astype(np.float32).std(axis=0), expected, rtol=0.025)


def test_the_noise_map_has_the_weights_of_the_resize():
    # The first pixel lies 33/64 right of the source's first, pixel 16 just 1/64 right of one.
    corner, centre = (31**2 + 33**2) / 64**2, (63**2 + 1) / 64**2
    strength = noise_map()
    assert strength[0, 0] == pytest.approx(corner) and strength[16, 16] == pytest.approx(centre)
    assert noise_map(25.0)[16, 16] == pytest.approx(24.2, abs=0.05)
    several = noise_map(np.array([[25, 35, 45]]))
    assert several.shape == (1, 3, 32, 32) and several.dtype == np.float32
    np.testing.assert_allclose(several[0, 2], 45 * strength, rtol=1e-6)


def test_each_level_has_its_sigma_and_ref_has_that_of_easy():
    grey = np.full((300, 16, 65, 65), 128, np.uint8)
    noisy, clean = noisy_and_clean(grey)
    deviation = (noisy.astype(float) - clean).std(axis=(0, 2, 3))
    np.testing.assert_allclose(deviation, 0.666 * VIEW_SIGMA, rtol=0.03)
    assert SIGMA["ref"] == SIGMA["e"] == 25 and (SIGMA["h"], SIGMA["t"]) == (35, 45)


def test_error_and_psnr_on_photographs_are_those_of_the_coursework_data(mini):
    difference = mini.noisy.astype(np.int16) - mini.clean
    for level, mae, psnr in (("e", 12.9, 23.9), ("h", 17.7, 21.1), ("t", 22.4, 19.1)):
        columns = [k for k, view in enumerate(VIEWS) if view[0] == level]
        of_level = difference[:, columns].astype(np.float32)
        assert np.abs(of_level).mean() == pytest.approx(mae, rel=0.05)
        mse = np.square(of_level).mean(axis=(2, 3))
        assert (10 * np.log10(255**2 / mse)).mean() == pytest.approx(psnr, abs=0.4)


def black_and_white():
    return np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (4, 16, 65, 65))


def test_the_same_seed_gives_the_same_noise_and_another_seed_gives_other_noise():
    patches = black_and_white()
    noisy, clean = noisy_and_clean(patches, seed=5)
    np.testing.assert_array_equal(noisy, noisy_and_clean(patches, seed=5)[0])
    assert (noisy != noisy_and_clean(patches, seed=6)[0]).any()
    assert noisy.dtype == clean.dtype == np.uint8


def test_one_view_can_be_made_without_the_others():
    patches = black_and_white()
    view = add_noise(patches[:, 9], SIGMA["h"], noise.view_seed(5, 9))
    np.testing.assert_array_equal(view, noisy_and_clean(patches, seed=5)[0][:, 9])


def test_the_bytes_of_noisy_and_clean_patches_never_change():
    noisy, clean = noisy_and_clean(black_and_white(), seed=(1, 2))
    assert (zlib.crc32(noisy.tobytes()), zlib.crc32(clean.tobytes())) == GOLDEN_CRC32


@pytest.mark.parametrize(("size", "sigma"), GOLDEN_SHA256)
def test_the_bytes_of_the_noise_never_change(size, sigma):
    patches, expected = fixed_patches(100, size), GOLDEN_SHA256[size, sigma]
    noisy = add_noise(patches, sigma, seed=(1, sigma))
    assert hashlib.sha256(noisy.tobytes()).hexdigest() == expected


@pytest.mark.parametrize("size", [65, 32])
def test_the_noise_of_a_patch_does_not_depend_on_the_sigmas_of_the_others(size):
    patches = fixed_patches(300, size)
    sigmas = np.repeat([0, 10.5, 25, 35, 45, 60.25], 50)
    noisy = add_noise(patches, sigmas, seed=3)
    for sigma in np.unique(sigmas):
        same_seed = add_noise(patches, sigma, seed=3)
        np.testing.assert_array_equal(noisy[sigmas == sigma], same_seed[sigmas == sigma])


def noise_of_the_loop(sigma):
    """What the compiled loop adds for each of the 65,536 values of 16 random bits."""
    # Each value has its own pixel, and is drawn for all four source pixels. Negative noise is
    # added to white and positive noise to black, so that nothing is clipped.
    bits = np.arange(1 << 16, dtype=np.uint16).reshape(64, 32, 32)
    source = np.repeat([255, 0], 32).astype(np.uint8)[:, None, None].repeat(32, 1).repeat(32, 2)
    result = np.empty_like(source)
    scaled = noise._unit_noise()[None], np.zeros(64, np.intp), np.full(64, float(sigma))
    layout = noise._PIXELS[32], noise._WEIGHTS
    noise._mix(source, *layout, bits[..., None].repeat(4, 3), *scaled, result)
    return (result.astype(int) - source).ravel()


def test_scaling_in_the_loop_rounds_as_numpy_does():
    sigmas = [25, 35, 45, 0.4, 58, *np.random.default_rng(0).uniform(0, 58, 40)]
    for sigma in sigmas:
        np.testing.assert_array_equal(noise_of_the_loop(sigma), whole_noise(sigma))


@pytest.mark.slow
@pytest.mark.parametrize("per_call", [1, 3, 100])
def test_noise_of_many_different_strengths_uses_bounded_memory(per_call):
    patches, rng = fixed_patches(per_call + 4, 32), np.random.default_rng(0)
    for sigmas in (range(per_call + 4), SIGMA["e"]):
        add_noise(patches, sigmas)  # compiles the loop and makes the table of unit noise
    tracemalloc.start()
    for _ in range(2100 // per_call):
        add_noise(patches, np.resize(rng.uniform(1, 60, per_call), per_call + 4))
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_bytes < 1 << 20


def test_noise_is_gaussian_and_clipped_before_the_resize():
    levels = noise._whole_noise(25.0)
    np.testing.assert_array_equal(levels, whole_noise(25))
    np.testing.assert_array_equal(np.sort(levels), levels)
    np.testing.assert_array_equal(levels, -levels[::-1])
    frequency = np.bincount(levels + 200, minlength=401) / len(levels)
    edges = np.arange(-200.5, 201)
    expected = np.diff(norm.cdf(edges / 25))
    np.testing.assert_allclose(frequency, expected, atol=1.6e-5)  # one in 65536
    black = add_noise(np.zeros((500, 65, 65), np.uint8), 25)
    assert black.mean() == pytest.approx(25 / np.sqrt(2 * np.pi), rel=0.02)  # of max(0, noise)


def test_no_quantile_is_so_close_to_a_half_that_libraries_could_round_it_differently():
    for sigma in set(SIGMA.values()):
        exact = sigma * ndtri((np.arange(1 << 16) + 0.5) / (1 << 16))
        assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-6


def test_a_32_px_patch_gets_noise_as_strong_as_that_of_a_65_px_patch():
    sigma = np.repeat([25, 45], 3000)
    small = np.full((6000, 32, 32), 100, np.uint8)
    from_small, from_large = (
        add_noise(np.full((6000, size, size), 100, np.uint8), sigma, seed)
        for size, seed in ((32, 1), (65, 2))
    )
    for half in (slice(3000), slice(3000, None)):
        of_small, of_large = (noisy[half].astype(float) - 100 for noisy in (from_small, from_large))
        np.testing.assert_allclose(of_small.std(0), of_large.std(0), rtol=0.12)
        assert of_small.std() == pytest.approx(of_large.std(), rel=0.01)
    np.testing.assert_array_equal(add_noise(small, 0), small)


@pytest.mark.parametrize("shape", [(3, 16, 32, 32), (3, 15, 65, 65), (16, 65, 65)])
def test_patches_of_another_shape_are_rejected(shape):
    with pytest.raises(ValueError, match=r"expected \(points, 16, 65, 65\)"):
        noisy_and_clean(np.zeros(shape, np.uint8))


def test_patches_of_another_type_or_size_are_rejected():
    with pytest.raises(ValueError, match="float64.*expected uint8"):
        resize(np.zeros((2, 65, 65)))
    with pytest.raises(ValueError, match=r"\(2, 64, 64\): expected uint8 \(n, 65, 65\) or \(n, 32"):
        add_noise(np.zeros((2, 64, 64), np.uint8), 25)


def test_resize_of_a_ramp_reads_the_ramp_at_pixel_centres():
    ramp = np.broadcast_to(3 * np.arange(65, dtype=np.uint8), (65, 65))
    expected = 3 * ((np.arange(32) + 0.5) * 65 / 32 - 0.5)
    np.testing.assert_allclose(resize(ramp)[0], expected, atol=0.5)

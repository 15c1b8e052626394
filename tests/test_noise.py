import numpy as np
import pytest
from skimage.transform import resize as skimage_resize

from hpatches_kit.noise import SIGMA, VIEW_SIGMA, add_noise, noisy_and_clean, resize
from hpatches_kit.patches import VIEWS


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
    grey = np.full((1500, 16, 65, 65), 128, np.uint8)
    sigma = SIGMA[level]
    noisy, _ = noisy_and_clean(grey, seed=1, sigma=np.full(16, sigma))
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


def test_noise_is_rounded_clipped_and_seeded():
    patches = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (4, 16, 65, 65))
    one, clean = noisy_and_clean(patches, seed=5)
    again, _ = noisy_and_clean(patches, seed=5)
    other, _ = noisy_and_clean(patches, seed=6)
    np.testing.assert_array_equal(one, again)
    assert (one != other).any() and one.dtype == clean.dtype == np.uint8
    dark = add_noise(np.zeros((9, 65, 65), np.uint8), 25, np.random.default_rng(0))
    assert (dark == 0).mean() == pytest.approx(0.5, abs=0.02)  # the negative half is clipped


@pytest.mark.parametrize("shape", [(3, 16, 32, 32), (3, 15, 65, 65), (16, 65, 65)])
def test_patches_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(points, 16, 65, 65\)"):
        noisy_and_clean(np.zeros(shape, np.uint8))


def test_patches_that_are_not_bytes_are_refused():
    with pytest.raises(ValueError, match="float64.*expected uint8"):
        resize(np.zeros((2, 65, 65)))

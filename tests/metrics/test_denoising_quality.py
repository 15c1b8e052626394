import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.metrics.denoising_quality import patch_quality, quality, quality_by_level


def test_the_psnr_of_an_error_of_one_grey_level_is_48_db():
    clean = np.full((3, 16, 32, 32), 100, np.uint8)
    psnr = patch_quality(clean, clean + 1)["PSNR in dB"]
    np.testing.assert_allclose(psnr, np.full((3, 16), 48.1308), rtol=1e-5)


def test_each_level_is_the_mean_over_its_views():
    clean = np.full((5, 16, 32, 32), 100, np.uint8)
    offset = np.repeat([1, 2, 3, 4], [1, 5, 5, 5])[:, None, None].astype(np.uint8)
    table = quality_by_level(patch_quality(clean, clean + offset))
    assert table.index.tolist() == ["reference", "easy", "hard", "tough", "all"]
    assert table["MAE"].tolist() == [1, 2, 3, 4, np.mean([1] + [2] * 5 + [3] * 5 + [4] * 5)]
    expected = 20 * np.log10(255 / np.array([1, 2, 3, 4]))
    np.testing.assert_allclose(table["PSNR in dB"][:4], expected, rtol=1e-6)


def test_identical_patches_have_the_same_psnr_wherever_it_is_computed():
    patches = toy_patches({"v_one": 4})
    denoised = patches.add("denoised", patches.clean)
    of_arrays = patch_quality(patches.clean, patches.clean)["PSNR in dB"]
    of_set = quality(denoised, kind="denoised").loc["all", "PSNR in dB"]
    of_batch = hk.metrics.psnr(patches.clean[0][..., None], patches.clean[0][..., None])
    for values in (of_arrays, of_set, np.asarray(of_batch)):
        np.testing.assert_allclose(values, 148.13, atol=0.01)


def test_the_quality_of_a_patch_set_equals_that_of_its_arrays():
    patches = toy_patches({"v_one": 20, "i_two": 20})
    arrays = quality_by_level(patch_quality(patches.clean, patches.noisy))
    np.testing.assert_allclose(quality(patches), arrays, rtol=1e-6)


def test_a_perfect_denoiser_has_mae_0_and_ssim_1():
    patches = toy_patches({"v_one": 20})
    table = quality(patches.add("denoised", patches.clean), kind="denoised")
    assert (table.MAE == 0).all() and np.allclose(table.SSIM, 1)


def test_quality_clips_the_output_of_a_denoiser():
    patches = toy_patches({"v_one": 20})
    table = quality(patches, lambda batch: np.full(batch.shape, 1e6, np.float32))
    expected = np.abs(255.0 - patches.clean).mean()
    assert table.loc["all", "MAE"] == pytest.approx(expected, rel=1e-5)

import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.metrics.quality import patch_quality, quality, quality_by_level


def test_psnr_of_an_error_of_one_grey_level_is_48_dB():
    clean = np.full((3, 16, 32, 32), 100, np.uint8)
    psnr = patch_quality(clean, clean + 1)["PSNR in dB"]
    np.testing.assert_allclose(psnr, np.full((3, 16), 48.1308), rtol=1e-5)


def test_the_noise_of_each_level_is_measured_on_its_views():
    clean = np.full((5, 16, 32, 32), 100, np.uint8)
    offset = np.repeat([1, 2, 3, 4], [1, 5, 5, 5])[:, None, None].astype(np.uint8)
    table = quality_by_level(patch_quality(clean, clean + offset))
    assert table.index.tolist() == ["reference", "easy", "hard", "tough", "all"]
    assert table["MAE"].tolist() == [1, 2, 3, 4, np.mean([1] + [2] * 5 + [3] * 5 + [4] * 5)]
    expected = 20 * np.log10(255 / np.array([1, 2, 3, 4]))
    np.testing.assert_allclose(table["PSNR in dB"][:4], expected, rtol=1e-6)


def test_identical_patches_have_one_psnr_wherever_it_is_computed():
    patches = toy_patches({"v_one": 4})
    exact = patches.add("denoised", patches.clean)
    by_array = patch_quality(patches.clean, patches.clean)["PSNR in dB"]
    by_set = quality(exact, kind="denoised").loc["all", "PSNR in dB"]
    by_metric = hk.metrics.psnr(patches.clean[0][..., None], patches.clean[0][..., None])
    assert (
        by_array.min() == by_array.max() == pytest.approx(by_set) == pytest.approx(148.13, abs=0.01)
    )
    assert float(by_metric[0]) == pytest.approx(by_set)


def test_quality_of_a_patch_set_is_that_of_its_arrays():
    patches = toy_patches({"v_one": 20, "i_two": 20})
    table = quality(patches)
    arrays = quality_by_level(patch_quality(patches.clean, patches.noisy))
    np.testing.assert_allclose(table, arrays, rtol=1e-6)


def test_exact_patches_have_no_error_and_full_similarity():
    patches = toy_patches({"v_one": 20})
    exact = quality(patches.add("denoised", patches.clean), kind="denoised")
    assert (exact.MAE == 0).all() and np.allclose(exact.SSIM, 1)


def test_quality_clips_what_a_denoiser_returns():
    patches = toy_patches({"v_one": 20})
    table = quality(patches, lambda batch: np.full(batch.shape, 1e6, np.float32))
    white = np.abs(255.0 - patches.clean).mean()
    assert table.loc["all", "MAE"] == pytest.approx(white, rel=1e-5)

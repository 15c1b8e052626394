import sys
from types import SimpleNamespace

import numpy as np
import pytest

import hpatches_kit as hk


@pytest.fixture
def edge():
    """Patches with a dark and a light half, without and with noise of 20 grey levels."""
    clean = np.full((2, 32, 32, 1), 60.0)
    clean[:, :, 16:] = 180
    return clean, clean + np.random.default_rng(0).normal(0, 20, clean.shape)


def test_non_local_means_removes_most_of_the_noise_and_keeps_the_edge(edge):
    clean, noisy = edge
    denoised = hk.patches.non_local_means(noisy, 20)
    assert np.abs(denoised - clean).mean() < 0.5 * np.abs(noisy - clean).mean()
    assert denoised[:, :, 17].mean() - denoised[:, :, 14].mean() > 100
    assert denoised.dtype == np.float32 and denoised.shape == noisy.shape


def test_sigma_may_differ_between_patches(edge):
    _, noisy = edge
    denoised = hk.patches.non_local_means(noisy, [1e-6, 20])
    np.testing.assert_allclose(denoised[0], np.clip(noisy[0], 0, 255), atol=1e-3)
    assert np.abs(denoised[1] - noisy[1]).mean() > 5


def test_bm3d_gives_each_patch_and_its_sigma_to_the_package_and_clips(edge, monkeypatch):
    fake_package = SimpleNamespace(bm3d=lambda patch, noise: patch + 10 * noise)
    monkeypatch.setitem(sys.modules, "bm3d", fake_package)  # the real one is optional
    clean, _ = edge
    denoised = hk.patches.bm3d(clean, [1, 9])
    np.testing.assert_array_equal(denoised[0], clean[0] + 10)
    np.testing.assert_array_equal(denoised[1], np.minimum(clean[1] + 90, 255))


def test_the_error_without_bm3d_says_what_to_install(edge, monkeypatch):
    monkeypatch.setitem(sys.modules, "bm3d", None)
    with pytest.raises(ImportError, match="pip install bm3d"):
        hk.patches.bm3d(edge[1], 20)


def test_patches_of_another_shape_are_rejected():
    with pytest.raises(ValueError, match=r"\(3, 32, 32\): expected \(batch, 32, 32, 1\)"):
        hk.patches.non_local_means(np.zeros((3, 32, 32)), 20)

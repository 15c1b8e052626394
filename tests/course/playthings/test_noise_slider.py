import keras
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.playthings.noise_slider import STRENGTHS, noisy_versions

GREY = np.full((32, 32), 128, np.uint8)


def titles(plaything):
    return [axis.get_title() for axis in plaything.figure.axes]


def test_noise_of_a_grey_patch_has_the_psnr_of_the_noise_map():
    _, quality = noisy_versions(GREY)["noisy"]
    variance = np.mean(hk.patches.noise_map(1.0) ** 2)  # of noise with sigma 1
    for strength in (10, 25):
        expected = 10 * np.log10(255**2 / (strength**2 * variance))
        assert quality[STRENGTHS.index(strength)] == pytest.approx(expected, abs=0.4)
    # The mean variance along an axis is about 2/3 of that at 65 px: 25 becomes 16.7, or 23.7 dB.
    assert quality[STRENGTHS.index(25)] == pytest.approx(23.7, abs=0.2)
    assert (np.diff(quality) < 0).all()


def test_a_denoiser_that_returns_a_wrong_patch_has_the_psnr_of_its_error():
    versions = noisy_versions(GREY, lambda noisy: np.full(noisy.shape, 138.0))
    patches, quality = versions["denoised"]
    assert patches.shape == (len(STRENGTHS), 32, 32)
    assert quality == pytest.approx(np.full(len(STRENGTHS), 28.1308), abs=1e-3)  # error 10


def test_the_output_of_a_denoiser_is_clipped():
    patches, _ = noisy_versions(GREY, lambda noisy: np.full(noisy.shape, 300.0))["denoised"]
    assert (patches == 255).all()


def test_a_denoiser_with_two_inputs_gets_the_strength():
    patch, sigma = keras.Input((32, 32, 1)), keras.Input(())
    level = keras.layers.Reshape((1, 1, 1))(sigma)
    denoiser = keras.Model([patch, sigma], patch * 0.0 + level)
    patches, _ = noisy_versions(GREY, denoiser)["denoised"]
    assert np.array_equal(patches[:, 0, 0], STRENGTHS)


def test_the_controls_change_the_patch_and_its_strength(patches):
    slider = hk.course.noise_slider(patches)
    seen = [titles(slider)]
    for name, value in (("point", 3), ("strength", 60)):
        slider.controls[name].value = value
        seen.append(titles(slider))
    assert len({noisy for _, noisy, _ in seen}) == 3
    assert all(clean == "clean" and noisy.startswith("noisy: ") for clean, noisy, _ in seen)


def test_the_figure_shows_the_denoised_patch_if_there_is_a_denoiser(patches):
    slider = hk.course.noise_slider(patches, lambda noisy: noisy)
    _, noisy, denoised, _ = titles(slider)
    assert denoised == noisy.replace("noisy", "denoised")


def test_a_denoiser_of_other_patches_is_refused(patches):
    denoiser = keras.Sequential([keras.Input((64, 64, 1)), keras.layers.Identity()])
    with pytest.raises(UserError, match="takes"):
        hk.course.noise_slider(patches, denoiser)

"""Patches of keypoints, and models and functions that describe them."""

import keras
import numpy as np
import pytest
from keras_tools import ZEROS
from two_views import SHIFT, picture, seen_by

import hpatches_kit as hk
from hpatches_kit.image_matching.describe_image import (
    cut_patches,
    describe_images,
    describe_keypoints,
    describe_patches,
)


@pytest.fixture(scope="module")
def keypoints():
    return hk.images.detect_keypoints(picture(), strongest=30)


def test_patches_are_cut_and_shrunk_exactly_as_the_reference_patches_of_training(keypoints):
    sequence = hk.images.ImageSequence("v_coffee", [picture(), seen_by(SHIFT)], [SHIFT])
    originals, kept = hk.patches.extract(sequence, keypoints, blank=0)
    assert len(kept) > 10
    np.testing.assert_array_equal(
        cut_patches(picture(), kept, originals=True)[..., 0], originals[:, 0]
    )
    shrunk = hk.patches.resize(originals[:, 0])
    np.testing.assert_array_equal(cut_patches(picture(), kept)[..., 0], shrunk)


def test_outside_the_image_the_nearest_pixel_is_used():
    ramp = np.tile(np.arange(100, dtype=np.float32), (100, 1))
    (patch,) = cut_patches(ramp, np.array([[0.0, 50.0, 4.0, 0.0]]))[..., 0]
    assert (patch[:, :15] == 0).all() and (np.diff(patch[:, 17:].astype(int)) > 0).all()


def test_a_function_gets_whole_grey_levels_and_its_descriptors_are_returned(keypoints):
    calls = []

    def mean(patches):
        calls.append(patches)
        return patches.mean(axis=(1, 2))

    values = describe_keypoints(picture(), keypoints, mean)
    (patches,) = calls
    assert patches.dtype == np.uint8 and patches.shape == (30, 32, 32, 1)
    np.testing.assert_allclose(values, patches.mean(axis=(1, 2)), rtol=1e-6)
    assert values.dtype == np.float32


def test_several_images_and_models_give_what_each_gives_alone(keypoints):
    images, points = [picture(), seen_by(SHIFT)], [keypoints, keypoints[:7]]
    models = {"pixels": hk.baselines.pixels, "mean": hk.baselines.mean_std}
    described = describe_images(images, points, models)
    assert list(described) == ["pixels", "mean"]
    for name, model in models.items():
        for values, image, of_image in zip(described[name], images, points):
            np.testing.assert_array_equal(values, describe_keypoints(image, of_image, model))


def test_a_baseline_is_found_by_its_name_and_no_keypoints_give_no_rows(keypoints):
    values = describe_keypoints(picture(), keypoints, "resized")
    np.testing.assert_array_equal(
        values, describe_keypoints(picture(), keypoints, hk.baselines.resized)
    )
    assert describe_keypoints(picture(), keypoints[:0], "resized").shape == (0, 36)


@pytest.mark.slow
def test_a_network_describes_each_keypoint_as_hk_describe_does(keypoints):
    model = hk.models.tfeat(dim=8)
    patches = cut_patches(picture(), keypoints)[..., 0]
    views = hk.PatchSet({"clean": np.repeat(patches[:, None], 16, axis=1)}, ["v_a"] * 30)
    expected = hk.describe(model, views).values[:, 0]
    np.testing.assert_allclose(describe_keypoints(picture(), keypoints, model), expected, atol=1e-5)


@pytest.mark.slow
def test_a_model_of_originals_gets_65_pixels_and_a_model_with_sigma_gets_no_noise(keypoints):
    size = keras.Sequential([keras.Input((65, 65, 1)), keras.layers.Flatten()])
    assert describe_keypoints(picture(), keypoints, size).shape == (30, 65 * 65)
    patch, sigma = keras.Input((32, 32, 1)), keras.Input(())
    both = keras.layers.Concatenate()(
        [keras.layers.Flatten()(patch), keras.layers.Reshape((1,))(sigma)]
    )
    values = describe_keypoints(picture(), keypoints, keras.Model([patch, sigma], both))
    np.testing.assert_array_equal(values[:, -1], 0)


@pytest.mark.slow
def test_a_pretrained_network_is_read_once_and_a_denoiser_is_refused(keypoints):
    first, second = (describe_keypoints(picture(), keypoints, "descriptor") for _ in range(2))
    assert first.shape == (30, 128)
    np.testing.assert_array_equal(first, second)
    with pytest.raises(
        hk.UserError, match=r"returns \(30, 32, 32, 1\): expected descriptors \(30, dim\)"
    ):
        describe_keypoints(picture(), keypoints, "denoiser")
    with pytest.raises(
        hk.UserError,
        match="Unknown network 'surf': expected one of.*descriptor.*Baselines: .*rootsift",
    ):
        describe_keypoints(picture(), keypoints, "surf")


@pytest.mark.slow
def test_a_model_of_another_patch_size_is_refused(keypoints):
    model = keras.Sequential(
        [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(2, **ZEROS)]
    )
    with pytest.raises(hk.UserError, match=r"takes \(16, 16, 1\): clean patches are \(32, 32, 1\)"):
        describe_keypoints(picture(), keypoints, model)


def make_model():
    return hk.baselines.pixels


@pytest.mark.parametrize(
    ("descriptor", "message"),
    [
        (hk.models.l2net, r"l2net is not a model, but makes one: add parentheses, l2net\(\)"),
        (hk.opencv.Extractor, r"Extractor is not a model, but makes one: add parentheses"),
        (make_model, r"make_model cannot be called with patches alone.*make_model\(\)"),
        (lambda patches: hk.baselines, "<lambda> does not return numbers: expected descriptors"),
        (lambda patches: patches[:, 0, :0, 0], r"returns \(30, 0\): expected descriptors"),
    ],
)
def test_what_makes_models_or_does_not_return_numbers_is_refused(keypoints, descriptor, message):
    with pytest.raises(hk.UserError, match=message):
        describe_keypoints(picture(), keypoints, descriptor)


def test_outputs_that_are_no_descriptors_are_refused(keypoints):
    patches = np.zeros((5, 32, 32, 1), np.uint8)
    with pytest.raises(hk.UserError, match=r"returns \(4, 2\): expected descriptors \(5, dim\)"):
        describe_patches(patches, lambda patches: np.zeros((4, 2)))
    with pytest.raises(hk.UserError, match="returns NaN or infinite numbers"):
        describe_patches(patches, lambda patches: np.full((5, 2), np.nan))
    with pytest.raises(hk.UserError, match="7 is not a descriptor: expected a name, model or"):
        describe_keypoints(picture(), keypoints, 7)

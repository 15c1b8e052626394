"""A model that takes 65x65 patches and resizes them as training does."""

import zipfile

import keras
import numpy as np
import pytest
from keras_tools import outputs

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError


def same(size=32, name="same"):
    """A model that returns its patches."""
    patch = keras.Input((size, size, 1))
    return keras.Model(patch, keras.layers.Rescaling(1.0)(patch), name=name)


def random_patches(count=200):
    patches = np.random.default_rng(0).integers(0, 256, (count, 65, 65), np.uint8)
    patches[0], patches[1] = 0, 255
    return patches


def test_the_resize_is_that_of_training_bit_for_bit():
    resized = outputs(hk.models.with_resize(same()), random_patches()[..., None])
    np.testing.assert_array_equal(resized[..., 0], hk.patches.resize(random_patches()))


def test_patches_computed_by_hand():
    patches = np.zeros((2, 65, 65, 1), "uint8")
    patches[0, 0, 0] = 64  # weight 31/64 along both axes: 64 * 31 * 31 / 4096 = 15.0156
    patches[1, 32, :] = 255  # the middle row is not used
    resized = outputs(hk.models.with_resize(same()), patches)
    assert resized[0, 0, 0, 0] == 15 and resized[0].sum() == 15
    assert resized[1].sum() == 0


@pytest.mark.one_backend
def test_outputs_are_those_of_the_model_for_resized_patches():
    model = hk.models.pretrained("descriptor")
    patches = random_patches(4)
    expected = outputs(model, hk.patches.resize(patches)[..., None])
    resizing = hk.models.with_resize(model)
    np.testing.assert_allclose(outputs(resizing, patches[..., None]), expected, atol=1e-6)
    assert resizing.input_shape == (None, 65, 65, 1) and resizing.name == model.name
    assert {id(weight) for weight in resizing.weights} == {id(weight) for weight in model.weights}
    assert hk.models.with_resize(model, "small").name == "small"


def test_the_resize_is_exact_under_mixed_precision(set_precision):
    set_precision("mixed_float16")
    patch = keras.Input((32, 32, 1))
    model = keras.Model(patch, keras.layers.Rescaling(1.0, dtype="float32")(patch))
    resized = outputs(hk.models.with_resize(model), random_patches(20)[..., None])
    np.testing.assert_array_equal(resized[..., 0], hk.patches.resize(random_patches(20)))


@pytest.mark.one_backend
def test_original_patches_of_a_set_are_described():
    original = np.random.default_rng(0).integers(0, 256, (3, 16, 65, 65), np.uint8)
    patches = hk.PatchSet({"original": original, "clean": hk.patches.resize(original)}, ["v_a"] * 3)
    model = hk.models.tfeat(dim=8)
    values = hk.describe(hk.models.with_resize(model), patches, "original").values
    expected = outputs(model, patches.clean.reshape(-1, 32, 32, 1))
    np.testing.assert_allclose(values.reshape(expected.shape), expected, atol=1e-6)


@pytest.mark.one_backend
def test_a_saved_model_needs_no_code_of_the_kit(tmp_path):
    """Keras finds the code of a layer by the names of its module and package, which it saves."""
    model = hk.models.with_resize(hk.models.tfeat(dim=8))
    model.save(tmp_path / "model.keras")
    config = zipfile.ZipFile(tmp_path / "model.keras").read("config.json").decode()
    assert "hpatches_kit" not in config and "Lambda" not in config
    patches = random_patches(3)[..., None]
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(outputs(loaded, patches), outputs(model, patches))


@pytest.mark.one_backend
def test_models_of_other_inputs_are_refused():
    with pytest.raises(UserError, match=r"same takes \(None, 65, 65, 1\): expected \(None, 32"):
        hk.models.with_resize(same(65))
    with pytest.raises(UserError, match="takes the sigma of the noise as a second input"):
        hk.models.with_resize(hk.models.unet(encoder=(2, 2), decoder=(2,), noise_map=True))

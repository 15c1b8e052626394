import keras
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from hpatches_kit.metrics import psnr


def test_psnr_agrees_with_scikit_image():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 5, 32, 32, 1)).astype("float32")
    expected = [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b)]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(psnr(a, b)), expected, rtol=1e-4)


def test_an_error_of_one_grey_level_is_48_db_and_equal_patches_are_finite():
    a = np.full((2, 4, 4, 1), 100, "uint8")
    b = a + np.array([1, 0], "uint8")[:, None, None, None]
    one, same = keras.ops.convert_to_numpy(psnr(a, b))
    assert one == pytest.approx(48.13, abs=0.01) and 140 < same < 150


def test_psnr_is_found_by_its_registered_name():
    assert keras.saving.get_registered_object("hpatches_kit>psnr") is psnr

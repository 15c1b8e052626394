import os
import sys

import keras
import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.locks import locked
from hpatches_kit._support.resumable_arrays import ResumableArrays
from hpatches_kit.datasets.denoised import model_fingerprint

module = sys.modules["hpatches_kit.datasets.denoised"]  # `hk.denoise` is the function in it


def darker(factor=0.5):
    """A denoiser whose result is known: grey levels times a factor."""
    layer = keras.layers.Conv2D(1, 1, use_bias=False)
    model = keras.Sequential([keras.Input((32, 32, 1)), layer])
    layer.set_weights([np.full((1, 1, 1, 1), factor, np.float32)])
    return model


@pytest.fixture
def stored(patches, tmp_path, monkeypatch):
    """Patches on disk, and a place of their own for what is made of them."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    return patches.save(tmp_path / "patches")


def expected(patches, factor=0.5):
    return np.clip(np.rint(patches.noisy * np.float32(factor)), 0, 255)


def test_denoised_patches_are_clipped_rounded_and_mapped_from_disk(stored):
    made = hk.denoise(darker(1.5), stored)
    np.testing.assert_array_equal(made["denoised"], expected(stored, 1.5))
    assert isinstance(made.base("denoised"), np.memmap)
    assert made.fingerprint == stored.fingerprint and made.splits == stored.splits


def count_predictions(monkeypatch):
    predicted, predict = [], module.predict_blocks

    def counted(model, data, kind, batch_size, what, rows=None):
        predicted.extend(rows.tolist())
        yield from predict(model, data, kind, batch_size, what, rows)

    monkeypatch.setattr(module, "predict_blocks", counted)
    return predicted


def test_a_denoiser_sees_a_patch_once_and_only_those_that_are_asked_for(stored, monkeypatch):
    predicted = count_predictions(monkeypatch)
    part = stored.select(["v_three", "v_one"])  # in another order than on disk
    made = hk.denoise(darker(), part)
    np.testing.assert_array_equal(made["denoised"], expected(part))
    assert predicted == [*range(7), *range(12, 20)]
    np.testing.assert_array_equal(hk.denoise(darker(), part)["denoised"], expected(part))
    assert len(predicted) == 15
    np.testing.assert_array_equal(hk.denoise(darker(), stored)["denoised"], expected(stored))
    assert predicted[15:] == [*range(7, 12)]


def test_an_interrupted_run_goes_on_and_ends_in_the_same_bytes(stored, monkeypatch):
    put, predicted = ResumableArrays.put, count_predictions(monkeypatch)

    def stop_soon(self, rows, **blocks):
        if rows[0] >= 8:
            raise KeyboardInterrupt
        put(self, rows, **blocks)

    with monkeypatch.context() as patch:
        patch.setattr(ResumableArrays, "put", stop_soon)
        with pytest.raises(KeyboardInterrupt):
            hk.denoise(darker(), stored, batch_size=4)  # four points at a time
    del predicted[:]
    made = hk.denoise(darker(), stored, batch_size=4)
    assert predicted == [*range(8, 20)]
    np.testing.assert_array_equal(made["denoised"], expected(stored))


def test_other_weights_and_other_arrangements_have_other_fingerprints():
    assert (
        model_fingerprint(darker()) == model_fingerprint(darker()) != model_fingerprint(darker(0.6))
    )
    weights = darker().get_weights()
    clipped = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.Conv2D(1, 1, use_bias=False, activation="tanh")]
    )
    clipped.set_weights(weights)
    assert model_fingerprint(clipped) != model_fingerprint(darker())


def test_a_saved_and_loaded_denoiser_finds_its_patches(stored, tmp_path, monkeypatch):
    unet = hk.models.unet("shallow")
    made = hk.denoise(unet, stored)
    unet.save(tmp_path / "unet.keras")
    predicted = count_predictions(monkeypatch)
    again = hk.denoise(keras.models.load_model(tmp_path / "unet.keras"), stored)
    assert predicted == []
    np.testing.assert_array_equal(again["denoised"], made["denoised"])


def test_the_patches_of_the_denoisers_used_last_are_kept(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 2)
    home = tmp_path / "home" / "denoised"
    for time, factor in enumerate((0.2, 0.3, 0.2, 0.4)):
        hk.denoise(darker(factor), stored)
        plan = home / f"{stored.fingerprint}-{model_fingerprint(darker(factor))}" / "plan.json"
        os.utime(plan, (time, time))
    kept = {folder.name.split("-")[1] for folder in home.glob("*/")}
    assert kept == {model_fingerprint(darker(0.2)), model_fingerprint(darker(0.4))}


def test_patches_in_memory_and_plain_functions_leave_nothing_on_disk(patches, stored, tmp_path):
    for denoiser, data in ((darker(), patches), (lambda batch: batch * 0.5, stored)):
        made = hk.denoise(denoiser, data)
        np.testing.assert_array_equal(made["denoised"], expected(patches))
    assert not (tmp_path / "home").exists()


def test_the_last_batch_is_filled_up_so_that_one_size_is_compiled():
    sizes = []

    class Model:
        def predict(self, batch, batch_size, verbose):
            sizes.append(len(batch) % batch_size)
            return batch.astype(np.float32)

    patches = toy_patches({"v_one": 7})
    made = hk.denoise(Model(), patches, batch_size=50)
    np.testing.assert_array_equal(made["denoised"], patches.noisy)
    assert set(sizes) == {0}


def test_a_denoiser_that_diverged_leaves_nothing_that_counts_as_done(stored, monkeypatch):
    with pytest.raises(ValueError, match="finite: False.*lower the learning rate"):
        hk.denoise(darker(np.nan), stored)
    predicted = count_predictions(monkeypatch)
    with pytest.raises(ValueError, match="finite: False"):
        hk.denoise(darker(np.nan), stored)
    assert len(predicted) == 20


def test_an_empty_set_is_refused(patches):
    with pytest.raises(ValueError, match="is empty: there is nothing to predict"):
        hk.denoise(darker(), patches.select([]))


def test_what_somebody_is_just_making_is_not_deleted(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 1)
    hk.denoise(darker(0.2), stored)
    (folder,) = (tmp_path / "home" / "denoised").glob("*/")
    with locked(folder):
        hk.denoise(darker(0.3), stored)
        assert folder.exists()
    hk.denoise(darker(0.4), stored)
    assert not folder.exists()


def test_what_grows_counts_as_used(stored, monkeypatch):
    touched = []
    utime = os.utime
    monkeypatch.setattr(os, "utime", lambda file, *when: (touched.append(file), utime(file, *when)))
    hk.denoise(darker(), stored, batch_size=4)
    assert len(touched) >= 6  # at the start, and with each of five blocks


def test_a_denoiser_for_another_size_is_refused_for_patches_on_disk_too(stored):
    wide = keras.Sequential([keras.Input((65, 65, 1)), keras.layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match=r"\(65, 65, 1\): noisy patches are \(32, 32, 1\)"):
        hk.denoise(wide, stored)

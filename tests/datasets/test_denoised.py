import errno
import os
import shutil
import sys
from pathlib import Path
from time import time as now

import keras
import numpy as np
import pytest
from files import raising
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support import locks
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit._support.resumable_arrays import ResumableArrays
from hpatches_kit.datasets.denoised import model_fingerprint
from hpatches_kit.patches.noise import VIEW_SIGMA

denoised_module = sys.modules["hpatches_kit.datasets.denoised"]


def scale_grey(factor=0.5):
    """A model that multiplies grey levels by a factor."""
    layer = keras.layers.Conv2D(1, 1, use_bias=False)
    model = keras.Sequential([keras.Input((32, 32, 1)), layer])
    layer.set_weights([np.full((1, 1, 1, 1), factor, np.float32)])
    return model


@pytest.fixture
def stored(patches, tmp_path, monkeypatch):
    """Patches on disk; `tmp_path / "home"` is the data folder."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    return patches.save(tmp_path / "patches")


def scaled(patches, factor=0.5):
    """What the model `scale_grey(factor)` predicts, rounded to grey levels."""
    return np.clip(np.rint(patches.noisy * np.float32(factor)), 0, 255)


def test_denoised_patches_are_clipped_rounded_and_mapped_from_disk(stored):
    result = hk.denoise(scale_grey(1.5), stored)
    np.testing.assert_array_equal(result["denoised"], scaled(stored, 1.5))
    assert isinstance(result.base("denoised"), np.memmap)
    assert result.fingerprint == stored.fingerprint and result.splits == stored.splits


def record_predicted_rows(monkeypatch):
    """A list that grows with the rows that any denoiser predicts from now on."""
    predicted, predict_blocks = [], denoised_module.predict_blocks

    def recorded(model, patches, kind, batch_size, text, rows=None):
        predicted.extend(rows.tolist())
        yield from predict_blocks(model, patches, kind, batch_size, text, rows)

    monkeypatch.setattr(denoised_module, "predict_blocks", recorded)
    return predicted


def test_each_requested_patch_is_denoised_once_and_no_other(stored, monkeypatch):
    predicted = record_predicted_rows(monkeypatch)
    part = stored.select(["v_three", "v_one"])  # in another order than on disk
    result = hk.denoise(scale_grey(), part)
    np.testing.assert_array_equal(result["denoised"], scaled(part))
    assert predicted == [*range(7), *range(12, 20)]
    np.testing.assert_array_equal(hk.denoise(scale_grey(), part)["denoised"], scaled(part))
    assert len(predicted) == 15
    np.testing.assert_array_equal(hk.denoise(scale_grey(), stored)["denoised"], scaled(stored))
    assert predicted[15:] == [*range(7, 12)]


def test_an_interrupted_call_resumes_and_gives_the_same_bytes(stored, monkeypatch):
    put, predicted = ResumableArrays.put, record_predicted_rows(monkeypatch)

    def put_until_row_8(self, rows, **blocks):
        if rows[0] >= 8:
            raise KeyboardInterrupt
        put(self, rows, **blocks)

    with monkeypatch.context() as patch:
        patch.setattr(ResumableArrays, "put", put_until_row_8)
        with pytest.raises(KeyboardInterrupt):
            hk.denoise(scale_grey(), stored, batch_size=4)  # four points at a time
    del predicted[:]
    result = hk.denoise(scale_grey(), stored, batch_size=4)
    assert predicted == [*range(8, 20)]
    np.testing.assert_array_equal(result["denoised"], scaled(stored))


def test_the_fingerprint_depends_on_the_weights_and_the_architecture():
    fingerprint = model_fingerprint(scale_grey())
    assert model_fingerprint(scale_grey()) == fingerprint
    assert model_fingerprint(scale_grey(0.6)) != fingerprint
    tanh = keras.layers.Conv2D(1, 1, use_bias=False, activation="tanh")
    same_weights = keras.Sequential([keras.Input((32, 32, 1)), tanh])
    same_weights.set_weights(scale_grey().get_weights())
    assert model_fingerprint(same_weights) != fingerprint


def test_a_saved_and_loaded_denoiser_uses_the_cached_patches(stored, tmp_path, monkeypatch):
    unet = hk.models.unet("shallow")
    result = hk.denoise(unet, stored)
    unet.save(tmp_path / "unet.keras")
    predicted = record_predicted_rows(monkeypatch)
    cached = hk.denoise(keras.models.load_model(tmp_path / "unet.keras"), stored)
    assert predicted == []
    np.testing.assert_array_equal(cached["denoised"], result["denoised"])


def test_the_cache_keeps_the_sets_used_last(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(denoised_module, "KEPT", 2)
    cache = tmp_path / "home" / "denoised"
    for time, factor in enumerate((0.2, 0.3, 0.2, 0.4)):
        hk.denoise(scale_grey(factor), stored)
        plan = cache / f"{stored.fingerprint}-{model_fingerprint(scale_grey(factor))}" / "plan.json"
        os.utime(plan, (time, time))
    kept = {folder.name.split("-")[1] for folder in cache.glob("*/")}
    assert kept == {model_fingerprint(scale_grey(0.2)), model_fingerprint(scale_grey(0.4))}


def test_patches_in_memory_and_plain_functions_write_nothing_to_disk(patches, stored, tmp_path):
    for denoiser, noisy in ((scale_grey(), patches), (lambda batch: batch * 0.5, stored)):
        result = hk.denoise(denoiser, noisy)
        np.testing.assert_array_equal(result["denoised"], scaled(patches))
    assert not (tmp_path / "home").exists()


def add_sigma():
    """A model with two inputs that adds sigma to the patch."""
    noisy, sigma = keras.Input((32, 32, 1)), keras.Input((1,))
    return keras.Model([noisy, sigma], noisy + keras.layers.Reshape((1, 1, 1))(sigma))


def test_a_denoiser_with_a_second_input_gets_the_sigma_of_each_view(stored):
    expected = np.minimum(stored.noisy + VIEW_SIGMA[:, None, None], 255)
    for batch_size in (7, 256):  # batches that end within a point
        result = hk.denoise(add_sigma(), stored, batch_size, cache=False)
        np.testing.assert_array_equal(result["denoised"], expected)
    np.testing.assert_array_equal(hk.denoise(add_sigma(), stored)["denoised"], expected)
    error = hk.metrics.quality(stored.add("clean", stored.noisy), add_sigma()).MAE
    assert error["tough"] > error["hard"] > error["easy"] > 20


def test_without_a_cache_nothing_is_written_to_disk(stored, tmp_path):
    result = hk.denoise(scale_grey(), stored, cache=False)
    np.testing.assert_array_equal(result["denoised"], scaled(stored))
    assert not (tmp_path / "home").exists()


def test_the_last_batch_is_padded_to_the_batch_size():
    remainders = []

    class Model:
        def predict(self, batch, batch_size, verbose):
            remainders.append(len(batch) % batch_size)
            return batch.astype(np.float32)

    patches = toy_patches({"v_one": 7})
    result = hk.denoise(Model(), patches, batch_size=50)
    np.testing.assert_array_equal(result["denoised"], patches.noisy)
    assert set(remainders) == {0}


def test_the_output_of_a_diverged_denoiser_is_not_cached(stored, monkeypatch):
    with pytest.raises(ValueError, match="finite: False.*lower the learning rate"):
        hk.denoise(scale_grey(np.nan), stored)
    predicted = record_predicted_rows(monkeypatch)
    with pytest.raises(ValueError, match="finite: False"):
        hk.denoise(scale_grey(np.nan), stored)
    assert len(predicted) == 20


def test_a_set_that_another_process_is_writing_is_not_deleted(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(denoised_module, "KEPT", 1)
    hk.denoise(scale_grey(0.2), stored)
    (folder,) = (tmp_path / "home" / "denoised").glob("*/")
    with locked(folder):
        hk.denoise(scale_grey(0.3), stored)
        assert folder.exists()
    hk.denoise(scale_grey(0.4), stored)
    assert not folder.exists()


def test_a_set_that_another_process_has_just_deleted_is_ignored(stored, tmp_path, monkeypatch):
    hk.denoise(scale_grey(0.2), stored)
    (deleted,) = (tmp_path / "home" / "denoised").glob("*/")
    glob = Path.glob

    def list_then_delete(folder, pattern):
        files = list(glob(folder, pattern))
        shutil.rmtree(deleted, ignore_errors=True)
        return files

    with monkeypatch.context() as patch:
        patch.setattr(Path, "glob", list_then_delete)
        result = hk.denoise(scale_grey(0.3), stored)
    assert not deleted.exists()
    np.testing.assert_array_equal(result["denoised"], scaled(stored, 0.3))


def test_a_set_that_is_being_written_counts_as_used(stored, monkeypatch):
    touched, utime = [], os.utime
    monkeypatch.setattr(os, "utime", lambda file, *when: (touched.append(file), utime(file, *when)))
    hk.denoise(scale_grey(), stored, batch_size=4)
    assert len(touched) >= 6  # at the start, and with each of five blocks


def test_unsuitable_patches_and_denoisers_are_refused(patches, stored):
    with pytest.raises(ValueError, match="is empty: there is nothing to predict"):
        hk.denoise(scale_grey(), patches.select([]))
    wide = keras.Sequential([keras.Input((65, 65, 1)), keras.layers.Conv2D(1, 3)])
    for noisy in (patches, stored):
        with pytest.raises(ValueError, match=r"\(65, 65, 1\): noisy patches are \(32, 32, 1\)"):
            hk.denoise(wide, noisy)
    for denoiser in (lambda b: b * np.nan, lambda b: b.reshape(len(b), -1) * 1.0):
        with pytest.raises(ValueError, match="Expected finite .batch, 32, 32, 1.; if training div"):
            hk.denoise(denoiser, patches)


def test_a_read_only_data_folder_serves_the_patches_that_it_has(stored, monkeypatch):
    expected, fail = hk.denoise(scale_grey(), stored), raising(OSError(errno.EROFS, "read-only"))
    monkeypatch.setattr(locks.FileLock, "acquire", fail)
    monkeypatch.setattr(os, "utime", fail)
    monkeypatch.setattr(Path, "mkdir", fail)
    served = hk.denoise(scale_grey(), stored.select(["i_two"]))
    np.testing.assert_array_equal(served["denoised"], expected.select(["i_two"])["denoised"])
    with pytest.raises(OSError, match="cannot be written"):
        hk.denoise(scale_grey(0.6), stored)


def test_sets_from_a_clock_that_was_ahead_do_not_push_out_new_ones(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(denoised_module, "KEPT", 2)
    for factor in (0.2, 0.3):
        hk.denoise(scale_grey(factor), stored)
    cache = tmp_path / "home" / "denoised"
    for plan in cache.glob("*/plan.json"):
        os.utime(plan, (now() + 1e6, now() + 1e6))
    hk.denoise(scale_grey(0.4), stored)
    new = cache / f"{stored.fingerprint}-{model_fingerprint(scale_grey(0.4))}"
    assert new.exists() and len(list(cache.glob("*/"))) == 2
    assert all(plan.stat().st_mtime < now() + 60 for plan in cache.glob("*/plan.json"))


def test_denoised_patches_are_not_written_through_a_link(stored, tmp_path):
    folder = tmp_path / "home" / "denoised"
    (tmp_path / "elsewhere").mkdir()
    folder.mkdir(parents=True)
    name = f"{stored.fingerprint}-{model_fingerprint(scale_grey())}"
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a link"):
        hk.denoise(scale_grey(), stored)
    assert list((tmp_path / "elsewhere").iterdir()) == []

import errno
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from hpatches_kit._support import resumable_arrays
from hpatches_kit.datasets import hpatches
from hpatches_kit.datasets.strips import write_strips
from hpatches_kit.patches.noise import noisy_and_clean
from hpatches_kit.patches.storage import open_patch_set


def one_at_a_time(function, items, *_, **__):
    return [function(item) for item in items]


def test_a_set_written_in_the_n_hpatches_layout_is_read_back_equal(patches, tmp_path):
    shared = patches.select(patches.names)
    shared.label[:3] = shared.label[7:10]  # places seen in two sequences
    hpatches.write_release(shared, tmp_path / "course")
    assert (tmp_path / "course" / "v_one" / "t5_noise.png").exists()
    with Image.open(tmp_path / "course" / "v_one" / "e3.png") as strip:
        assert strip.size == (32, 7 * 32)
    read = hpatches.convert_release(tmp_path / "course", tmp_path / "arrays")
    assert read.names == sorted(shared.names) and read.splits == shared.splits
    read = read.select(shared.names)
    np.testing.assert_array_equal(read.clean, shared.clean)
    np.testing.assert_array_equal(read.noisy, shared.noisy)
    np.testing.assert_array_equal(read.label, shared.label)


def read_strips(folder):
    """`uint8 (points, 16, 65, 65)`."""
    strips = [np.asarray(Image.open(folder / f"{view}.png")) for view in hpatches.VIEWS]
    assert len(list(folder.glob("*.png"))) == len(strips) == 16
    return np.stack([strip.reshape(-1, 65, 65) for strip in strips], axis=1)


def test_65_px_strips_get_noise_that_depends_on_the_seed_and_the_sequence_name(release, tmp_path):
    both = hpatches.convert_release(release, tmp_path / "both")
    assert both.lengths == {"i_ajuntament": 3, "v_there": 2}
    clean = noisy_and_clean(read_strips(release / "v_there"))[1]
    np.testing.assert_array_equal(both.select("v_there").clean, clean)
    assert both.flat.tolist() == [False, False, False, False, True]
    shutil.rmtree(release / "i_ajuntament")
    part = hpatches.convert_release(release, tmp_path / "part")
    np.testing.assert_array_equal(part.noisy, both.select("v_there").noisy)
    other_seed = hpatches.convert_release(release, tmp_path / "other", seed=1)
    assert (other_seed.noisy != part.noisy).any()
    np.testing.assert_array_equal(other_seed.clean, part.clean)


def test_65_px_patches_are_kept_on_request_only(release, tmp_path):
    plain = hpatches.convert_release(release, tmp_path / "plain")
    kept = hpatches.convert_release(release, tmp_path / "kept", originals=True)
    assert set(plain.arrays) == {"clean", "noisy"}
    original = kept.select("v_there")["original"]
    np.testing.assert_array_equal(original, read_strips(release / "v_there"))
    np.testing.assert_array_equal(kept.noisy, plain.noisy)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"originals": True}, "strips of 32 pixels: expected one width, 65 to keep"),
        ({"seed": 3}, "strips of 32 pixels, which have their noise already: seed=3"),
    ],
)
def test_32_px_strips_have_no_originals_and_accept_no_seed(patches, tmp_path, options, message):
    hpatches.write_release(patches, tmp_path / "course")
    with pytest.raises(ValueError, match=message):
        hpatches.convert_release(tmp_path / "course", tmp_path / "arrays", **options)


def test_strips_of_two_widths_are_refused(release, patches, tmp_path):
    hpatches.write_release(patches, tmp_path / "small")
    shutil.move(tmp_path / "small" / "v_one", release / "v_one")
    with pytest.raises(ValueError, match="strips of 32 and 65 pixels: expected one width"):
        hpatches.convert_release(release, tmp_path / "arrays")


@pytest.fixture
def interrupted(release, tmp_path, monkeypatch):
    """The folder of a conversion that was interrupted after one of two sequences."""
    put, finished = resumable_arrays.ResumableArrays.put, []

    def map_in_order(function, items, *_, **__):
        return [function(item) for item in items]

    def put_once(self, rows, **blocks):
        if finished:
            raise KeyboardInterrupt
        finished.append(rows)
        put(self, rows, **blocks)

    with monkeypatch.context() as patch:
        patch.setattr(resumable_arrays.ResumableArrays, "put", put_once)
        patch.setattr(hpatches, "parallel_map", map_in_order)
        with pytest.raises(KeyboardInterrupt):
            hpatches.convert_release(release, tmp_path / "arrays")
    return tmp_path / "arrays"


def test_an_interrupted_conversion_resumes(release, interrupted, tmp_path, capsys):
    assert not interrupted.exists()  # a set that is not complete has another name
    resumed = hpatches.convert_release(release, interrupted)
    assert "Resuming: 1 of 2 sequences are already converted." in capsys.readouterr().out
    expected = hpatches.convert_release(release, tmp_path / "expected")
    for name in ("clean", "noisy", "flat"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(expected, name))
    assert not (tmp_path / ".arrays.partial").exists()


def test_a_conversion_starts_again_if_its_source_changed(release, interrupted, capsys):
    write_strips(release / "v_there", np.full((2, 16, 65, 65), 7, np.uint8))
    converted = hpatches.convert_release(release, interrupted)
    assert "Resuming" not in capsys.readouterr().out
    assert (converted.select("v_there").clean == 7).all()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:40],
        lambda text: text.replace("v_three", "v_four"),
        lambda text: text.replace("[0, ", "["),
    ],
    ids=["truncated", "another sequence", "a label too few"],
)
def test_labels_that_do_not_fit_the_strips_are_reported(patches, tmp_path, damage):
    hpatches.write_release(patches, tmp_path / "course")
    file = tmp_path / "course" / "places.json"
    file.write_text(damage(file.read_text()))
    with pytest.raises(ValueError, match=r"places\.json"):
        hpatches.convert_release(tmp_path / "course", tmp_path / "arrays")


def test_a_folder_with_other_files_is_never_replaced(release, patches, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "notes.txt").write_text("notes")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        hpatches.write_release(patches, tmp_path / "work")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        hpatches.convert_release(release, tmp_path / "work")


def test_a_converted_set_stores_its_provenance(release, tmp_path):
    hpatches.convert_release(release, tmp_path / "arrays", seed=3)
    assert len(open_patch_set(tmp_path / "arrays", seed=3)) == 5
    with pytest.raises(ValueError, match="was built with seed = 3, expected 0"):
        open_patch_set(tmp_path / "arrays", seed=0)


def test_flat_patches_are_determined_at_65_pixels(tmp_path):
    # A standard deviation of 20 at 65 px, and less than 10 after resizing.
    stripes = np.where(np.arange(65) % 2, 90, 130).astype(np.uint8)
    write_strips(tmp_path / "striped" / "v_there", np.broadcast_to(stripes, (2, 16, 65, 65)))
    patches = hpatches.convert_release(tmp_path / "striped", tmp_path / "arrays")
    assert not patches.flat.any() and patches.clean[0, 0, :, :6].std() < 10


def test_too_little_disk_space_is_reported_first(release, tmp_path, set_free_space):
    set_free_space(1000)
    with pytest.raises(OSError, match="Converting hpatches-release needs 164 kB, 1.0 kB are free"):
        hpatches.convert_release(release, tmp_path / "arrays")


def test_a_complete_conversion_is_only_renamed(release, tmp_path, monkeypatch):
    expected = hpatches.convert_release(release, tmp_path / "arrays").noisy.copy()
    (tmp_path / "arrays").rename(tmp_path / ".arrays.partial")
    monkeypatch.setattr(hpatches, "_fill", lambda *_: 1 / 0)
    renamed = hpatches.convert_release(release, tmp_path / "arrays")
    np.testing.assert_array_equal(renamed.noisy, expected)


def test_a_conversion_resumes_after_its_last_file_failed(release, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(hpatches, "write_metadata", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            hpatches.convert_release(release, tmp_path / "arrays")
    assert len(hpatches.convert_release(release, tmp_path / "arrays")) == 5
    assert "Resuming: 2 of 2 sequences are already converted." in capsys.readouterr().out


def test_the_number_of_labels_is_checked_for_each_sequence(release, tmp_path):
    extra = {"splits": {}, "label": {"i_ajuntament": [0, 1], "v_there": [2, 3, 4]}}
    (release / "places.json").write_text(json.dumps(extra))
    with pytest.raises(ValueError, match="has 2 labels for 3 points of i_ajuntament"):
        hpatches.convert_release(release, tmp_path / "arrays")


def test_hpatches_sequences_have_the_official_splits(release, tmp_path):
    shutil.copytree(release / "v_there", release / "v_colors")
    patches = hpatches.convert_release(release, tmp_path / "arrays")
    sides = [side.names for side in patches.split("a")]
    assert sides == [["v_there"], ["v_colors"], ["i_ajuntament"]]
    assert [len(side.names) for side in patches.split("full")] == [0, 0, 3]


def test_a_conversion_resumes_after_the_disk_was_full(release, tmp_path, monkeypatch, capsys):
    fsync, calls = os.fsync, []

    def fail_at_call_6(descriptor):
        calls.append(descriptor)
        if len(calls) == 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(resumable_arrays.os, "fsync", fail_at_call_6)
        patch.setattr(hpatches, "parallel_map", one_at_a_time)
        with pytest.raises(OSError, match=r"The disk of .* is full\. Make room, up to .* and call"):
            hpatches.convert_release(release, tmp_path / "arrays")
    assert not (tmp_path / "arrays").exists()
    whole = hpatches.convert_release(release, tmp_path / "whole")
    again = hpatches.convert_release(release, tmp_path / "arrays")
    assert "Resuming: 1 of 2" in capsys.readouterr().out
    np.testing.assert_array_equal(again.noisy, whole.noisy)

import errno
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from hpatches_kit._support import resumable_arrays as filling
from hpatches_kit.datasets import hpatches
from hpatches_kit.datasets.strips import write_strips
from hpatches_kit.patches.noise import noisy_and_clean
from hpatches_kit.patches.storage import open_patch_set


def test_the_noisy_layout_is_written_and_read_back_equal(patches, tmp_path):
    shared = patches.select(patches.names)
    shared.label[:3] = shared.label[7:10]  # places that two sequences show
    hpatches.write(shared, tmp_path / "release")
    assert (tmp_path / "release" / "v_one" / "t5_noise.png").exists()
    with Image.open(tmp_path / "release" / "v_one" / "e3.png") as strip:
        assert strip.size == (32, 7 * 32)
    read = hpatches.convert_release(tmp_path / "release", tmp_path / "arrays")
    assert read.names == sorted(shared.names) and read.splits == shared.splits
    read = read.select(shared.names)
    np.testing.assert_array_equal(read.clean, shared.clean)
    np.testing.assert_array_equal(read.noisy, shared.noisy)
    np.testing.assert_array_equal(read.label, shared.label)


@pytest.fixture
def release(tmp_path):
    """Two sequences of the original layout, 65 px; one of its points is flat."""
    rng = np.random.default_rng(0)
    for name, points in (("i_ajuntament", 3), ("v_there", 2)):
        patches = rng.integers(0, 256, (points, 16, 65, 65), np.uint8)
        if name == "v_there":
            patches[1, 0] = 100 + np.arange(65)[:, None] % 8
        write_strips(tmp_path / "hpatches" / name, patches)
    return tmp_path / "hpatches"


def strips_of(folder):
    files = sorted(folder.glob("*.png"))
    views = [
        np.asarray(Image.open(folder / f"{v}.png")).reshape(-1, 65, 65) for v in hpatches.VIEWS
    ]
    assert len(files) == len(views) == 16
    return np.stack(views, axis=1)


def test_original_strips_get_the_noise_of_the_course_seeded_by_sequence(release, tmp_path):
    both = hpatches.convert_release(release, tmp_path / "both")
    assert both.lengths == {"i_ajuntament": 3, "v_there": 2}
    clean = noisy_and_clean(strips_of(release / "v_there"))[1]
    np.testing.assert_array_equal(both.select("v_there").clean, clean)
    assert both.flat.tolist() == [False, False, False, False, True]
    shutil.rmtree(release / "i_ajuntament")
    alone = hpatches.convert_release(
        release, tmp_path / "alone"
    )  # a part gets the same as the whole
    np.testing.assert_array_equal(alone.noisy, both.select("v_there").noisy)
    other = hpatches.convert_release(release, tmp_path / "other", seed=1)
    assert (other.noisy != alone.noisy).any()
    np.testing.assert_array_equal(other.clean, alone.clean)


def test_hpatches_sequences_bring_their_splits(release, tmp_path):
    train, test = hpatches.convert_release(release, tmp_path / "arrays").split("a")
    assert (train.names, test.names) == (["v_there"], ["i_ajuntament"])


def test_the_large_patches_are_kept_only_when_asked(release, tmp_path):
    plain = hpatches.convert_release(release, tmp_path / "plain")
    kept = hpatches.convert_release(release, tmp_path / "kept", originals=True)
    assert set(plain.arrays) == {"clean", "noisy"}
    np.testing.assert_array_equal(
        kept.select("v_there")["original"], strips_of(release / "v_there")
    )
    np.testing.assert_array_equal(kept.noisy, plain.noisy)


def test_originals_of_the_noisy_release_cannot_be_kept(patches, tmp_path):
    hpatches.write(patches, tmp_path / "release")
    with pytest.raises(ValueError, match="strips of 32 pixels: expected one width, 65 to keep"):
        hpatches.convert_release(tmp_path / "release", tmp_path / "arrays", originals=True)


def test_strips_of_two_widths_are_refused(release, patches, tmp_path):
    hpatches.write(patches, tmp_path / "small")
    shutil.move(tmp_path / "small" / "v_one", release / "v_one")
    with pytest.raises(ValueError, match="strips of 32 and 65 pixels: expected one width"):
        hpatches.convert_release(release, tmp_path / "arrays")


def interrupted(monkeypatch, after, error):
    """Let `after` sequences be written, then raise."""
    put, calls = filling.ResumableArrays.put, []

    def put_a_few(self, rows, **blocks):
        if len(calls) == after:
            raise error
        calls.append(1)
        put(self, rows, **blocks)

    monkeypatch.setattr(filling.ResumableArrays, "put", put_a_few)
    monkeypatch.setattr(hpatches, "parallel_map", lambda f, items, *_, **__: [*map(f, items)])


def test_an_interrupted_conversion_goes_on_with_what_is_missing(
    release, tmp_path, monkeypatch, capsys
):
    whole = hpatches.convert_release(release, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupted(patch, after=1, error=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            hpatches.convert_release(release, tmp_path / "arrays")
    assert not (tmp_path / "arrays").exists()  # never a half set
    again = hpatches.convert_release(release, tmp_path / "arrays")
    assert "Going on: 1 of 2 sequences are there." in capsys.readouterr().out
    for kind in ("clean", "noisy"):
        np.testing.assert_array_equal(again[kind], whole[kind])
    np.testing.assert_array_equal(again.flat, whole.flat)
    assert not (tmp_path / ".arrays.partial").exists()


def test_what_was_begun_from_another_source_is_not_mixed_in(release, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        interrupted(patch, after=1, error=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            hpatches.convert_release(release, tmp_path / "arrays")
    write_strips(release / "v_there", np.full((2, 16, 65, 65), 7, np.uint8))
    again = hpatches.convert_release(release, tmp_path / "arrays")
    assert "Going on" not in capsys.readouterr().out
    assert (again.select("v_there").clean == 7).all()


def test_a_disk_that_fills_up_loses_nothing(release, tmp_path, monkeypatch, capsys):
    write, calls = os.fsync, []

    def full(descriptor):
        calls.append(1)
        if len(calls) == 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(filling.os, "fsync", full)
        patch.setattr(hpatches, "parallel_map", lambda f, items, *_, **__: [*map(f, items)])
        with pytest.raises(OSError, match=r"The disk of .* is full\. Make room, up to .* and call"):
            hpatches.convert_release(release, tmp_path / "arrays")
    assert not (tmp_path / "arrays").exists()
    whole = hpatches.convert_release(release, tmp_path / "whole")
    again = hpatches.convert_release(release, tmp_path / "arrays")
    assert "Going on: 1 of 2" in capsys.readouterr().out
    np.testing.assert_array_equal(again.noisy, whole.noisy)


@pytest.mark.parametrize("content", [lambda t: t[:40], lambda t: t.replace("v_three", "v_four"), lambda t: t.replace("[0, ", "[")])  # fmt: skip
def test_labels_that_do_not_fit_the_strips_are_named(patches, tmp_path, content):
    hpatches.write(patches, tmp_path / "release")
    file = tmp_path / "release" / "places.json"
    file.write_text(content(file.read_text()))
    with pytest.raises(ValueError, match=r"places\.json"):
        hpatches.convert_release(tmp_path / "release", tmp_path / "arrays")


def test_foreign_files_are_never_replaced(release, patches, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        hpatches.write(patches, tmp_path / "mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        hpatches.convert_release(release, tmp_path / "mine")


def test_what_is_converted_opens_at_once_and_knows_what_it_was_made_of(release, tmp_path):
    hpatches.convert_release(release, tmp_path / "arrays", seed=3)
    assert len(open_patch_set(tmp_path / "arrays", seed=3)) == 5
    with pytest.raises(ValueError, match="was built with seed = 3, wanted 0"):
        open_patch_set(tmp_path / "arrays", seed=0)


def test_what_is_flat_is_judged_at_65_pixels(tmp_path):
    stripes = np.where(np.arange(65) % 2, 90, 130).astype(
        np.uint8
    )  # spread by 20, until they shrink
    write_strips(tmp_path / "release" / "v_there", np.broadcast_to(stripes, (2, 16, 65, 65)))
    patches = hpatches.convert_release(tmp_path / "release", tmp_path / "arrays")
    assert not patches.flat.any() and patches.clean[0, 0, :, :6].std() < 10


def test_too_little_room_is_said_before_the_work(release, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("hpatches_kit.files.shutil.disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="Converting hpatches needs 164 kB, 1.0 kB are free"):
        hpatches.convert_release(release, tmp_path / "arrays")


def test_a_conversion_that_lacked_only_its_name_is_not_done_again(release, tmp_path, monkeypatch):
    whole = hpatches.convert_release(release, tmp_path / "arrays")
    (tmp_path / "arrays").rename(tmp_path / ".arrays.partial")
    monkeypatch.setattr(hpatches, "_fill", lambda *_: 1 / 0)
    again = hpatches.convert_release(release, tmp_path / "arrays")
    np.testing.assert_array_equal(again.noisy, whole.noisy)


def test_a_conversion_that_failed_at_its_last_file_keeps_the_rest(
    release, tmp_path, monkeypatch, capsys
):
    with monkeypatch.context() as patch:
        patch.setattr(hpatches, "write_metadata", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            hpatches.convert_release(release, tmp_path / "arrays")
    assert len(hpatches.convert_release(release, tmp_path / "arrays")) == 5
    assert "Going on: 2 of 2 sequences are there." in capsys.readouterr().out


def test_labels_of_a_sequence_are_counted_one_by_one(release, tmp_path):
    extra = {"splits": {}, "label": {"i_ajuntament": [0, 1], "v_there": [2, 3, 4]}}
    (release / "places.json").write_text(json.dumps(extra))
    with pytest.raises(ValueError, match="has 2 labels for 3 points of i_ajuntament"):
        hpatches.convert_release(release, tmp_path / "arrays")

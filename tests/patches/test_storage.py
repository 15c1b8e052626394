import errno
import json
import multiprocessing
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from files import file_names, flip_a_bit, raising, truncate
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support import locks
from hpatches_kit._support.checksums import quick_checksum
from hpatches_kit._support.errors import UserError
from hpatches_kit.patches import storage
from hpatches_kit.patches.storage import open_or_build, open_patch_set

# The generator polynomial of CRC-32: inverting these bits of any message does not change its CRC.
CRC32_POLYNOMIAL = np.array([65, 6, 113, 219, 1], np.uint8)


def test_saved_patches_open_equal_and_memory_mapped(patches, tmp_path):
    saved = patches.save(tmp_path / "toy", seed=3)
    opened = open_patch_set(tmp_path / "toy", seed=3)
    assert isinstance(opened.arrays["clean"], np.memmap)
    for result in (saved, opened):
        np.testing.assert_array_equal(result.clean, patches.clean)
        np.testing.assert_array_equal(result.noisy, patches.noisy)
        np.testing.assert_array_equal(result.label, patches.label)
        np.testing.assert_array_equal(result.flat, patches.flat)
        assert (result.names, result.splits) == (patches.names, patches.splits)


def test_the_provenance_is_stored_as_json(patches, tmp_path):
    patches.save(tmp_path / "toy", seed=3, source="photographs")
    metadata = json.loads((tmp_path / "toy" / "patches.json").read_text())
    assert metadata["provenance"] == {"seed": 3, "source": "photographs"}


def test_a_folder_with_other_files_is_never_replaced(patches, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("years")
    with pytest.raises(FileExistsError, match=r"thesis\.tex: choose another"):
        patches.save(tmp_path / "work")
    assert (tmp_path / "work" / "thesis.tex").read_text() == "years"


def test_a_tilde_is_the_home_folder(patches, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(patches.save("~/saved")) == len(patches) and (tmp_path / "saved").is_dir()


def test_points_of_a_sequence_must_be_contiguous_to_be_saved(tmp_path):
    patches = toy_patches({"v_one": 3, "i_two": 2})._pick(np.array([0, 3, 1, 4, 2]))
    with pytest.raises(UserError, match="not contiguous: save patches.select"):
        patches.save(tmp_path / "mixed")
    assert len(patches.select(patches.names).save(tmp_path / "mixed")) == 5


@pytest.mark.parametrize("name", ["clean.npy", "label.npy", "patches.json"])
@pytest.mark.parametrize("damage", [truncate, flip_a_bit, Path.unlink])
def test_a_damaged_cache_is_detected_and_built_again(name, damage, tmp_path):
    builds = []

    def build():
        builds.append(1)
        toy_patches({"v_one": 20}).save(folder, seed=0)

    folder = tmp_path / "cache"
    open_or_build(folder, build, seed=0)
    open_or_build(folder, build, seed=0)
    assert len(builds) == 1
    damage(folder / name)
    rebuilt = open_or_build(folder, build, seed=0)
    assert len(builds) == 2
    np.testing.assert_array_equal(rebuilt.clean, toy_patches({"v_one": 20}).clean)
    assert file_names(tmp_path) == ["cache"]


def test_a_cache_made_with_other_settings_is_built_again(tmp_path):
    folder = tmp_path / "cache"
    open_or_build(folder, lambda: toy_patches({"v_one": 3}).save(folder, seed=0), seed=0)
    other = open_or_build(folder, lambda: toy_patches({"v_one": 4}).save(folder, seed=1), seed=1)
    assert len(other) == 4


def test_a_cache_of_another_version_of_the_kit_is_built_again(tmp_path, capsys):
    folder = tmp_path / "cache"
    toy_patches({"v_one": 3}).save(folder)
    (folder / "patches.json").write_text('{"format": 2, "about": {}, "crc32": "01234567"}')
    with pytest.raises(UserError, match="another version of hpatches_kit: format 2, expected 3"):
        open_patch_set(folder)
    assert len(open_or_build(folder, lambda: toy_patches({"v_one": 5}).save(folder))) == 5
    assert "Building again: " in capsys.readouterr().out


def slow_build(folder, log):
    def build():
        with open(log, "a") as stream:
            stream.write("built\n")
        time.sleep(2)
        toy_patches({"v_one": 3}).save(folder)

    assert len(open_or_build(folder, build)) == 3


@pytest.mark.slow
def test_a_cache_that_two_processes_want_is_built_by_one_of_them(tmp_path):
    context, log = multiprocessing.get_context("spawn"), tmp_path / "log"
    arguments = tmp_path / "cache", log
    processes = [context.Process(target=slow_build, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert log.read_text() == "built\n"


fail = raising(OSError(errno.EROFS, "Read-only file system"))


def test_an_existing_cache_opens_from_a_read_only_folder(patches, tmp_path, monkeypatch):
    patches.save(tmp_path / "cache")
    monkeypatch.setattr(Path, "mkdir", fail)
    monkeypatch.setattr(locks.FileLock, "acquire", fail)
    assert len(open_or_build(tmp_path / "cache", fail)) == len(patches)


def test_a_set_that_was_being_replaced_is_restored(patches, tmp_path):
    patches.save(tmp_path / "cache")
    (tmp_path / "cache").rename(tmp_path / ".cache.partial-old")
    assert len(open_or_build(tmp_path / "cache", fail)) == len(patches)


def test_sets_that_differ_in_one_bit_have_different_fingerprints(patches, tmp_path, monkeypatch):
    def samples_of(file):
        return quick_checksum(file, limit=10, windows=3, window=10)

    monkeypatch.setattr(storage, "quick_checksum", samples_of)  # as for files of gigabytes
    first = patches.save(tmp_path / "first")
    assert patches.save(tmp_path / "copy").fingerprint == first.fingerprint
    patches.arrays["noisy"][9, 3, 2, 1] ^= 1
    assert patches.save(tmp_path / "second").fingerprint != first.fingerprint


def test_sets_with_the_same_crc_32_have_different_fingerprints(patches, tmp_path):
    first = patches.save(tmp_path / "first")
    patches.arrays["noisy"][9, 3, 2, 1:6] ^= CRC32_POLYNOMIAL
    second = patches.save(tmp_path / "second")
    files = [(tmp_path / name / "noisy.npy").read_bytes() for name in ("first", "second")]
    assert files[0] != files[1] and zlib.crc32(files[0]) == zlib.crc32(files[1])
    assert second.fingerprint != first.fingerprint


def test_equal_sets_have_equal_fingerprints(patches, tmp_path):
    first, second = patches.save(tmp_path / "first"), patches.save(tmp_path / "second")
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_a_set_that_is_saved_again_while_it_opens_is_of_one_version(moment, tmp_path, monkeypatch):
    folder, versions = tmp_path / "set", [toy_patches({"v_one": 5}, seed=seed) for seed in (0, 1)]
    versions[0].save(folder)
    calls, checksum = [], storage.quick_checksum

    def save_again(file):
        calls.append(checksum(file))
        if len(calls) == moment:
            monkeypatch.setattr(storage, "quick_checksum", checksum)
            versions[1].save(folder)
        return calls[-1]

    monkeypatch.setattr(storage, "quick_checksum", save_again)
    opened = open_patch_set(folder)
    fingerprints = [version.save(tmp_path / "copy").fingerprint for version in versions]
    version = versions[fingerprints.index(opened.fingerprint)]
    np.testing.assert_array_equal(opened.clean, version.clean)
    np.testing.assert_array_equal(opened.noisy, version.noisy)


def test_a_set_whose_replacement_was_killed_is_opened(patches, tmp_path):
    patches.save(tmp_path / "set")
    (tmp_path / "set").rename(tmp_path / ".set.01234567-old")
    assert len(hk.load(tmp_path / "set")) == len(patches)
    assert file_names(tmp_path) == ["set"]


def sign_again(folder, change):
    """Change the description of a saved set as a stranger could, who knows how it is signed."""
    metadata = json.loads((folder / "patches.json").read_text())
    change(metadata)
    metadata["fingerprint"] = storage._fingerprint(metadata)
    (folder / "patches.json").write_text(json.dumps(metadata))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["lengths"].update(v_one=10**12), "is damaged: expected 1000000000013 numbers"),
        (lambda m: m["lengths"].update(v_one=-7), "'v_one' has -7 points, expected 1 or more"),
        (lambda m: m["lengths"].update(v_one="7"), "'v_one' has '7' points"),
        (lambda m: m["lengths"].update({"x" * 1000: 7}), "'xxxx.* has 7 points"),
        (lambda m: m.update(lengths=[7]), "'lengths' is of another type, expected an object"),
        (lambda m: m.update(splits={"a": ["v_one"]}), "the splits have to be lists of names"),
        (lambda m: m.pop("provenance"), "'provenance' is missing"),
        (lambda m: m["quick_checksums"].pop("label.npy"), r"label\.npy is damaged"),
    ],
)
def test_a_description_that_is_signed_and_wrong_is_refused(change, message, patches, tmp_path):
    patches.save(tmp_path / "set")
    sign_again(tmp_path / "set", change)
    with pytest.raises(UserError, match=message):
        open_patch_set(tmp_path / "set")


@pytest.mark.parametrize(
    "name", ["../secret.npy", "/etc/secret.npy", "a\\b.npy", ".x.npy", "x.txt"]
)
def test_an_array_that_a_description_names_stays_in_the_folder(name, patches, tmp_path):
    patches.save(tmp_path / "set")
    np.save(tmp_path / "secret.npy", patches.clean)
    checksum = quick_checksum(tmp_path / "secret.npy")
    sign_again(tmp_path / "set", lambda m: m["quick_checksums"].update({name: checksum}))
    with pytest.raises(UserError, match="expected an array in the same folder"):
        open_patch_set(tmp_path / "set")


def test_an_array_is_not_read_through_a_link(patches, tmp_path):
    patches.save(tmp_path / "set")
    (tmp_path / "set" / "clean.npy").rename(tmp_path / "secret.npy")
    (tmp_path / "set" / "clean.npy").symlink_to(tmp_path / "secret.npy")
    with pytest.raises(UserError, match=r"clean\.npy is a link"):
        open_patch_set(tmp_path / "set")


def test_a_cache_that_is_a_link_is_neither_opened_nor_built(patches, tmp_path):
    patches.save(tmp_path / "elsewhere")
    (tmp_path / "cache").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="cache is a link"):
        open_or_build(tmp_path / "cache", lambda: patches.save(tmp_path / "cache"))
    with pytest.raises(UserError, match="cache is a link"):
        patches.save(tmp_path / "cache")

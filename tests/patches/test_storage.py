import errno
import multiprocessing
import time

import numpy as np
import pytest
from toy_data import toy_patches

from hpatches_kit._support import atomic as files
from hpatches_kit._support.atomic import atomic_folder, write_text
from hpatches_kit._support.checksums import checksum
from hpatches_kit.patches import storage
from hpatches_kit.patches.storage import open_or_build, open_patch_set


def visible(folder):
    return [child.name for child in folder.iterdir() if not child.name.endswith(".lock")]


def test_saved_patches_open_equal_and_memory_mapped(patches, tmp_path):
    saved = patches.save(tmp_path / "toy", seed=3)
    opened = open_patch_set(tmp_path / "toy", seed=3)
    assert isinstance(opened.arrays["clean"], np.memmap)
    for one, other in ((saved, patches), (opened, patches)):
        np.testing.assert_array_equal(one.clean, other.clean)
        np.testing.assert_array_equal(one.noisy, other.noisy)
        np.testing.assert_array_equal(one.label, other.label)
        assert (one.names, one.splits) == (other.names, other.splits)


def test_a_failed_build_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "half", ["*"]) as partial:
        (partial / "clean.npy").write_text("half of it")
        raise KeyboardInterrupt
    assert visible(tmp_path) == []


def test_a_folder_with_foreign_files_is_never_replaced(patches, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("years")
    with pytest.raises(FileExistsError, match=r"already holds thesis\.tex: choose another"):
        patches.save(tmp_path / "work")
    assert (tmp_path / "work" / "thesis.tex").read_text() == "years"
    assert visible(tmp_path) == ["work"]


def test_text_files_appear_whole_in_folders_made_for_them(tmp_path):
    write_text(tmp_path / "new" / "a.json", "{}")
    write_text(tmp_path / "new" / "a.json", "[]")
    assert {file.name: file.read_text() for file in (tmp_path / "new").iterdir()} == {
        "a.json": "[]"
    }


def test_the_checksum_of_a_large_file_sees_its_ends_and_places_between(tmp_path):
    file, content = tmp_path / "large", bytearray(range(100))
    file.write_bytes(content)
    few = {"limit": 50, "windows": 3, "window": 10}
    before = checksum(file, **few)
    for place in (0, 50, 99):
        changed = content.copy()
        changed[place] ^= 1
        file.write_bytes(changed)
        assert checksum(file, **few) != before
    file.write_bytes(content[:-1])
    assert checksum(file, **few) != before


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def remove(file):
    file.unlink()


HARM = [(name, harm) for name in ("clean.npy", "label.npy") for harm in (cut, flip_a_bit, remove)]


@pytest.mark.parametrize(
    ("name", "harm"),
    [*HARM, ("patches.json", cut), ("patches.json", flip_a_bit), ("patches.json", remove)],
)
def test_a_damaged_cache_is_noticed_and_built_again(name, harm, tmp_path):
    builds = []

    def build():
        builds.append(1)
        toy_patches({"v_one": 20}).save(folder, seed=0)

    folder = tmp_path / "cache"
    open_or_build(folder, build, seed=0)
    open_or_build(folder, build, seed=0)
    assert len(builds) == 1
    harm(folder / name)
    again = open_or_build(folder, build, seed=0)
    assert len(builds) == 2
    np.testing.assert_array_equal(again.clean, toy_patches({"v_one": 20}).clean)
    assert visible(tmp_path) == ["cache"]


def test_a_cache_made_with_other_settings_is_built_again(tmp_path):
    folder = tmp_path / "cache"
    open_or_build(folder, lambda: toy_patches({"v_one": 3}).save(folder, seed=0), seed=0)
    other = open_or_build(folder, lambda: toy_patches({"v_one": 4}).save(folder, seed=1), seed=1)
    assert len(other) == 4


def test_a_cache_of_another_version_of_the_kit_is_built_again(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "cache"
    with monkeypatch.context() as older:
        older.setattr(storage, "FORMAT", 1)
        toy_patches({"v_one": 3}).save(folder)
    with pytest.raises(ValueError, match="another version of hpatches_kit: format 1, expected 2"):
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


def test_of_two_processes_that_want_a_cache_one_builds_it(tmp_path):
    context, log = multiprocessing.get_context("spawn"), tmp_path / "log"
    both = [context.Process(target=slow_build, args=(tmp_path / "cache", log)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert log.read_text() == "built\n"


def refuse(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")


def test_a_finished_cache_opens_from_a_read_only_folder(patches, tmp_path, monkeypatch):
    patches.save(tmp_path / "cache")
    monkeypatch.setattr(files.Path, "mkdir", refuse)
    monkeypatch.setattr(files.FileLock, "acquire", refuse)
    assert len(open_or_build(tmp_path / "cache", refuse)) == len(patches)


def test_a_folder_that_cannot_be_written_is_named_with_the_setting(patches, tmp_path, monkeypatch):
    monkeypatch.setattr(files.FileLock, "acquire", refuse)
    with pytest.raises(OSError, match=r"cache cannot be written: Read-only.*\$HPATCHES_KIT_DATA"):
        open_or_build(tmp_path / "cache", lambda: patches.save(tmp_path / "cache"))


def test_a_process_that_was_killed_between_the_renames_loses_nothing(patches, tmp_path):
    patches.save(tmp_path / "cache")
    (tmp_path / "cache").rename(tmp_path / ".cache.partial-old")
    again = atomic_folder(tmp_path / "cache", storage.FILE_PATTERNS, resume=True)
    with pytest.raises(ZeroDivisionError), again:
        raise ZeroDivisionError
    assert len(open_patch_set(tmp_path / "cache")) == len(patches)
    assert sorted(visible(tmp_path)) == [".cache.partial", "cache"]


def test_what_a_killed_process_left_is_cleared_away(patches, tmp_path):
    (tmp_path / ".cache.1a2b3c4d").mkdir()
    (tmp_path / ".cache.1a2b3c4d" / "clean.npy").write_text("half of it")
    open_or_build(tmp_path / "cache", lambda: patches.save(tmp_path / "cache"))
    assert visible(tmp_path) == ["cache"]


def test_too_little_room_is_said_before_the_work(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 3_200_000_000})
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match=r"Converting needs 5\.1 GB, 3\.2 GB are free.*Make room"):
        files.check_disk_space(tmp_path, 5_140_000_000, "Converting")
    files.check_disk_space(tmp_path, 3_000_000_000, "Converting")


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (4.2e9, "4.2 GB"), (123e9, "123 GB")],
)
def test_sizes_are_said_in_units(size, words):
    assert files.format_bytes(size) == words


def test_a_set_that_was_to_be_replaced_is_put_back(patches, tmp_path):
    patches.save(tmp_path / "cache")
    (tmp_path / "cache").rename(tmp_path / ".cache.partial-old")
    assert len(open_or_build(tmp_path / "cache", refuse)) == len(patches)


def test_two_sets_that_differ_anywhere_have_two_fingerprints(patches, tmp_path, monkeypatch):
    def sampled(file, limit=10, windows=3, window=10):
        return checksum(file, limit, windows, window)

    monkeypatch.setattr(storage, "checksum", sampled)  # as of files that are large
    one = patches.save(tmp_path / "one")
    patches.arrays["noisy"][9, 3, 2, 1] ^= 1
    assert patches.save(tmp_path / "two").fingerprint != one.fingerprint


def test_files_that_systems_leave_about_are_no_obstacle(patches, tmp_path):
    patches.save(tmp_path / "mine")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "mine" / name).write_text("x")
    assert len(patches.save(tmp_path / "mine")) == len(patches)


def test_the_home_folder_is_known_by_its_sign(patches, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(patches.save("~/mine")) == len(patches) and (tmp_path / "mine").is_dir()


def test_where_files_cannot_be_locked_work_goes_on(patches, tmp_path, monkeypatch):
    def no_locks(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.FileLock, "acquire", no_locks)
    assert len(open_or_build(tmp_path / "cache", lambda: patches.save(tmp_path / "cache"))) == 20


def test_a_lock_that_somebody_holds_is_not_waited_for_unless_asked(tmp_path):
    with files.locked(tmp_path / "a") as mine, files.locked(tmp_path / "a", wait=False) as second:
        assert mine and not second
    with files.locked(tmp_path / "a", wait=False) as free:
        assert free

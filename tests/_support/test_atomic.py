"""Atomic writes: files and folders are complete, or they are not there."""

import os
import subprocess
import sys
import time

import pytest
from files import file_names

from hpatches_kit._support import leftovers
from hpatches_kit._support.atomic import (
    atomic_file,
    atomic_folder,
    remove_leftovers,
    replace_section,
    write_text,
)
from hpatches_kit._support.errors import UserError


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_after_an_error_no_temporary_folder_is_left(tmp_path, error):
    with pytest.raises(error), atomic_folder(tmp_path / "a", ["*"]) as partial:
        (partial / "array.npy").write_text("half of it")
        raise error
    assert file_names(tmp_path) == []


def test_a_folder_replaces_an_older_one_completely(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old.npy").write_text("old")
    with atomic_folder(tmp_path / "a", ["*.npy"]) as partial:
        (partial / "new.npy").write_text("new")
        assert file_names(tmp_path / "a") == ["old.npy"]
    assert file_names(tmp_path) == ["a"] and file_names(tmp_path / "a") == ["new.npy"]


@pytest.mark.parametrize("name", ["thesis.tex", "sub/thesis.tex"])
def test_a_folder_with_other_files_is_not_replaced(tmp_path, name):
    write_text(tmp_path / "a" / name, "text")
    message = r"already contains thesis\.tex: choose another"
    with pytest.raises(FileExistsError, match=message), atomic_folder(tmp_path / "a", ["*.npy"]):
        pass
    assert (tmp_path / "a" / name).read_text() == "text" and file_names(tmp_path) == ["a"]


def test_files_of_operating_systems_do_not_prevent_a_replacement(tmp_path):
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        write_text(tmp_path / "a" / name, "x")
    with atomic_folder(tmp_path / "a", ["*.npy"]) as partial:
        (partial / "new.npy").write_text("new")
    assert file_names(tmp_path / "a") == ["new.npy"]


def test_a_folder_that_can_be_resumed_keeps_its_files_after_an_error(tmp_path):
    with pytest.raises(KeyError), atomic_folder(tmp_path / "a", ["*"], resume=True) as partial:
        (partial / "array.npy").write_text("half of it")
        raise KeyError
    with atomic_folder(tmp_path / "a", ["*"], resume=True) as partial:
        assert file_names(partial) == ["array.npy"]
    assert file_names(tmp_path) == ["a"]


def test_a_folder_is_restored_if_the_process_was_killed_between_the_renames(tmp_path):
    write_text(tmp_path / ".a.partial-old" / "array.npy", "x")
    with pytest.raises(KeyError), atomic_folder(tmp_path / "a", ["*"], resume=True):
        raise KeyError
    assert file_names(tmp_path) == [".a.partial", "a"]
    assert file_names(tmp_path / "a") == ["array.npy"]


def test_leftovers_of_killed_processes_are_removed_except_resumable_folders(tmp_path):
    for name in (".a.1a2b3c4d", ".a.1a2b3c4d-old", ".a.partial"):
        write_text(tmp_path / name / "array.npy", name)
    remove_leftovers(tmp_path / "a")
    assert file_names(tmp_path) == [".a.partial", "a"]
    assert (tmp_path / "a" / "array.npy").read_text() == ".a.1a2b3c4d-old"


def test_a_file_that_could_not_be_written_keeps_its_old_content(tmp_path):
    write_text(tmp_path / "new" / "a.json", "{}")
    with pytest.raises(KeyError), atomic_file(tmp_path / "new" / "a.json") as partial:
        partial.write_text("half of it")
        raise KeyError
    assert (tmp_path / "new" / "a.json").read_text() == "{}"
    write_text(tmp_path / "new" / "a.json", "[]")
    assert file_names(tmp_path / "new") == ["a.json"]
    assert (tmp_path / "new" / "a.json").read_text() == "[]"


def test_only_the_marked_section_of_a_file_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- end -->\nb\n<!-- y -->\n")
    replace_section(page, "x", "new")
    assert page.read_text() == "a\n<!-- x -->\nnew\n<!-- end -->\nb\n<!-- y -->\n"
    for mark in ("y", "z"):
        with pytest.raises(UserError, match=f"lacks the lines <!-- {mark} --> and <!-- end -->"):
            replace_section(page, mark, "new")


WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
from hpatches_kit._support.atomic import atomic_file, atomic_folder
folder = Path(sys.argv[1])
with atomic_file(folder / "a.json") as file, atomic_folder(folder / "set", ["*"]) as partial:
    file.write_text("half of it")
    (partial / "array.npy").write_text("half of it")
    print("writing", flush=True)
    time.sleep(100)
"""


def test_the_next_writer_deletes_what_a_killed_writer_left_and_nothing_else(tmp_path):
    command = [sys.executable, "-c", WRITE_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        written = file_names(tmp_path)
        assert len(written) == 2
        for killed in (False, True):
            if killed:
                process.kill()
                process.wait()
            write_text(tmp_path / "a.json", "{}")
            with atomic_folder(tmp_path / "set", ["*"]):
                pass
            assert file_names(tmp_path) == [*([] if killed else written), "a.json", "set"]


def test_old_temporary_files_are_deleted_on_a_file_system_without_locks(tmp_path, monkeypatch):
    monkeypatch.setattr("hpatches_kit._support.leftovers.fcntl", None)
    for name, age in ((".01234567-a.json", 7200), (".89abcdef-a.json", 60)):
        write_text(tmp_path / name, "half of it")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    write_text(tmp_path / "a.json", "{}")
    assert file_names(tmp_path) == [".89abcdef-a.json", "a.json"]


@pytest.mark.parametrize("name", ["link", "pipe"])
def test_an_output_replaces_nothing_but_a_regular_file(name, tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=f"{name} is a "):
        write_text(tmp_path / name, "new")
    assert file_names(tmp_path) == ["file", "link", "pipe"]
    assert (tmp_path / "file").read_text() == "text"


def test_a_folder_is_not_written_through_a_link(tmp_path):
    write_text(tmp_path / "elsewhere" / "array.npy", "of somebody else")
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="a is a link"), atomic_folder(tmp_path / "a", ["*.npy"]):
        pass
    assert (tmp_path / "elsewhere" / "array.npy").read_text() == "of somebody else"


def test_a_folder_does_not_replace_a_file(tmp_path):
    write_text(tmp_path / "a", "text")
    with pytest.raises(FileExistsError, match="a is a file"), atomic_folder(tmp_path / "a", ["*"]):
        pass


def test_of_two_processes_that_replace_a_folder_at_once_the_last_one_wins(tmp_path, monkeypatch):
    replace, theirs = os.replace, []

    def replace_late(source, target):
        if target == tmp_path / "a" and not theirs:
            theirs.append(target / "theirs.npy")
            target.mkdir()
            theirs[0].write_text("x")
        replace(source, target)

    with atomic_folder(tmp_path / "a", ["*"]) as partial:
        write_text(partial / "ours.npy", "x")
        monkeypatch.setattr(os, "replace", replace_late)
    monkeypatch.undo()
    assert file_names(tmp_path / "a") == ["ours.npy"] and file_names(tmp_path) == ["a"]


def test_the_bytes_are_on_the_disk_before_a_file_gets_its_name(tmp_path, monkeypatch):
    events, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda *a: (events.append("sync"), fsync(*a)))
    monkeypatch.setattr(os, "replace", lambda *a: (events.append("replace"), replace(*a)))
    write_text(tmp_path / "a", "x")
    assert events == ["sync", "replace"]


@pytest.mark.parametrize("moment", ["before it is opened", "before it is locked"])
def test_a_new_temporary_file_that_another_writer_deletes_is_made_again(
    moment, tmp_path, monkeypatch
):
    module, name = (leftovers, "_marked") if moment == "before it is opened" else (os, "fstat")
    before, deleted = getattr(module, name), []

    def delete_once(argument):
        if not deleted:
            deleted.extend(tmp_path.glob(".*-a.json"))
            deleted[0].unlink()
        return before(argument)

    monkeypatch.setattr(module, name, delete_once)
    with atomic_file(tmp_path / "a.json") as file:
        monkeypatch.undo()
        assert file.exists()
        file.write_text("{}")
    assert deleted and file_names(tmp_path) == ["a.json"]

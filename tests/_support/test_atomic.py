"""Atomic writes: files and folders are complete, or they are not there."""

import pytest
from files import file_names

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

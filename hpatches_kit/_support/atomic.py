"""Atomic writes: a file or folder is complete, or it is not there."""

import os
import shutil
import uuid
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from hpatches_kit._support.errors import UserError

SYSTEM_FILES = ("Thumbs.db", "desktop.ini")


@contextmanager
def atomic_folder(folder, patterns, resume=False):
    """Yield a temporary folder to fill; on success it replaces `folder`.

    Args:
        folder: path of the result, see `check_replaceable`.
        patterns: patterns of the file names that the result may contain.
        resume: keep the temporary folder after an error, and yield it again the next time. The
            caller has to lock `folder`, and to check what the temporary folder contains. By
            default, the temporary folder is new and empty, and deleted after an error.
    """
    folder = Path(folder).resolve()
    check_replaceable(folder, patterns)
    mark = "partial" if resume else uuid.uuid4().hex[:8]
    partial, old = (folder.with_name(f".{folder.name}.{mark}{end}") for end in ("", "-old"))
    if old.exists() and not folder.exists():  # killed between the two renames below
        os.replace(old, folder)
    shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True, exist_ok=resume)
    try:
        yield partial
        try:
            if folder.exists():
                os.replace(folder, old)
            os.replace(partial, folder)
        except PermissionError as error:  # Windows does not rename open files
            raise PermissionError(
                f"{folder} cannot be replaced, perhaps because its arrays are in use: choose"
                " another folder, or restart the session."
            ) from error
    except BaseException:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        if not resume:
            shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(folder):
    """Delete temporary folders of killed processes; the caller has to lock the folder.

    A folder that was being replaced is restored. Folders that can be resumed stay.
    """
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        if leftover.name.endswith("-old") and not folder.exists():
            os.replace(leftover, folder)
        elif leftover.is_dir() and not leftover.name.endswith(".partial"):
            shutil.rmtree(leftover, ignore_errors=True)


def check_replaceable(folder, patterns):
    """Raise FileExistsError if a folder contains a file that matches none of the patterns.

    Such a file is the user's work. Hidden files and files of operating systems are ignored.
    """
    for file in Path(folder).rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        ignored = hidden or file.name in SYSTEM_FILES
        expected = any(fnmatch(file.name, pattern) for pattern in patterns)
        if file.is_file() and not ignored and not expected:
            raise FileExistsError(f"{folder} already contains {file.name}: choose another folder.")


@contextmanager
def atomic_file(file):
    """Yield a temporary path to write to; on success it becomes `file`, otherwise it is deleted."""
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays, because some writers choose the format by it.
    partial = file.with_name(f".{uuid.uuid4().hex[:8]}-{file.name}")
    try:
        yield partial
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def write_text(file, text):
    """Write a text file atomically, as UTF-8."""
    with atomic_file(file) as partial:
        partial.write_text(text, encoding="utf-8")


def replace_section(file, mark, text):
    """Replace the text between `<!-- mark -->` and the next `<!-- end -->`, or raise UserError."""
    file, begin, end = Path(file), f"<!-- {mark} -->", "<!-- end -->"
    before, begin_found, rest = file.read_text(encoding="utf-8").partition(begin)
    _, end_found, after = rest.partition(end)
    if not (begin_found and end_found):
        raise UserError(f"{file} lacks the lines {begin} and {end}: expected both, in this order.")
    write_text(file, f"{before}{begin}\n{text}\n{end}{after}")

"""Atomic writes: a file or folder is complete, or it is not there."""

import errno
import os
import shutil
import uuid
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.leftovers import in_use, remove_leftover_files, remove_leftovers
from hpatches_kit._support.regular_files import check_no_link, check_output

SYSTEM_FILES = ("Thumbs.db", "desktop.ini")
NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)


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
    check_replaceable(folder, patterns)
    folder = Path(folder).resolve()
    remove_leftovers(folder)
    mark = "partial" if resume else uuid.uuid4().hex[:8]
    partial, old = (folder.with_name(f".{folder.name}.{mark}{end}") for end in ("", "-old"))
    try:
        with in_use(partial, lambda: partial.mkdir(parents=True, exist_ok=resume)):
            yield partial
            try:
                _replace_folder(partial, folder, old)
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


def _replace_folder(partial, folder, old):
    while True:
        with suppress(FileNotFoundError):
            os.replace(folder, old)
        try:
            return os.replace(partial, folder)
        except OSError as error:  # another process has just put its result there
            if error.errno not in NOT_EMPTY:
                raise
        shutil.rmtree(old, ignore_errors=True)


def check_replaceable(folder, patterns):
    """Raise FileExistsError if a folder contains a file that matches none of the patterns.

    Such a file is the user's work. Hidden files and files of operating systems are ignored. Raises
    FileExistsError for a file instead of a folder too, and UserError for a link.
    """
    check_no_link(folder)
    if Path(folder).exists() and not Path(folder).is_dir():
        raise FileExistsError(f"{folder} is a file: choose another name for the folder.")
    for file in Path(folder).rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        ignored = hidden or file.name in SYSTEM_FILES
        expected = any(fnmatch(file.name, pattern) for pattern in patterns)
        if file.is_file() and not ignored and not expected:
            raise FileExistsError(f"{folder} already contains {file.name}: choose another folder.")


@contextmanager
def atomic_file(file):
    """Yield a temporary path to write to; on success it becomes `file`, otherwise it is deleted.

    The bytes are on the disk before `file` has its new content. Temporary files that killed
    processes left for the same file are deleted. Raises UserError if there is something else than a
    regular file at the path.
    """
    file = Path(file)
    check_output(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays, because some writers choose the format by it.
    partial = file.with_name(f".{uuid.uuid4().hex[:8]}-{file.name}")
    try:
        with in_use(partial, lambda: partial.touch(exist_ok=False)):
            remove_leftover_files(file)
            yield partial
            sync(partial)
            os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def sync(file):
    """Wait until the content of a file is on the disk and survives a power failure."""
    with open(file, "rb+") as stream:
        os.fsync(stream.fileno())


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

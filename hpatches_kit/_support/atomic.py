"""Files that appear whole or not at all, one process at a time, and where they are kept."""

import os
import shutil
import uuid
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from hpatches_kit._support.errors import UserError

LITTER = ("Thumbs.db", "desktop.ini")


@contextmanager
def atomic_folder(folder, holds, resume=False):
    """Yield a folder to fill; on success it takes the place of `folder`.

    Args:
        folder: may exist, if nothing in it is foreign.
        holds: patterns of the file names that belong there. Any other file in an existing folder
            is somebody's work: FileExistsError, and nothing is touched.
        resume: what was filled is kept when the work is interrupted, and yielded again the next
            time; the caller has locked the folder, and must see what of it is good. Otherwise the
            folder yielded is empty, and gone after a failure.
    """
    folder = Path(folder).resolve()
    check_replaceable(folder, holds)
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
        except PermissionError as error:  # Windows does not rename what is open
            raise PermissionError(
                f"{folder} cannot be replaced, perhaps because its arrays are in use: choose another"
                " folder, or restart the session."
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
    """Clear away what killed processes left of their work on a folder; the caller has locked it.

    A folder that was just about to be replaced is put back; what can be resumed stays.
    """
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        if leftover.name.endswith("-old") and not folder.exists():
            os.replace(leftover, folder)
        elif leftover.is_dir() and not leftover.name.endswith(".partial"):
            shutil.rmtree(leftover, ignore_errors=True)


def check_replaceable(folder, holds):
    """FileExistsError when a folder holds files other than those that belong there.

    Files that systems put there by themselves do not count.
    """
    for file in Path(folder).rglob("*"):
        by_itself = file.name in LITTER or any(
            part.startswith(".") for part in file.relative_to(folder).parts
        )
        known = any(fnmatch(file.name, pattern) for pattern in holds)
        if file.is_file() and not by_itself and not known:
            raise FileExistsError(f"{folder} already holds {file.name}: choose another folder.")


@contextmanager
def atomic_file(file):
    """Yield a path to write to; on success it becomes `file`, on failure it goes."""
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{uuid.uuid4().hex[:8]}-{file.name}")  # the ending stays
    try:
        yield partial
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def write_text(file, text):
    """Write a text file, whole or not at all; its folder is made when missing."""
    with atomic_file(file) as partial:
        partial.write_text(text)


def replace_section(file, mark, text):
    """Put text between `<!-- mark -->` and the next `<!-- end -->` of a file; ValueError without them."""
    file, begin, end = Path(file), f"<!-- {mark} -->", "<!-- end -->"
    before, begun, rest = file.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise UserError(f"{file} has no {begin} with {end} behind it, where text is to go.")
    write_text(file, f"{before}{begin}\n{text}\n{end}{after}")

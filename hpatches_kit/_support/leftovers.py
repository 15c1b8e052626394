"""Temporary files and folders: which are still written, and which a killed process left behind."""

import os
import re
import shutil
import time
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

MARK = "[0-9a-f]{8}"  # in the names of temporary files and folders
ABANDONED = 3600.0  # seconds without a change, where the system cannot tell who uses a file


@contextmanager
def in_use(path):
    """Mark an existing temporary file or folder as used, until the block or the process ends."""
    descriptor = os.open(path, os.O_RDONLY) if fcntl else None
    try:
        if fcntl:
            _lock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        if fcntl:
            os.close(descriptor)


def remove_leftover_files(file):
    """Delete the temporary files that killed writers of this file left beside it."""
    for leftover in _siblings(file, rf"\.{MARK}-{re.escape(file.name)}"):
        if _is_abandoned(leftover):
            leftover.unlink(missing_ok=True)


def is_being_replaced(folder):
    """Whether a process is replacing a folder, or was killed while it did."""
    return bool(_siblings(folder, rf"\.{re.escape(folder.name)}\.({MARK}|partial)-old"))


def remove_leftovers(folder):
    """Delete the temporary folders of killed writers of this folder, and restore it if needed.

    A folder that was being replaced is restored. Folders that can be resumed stay.
    """
    name = re.escape(folder.name)
    for old in _siblings(folder, rf"\.{name}\.({MARK}|partial)-old"):
        partial = old.with_name(old.name.removesuffix("-old"))
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
        elif partial.name.endswith(".partial") or not partial.exists() or _is_abandoned(partial):
            os.replace(old, folder)
    for leftover in _siblings(folder, rf"\.{name}\.{MARK}"):
        if _is_abandoned(leftover):
            shutil.rmtree(leftover, ignore_errors=True)


def _siblings(path, pattern):
    """Paths in the folder of a path whose whole names match a regular expression."""
    names = os.listdir(path.parent) if path.parent.is_dir() else ()
    return [path.with_name(name) for name in names if re.fullmatch(pattern, name)]


def _is_abandoned(path):
    """Whether no process uses a temporary file or folder any more."""
    try:
        descriptor = os.open(path, os.O_RDONLY) if fcntl else None
        try:
            free = _lock(descriptor, fcntl.LOCK_EX) if fcntl else None
        finally:
            if fcntl:
                os.close(descriptor)
        return time.time() - os.stat(path).st_mtime > ABANDONED if free is None else free
    except OSError:  # it is gone, or not readable
        return False


def _lock(descriptor, kind):
    """Lock an open file without waiting; None if its file system has no such locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True

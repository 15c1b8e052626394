"""Temporary files and folders: which are still written, and which a killed process left behind."""

import os
import re
import shutil
import time
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

MARK = "[0-9a-f]{8}"  # in the names of temporary files and folders
ABANDONED = 3600.0  # seconds without a change, where the system cannot tell who uses a file


@contextmanager
def in_use(path, make):
    """Make a temporary file or folder, which counts as used until the block or the process ends.

    `make()` makes it. Another process may take the new file for a leftover, before it is marked as
    used; then it is made again.
    """
    make()
    while fcntl and (descriptor := _marked(path)) is None:
        make()
    try:
        yield
    finally:
        if fcntl:
            os.close(descriptor)


def _marked(path):
    """Open and lock a temporary file or folder; None if another process has just deleted it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    _lock(descriptor, fcntl.LOCK_SH, wait=True)  # whoever deletes it holds its lock
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    os.close(descriptor)
    return None


def remove_leftover_files(file):
    """Delete the temporary files that killed writers of this file left beside it."""
    for leftover in _siblings(file, rf"\.{MARK}-{re.escape(file.name)}"):
        with _abandoned(leftover) as is_abandoned:
            if is_abandoned:
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
        else:
            with _abandoned(partial) as is_abandoned:
                if is_abandoned or partial.name.endswith(".partial") or not partial.exists():
                    os.replace(old, folder)
    for leftover in _siblings(folder, rf"\.{name}\.{MARK}"):
        with _abandoned(leftover) as is_abandoned:
            if is_abandoned:
                shutil.rmtree(leftover, ignore_errors=True)


def _siblings(path, pattern):
    """Paths in the folder of a path whose whole names match a regular expression."""
    names = os.listdir(path.parent) if path.parent.is_dir() else ()
    return [path.with_name(name) for name in names if re.fullmatch(pattern, name)]


@contextmanager
def _abandoned(path):
    """Yield whether no process uses a temporary file or folder; none can begin to in the block."""
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDONLY) if fcntl else None
        free = _lock(descriptor, fcntl.LOCK_EX) if fcntl else None
        is_old = time.time() - os.stat(path).st_mtime > ABANDONED
        is_abandoned = is_old if free is None else free
    except OSError:  # it is gone, or not readable
        is_abandoned = False
    try:
        yield is_abandoned
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor, kind, wait=False):
    """Lock an open file; None if its file system has no such locks, False if it is locked."""
    try:
        fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True

"""Locks between processes."""

import errno
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hpatches_kit._support.regular_files import check_output

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def locked(path, wait=True):
    """Hold the lock of a file or folder; other processes that want it wait, and print that they do.

    Yields True if the lock is held, False if another process holds it and `wait` is false, None if
    the file system has no locks. Raises OSError if the folder of `path` is not writable, and
    UserError if its lock file is a link or another thing than a file.
    """
    path, held = Path(path), True
    check_output(path.with_name(f".{path.name}.lock"))  # filelock empties the file that it opens
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=1 if wait else 0)
    except Timeout:
        held = wait
        if wait:
            print(f"Waiting for another process that writes {path}.", flush=True)
            lock.acquire()
    except NotImplementedError:  # older versions of filelock, if the file system has no locks
        held = None
    except OSError as error:
        held = None
        if error.errno not in NO_LOCKS:
            raise OSError(
                f"{path} cannot be written: {error.strerror or error}. Choose another folder, or"
                " set $HPATCHES_KIT_DATA to a writable folder."
            ) from error
    try:
        yield held
    finally:
        lock.release()

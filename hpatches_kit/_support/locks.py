"""_support.locks."""

import errno
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def locked(path, wait=True):
    """Let one process at a time work on a file or folder; the others wait, and say so.

    Yields whether it is locked now: false, without `wait`, where another process has it; None where
    the file system has no locks. Raises OSError when nothing can be written beside it.
    """
    path, held = Path(path), True
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=1 if wait else 0)
    except Timeout:
        held = wait
        if wait:
            print(f"Waiting for another process that makes {path}.", flush=True)
            lock.acquire()
    except NotImplementedError:  # how older versions of filelock say the same
        held = None
    except OSError as error:
        held = None
        if error.errno not in NO_LOCKS:  # a file system without locks has to do without
            raise OSError(
                f"{path} cannot be written: {error.strerror or error}. Choose another folder; for"
                " data, with $HPATCHES_KIT_DATA."
            ) from error
    try:
        yield held
    finally:
        lock.release()

"""Files that appear whole or not at all, one process at a time, and where they are kept."""

import errno
import os
import shutil
import uuid
import zlib
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from filelock import FileLock, Timeout

LITTER = ("Thumbs.db", "desktop.ini")
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def whole_folder(folder, holds, resume=False):
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
    check_target(folder, holds)
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


def clear_leftovers(folder):
    """Clear away what killed processes left of their work on a folder; the caller has locked it.

    A folder that was just about to be replaced is put back; what can be resumed stays.
    """
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        if leftover.name.endswith("-old") and not folder.exists():
            os.replace(leftover, folder)
        elif leftover.is_dir() and not leftover.name.endswith(".partial"):
            shutil.rmtree(leftover, ignore_errors=True)


def check_target(folder, holds):
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


@contextmanager
def whole_file(file):
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
    with whole_file(file) as partial:
        partial.write_text(text)


def rewrite_part(file, mark, text):
    """Put text between `<!-- mark -->` and the next `<!-- end -->` of a file; ValueError without them."""
    file, begin, end = Path(file), f"<!-- {mark} -->", "<!-- end -->"
    before, begun, rest = file.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"{file} has no {begin} with {end} behind it, where text is to go.")
    write_text(file, f"{before}{begin}\n{text}\n{end}{after}")


def checksum(file, limit=1 << 26, windows=17, window=1 << 20):
    """Size and CRC-32 of a file; beyond `limit` bytes, of its ends and places evenly between.

    So a set of gigabytes opens at once, and a copy that was cut off, or is another one, is noticed.
    """
    size, crc = file.stat().st_size, 0
    parts = [(0, size)]
    if size > limit:
        parts = [(k * (size - window) // (windows - 1), window) for k in range(windows)]
    with open(file, "rb") as stream:
        for start, length in parts:
            stream.seek(start)
            while length > 0 and (block := stream.read(min(length, 1 << 24))):
                crc, length = zlib.crc32(block, crc), length - len(block)
    return f"{size} bytes, crc32 {crc:08x}"


def check_writable(path):
    """PermissionError when a file or folder could not be written in its place."""
    path = Path(path).absolute()
    there = next(parent for parent in path.parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise PermissionError(
            f"{path} cannot be written: {there} is not a folder that can be written to."
        )


def check_room(folder, needed, what):
    """OSError when the disk of a folder has less room than `needed` bytes, before work is begun."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{what} needs {in_units(needed)}, {in_units(free)} are free on the disk of {folder}."
            " Make room, or choose another place for data with $HPATCHES_KIT_DATA."
        )


def in_units(size):
    """Bytes as people say them: `"4.2 GB"`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000


def in_words(seconds):
    """Seconds as people say them: `"50 s"`, `"12 min"`, `"3.5 h"`."""
    for unit, size, digits in (("h", 3600, 1), ("min", 60, 0), ("s", 1, 0)):
        if seconds >= 2 * size or unit == "s":
            return f"{seconds / size:.{digits}f} {unit}"


def data_home():
    """Folder for built and downloaded data: `$HPATCHES_KIT_DATA`, else `data/` of a checkout.

    Outside a checkout it is `hpatches_kit` in the user's cache folder.
    """
    if os.environ.get("HPATCHES_KIT_DATA"):
        return Path(os.environ["HPATCHES_KIT_DATA"]).expanduser()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").exists() and (checkout / "data").is_dir():
        return checkout / "data"
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "hpatches_kit"

"""Files that appear whole or not at all, and where they are kept."""

import os
import shutil
import uuid
import zlib
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path


@contextmanager
def whole_folder(folder, holds):
    """Yield an empty folder to fill; on success it takes the place of `folder`, on failure it goes.

    Args:
        folder: may exist, if nothing in it is foreign.
        holds: patterns of the file names that belong there. Any other file in an existing folder
            is somebody's work: FileExistsError, and nothing is touched.
    """
    folder = Path(folder).resolve()
    for file in folder.rglob("*"):
        if file.is_file() and not any(fnmatch(file.name, pattern) for pattern in holds):
            raise FileExistsError(f"{folder} already holds {file.name}: choose another folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    old = partial.with_name(f"{partial.name}-old")
    partial.mkdir()
    try:
        yield partial
        if folder.exists():
            os.replace(folder, old)
        os.replace(partial, folder)
    except BaseException:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


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
    """Put text between `<!-- mark -->` and the next `<!-- end -->` of a file."""
    file, begin, end = Path(file), f"<!-- {mark} -->", "<!-- end -->"
    before, rest = file.read_text().split(begin)
    write_text(file, f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}")


def checksum(file, limit=1 << 29, window=1 << 24):
    """Size and CRC-32 of a file; beyond `limit` bytes, of its two ends and its middle only."""
    size, crc = file.stat().st_size, 0
    windows = (
        [(0, size)] if size <= limit else [(at, window) for at in (0, size // 2, size - window)]
    )
    with open(file, "rb") as stream:
        for start, length in windows:
            stream.seek(start)
            crc = zlib.crc32(stream.read(length), crc)
    return f"{size} bytes, crc32 {crc:08x}"


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

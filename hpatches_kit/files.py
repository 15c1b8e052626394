"""Files that appear whole or not at all, and where they are kept."""

import os
import shutil
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(folder):
    """Yield a folder to fill; on success it takes the place of `folder`, on failure it goes."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield partial
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


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


def checksum(file, limit=1 << 28):
    """Size and CRC-32 of a file; of a file beyond `limit` bytes, of its two ends and its middle."""
    size, crc = file.stat().st_size, 0
    with open(file, "rb") as stream:
        for start in [0] if size <= limit else [0, size // 2, size - (limit >> 4)]:
            stream.seek(start)
            crc = zlib.crc32(stream.read(limit if size <= limit else limit >> 4), crc)
    return f"{size} bytes, crc32 {crc:08x}"

"""The data folder, and checks of the disk before long work."""

import os
import shutil
from pathlib import Path

from hpatches_kit._support.units import format_bytes


def check_writable(path):
    """Raise PermissionError if a file or folder cannot be written at this path."""
    path = Path(path).absolute()
    parent = next(parent for parent in path.parents if parent.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise PermissionError(f"{path} cannot be written: {parent} is not a writable folder.")


def check_disk_space(folder, needed, task):
    """Raise OSError if the disk of a folder has less than `needed` free bytes for a task."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{task} needs {format_bytes(needed)}, {format_bytes(free)} are free on the disk of"
            f" {folder}. Make room, or set $HPATCHES_KIT_DATA to a folder on another disk."
        )


def data_folder():
    """Folder of data: `$HPATCHES_KIT_DATA`, else `data/` of a checkout, else a cache."""
    if os.environ.get("HPATCHES_KIT_DATA"):
        return Path(os.environ["HPATCHES_KIT_DATA"]).expanduser()
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists() and (checkout / "data").is_dir():
        return checkout / "data"
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "hpatches_kit"

"""_support.disk."""

import os
import shutil
from pathlib import Path

from hpatches_kit._support.units import format_bytes


def check_writable(path):
    """PermissionError when a file or folder could not be written in its place."""
    path = Path(path).absolute()
    there = next(parent for parent in path.parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise PermissionError(
            f"{path} cannot be written: {there} is not a folder that can be written to."
        )


def check_disk_space(folder, needed, what):
    """OSError when the disk of a folder has less room than `needed` bytes, before work is begun."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            f"{what} needs {format_bytes(needed)}, {format_bytes(free)} are free on the disk of {folder}."
            " Make room, or choose another place for data with $HPATCHES_KIT_DATA."
        )


def data_folder():
    """Folder for built and downloaded data: `$HPATCHES_KIT_DATA`, else `data/` of a checkout.

    Outside a checkout it is `hpatches_kit` in the user's cache folder.
    """
    if os.environ.get("HPATCHES_KIT_DATA"):
        return Path(os.environ["HPATCHES_KIT_DATA"]).expanduser()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").exists() and (checkout / "data").is_dir():
        return checkout / "data"
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "hpatches_kit"

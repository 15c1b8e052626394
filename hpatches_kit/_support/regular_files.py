"""Read regular files only: a pipe never ends, a device has no size, a link leads elsewhere."""

import os
import stat
from contextlib import contextmanager
from pathlib import Path

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_bytes


def open_regular(file, links=True, folder=None):
    """Open a regular file to read its bytes, without waiting for a pipe.

    Args:
        file: path of the file.
        links: whether the file may be a link to a regular file.
        folder: descriptor of the folder that contains the file, see `open_folder`; or None.

    Raises UserError for a pipe or a device, and for a link if `links` is false; OSError if there is
    no file, if it is a folder, or if it cannot be read.
    """
    flags = getattr(os, "O_NONBLOCK", 0) | (0 if links else getattr(os, "O_NOFOLLOW", 0))
    if not links:
        check_no_link(file)
    name = file if folder is None else Path(file).name
    stream = open(file, "rb", opener=lambda _, more: os.open(name, flags | more, dir_fd=folder))
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise UserError(f"{file} is a pipe or a device: expected a regular file.")
    return stream


@contextmanager
def open_folder(folder):
    """Yield a function that opens a regular file of a folder by its name; links are refused.

    All files belong to one generation of the folder, even if another process replaces it meanwhile;
    on Windows, which cannot do that, a folder with open files is not replaced.
    """
    if os.open not in os.supports_dir_fd:
        yield lambda name: open_regular(folder / name, links=False)
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield lambda name: open_regular(folder / name, False, descriptor)
    finally:
        os.close(descriptor)


def read_regular(file, limit, links=True):
    """Read all bytes of a regular file.

    Raises UserError if it has more than `limit` bytes, and the errors of `open_regular`.
    """
    with open_regular(file, links) as stream:
        return read_stream(stream, limit)


def read_stream(stream, limit):
    """Read all bytes of a file that `open_regular` has opened, as `read_regular` does."""
    check_size(stream, limit)
    return stream.read()


def check_size(stream, limit):
    """Raise UserError if a file that `open_regular` has opened has more than `limit` bytes."""
    if (size := os.fstat(stream.fileno()).st_size) > limit:
        raise UserError(
            f"{stream.name} has {size:,} bytes: expected at most {format_bytes(limit)}."
        )


def check_no_link(path):
    """Raise UserError if a path is a link, which could lead to files of another owner."""
    if Path(path).is_symlink():
        raise UserError(f"{path} is a link: expected a file or folder of its own.")


def check_output(file):
    """Raise UserError if anything other than a regular file would be replaced by an output."""
    file = Path(file)
    check_no_link(file)
    if file.is_dir():
        raise UserError(f"{file} is a folder: expected the name of a file.")
    if file.exists() and not file.is_file():
        raise UserError(f"{file} is a pipe or a device: expected the name of a file.")

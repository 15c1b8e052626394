"""Find the sequences in a folder of CSV files, or in a zip of one, and read the bytes of a file.

Links must stay inside the folder; zips are checked before anything is read.
"""

import os
import threading
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from hpatches_kit._support.archives import is_hidden, open_zip
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import open_regular
from hpatches_kit._support.units import format_bytes

DEPTH = 16  # levels of folders that are searched


@contextmanager
def open_csv_folder(path, limit):
    """Yield `(files, read_bytes)` for a folder or a zip.

    `files` is the set of paths of its CSV files, relative to it. `read_bytes(file)` returns the
    bytes of one of them, valid until the same thread reads the next. Raises UserError for more than
    `limit` bytes, after unpacking, before any is read.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: expected a folder of sequences or a .zip.")
    if path.is_dir():
        buffers, files = threading.local(), _list_folder(path)
        if (size := sum(files.values())) > limit:
            raise UserError(f"{path} has {size:,} bytes: expected at most {format_bytes(limit)}.")
        yield set(files), lambda file: _read_into_buffer(path / file, buffers)
    else:
        with open_zip(path, limit) as (files, read_bytes):
            yield {file for file in files if file.suffix == ".csv"}, read_bytes


def find_sequences(files, path):
    """`{name: folder}` of all folders with CSV files; the root only when there are no others."""
    sequences = {}
    parents = sorted({file.parent for file in files})
    for folder in [parent for parent in parents if parent.name] or parents:
        name = folder.name or base_name(path)
        if name in sequences:
            raise UserError(
                f"{path} has two sequences {name!r}, {sequences[name]} and {folder}:"
                " expected each name once."
            )
        sequences[name] = folder
    if not sequences:
        raise FileNotFoundError(f"{path} contains no sequence: expected folders with 16 CSV files.")
    return sequences


def base_name(path):
    """The name of a folder, or of a zip without `.zip`."""
    return path.stem if path.is_file() else path.resolve().name


def _list_folder(root):
    """`{path: bytes}` of all CSV files below a folder, relative to it.

    Raises UserError for links that leave the folder, and for too many levels of folders.
    """
    files, folders = {}, [root]
    real_root = Path(os.path.realpath(root))
    while folders:
        folder = folders.pop()
        for child in folder.iterdir():
            if is_hidden(Path(child.name)) or not (child.is_dir() or child.suffix == ".csv"):
                continue
            target = Path(os.path.realpath(child))
            if not target.is_relative_to(real_root):
                raise UserError(f"{child} links to {target}: expected a target inside {root}.")
            if child.is_file():
                path = PurePosixPath(child.relative_to(root).as_posix())
                files[path] = child.stat().st_size
            elif child.is_dir():
                if Path(os.path.realpath(folder)).is_relative_to(target):
                    raise UserError(f"{child} links back to {target}: expected no link cycles.")
                if len(child.relative_to(root).parts) > DEPTH:
                    raise UserError(f"{child} is more than {DEPTH} folders below {root}.")
                folders.append(child)
    return files


def _read_into_buffer(file, buffers):
    """The bytes of a file, in a buffer per thread: allocating one costs as much as reading."""
    with open_regular(file) as stream:
        size, buffer = os.fstat(stream.fileno()).st_size, getattr(buffers, "bytes", bytearray())
        buffer += bytes(max(size - len(buffer), 0))
        del buffer[size:]
        del buffer[stream.readinto(buffer) :]
    buffers.bytes = buffer
    return buffer

"""Read NumPy files that others may have written: headers are checked before memory is allocated."""

import math
import os
import zipfile
import zlib

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import open_regular
from hpatches_kit._support.units import format_bytes

LIMIT = 4 << 30  # bytes of all arrays of a file
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
DAMAGES = (ValueError, KeyError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


def map_array(stream):
    """Memory-map the array of an open `.npy` file, read-only.

    Raises UserError unless the file, which `open_regular` has opened, is exactly as long as its
    header says.
    """
    shape, is_fortran, dtype, expected = _read_header(stream, stream.name)
    size = os.fstat(stream.fileno()).st_size
    if size != expected or dtype.hasobject:
        raise UserError(
            f"{stream.name} is damaged: it has {size:,} bytes, expected {expected:,} for {dtype}"
            f" {shape}."
        )
    order = "F" if is_fortran else "C"
    return np.memmap(stream, dtype, "r", stream.tell(), shape, order)


def read_npz(file, what, check=None, links=True, limit=LIMIT, compressed=True):
    """Read the arrays of a `.npz` file, `{name: array}`; pickled objects are refused.

    Args:
        file: path of the file.
        what: what the file should be, for messages: `"a file of weights"`.
        check: function of `{name: (shape, dtype)}` that raises UserError, called before any array
            is read; or None.
        links: as for `open_regular`.
        limit: greatest number of bytes of all arrays.
        compressed: whether the arrays may be compressed.

    Raises UserError, which names the file, if it is damaged, or if its arrays are too large.
    """
    with open_regular(file, links) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                headers = dict(_headers(archive, limit, compressed))
            if check:
                check(headers)
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as stored:
                return {name: stored[name] for name in headers}
        except DAMAGES as error:
            reason = str(error).rstrip(".")
            raise UserError(f"{file} is damaged or is not {what}: {reason}.") from error


def _headers(archive, limit, compressed):
    """Yield the name, shape and dtype of each array of a zip; UserError if one is not plausible."""
    if (total := sum(member.file_size for member in archive.infolist())) > limit:
        raise UserError(f"arrays of {total:,} bytes, expected at most {format_bytes(limit)}")
    for member in archive.infolist():
        if not member.filename.endswith(".npy"):
            raise UserError(f"{member.filename!r} is not an array")
        if not compressed and (member.compress_type or member.compress_size != member.file_size):
            raise UserError(f"{member.filename} is compressed")
        with archive.open(member) as stream:
            shape, _, dtype, expected = _read_header(stream, member.filename)
        if expected != member.file_size and not dtype.hasobject:  # `np.load` refuses objects
            raise UserError(f"{member.filename} has {member.file_size:,} bytes for {dtype} {shape}")
        yield member.filename.removesuffix(".npy"), (shape, dtype)


def _read_header(stream, name):
    """Shape, order, dtype and length of the file that the beginning of a `.npy` file states."""
    try:
        shape, is_fortran, dtype = HEADERS[np.lib.format.read_magic(stream)](stream)
    except Exception as error:  # NumPy evaluates the header, which may raise any error
        raise UserError(f"{name} is damaged or is not a NumPy array: {error}.") from error
    if min(shape, default=0) < 0 or not dtype.itemsize:
        raise UserError(f"{name} is damaged: an array cannot be {dtype} {shape}.")
    return shape, is_fortran, dtype, stream.tell() + math.prod(shape) * dtype.itemsize

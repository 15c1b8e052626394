"""Read NumPy files that others may have written: headers are checked before memory is allocated."""

import math
import os
import zipfile
import zlib
from collections import Counter

import numpy as np

from hpatches_kit._support.archives import METHODS, complete_zip
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import open_regular
from hpatches_kit._support.units import format_bytes

LIMIT = 4 << 30  # bytes of all arrays of a file
LARGEST = 1 << 63  # bytes that an array of NumPy cannot have
LONGEST_REASON = 200  # characters; a header may have thousands
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
        described = _cut(f"{dtype} {shape}")
        raise UserError(
            f"{stream.name} is damaged: it has {size:,} bytes, expected {expected:,} for {described}."
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

    Raises UserError, which names the file, if it is damaged, if its arrays are too large, or if two
    of them have the same name: NumPy reads the last one.
    """
    with open_regular(file, links) as stream:
        try:
            with complete_zip(stream) as archive:
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
    for name, count in Counter(member.filename for member in archive.infolist()).items():
        if count > 1:
            raise UserError(f"it has the array {_cut(name.removesuffix('.npy'))!r} twice")
    for member in archive.infolist():
        name = _cut(member.filename)
        if not member.filename.endswith(".npy"):
            raise UserError(f"{name!r} is not an array")
        if member.compress_type not in METHODS:
            raise UserError(f"{name} is compressed with method {member.compress_type}")
        if not compressed and (member.compress_type or member.compress_size != member.file_size):
            raise UserError(f"{name} is compressed")
        with archive.open(member) as stream:
            shape, _, dtype, expected = _read_header(stream, name)
        if expected != member.file_size and not dtype.hasobject:  # `np.load` refuses objects
            described = _cut(f"{dtype} {shape}")
            raise UserError(f"{name} has {member.file_size:,} bytes for {described}")
        yield member.filename.removesuffix(".npy"), (shape, dtype)


def _read_header(stream, name):
    """Shape, order, dtype and length of the file that the beginning of a `.npy` file states."""
    try:
        shape, is_fortran, dtype = HEADERS[np.lib.format.read_magic(stream)](stream)
    except Exception as error:  # NumPy evaluates the header, which may raise any error
        reason = _cut(str(error)).rstrip(".")
        raise UserError(f"{name} is damaged or is not a NumPy array: {reason}.") from error
    largest = math.prod(length or 1 for length in shape) * dtype.itemsize
    is_shape = all(type(length) is int and length >= 0 for length in shape)  # True is an int, too
    if not is_shape or not 0 < largest < LARGEST:
        described = _cut(f"{dtype} {shape}")
        raise UserError(f"{name} is damaged: an array cannot be {described}.")
    return shape, is_fortran, dtype, stream.tell() + math.prod(shape) * dtype.itemsize


def _cut(text):
    """Shorten text from a file, for a message."""
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}..."

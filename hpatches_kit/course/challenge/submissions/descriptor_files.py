"""Read descriptors from a `.npz` of a stranger: all that it claims is checked before memory is used.

A `.npz` is a zip of `.npy` files. The zip says how large each one is, and the header of a `.npy`
says its type and shape: both may lie.
"""

import io
import math
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from hpatches_kit._support.archives import open_zip
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_bytes
from hpatches_kit.course.challenge.submissions.rules import (
    LARGEST_VALUE,
    MOST_NUMBERS,
    largest_file,
)

ARRAY = "descriptors"  # the name of the array
HEADER_BYTES = 4096  # more than any header of a plain array


def read_descriptors(file, patches):
    """Return `float32 (patches, dim)`, finite, with a dim of 1 to 128.

    Args:
        file: path of a `.npz` that holds the array `descriptors` alone.
        patches: number of patches of the challenge.

    Raises UserError, which says what is wrong and what is expected.
    """
    file, member = Path(file), f"{ARRAY}.npy"
    if (size := file.stat().st_size) > largest_file(patches):
        raise UserError(
            f"{file} has {format_bytes(size)}: expected at most"
            f" {format_bytes(largest_file(patches))}, {MOST_NUMBERS} numbers for each of {patches:,}"
            " patches."
        )
    with open_zip(file) as (members, read):
        names = [str(name) for name in members]
        if names != [member]:
            listed = ", ".join(name.removesuffix(".npy") for name in names[:5]) or "nothing"
            raise UserError(
                f"{file} contains {listed}: expected one array, {ARRAY!r}. Save it with"
                f" np.savez({str(file)!r}, {ARRAY}=values)."
            )
        (path,) = members
        shape, fortran_order, start = _read_header(file, read(path, first=HEADER_BYTES), patches)
        stored, expected = members[path][0], start + 4 * math.prod(shape)
        if stored != expected:
            raise UserError(
                f"{file} holds {stored:,} bytes for an array of shape {shape}: expected"
                f" {expected:,}. It is damaged; save it again."
            )
        values = np.frombuffer(read(path), "<f4", offset=start)
    values = values.reshape(shape, order="F" if fortran_order else "C")
    return _checked_numbers(file, np.ascontiguousarray(values))


def _read_header(file, head, patches):
    """Return the shape, the order, and where the numbers begin; refuse all but `(patches, dim)`."""
    stream = io.BytesIO(head)
    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, fortran_order, dtype = read(stream)
    except Exception as error:  # the header is text, and its parser may raise any error
        raise UserError(
            f"{file} is damaged: {ARRAY!r} has no header of an array. Save it again."
        ) from error
    if dtype != np.dtype("<f4"):
        raise UserError(
            f"{file} holds {dtype} numbers: expected float32. Convert them with"
            " values.astype('float32')."
        )
    if len(shape) != 2 or shape[0] != patches or not 1 <= shape[1] <= MOST_NUMBERS:
        raise UserError(
            f"{file} holds an array of shape {str(shape)[:60]}: expected ({patches}, dim) with a dim of 1 to"
            f" {MOST_NUMBERS}, one row for each patch, in the order of patches.npz."
        )
    return tuple(map(int, shape)), fortran_order, stream.tell()  # NumPy takes True for a length


def _checked_numbers(file, values):
    size = np.abs(values)
    bad = ~(size <= LARGEST_VALUE).all(axis=1)  # also true for NaN
    if bad.any():
        row = int(bad.argmax())
        raise UserError(
            f"{file} has NaN, infinity or numbers beyond {LARGEST_VALUE:,.0f} in {bad.sum():,} of"
            f" {len(values):,} rows, the first of them row {row}: expected finite numbers. Look at"
            " the patch of that row and at what your network makes of it."
        )
    # Arithmetic with subnormal numbers may take a hundred times as long.
    return np.where(size < np.finfo(np.float32).tiny, np.float32(0), values)

"""Read descriptors from a `.npz` of a stranger: all that it claims is checked before memory is used."""

from pathlib import Path

import numpy as np

from hpatches_kit._support.array_files import read_npz
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_bytes
from hpatches_kit.course.challenge.submissions.rules import (
    LARGEST_VALUE,
    MOST_NUMBERS,
    largest_file,
)

ARRAY = "descriptors"  # the name of the array


def read_descriptors(file, patches):
    """Return `float32 (patches, dim)`, finite, with a dim of 1 to 128.

    Args:
        file: path of a `.npz` that holds the array `descriptors` alone.
        patches: number of patches of the challenge.

    Raises UserError, which says what is wrong and what is expected; OSError if the file is missing.
    """
    file, limit = Path(file), largest_file(patches)
    if (size := file.stat().st_size) > limit:
        raise UserError(
            f"{file} has {format_bytes(size)}: expected at most {format_bytes(limit)},"
            f" {MOST_NUMBERS} numbers for each of {patches:,} patches."
        )

    def check(headers):
        if list(headers) != [ARRAY]:
            listed = ", ".join(list(headers)[:5]) or "nothing"
            raise UserError(
                f"it contains {listed}: expected one array, {ARRAY!r}. Save it with"
                f" np.savez({str(file)!r}, {ARRAY}=values)"
            )
        shape, dtype = headers[ARRAY]
        if dtype != np.dtype("<f4"):
            raise UserError(
                f"it holds {dtype} numbers: expected float32. Convert them with"
                " values.astype('float32')"
            )
        if len(shape) != 2 or shape[0] != patches or not 1 <= shape[1] <= MOST_NUMBERS:
            raise UserError(
                f"it holds an array of shape {shape}: expected ({patches}, dim) with a dim of 1 to"
                f" {MOST_NUMBERS}, one row for each patch, in the order of patches.npz"
            )

    # No links: between the search for submissions and this line, a file may have become one.
    arrays = read_npz(file, "a file of descriptors", check, links=False, limit=limit)
    return _checked_numbers(file, np.ascontiguousarray(arrays[ARRAY]))


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

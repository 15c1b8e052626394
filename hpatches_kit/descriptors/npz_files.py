"""Read and write `Descriptors` as one `.npz` file: every field, all digits, faster than CSV."""

from pathlib import Path

import numpy as np

from hpatches_kit._support.array_files import read_npz
from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.errors import UserError
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.descriptors.limits import Limits

FORMAT = 2  # version of the file format
WHAT = "a descriptor file of this version"
LONGEST_NAME = 255  # characters of the name of a sequence, which is repeated for each point
KEYS = ("values", "names", "lengths", "label", "flat", "name", "kind", "format")


def save_npz(descriptors, file):
    """See `Descriptors.save`."""
    file = Path(file)
    if file.suffix.lower() != ".npz":
        raise UserError(f"Cannot save as {file}: expected a name that ends in .npz.")
    with atomic_file(file) as partial:
        np.savez(
            partial,
            values=descriptors.values,
            names=np.array(descriptors.names, str),
            lengths=np.array(list(descriptors.lengths.values()), np.int64),
            label=descriptors.label,
            flat=descriptors.flat,
            name=np.array(descriptors.name, str),
            kind=np.array(descriptors.kind, str),
            format=np.array(FORMAT),
        )


def load_npz(file, limits=None):
    """Read a file of `Descriptors.save`.

    Raises UserError for a damaged file, one of another format, or one beyond the `Limits`.
    """
    file, limits = Path(file), limits or Limits()
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: expected a .npz of Descriptors.save.")

    def check(headers):
        if missing := [key for key in KEYS if key not in headers]:
            raise UserError(f"it has no {' and no '.join(missing)}")
        (shape, dtype), (_, text) = headers["values"], headers["names"]
        if dtype != np.float32:
            raise UserError(f"numbers of type {dtype}, expected float32")
        if len(shape) == 3:
            limits.check(shape[0], shape[2], 0, file.name)
        if text.hasobject:
            return  # `np.load` refuses it
        if text.kind != "U" or text.itemsize > LONGEST_NAME * np.dtype("U1").itemsize:
            raise UserError(
                f"names of type {text}, expected text of up to {LONGEST_NAME} characters"
            )

    size = limits.unpacked_bytes
    arrays = read_npz(file, WHAT, check, limit=size, compressed=False)
    try:
        return _descriptors(arrays, limits)
    except UserError as error:
        raise UserError(f"{file} is damaged or is not {WHAT}: {error}") from error


def _descriptors(arrays, limits):
    if arrays["format"].shape or arrays["format"] != FORMAT:
        raise UserError(f"format {arrays['format']}, expected {FORMAT}.")
    names, lengths, label, flat = (arrays[key] for key in ("names", "lengths", "label", "flat"))
    is_list = names.shape == lengths.shape == (len(lengths),) and lengths.dtype.kind == "i"
    if not is_list or lengths.min(initial=1) < 1:
        raise UserError("lengths are negative, zero, or do not fit the names of the sequences.")
    points = sum(lengths.tolist())  # exact, before names are repeated
    if not label.shape == flat.shape == (points,) or label.dtype.kind not in "iu":
        raise UserError(f"{label.size} labels for {points} points.")
    limits.check(points, arrays["values"].shape[-1], max(lengths.tolist(), default=0), "It")
    sequence = np.repeat(names, lengths)
    return Descriptors(
        arrays["values"], sequence, label, flat, str(arrays["name"]), str(arrays["kind"])
    )

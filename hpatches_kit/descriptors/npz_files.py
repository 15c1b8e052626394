"""Read and write `Descriptors` as one `.npz` file: every field, all digits, faster than CSV."""

import zipfile
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.errors import UserError
from hpatches_kit.descriptors.descriptors import Descriptors

FORMAT = 2  # version of the file format
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


def load_npz(file):
    """Read a file of `Descriptors.save`; UserError for a damaged file or one of another format."""
    file = Path(file)
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: expected a .npz of Descriptors.save.")
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():  # only compressed members can unpack to more memory
                if info.compress_type or info.compress_size != info.file_size:
                    raise UserError(f"{info.filename} is compressed")
        with np.load(file, allow_pickle=False) as stored:
            if stored["format"] != FORMAT:
                raise UserError(f"format {stored['format']}, expected {FORMAT}")
            arrays = {key: stored[key] for key in KEYS}
        if arrays["values"].dtype != np.float32:
            raise UserError(f"numbers of type {arrays['values'].dtype}, expected float32")
        sequence = np.repeat(arrays["names"], arrays["lengths"])
        if not len(arrays["label"]) == len(arrays["flat"]) == len(sequence):
            raise UserError(f"{len(arrays['label'])} labels for {len(sequence)} points")
        label, flat, name, kind = (arrays[key] for key in ("label", "flat", "name", "kind"))
        return Descriptors(arrays["values"], sequence, label, flat, str(name), str(kind))
    except Exception as error:  # reading a foreign file may raise any error
        raise UserError(
            f"{file} is damaged or is not a descriptor file of this version: {error}."
            " Expected a .npz of Descriptors.save."
        ) from error

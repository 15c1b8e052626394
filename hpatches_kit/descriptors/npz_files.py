"""descriptors.npz_files."""

import zipfile
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.errors import UserError
from hpatches_kit.descriptors.descriptors import Descriptors

FORMAT = 2  # of the file written by `save`


KEYS = ("values", "names", "lengths", "label", "flat", "name", "kind", "format")


def save_npz(descriptors, file):
    """Write descriptors with all that belongs to them to one `.npz`, whole or not at all.

    `read` opens it several times faster than CSV, and numbers keep all their digits.
    """
    file = Path(file)
    if file.suffix.lower() != ".npz":
        raise UserError(f"{file} cannot be read again: expected a name that ends in .npz.")
    arrays = {
        "values": descriptors.values,
        "names": np.array(descriptors.names, str),
        "lengths": np.array([descriptors.lengths[name] for name in descriptors.names], np.int64),
        "label": descriptors.label,
        "flat": descriptors.flat,
        "name": np.array(descriptors.name, str),
        "kind": np.array(descriptors.kind, str),
        "format": np.array(FORMAT),
    }
    with atomic_file(file) as partial:
        np.savez(partial, **arrays)


def load_npz(file):
    """Open `Descriptors` written by `save`.

    Raises FileNotFoundError when the file is missing, UserError when it is cut off, damaged, of
    another format, or not of this kit.
    """
    file = Path(file)
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: expected a .npz written by save.")
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():  # what is stored as it is cannot outgrow the file
                if info.compress_type or info.compress_size != info.file_size:
                    raise UserError(f"{info.filename} is compressed")
        with np.load(file, allow_pickle=False) as arrays:
            if arrays["format"] != FORMAT:
                raise UserError(f"format {arrays['format']}, expected {FORMAT}")
            found = {key: arrays[key] for key in KEYS}
        if found["values"].dtype != np.float32:
            raise UserError(f"numbers of type {found['values'].dtype}, expected float32")
        sequence = np.repeat(found["names"], found["lengths"])
        if not len(found["label"]) == len(found["flat"]) == len(sequence):
            raise UserError(f"{len(found['label'])} labels for {len(sequence)} points")
        return Descriptors(
            found["values"],
            sequence,
            found["label"],
            found["flat"],
            str(found["name"]),
            str(found["kind"]),
        )
    except Exception as error:  # a foreign file can fail in any way
        raise UserError(
            f"{file} is damaged or not of this kit: {error!r}. Expected a .npz written by save."
        ) from error

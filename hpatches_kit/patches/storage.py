"""Patch sets on disk: a folder of memory-mapped arrays and a JSON file that describes them."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import atomic_folder
from hpatches_kit._support.checksums import digest, quick_checksum
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.leftovers import remove_leftovers
from hpatches_kit._support.locks import locked
from hpatches_kit.patches.patch_set import PatchSet

FORMAT = 3  # raise it when the files change
METADATA_FILE = "patches.json"
FILE_PATTERNS = ("*.npy", METADATA_FILE)
POINT_ARRAYS = ("label", "flat")  # arrays with one number per point; all others are patches


def save_patch_set(patches, folder, provenance):
    """Write a `PatchSet` to a folder; see `PatchSet.save`, which calls it."""
    if not np.array_equal(_name_per_point(patches.lengths), patches.sequence):
        raise UserError(
            "The points of a sequence are not contiguous: save patches.select(patches.names)."
        )
    folder = Path(folder).expanduser()
    with atomic_folder(folder, FILE_PATTERNS) as partial:
        for kind in patches.arrays:
            np.save(partial / f"{kind}.npy", patches[kind])
        point_arrays = {"label": patches.label, "flat": patches.flat}
        write_metadata(partial, patches.lengths, patches.splits, provenance, **point_arrays)
    return open_patch_set(folder)


def write_metadata(folder, lengths, splits, provenance, **point_arrays):
    """Write the arrays with one number per point, and the metadata, into a folder with patches."""
    for name, values in point_arrays.items():
        np.save(folder / f"{name}.npy", values)
    files = sorted(folder.glob("*.npy"))
    metadata = {
        "format": FORMAT,
        "provenance": provenance,
        "lengths": lengths,
        "splits": splits,
        "quick_checksums": {file.name: quick_checksum(file) for file in files},
        # Only these identify the content. Opening does not verify them: seconds per gigabyte.
        "digests": {file.name: digest(file) for file in files},
    }
    metadata["fingerprint"] = _fingerprint(metadata)
    (folder / METADATA_FILE).write_text(json.dumps(metadata, indent=1))


def open_patch_set(folder, **provenance):
    """Memory-map a saved patch set that was made with these settings, its provenance.

    Raises FileNotFoundError if there is no patch set; UserError if a file is truncated, modified or
    of another format, or if the patch set was made with other settings.
    """
    folder = Path(folder)
    metadata = _read_metadata(folder)
    for key, expected in json.loads(json.dumps(provenance)).items():
        stored = metadata["provenance"].get(key)
        if stored != expected:
            raise UserError(f"{folder} was built with {key} = {stored}, expected {expected}.")
    files = metadata["quick_checksums"]
    for name, expected in files.items():
        actual = quick_checksum(folder / name) if (folder / name).exists() else "no file"
        if actual != expected:
            raise UserError(f"{folder / name} is damaged: {actual}, expected {expected}.")
    arrays = {Path(name).stem: np.load(folder / name, mmap_mode="r") for name in files}
    label, flat = (np.array(arrays.pop(name)) for name in POINT_ARRAYS)
    return PatchSet(
        arrays,
        _name_per_point(metadata["lengths"]),
        label,
        metadata["splits"],
        flat=flat.astype(bool),
        fingerprint=metadata["fingerprint"],
    )


def open_or_build(folder, build, **provenance):
    """Open the patch set in a folder, or call `build()`, which writes it there.

    A set that is damaged, of another format or made with other settings is built again, by one
    process at a time. Opening an existing set writes nothing.
    """
    with suppress(FileNotFoundError, ValueError):
        return open_patch_set(folder, **provenance)
    folder = Path(folder).resolve()
    with locked(folder):
        remove_leftovers(folder)
        try:
            return open_patch_set(folder, **provenance)  # another process may have built it
        except FileNotFoundError:
            pass
        except ValueError as error:
            print(f"Building again: {error}")
        build()
        return open_patch_set(folder, **provenance)


def _read_metadata(folder):
    file = folder / METADATA_FILE
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: {folder} is not a patch set.")
    try:
        metadata = json.loads(file.read_text())
        format_number = metadata["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} is damaged: {error!r}.") from error
    if format_number != FORMAT:
        raise UserError(
            f"{folder} was written by another version of hpatches_kit: format {format_number},"
            f" expected {FORMAT}. Make the patches again with this version."
        )
    stored, computed = metadata.get("fingerprint"), _fingerprint(metadata)
    if computed != stored:
        raise UserError(f"{file} is damaged: fingerprint {computed}, expected {stored}.")
    return metadata


def _fingerprint(metadata):
    """Return 32 hexadecimal digits of a hash of the metadata, with the digests of all files."""
    content = {key: value for key, value in metadata.items() if key != "fingerprint"}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _name_per_point(lengths):
    """Expand `{name: count}` to the sequence name of each point."""
    return np.repeat(list(lengths), list(lengths.values()))

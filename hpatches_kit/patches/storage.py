"""Patch sets on disk: a folder of mapped arrays that says what is in it."""

import json
import zlib
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import atomic_folder, remove_leftovers
from hpatches_kit._support.checksums import checksum
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit.patches.patch_set import PatchSet

FORMAT = 2  # of the folder
METADATA_FILE = "patches.json"
FILE_PATTERNS = ("*.npy", METADATA_FILE)
POINTS = ("label", "flat")  # arrays with one number a point; all others are patches


def save_patch_set(patches, folder, about):
    """Write a `PatchSet` to a folder that appears whole or not at all, and open it from there.

    Args:
        patches: points of one sequence stand together.
        folder: what is there is replaced, if it was written by this function.
        about: what the patches were made with, kept as JSON.

    Raises FileExistsError when the folder holds files of any other kind.
    """
    if not np.array_equal(_spread(patches.lengths), patches.sequence):
        raise UserError("Points of one sequence must stand together to be saved.")
    folder = Path(folder).expanduser()
    with atomic_folder(folder, FILE_PATTERNS) as partial:
        for kind in patches.arrays:
            np.save(partial / f"{kind}.npy", patches[kind])
        of_points = {"label": patches.label, "flat": patches.flat}
        write_metadata(partial, patches.lengths, patches.splits, about, **of_points)
    return open_patch_set(folder)


def write_metadata(folder, lengths, splits, about, **of_points):
    """Write what makes a folder of arrays a patch set; the larger arrays are there already."""
    for name, values in of_points.items():
        np.save(folder / f"{name}.npy", values)
    files = sorted(folder.glob("*.npy"))
    meta = {
        "format": FORMAT,
        "about": about,
        "lengths": lengths,
        "splits": splits,
        "files": {file.name: checksum(file) for file in files},
        # Of every byte, so that no two sets have one fingerprint; opening compares but the above.
        "content": {file.name: checksum(file, limit=file.stat().st_size) for file in files},
    }
    meta["crc32"] = _crc(meta)
    (folder / METADATA_FILE).write_text(json.dumps(meta, indent=1))


def open_patch_set(folder, **about):
    """Memory-map a folder written by `save`: at once, whatever its size.

    Raises FileNotFoundError when it is not there, UserError when a file is cut off, altered
    or of another format, or when it was saved with another `about`.
    """
    folder = Path(folder)
    file = folder / METADATA_FILE
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: {folder} holds no patches.")
    try:
        meta = json.loads(file.read_text())
        crc = meta.pop("crc32")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{file} is damaged: {error!r}.") from error
    if crc != _crc(meta):
        raise UserError(f"{file} is damaged: crc32 {_crc(meta)}, expected {crc}.")
    if meta["format"] != FORMAT:
        raise UserError(
            f"{folder} was written by another version of hpatches_kit: format {meta['format']},"
            f" expected {FORMAT}."
        )
    for key, wanted in json.loads(json.dumps(about)).items():
        if meta["about"].get(key) != wanted:
            raise UserError(
                f"{folder} was built with {key} = {meta['about'].get(key)}, wanted {wanted}."
            )
    for name, expected in meta["files"].items():
        found = checksum(folder / name) if (folder / name).exists() else "no file"
        if found != expected:
            raise UserError(f"{folder / name} is damaged: {found}, expected {expected}.")
    arrays = {Path(name).stem: np.load(folder / name, mmap_mode="r") for name in meta["files"]}
    label, flat = (np.array(arrays.pop(name)) for name in POINTS)
    of_points = {"label": label, "flat": flat.astype(bool), "fingerprint": crc}
    return PatchSet(arrays, _spread(meta["lengths"]), splits=meta["splits"], **of_points)


def open_or_build(folder, build, **about):
    """Open the patches in `folder`, or have `build()` write them there and open them then.

    A cache that is missing, cut off, damaged, of another version of the kit, or made with another
    `about` is built anew, by one process at a time; one that is there is opened without writing
    anything.
    """
    try:
        return open_patch_set(folder, **about)
    except (FileNotFoundError, ValueError):
        pass
    folder = Path(folder).resolve()
    with locked(folder):
        remove_leftovers(folder)
        try:
            return open_patch_set(folder, **about)  # another process may have built it meanwhile
        except FileNotFoundError:
            pass
        except ValueError as error:
            print(f"Building again: {error}")
        build()
        return open_patch_set(folder, **about)


def _spread(lengths):
    """`{name: count}` as the name of each point."""
    return np.repeat(list(lengths), list(lengths.values()))


def _crc(meta):
    return f"{zlib.crc32(json.dumps(meta, sort_keys=True).encode()):08x}"

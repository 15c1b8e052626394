"""Patch sets on disk: a folder of memory-mapped arrays and a JSON file that describes them."""

import hashlib
import json
import re
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from hpatches_kit._support.array_files import map_array
from hpatches_kit._support.atomic import atomic_folder, sync
from hpatches_kit._support.checksums import digest, quick_checksum
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import LIMIT, check_fields, parse_json
from hpatches_kit._support.leftovers import is_being_replaced, remove_leftovers
from hpatches_kit._support.locks import locked
from hpatches_kit._support.regular_files import check_no_link, open_folder, read_stream
from hpatches_kit.patches.patch_set import PatchSet
from hpatches_kit.patches.sides import check_splits

FORMAT = 3  # raise it when the files change
METADATA_FILE = "patches.json"
FILE_PATTERNS = ("*.npy", METADATA_FILE)
POINT_ARRAYS = ("label", "flat")  # arrays with one number per point; all others are patches
FIELDS = {"provenance": dict, "lengths": dict, "splits": dict, "quick_checksums": dict}
FIELDS |= {"fingerprint": str}
LONGEST_NAME = 255  # characters of the name of a sequence, which is repeated for each point
TRIES, WAIT = 100, 0.01  # tries to open a set that another process replaces; seconds between them


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
    for file in (*files, folder / METADATA_FILE):
        sync(file)


def open_patch_set(folder, **provenance):
    """Memory-map a saved patch set that was made with these settings, its provenance.

    Another process may save the set again meanwhile: all files are of one version.

    Raises FileNotFoundError if there is no patch set; UserError if a file is truncated, modified or
    of another format, or if the patch set was made with other settings.
    """
    folder = Path(folder)
    for tries_left in reversed(range(TRIES)):
        generation = _generation(folder)
        try:
            return _open(folder, json.loads(json.dumps(provenance)))
        except (OSError, UserError):
            is_replaced = is_being_replaced(folder)
            if not tries_left or (_generation(folder) == generation and not is_replaced):
                raise
            if is_replaced:  # perhaps by a process that was killed
                with suppress(OSError):
                    remove_leftovers(folder)
            time.sleep(WAIT)


def is_patch_set(folder):
    """Whether there is a saved patch set in a folder, also while another process saves it again."""
    return (folder / METADATA_FILE).exists() or is_being_replaced(folder)


def _generation(folder):
    """Identifies the folder at a path: a new one, which replaces it, has another number."""
    try:
        state = folder.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino


def _open(folder, provenance):
    if not (folder / METADATA_FILE).exists():
        raise FileNotFoundError(
            f"{folder / METADATA_FILE} is missing: {folder} is not a patch set."
        )
    with open_folder(folder) as open_file:
        with open_file(METADATA_FILE) as stream:
            metadata = _read_metadata(stream)
        for key, expected in provenance.items():
            stored = metadata["provenance"].get(key)
            if stored != expected:
                raise UserError(f"{folder} was built with {key} = {stored}, expected {expected}.")
        files = metadata["quick_checksums"]
        arrays = {Path(name).stem: _map(open_file, folder, name, files[name]) for name in files}
    points = sum(metadata["lengths"].values())
    for name in POINT_ARRAYS:  # before the names are repeated
        if (
            name not in arrays
            or arrays[name].shape != (points,)
            or arrays[name].dtype.kind not in "biu"
        ):
            raise UserError(f"{folder / name}.npy is damaged: expected {points} numbers.")
    label, flat = (np.array(arrays.pop(name)) for name in POINT_ARRAYS)
    return PatchSet(
        arrays,
        _name_per_point(metadata["lengths"]),
        label,
        metadata["splits"],
        flat=flat.astype(bool),
        fingerprint=metadata["fingerprint"],
    )


def _map(open_file, folder, name, expected):
    try:
        with open_file(name) as stream:
            actual = quick_checksum(stream)
            if actual == expected:
                stream.seek(0)
                return map_array(stream)
    except FileNotFoundError:
        actual = "no file"
    raise UserError(f"{folder / name} is damaged: {actual}, expected {expected}.")


def open_or_build(folder, build, **provenance):
    """Open the patch set in a folder, or call `build()`, which writes it there.

    A set that is damaged, of another format or made with other settings is built again, by one
    process at a time. Opening an existing set writes nothing. Raises UserError if the folder is a
    link.
    """
    check_no_link(folder)
    with suppress(FileNotFoundError, UserError):
        return open_patch_set(folder, **provenance)
    folder = Path(folder).resolve()
    with locked(folder):
        remove_leftovers(folder)
        try:
            return open_patch_set(folder, **provenance)  # another process may have built it
        except FileNotFoundError:
            pass
        except UserError as error:
            print(f"Building again: {error}")
        build()
        return open_patch_set(folder, **provenance)


def _read_metadata(stream):
    file, what = Path(stream.name), "the description of a patch set"
    try:
        metadata = parse_json(read_stream(stream, LIMIT), file, what, {"format": int})
    except UserError as error:
        raise UserError(f"{file} is damaged: {error}") from error
    if metadata["format"] != FORMAT:
        raise UserError(
            f"{file.parent} was written by another version of hpatches_kit: format"
            f" {metadata['format']}, expected {FORMAT}. Make the patches again with this version."
        )
    check_fields(metadata, FIELDS, file, what)
    stored, computed = metadata["fingerprint"], _fingerprint(metadata)
    if computed != stored:
        raise UserError(f"{file} is damaged: fingerprint {computed}, expected {stored}.")
    for name, points in metadata["lengths"].items():
        if not isinstance(points, int) or points < 1 or len(name) > LONGEST_NAME:
            raise UserError(f"{file}: {name[:40]!r} has {points!r} points, expected 1 or more.")
    for name in metadata["quick_checksums"]:
        if not name.endswith(".npy") or re.search(r"[/\\:]", name) or name.startswith("."):
            raise UserError(f"{file} names {name!r}: expected an array in the same folder.")
    check_splits(metadata["splits"], file)
    return metadata


def _fingerprint(metadata):
    """Return 32 hexadecimal digits of a hash of the metadata, with the digests of all files."""
    content = {key: value for key, value in metadata.items() if key != "fingerprint"}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _name_per_point(lengths):
    """Expand `{name: count}` to the sequence name of each point."""
    return np.repeat(list(lengths), list(lengths.values()))

"""Descriptors on disk: CSV folders of the official layout, zips of them, and the kit's own file.

In the official layout a sequence is a folder with a file a view, `ref.csv`, `e1.csv` .. `t5.csv`: no
header, one row a patch, and row i of all 16 files shows the same point.
"""

import os
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np

from hpatches_kit.descriptors import Descriptors
from hpatches_kit.files import whole_file, whole_folder
from hpatches_kit.number_text import check_delimiter, lines, parse, shape, write_rows
from hpatches_kit.patches import VIEWS
from hpatches_kit.safe_zip import is_hidden, open_zip
from hpatches_kit.threads import side_by_side

FORMAT = 1  # of the file written by `save`
KEYS = ("values", "names", "lengths", "label", "flat", "name", "patches", "format")


def read(path, delimiter=",", sequences=None, progress=True, data=None):
    """Read `Descriptors` from a CSV folder, from a `.zip` of one, or from a `.npz` of `save`.

    Args and errors are those of `read_csv`. A `.npz` needs no delimiter, and has labels, flat and
    an order of its own, which `data` and `sequences` replace.
    """
    path = Path(path)
    if _kind(path) == "text":
        return read_csv(path, delimiter, data, sequences, progress)
    found = open_npz(path)
    if sequences is None and data is None:
        return found
    names, data = _choose(found.names, sequences, data, path)
    _check_lengths(found.lengths, names, data, path)
    chosen = found.select(names)
    if data is not None:
        chosen = Descriptors(
            chosen.values, chosen.sequence, data.label, data.flat, found.name, found.patches
        )
    return chosen


def _kind(path):
    """`"text"` for a folder or zip, `"npz"`; an error for anything else."""
    if path.is_dir() or path.is_file() and path.suffix.lower() == ".zip":
        return "text"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: expected a folder, a .zip or a .npz.")
    if path.suffix.lower() != ".npz":
        raise ValueError(f"{path} is of no known kind: expected a folder, a .zip or a .npz.")
    return "npz"


def sequences(path):
    """Names of the sequences that `read` would find, in its order; no numbers are read."""
    path = Path(path)
    if _kind(path) == "npz":
        return open_npz(path).names
    with _open(path) as (files, _):
        return sorted(_find_sequences(files, path))


def read_csv(path, delimiter=",", data=None, sequences=None, progress=True):
    """Read a folder in the official layout, or a `.zip` of one, as `Descriptors`.

    Args:
        path: every folder in it that directly holds CSV files is a sequence, named as the folder.
            Hidden files and `__MACOSX` are passed over.
        delimiter: one character between the numbers of a row; blanks around numbers do not count.
        data: the `PatchSet` that was described. CSV files know nothing of its order, of places
            that several sequences share and of flat patches; without it, sequences are taken in
            alphabetical order, every point is a place of its own, and none is flat.
        sequences: names of those to read, in this order. Default: all.
        progress: show a bar, one step a file.

    Raises FileNotFoundError for a missing path, sequence or view; ValueError for anything but
    finite numbers, for a wrong delimiter, for views or sequences that do not fit together, for
    links that leave the folder and for a zip that cannot be trusted. Each names the file, and the
    line where there is one.
    """
    path = Path(path)
    check_delimiter(delimiter)
    with _open(path) as (files, read_bytes):
        folders = _find_sequences(files, path)
        names, data = _choose(sorted(folders), sequences, data, path)
        for name in names:
            for view in VIEWS:
                if folders[name] / f"{view}.csv" not in files:
                    raise FileNotFoundError(
                        f"{path / folders[name] / view}.csv is missing:"
                        f" expected the views {', '.join(VIEWS)}."
                    )
        shapes = {}
        for name in names:  # a first look, so that the numbers can go straight into one array
            file = folders[name] / "ref.csv"
            shapes[name] = shape(lines(read_bytes(file)), path / file, delimiter)
            if shapes[name][1] != shapes[names[0]][1]:
                raise ValueError(
                    f"{path / file} has {shapes[name][1]} numbers in a row,"
                    f" {path / folders[names[0]]}/ref.csv {shapes[names[0]][1]}:"
                    " expected the same in all sequences."
                )
        lengths = {name: rows for name, (rows, _) in shapes.items()}
        _check_lengths(lengths, names, data, path)
        stop = dict(zip(names, np.cumsum(list(lengths.values())).tolist()))
        values = np.empty((stop[names[-1]], len(VIEWS), shapes[names[0]][1]), np.float32)

        def fill(task):
            name, column, view = task
            file = folders[name] / f"{view}.csv"
            here = values[stop[name] - lengths[name] : stop[name], column]
            parse(lines(read_bytes(file)), path / file, delimiter, here)

        tasks = [(name, column, view) for name in names for column, view in enumerate(VIEWS)]
        side_by_side(fill, tasks, "Reading CSV", progress)
    sequence = np.repeat(names, list(lengths.values()))
    label, flat = (None, None) if data is None else (data.label, data.flat)
    return Descriptors(values, sequence, label, flat, _name(path))


def write_csv(descriptors, folder, delimiter=",", progress=True):
    """Write descriptors in the official layout: `<folder>/<sequence>/<view>.csv`, one row a point.

    Numbers have five decimals, as in the coursework. The folder appears whole or not at all.
    """
    check_delimiter(delimiter)
    for name in descriptors.names:
        if not name or Path(name).name != name or is_hidden(Path(name)):
            raise ValueError(f"Sequence {name!r} cannot be a folder: expected a plain name.")
    with whole_folder(folder, ("*.csv",)) as partial:

        def write(task):
            name, column, view = task
            start = descriptors.start[name]
            here = descriptors.values[start : start + descriptors.lengths[name], column]
            write_rows(here, partial / name / f"{view}.csv", delimiter)

        for name in descriptors.names:
            (partial / name).mkdir()
        names = descriptors.names
        tasks = [(name, column, view) for name in names for column, view in enumerate(VIEWS)]
        side_by_side(write, tasks, "Writing CSV", progress)


def save(descriptors, file):
    """Write descriptors with all that belongs to them to one `.npz`, whole or not at all.

    `read` opens it several times faster than CSV, and numbers keep all their digits.
    """
    file = Path(file)
    if file.suffix.lower() != ".npz":
        raise ValueError(f"{file} cannot be read again: expected a name that ends in .npz.")
    arrays = {
        "values": descriptors.values,
        "names": np.array(descriptors.names, str),
        "lengths": np.array([descriptors.lengths[name] for name in descriptors.names], np.int64),
        "label": descriptors.label,
        "flat": descriptors.flat,
        "name": np.array(descriptors.name, str),
        "patches": np.array(descriptors.patches, str),
        "format": np.array(FORMAT),
    }
    with whole_file(file) as partial:
        np.savez(partial, **arrays)


def open_npz(file):
    """Open `Descriptors` written by `save`.

    Raises FileNotFoundError when the file is missing, ValueError when it is cut off, damaged, of
    another format, or not of this kit.
    """
    file = Path(file)
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: expected a .npz written by save.")
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():  # what is stored as it is cannot outgrow the file
                if info.compress_type or info.compress_size != info.file_size:
                    raise ValueError(f"{info.filename} is compressed")
        with np.load(file, allow_pickle=False) as arrays:
            if arrays["format"] != FORMAT:
                raise ValueError(f"format {arrays['format']}, expected {FORMAT}")
            found = {key: arrays[key] for key in KEYS}
        if found["values"].dtype != np.float32:
            raise ValueError(f"numbers of type {found['values'].dtype}, expected float32")
        sequence = np.repeat(found["names"], found["lengths"])
        if not len(found["label"]) == len(found["flat"]) == len(sequence):
            raise ValueError(f"{len(found['label'])} labels for {len(sequence)} points")
        return Descriptors(
            found["values"],
            sequence,
            found["label"],
            found["flat"],
            str(found["name"]),
            str(found["patches"]),
        )
    except Exception as error:  # a foreign file can fail in any way
        raise ValueError(
            f"{file} is damaged or not of this kit: {error!r}. Expected a .npz written by save."
        ) from error


@contextmanager
def _open(path):
    """Yield `(files, read)` for a folder or zip: its CSV files, and from one of them to its bytes."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: expected a folder of sequences or a .zip.")
    if path.is_dir():
        kept = threading.local()
        yield _list_folder(path), lambda file: _read_again(path / file, kept)
    else:
        with open_zip(path) as (files, read_bytes):
            yield {file for file in files if file.suffix == ".csv"}, read_bytes


def _read_again(file, kept):
    """The bytes of a file, until the same thread reads the next: fresh memory costs as much as reading."""
    with open(file, "rb", buffering=0) as stream:
        size, text = os.fstat(stream.fileno()).st_size, getattr(kept, "text", bytearray())
        text += bytes(max(size - len(text), 0))
        del text[size:]
        del text[stream.readinto(text) :]
    kept.text = text
    return text


def _name(path):
    return path.stem if path.is_file() else path.resolve().name


def _list_folder(root):
    """Paths of all CSV files in a folder, seen from there; ValueError for a link that leaves it."""
    files, folders = set(), [root]
    inside = Path(os.path.realpath(root))
    while folders:
        folder = folders.pop()
        for child in folder.iterdir():
            if is_hidden(Path(child.name)) or not (child.is_dir() or child.suffix == ".csv"):
                continue
            real = Path(os.path.realpath(child))
            if not real.is_relative_to(inside):
                raise ValueError(f"{child} leads to {real}: expected nothing outside {root}.")
            if child.is_file():
                files.add(PurePosixPath(child.relative_to(root).as_posix()))
            elif child.is_dir():
                if Path(os.path.realpath(folder)).is_relative_to(real):
                    raise ValueError(f"{child} leads back to {real}: expected no circles.")
                folders.append(child)
    return files


def _find_sequences(files, path):
    """`{name: folder}` of all folders that directly hold CSV files, the root only if it is alone."""
    folders = {}
    parents = sorted({file.parent for file in files})
    for folder in [p for p in parents if p.name] or parents:
        name = folder.name or _name(path)
        if name in folders:
            raise ValueError(
                f"{path} has two sequences {name!r}, {folders[name]} and {folder}:"
                " expected each name once."
            )
        folders[name] = folder
    if not folders:
        raise FileNotFoundError(f"{path} holds no sequence: expected folders with 16 CSV files.")
    return folders


def _choose(available, sequences, data, path):
    """Names to read, in order, and the part of the patches that belongs to them."""
    if sequences is not None:
        names = [sequences] if isinstance(sequences, str) else list(sequences)
        if not names or len(set(names)) < len(names):
            raise ValueError(f"Sequences {names} of {path}: expected at least one, each once.")
        data = None if data is None else data.select(names)
    else:
        names = available if data is None else data.names
    missing = [name for name in names if name not in available]
    if missing:
        raise FileNotFoundError(
            f"{path} has no sequence {', '.join(missing)}: expected some of {list(available)}."
        )
    return names, data


def _check_lengths(lengths, names, data, path):
    """ValueError when the patches have another number of points, or stand in another order."""
    here = {name: lengths[name] for name in names}
    if data is not None and not np.array_equal(
        np.repeat(names, list(here.values())), data.sequence
    ):
        raise ValueError(f"{path} has {here} points, the patches {data.lengths}.")

"""Descriptors on disk: CSV folders of the official layout, zips of them, and the kit's own file.

In the official layout a sequence is a folder with a file a view, `ref.csv`, `e1.csv` .. `t5.csv`: no
header, one row a patch, and row i of all 16 files shows the same point.
"""

import os
import threading
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np

from hpatches_kit._support.archives import is_hidden, open_zip
from hpatches_kit._support.atomic import atomic_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.descriptors.fast_csv import check_delimiter, lines, parse, shape, write_rows
from hpatches_kit.patches.views import VIEWS


def read_csv(path, delimiter=",", patches=None, sequences=None, progress=True):
    """Read a folder in the official layout, or a `.zip` of one, as `Descriptors`.

    Args:
        path: every folder in it that directly holds CSV files is a sequence, named as the folder.
            Hidden files and `__MACOSX` are passed over.
        delimiter: one character between the numbers of a row; blanks around numbers do not count.
        patches: the `PatchSet` that was described. CSV files know nothing of its order, of places
            that several sequences share and of flat patches; without it, sequences are taken in
            alphabetical order, every point is a place of its own, and none is flat.
        sequences: names of those to read, in this order. Default: all.
        progress: show a bar, one step a file.

    Raises FileNotFoundError for a missing path, sequence or view; UserError for anything but
    finite numbers, for a wrong delimiter, for views or sequences that do not fit together, for
    links that leave the folder and for a zip that cannot be trusted. Each names the file, and the
    line where there is one.
    """
    path = Path(path)
    check_delimiter(delimiter)
    with _open(path) as (files, read_bytes):
        folders = _find_sequences(files, path)
        names, patches = _choose(sorted(folders), sequences, patches, path)
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
                raise UserError(
                    f"{path / file} has {shapes[name][1]} numbers in a row,"
                    f" {path / folders[names[0]]}/ref.csv {shapes[names[0]][1]}:"
                    " expected the same in all sequences."
                )
        lengths = {name: rows for name, (rows, _) in shapes.items()}
        _check_lengths(lengths, names, patches, path)
        stop = dict(zip(names, np.cumsum(list(lengths.values())).tolist()))
        values = np.empty((stop[names[-1]], len(VIEWS), shapes[names[0]][1]), np.float32)

        def fill(task):
            name, column, view = task
            file = folders[name] / f"{view}.csv"
            here = values[stop[name] - lengths[name] : stop[name], column]
            parse(lines(read_bytes(file)), path / file, delimiter, here)

        tasks = [(name, column, view) for name in names for column, view in enumerate(VIEWS)]
        parallel_map(fill, tasks, "Reading CSV", progress)
    sequence = np.repeat(names, list(lengths.values()))
    label, flat = (None, None) if patches is None else (patches.label, patches.flat)
    return Descriptors(values, sequence, label, flat, _name(path))


def write_csv(descriptors, folder, delimiter=",", progress=True):
    """Write descriptors in the official layout: `<folder>/<sequence>/<view>.csv`, one row a point.

    Numbers have five decimals, as in the coursework. The folder appears whole or not at all.
    """
    check_delimiter(delimiter)
    for name in descriptors.names:
        if not name or Path(name).name != name or is_hidden(Path(name)):
            raise UserError(f"Sequence {name!r} cannot be a folder: expected a plain name.")
    with atomic_folder(folder, ("*.csv",)) as partial:

        def write(task):
            name, column, view = task
            start = descriptors.start[name]
            here = descriptors.values[start : start + descriptors.lengths[name], column]
            write_rows(here, partial / name / f"{view}.csv", delimiter)

        for name in descriptors.names:
            (partial / name).mkdir()
        names = descriptors.names
        tasks = [(name, column, view) for name in names for column, view in enumerate(VIEWS)]
        parallel_map(write, tasks, "Writing CSV", progress)


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
    """Paths of all CSV files in a folder, seen from there; UserError for a link that leaves it."""
    files, folders = set(), [root]
    inside = Path(os.path.realpath(root))
    while folders:
        folder = folders.pop()
        for child in folder.iterdir():
            if is_hidden(Path(child.name)) or not (child.is_dir() or child.suffix == ".csv"):
                continue
            real = Path(os.path.realpath(child))
            if not real.is_relative_to(inside):
                raise UserError(f"{child} leads to {real}: expected nothing outside {root}.")
            if child.is_file():
                files.add(PurePosixPath(child.relative_to(root).as_posix()))
            elif child.is_dir():
                if Path(os.path.realpath(folder)).is_relative_to(real):
                    raise UserError(f"{child} leads back to {real}: expected no circles.")
                folders.append(child)
    return files


def _find_sequences(files, path):
    """`{name: folder}` of all folders that directly hold CSV files, the root only if it is alone."""
    folders = {}
    parents = sorted({file.parent for file in files})
    for folder in [p for p in parents if p.name] or parents:
        name = folder.name or _name(path)
        if name in folders:
            raise UserError(
                f"{path} has two sequences {name!r}, {folders[name]} and {folder}:"
                " expected each name once."
            )
        folders[name] = folder
    if not folders:
        raise FileNotFoundError(f"{path} holds no sequence: expected folders with 16 CSV files.")
    return folders


def _choose(available, sequences, patches, path):
    """Names to read, in order, and the part of the patches that belongs to them."""
    if sequences is not None:
        names = [sequences] if isinstance(sequences, str) else list(sequences)
        if not names or len(set(names)) < len(names):
            raise UserError(f"Sequences {names} of {path}: expected at least one, each once.")
        patches = None if patches is None else patches.select(names)
    else:
        names = available if patches is None else patches.names
    missing = [name for name in names if name not in available]
    if missing:
        raise FileNotFoundError(
            f"{path} has no sequence {', '.join(missing)}: expected some of {list(available)}."
        )
    return names, patches


def _check_lengths(lengths, names, patches, path):
    """UserError when the patches have another number of points, or stand in another order."""
    here = {name: lengths[name] for name in names}
    if patches is not None and not np.array_equal(
        np.repeat(names, list(here.values())), patches.sequence
    ):
        raise UserError(f"{path} has {here} points, the patches {patches.lengths}.")

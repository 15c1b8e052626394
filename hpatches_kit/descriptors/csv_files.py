"""Read and write descriptors as CSV in the official layout, `<folder>/<sequence>/<view>.csv`.

A sequence has 16 files, `ref.csv`, `e1.csv` .. `t5.csv`, without a header. Each has one row per
point, and row i of all 16 files is the same point.
"""

from pathlib import Path

import numpy as np

from hpatches_kit._support.archives import is_hidden
from hpatches_kit._support.atomic import atomic_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.descriptors.csv_folders import base_name, find_sequences, open_csv_folder
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.descriptors.fast_csv import check_delimiter, lines, parse, shape, write_rows
from hpatches_kit.descriptors.limits import Limits
from hpatches_kit.descriptors.selection import check_points, choose_sequences
from hpatches_kit.patches.views import VIEWS


def read_csv(path, delimiter=",", patches=None, sequences=None, progress=True, limits=None):
    """Read a folder in the official layout, or a `.zip` of one, as `Descriptors`.

    Args:
        path: each folder below it that contains CSV files is a sequence, named after the folder.
            Hidden files and `__MACOSX` are ignored.
        delimiter: one character between the numbers of a row; spaces around numbers are ignored.
        patches: the `PatchSet` that was described: gives the order of the sequences, the labels
            and the flat patches, which CSV files do not contain. Without it, sequences are in
            alphabetical order, every point is its own place, and no patch is flat.
        sequences: names of the sequences to read, in this order. Default: all.
        progress: show a progress bar, one step per file.
        limits: `Limits`, checked before memory is allocated. Default: `Limits()`.

    Raises FileNotFoundError for a missing path, sequence or view; UserError for a wrong delimiter,
    anything except finite numbers, files with different numbers of rows or columns, links that
    leave the folder, and unsafe zips. Messages name the file, and the line where possible.
    """
    path, limits = Path(path), limits or Limits()
    check_delimiter(delimiter)
    with open_csv_folder(path, limits.unpacked_bytes) as (files, read_bytes):
        folders = find_sequences(files, path)
        names, patches = choose_sequences(sorted(folders), sequences, patches, path)
        for name in names:
            for view in VIEWS:
                if folders[name] / f"{view}.csv" not in files:
                    raise FileNotFoundError(
                        f"{path / folders[name] / view}.csv is missing:"
                        f" expected the views {', '.join(VIEWS)}."
                    )
        shapes = {}
        for name in names:  # the shapes are needed first, to allocate one array for all numbers
            file = folders[name] / "ref.csv"
            text = lines(read_bytes(file))
            shapes[name] = shape(text, path / file, delimiter, limits.dimensions)
            if shapes[name][1] != shapes[names[0]][1]:
                raise UserError(
                    f"{path / file} has {shapes[name][1]} numbers in a row,"
                    f" {path / folders[names[0]]}/ref.csv {shapes[names[0]][1]}:"
                    " expected the same in all sequences."
                )
        lengths = {name: rows for name, (rows, _) in shapes.items()}
        check_points(lengths, names, patches, path)
        dimensions = shapes[names[0]][1]
        limits.check(sum(lengths.values()), dimensions, max(lengths.values()), path)
        stop = dict(zip(names, np.cumsum(list(lengths.values())).tolist()))
        values = np.empty((stop[names[-1]], len(VIEWS), dimensions), np.float32)

        def read_view(job):
            name, column, view = job
            file = folders[name] / f"{view}.csv"
            rows = values[stop[name] - lengths[name] : stop[name], column]
            parse(lines(read_bytes(file)), path / file, delimiter, rows)

        parallel_map(read_view, _every_file(names), "Reading CSV", progress)
    sequence = np.repeat(names, list(lengths.values()))
    label, flat = (None, None) if patches is None else (patches.label, patches.flat)
    return Descriptors(values, sequence, label, flat, base_name(path))


def write_csv(descriptors, folder, delimiter=",", progress=True):
    """See `Descriptors.write_csv`."""
    check_delimiter(delimiter)
    for name in descriptors.names:
        if not name or Path(name).name != name or is_hidden(Path(name)):
            raise UserError(f"Sequence {name!r} cannot be a folder: expected a plain name.")
    with atomic_folder(folder, ("*.csv",)) as partial:

        def write_view(job):
            name, column, view = job
            start = descriptors.start[name]
            rows = descriptors.values[start : start + descriptors.lengths[name], column]
            write_rows(rows, partial / name / f"{view}.csv", delimiter)

        for name in descriptors.names:
            (partial / name).mkdir()
        parallel_map(write_view, _every_file(descriptors.names), "Writing CSV", progress)


def _every_file(names):
    """`(sequence, column, view)` of every file."""
    return [(name, column, view) for name in names for column, view in enumerate(VIEWS)]

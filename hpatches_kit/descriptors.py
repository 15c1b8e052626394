"""Descriptors of many points, in one array and in CSV folders of the official layout."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from hpatches_kit.files import whole_folder
from hpatches_kit.patches import VIEWS


class Descriptors:
    """Descriptors of all views of many points: what the benchmark scores.

    Args:
        values: `float32 (points, 16, dim)`.
        sequence: `(points,)` sequence names; points of one sequence stand together.
        label: `(points,)` integers, equal where several sequences show the same place. Default:
            every point is a place of its own, as in HPatches.
        flat: `(points,)` true where the reference patch has a standard deviation of 10 grey levels
            or less; the benchmark does not query those. Default: none.
        name: shown in tables and figures.
        patches: what was described: `"clean"`, `"noisy"`, `"denoised"`, or nothing.

    Raises ValueError for another shape and for numbers that are not finite.
    """

    def __init__(self, values, sequence, label=None, flat=None, name="descriptor", patches=""):
        self.values = np.asarray(values, np.float32)
        self.sequence, self.name, self.patches = np.asarray(sequence), name, patches
        points = len(self.sequence)
        if self.values.ndim != 3 or self.values.shape[:2] != (points, len(VIEWS)):
            raise ValueError(
                f"Descriptors of shape {self.values.shape} for {points} points:"
                f" expected ({points}, {len(VIEWS)}, dim)."
            )
        bad = ~np.isfinite(self.values).all(axis=(1, 2))
        if bad.any():
            row = int(bad.argmax())
            raise ValueError(f"Point {row} ({self.sequence[row]}) has NaN or infinite descriptors.")
        self.label = np.arange(points) if label is None else np.asarray(label)
        self.flat = np.zeros(points, bool) if flat is None else np.asarray(flat, bool)
        # Where each sequence starts, and how many points it has.
        names, start, count = np.unique(self.sequence, return_index=True, return_counts=True)
        order = np.argsort(start)
        self.names = [str(name) for name in names[order]]
        self.start = dict(zip(self.names, start[order].tolist()))
        self.lengths = dict(zip(self.names, count[order].tolist()))
        if points and np.count_nonzero(self.sequence[1:] != self.sequence[:-1]) + 1 != len(names):
            raise ValueError("Points of one sequence must stand together.")

    def __len__(self):
        return len(self.values)

    def __repr__(self):
        return (
            f"Descriptors({self.name!r}, {len(self):,} points x {len(VIEWS)} views"
            f" x {self.values.shape[2]} numbers, {len(self.names)} sequences)"
        )

    def rows(self, sequence, index):
        """Row of each point, given arrays of sequence names and of positions in the sequence."""
        unknown = set(np.unique(sequence).tolist()) - set(self.names)
        if unknown:
            raise ValueError(
                f"No descriptors of sequence {sorted(unknown)[0]!r}: expected {self.names}."
            )
        names, inverse = np.unique(sequence, return_inverse=True)
        start = np.array([self.start[name] for name in names])[inverse]
        length = np.array([self.lengths[name] for name in names])[inverse]
        index = np.asarray(index)
        outside = (index < 0) | (index >= length)
        if outside.any():
            k = int(outside.argmax())
            raise ValueError(
                f"Row {index[k]} of {sequence[k]} is wanted, the sequence has {length[k]} points."
            )
        return start + index


def write_csv(descriptors, folder, delimiter=",", progress=True):
    """Write descriptors in the official layout: `<folder>/<sequence>/<view>.csv`, one row a point.

    Numbers have five decimals, as in the coursework. The folder appears whole or not at all.
    """
    with whole_folder(folder, ("*.csv",)) as partial:
        bar = tqdm(
            descriptors.names, desc="Writing CSV", unit="sequence", disable=not progress, delay=1
        )
        for name in bar:
            (partial / name).mkdir()
            start = descriptors.start[name]
            here = descriptors.values[start : start + descriptors.lengths[name]]
            for column, view in enumerate(VIEWS):
                np.savetxt(
                    partial / name / f"{view}.csv", here[:, column], "%.5f", delimiter=delimiter
                )


def read_csv(folder, delimiter=",", data=None, progress=True):
    """Read a folder in the official layout as `Descriptors`.

    Args:
        folder: holds one folder a sequence.
        delimiter: between the numbers of a row.
        data: the `PatchSet` that was described. CSV files know nothing of its order, of places
            that several sequences share and of flat patches; without it, sequences are taken in
            alphabetical order, every point is a place of its own, and none is flat.
        progress: show a bar, one step a sequence.

    Raises FileNotFoundError for a missing view, ValueError for text, for one column (a wrong
    delimiter) and for views of different shape; each names the file.
    """
    folder = Path(folder)
    if data is not None:
        names = data.names
    else:
        names = sorted(f.name for f in folder.glob("*") if f.is_dir() and f.name[0] != ".")
    if not names:
        raise FileNotFoundError(f"{folder} holds no sequence: expected folders with 16 CSV files.")
    values, sequence = [], []
    for name in tqdm(names, desc="Reading CSV", unit="sequence", disable=not progress, delay=1):
        views = []
        for view in VIEWS:
            file = folder / name / f"{view}.csv"
            if not file.exists():
                raise FileNotFoundError(
                    f"{file} is missing: expected the views {', '.join(VIEWS)}."
                )
            try:
                views.append(np.loadtxt(file, delimiter=delimiter, ndmin=2, dtype=np.float64))
            except ValueError as error:
                raise ValueError(f"{file} with delimiter {delimiter!r}: {error}") from error
            if views[-1].shape != views[0].shape or views[-1].size == 0:
                raise ValueError(
                    f"{file} has shape {views[-1].shape}, ref.csv {views[0].shape}: expected the same"
                    " rows and columns in all views, and at least one."
                )
        values.append(np.stack(views, 1).astype(np.float32))
        sequence += [name] * len(views[0])
    if len({block.shape[2] for block in values}) > 1:
        dims = {name: block.shape[2] for name, block in zip(names, values)}
        raise ValueError(f"{folder} mixes descriptors of different length: {dims}.")
    if data is None:
        return Descriptors(np.concatenate(values), sequence, name=folder.name)
    if not np.array_equal(sequence, data.sequence):
        lengths = {name: len(block) for name, block in zip(names, values)}
        raise ValueError(f"{folder} has {lengths} points, the patches {data.lengths}.")
    return Descriptors(np.concatenate(values), sequence, data.label, data.flat, folder.name)

"""`Descriptors`: the descriptors of all views of many points, in one array."""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.views import VIEWS


class Descriptors:
    """Descriptors of all views of many points; the benchmark scores them.

    Args:
        values: `float32 (points, 16, dim)`.
        sequence: `(points,)` sequence names; the points of one sequence are adjacent.
        label: `(points,)` integers, equal for points that show the same place in several sequences.
            Default: every point is its own place, as in HPatches.
        flat: `(points,)` true where the reference patch has a standard deviation of 10 grey levels
            or less; retrieval does not use those. Default: none.
        name: for tables and figures.
        kind: of the patches: `"clean"`, `"noisy"`, `"denoised"`, `"original"`, or `""` if unknown.

    Attributes:
        names: the sequences, in order.
        start, lengths: `{sequence: first row}` and `{sequence: points}`.

    Raises UserError for another shape and for numbers that are not finite.
    """

    def __init__(self, values, sequence, label=None, flat=None, name="descriptor", kind=""):
        self.values = np.asarray(values, np.float32)
        self.sequence, self.name, self.kind = np.asarray(sequence), name, kind
        points = len(self.sequence)
        for field, given in (("labels", label), ("flat", flat)):
            if given is not None and len(given) != points:
                raise UserError(f"{len(given)} {field} for {points} points: expected one of each.")
        if (
            self.values.ndim != 3
            or self.values.shape[:2] != (points, len(VIEWS))
            or not self.values.shape[2]
        ):
            raise UserError(
                f"Descriptors of shape {self.values.shape} for {points} points:"
                f" expected ({points}, {len(VIEWS)}, dim)."
            )
        bad = ~np.isfinite(self.values).all(axis=(1, 2))
        if bad.any():
            row = int(bad.argmax())
            raise UserError(f"Point {row} ({self.sequence[row]}) has NaN or infinite descriptors.")
        self.label = np.arange(points) if label is None else np.asarray(label)
        self.flat = np.zeros(points, bool) if flat is None else np.asarray(flat, bool)
        names, start, count = np.unique(self.sequence, return_index=True, return_counts=True)
        order = np.argsort(start)
        self.names = [str(name) for name in names[order]]
        self.start = dict(zip(self.names, start[order].tolist()))
        self.lengths = dict(zip(self.names, count[order].tolist()))
        if points and np.count_nonzero(self.sequence[1:] != self.sequence[:-1]) + 1 != len(names):
            raise UserError("The points of one sequence must be adjacent.")

    def __len__(self):
        return len(self.values)

    def __repr__(self):
        return (
            f"Descriptors({self.name!r}, {len(self):,} points x {len(VIEWS)} views"
            f" x {self.values.shape[2]} numbers, {len(self.names)} sequences)"
        )

    def save(self, file):
        """Write all fields to one `.npz` file, atomically; `hk.descriptors.load(file)` reads it.

        Reading it is several times faster than reading CSV, and no digits are lost. Raises
        UserError for a name that does not end in `.npz`.
        """
        from hpatches_kit.descriptors.npz_files import save_npz

        save_npz(self, file)

    def write_csv(self, folder, delimiter=",", progress=True):
        """Write the official layout, `<folder>/<sequence>/<view>.csv`, atomically.

        A file has one row per point. Numbers have five decimals, as in the coursework. Raises
        UserError for a delimiter that is not one character and for sequence names that cannot be
        folders.
        """
        from hpatches_kit.descriptors.csv_files import write_csv

        write_csv(self, folder, delimiter, progress)

    def select(self, names):
        """The points of the named sequences, in the order of the names; UserError if unknown."""
        unknown = [name for name in names if name not in self.start]
        if unknown:
            raise UserError(f"Unknown sequence {unknown[0]!r}: expected some of {self.names}.")
        rows = [self.start[name] + np.arange(self.lengths[name]) for name in names]
        rows = np.concatenate([np.zeros(0, int), *rows])
        columns = (field[rows] for field in (self.values, self.sequence, self.label, self.flat))
        return Descriptors(*columns, self.name, self.kind)

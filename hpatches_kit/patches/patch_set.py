"""PatchSet: points and their 16 views, in memory or memory-mapped. `views.py` defines the terms."""

from functools import cached_property

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.overlap import shared
from hpatches_kit.patches.sides import names_of_sides
from hpatches_kit.patches.views import VIEWS, is_flat, patch_shape


class PatchSet:
    """Patches of points: one array per kind, and the sequence and place of each point.

    Args:
        arrays: patches by kind, `{"clean": a, "noisy": b, ...}`, each `uint8 (points, 16, 32, 32)`,
            grey levels 0..255; `"original"` is `(points, 16, 65, 65)`.
        sequence: `(points,)` name of the image sequence of each point.
        label: `(points,)` integers, equal for points of the same place. Default: every point is a
            different place.
        splits: `{split: {"train": [names], "validation": [names], "test": [names]}}`; the first
            split is the default.
        rows: `(points,)` the row of each point in the arrays. Default: all rows, in order.
        flat: `(points,)` true if the reference patch is flat. Default: computed from the clean
            patches.
        fingerprint: identifies the content of arrays in files.

    Raises UserError for other shapes and types, and for numbers of points that differ.

    `len(patches)` is the number of points, and `patches["clean"]` an array as described above:

        train, validation, test = patches.split()
        pair = train["clean"][0, [0, 5]]  # the reference and view e5 of one point
    """

    def __init__(
        self, arrays, sequence, label=None, splits=None, rows=None, flat=None, fingerprint=None
    ):
        self.arrays = dict(arrays)
        self.splits = splits or {}
        self.sequence = np.asarray(sequence)
        points = len(self.sequence)
        self.label = np.arange(points) if label is None else np.asarray(label, np.int64)
        self.rows = np.arange(points) if rows is None else np.asarray(rows, np.int64)
        self.fingerprint, self._flat = fingerprint, flat
        flags = points if flat is None else len(flat)
        if not len(self.label) == len(self.rows) == flags == points:
            raise UserError(
                f"{points} sequence names, {len(self.label)} labels, {len(self.rows)} rows and"
                f" {flags} values of flat: expected one of each per point."
            )
        for kind, array in self.arrays.items():
            if array.dtype != np.uint8 or array.shape[1:] != patch_shape(kind):
                raise UserError(
                    f"{kind!r} patches are {array.dtype} {array.shape}:"
                    f" expected uint8 (points, {', '.join(map(str, patch_shape(kind)))})."
                )
            if rows is None and len(array) != points:
                raise UserError(
                    f"{len(array)} {kind!r} patches for {points} points: expected {points}."
                )
            if points and not 0 <= self.rows.min() <= self.rows.max() < len(array):
                raise UserError(
                    f"Rows {self.rows.min()} to {self.rows.max()} of {len(array)} {kind!r} patches:"
                    f" expected 0 to {len(array) - 1}."
                )

    def __len__(self):
        return len(self.rows)

    def save(self, folder, **provenance):
        """Write the set to a folder, atomically, and return it memory-mapped from there.

        `hk.load(folder)` opens it again.

        Args:
            folder: an existing one is replaced if this method wrote it.
            provenance: settings with which the patches were made, stored as JSON.

        Raises FileExistsError if the folder contains any other file, UserError if the points of a
        sequence are not contiguous.
        """
        from hpatches_kit.patches.storage import save_patch_set

        return save_patch_set(self, folder, provenance)

    def __repr__(self):
        return (
            f"PatchSet({len(self):,} points x {len(VIEWS)} views in {len(self.names)} sequences,"
            f" {len(np.unique(self.label)):,} places, {' and '.join(self.arrays)})"
        )

    @cached_property
    def _runs(self):
        """`{name: [(start, stop), ...]}`: the contiguous ranges of points of each sequence."""
        edges = np.flatnonzero(self.sequence[1:] != self.sequence[:-1]) + 1
        runs = {}
        for start, stop in zip([0, *edges], [*edges, len(self)]):
            if stop > start:
                runs.setdefault(str(self.sequence[start]), []).append((int(start), int(stop)))
        return runs

    @property
    def names(self):
        """Names of the sequences, in the order of their first points."""
        return list(self._runs)

    @property
    def lengths(self):
        """Points per sequence, `{name: count}`."""
        return {
            name: sum(stop - start for start, stop in runs) for name, runs in self._runs.items()
        }

    @property
    def clean(self):
        """`uint8 (points, 16, 32, 32)`, grey levels 0..255."""
        return self["clean"]

    @property
    def noisy(self):
        """`uint8 (points, 16, 32, 32)`, grey levels 0..255."""
        return self["noisy"]

    @property
    def flat(self):
        """`(points,)` true if the standard deviation of the reference is at most 10 grey levels.

        The retrieval task of the benchmark excludes flat references. The patches of HPatches are
        measured at 65 px, as in the official task lists; others at 32 px, where the standard
        deviation is slightly smaller.
        """
        if self._flat is None:
            self._flat = np.zeros(len(self), bool)
            for points in self.blocks():
                self._flat[points] = is_flat(self.base("clean")[self.rows[points], 0])
        return self._flat

    def base(self, kind):
        """Return the array of a kind; the patches of point i are in row `rows[i]`."""
        if kind not in self.arrays:
            raise UserError(
                f"No {kind!r} patches in this set: expected one of {sorted(self.arrays)}."
            )
        return self.arrays[kind]

    def __getitem__(self, kind):
        base = self.base(kind)
        start, stop = (self.rows[0], self.rows[-1] + 1) if len(self) else (0, 0)
        if np.array_equal(self.rows, np.arange(start, stop)):
            return base[start:stop]  # a slice of the memory-mapped file, which reads nothing
        return base[self.rows]

    def blocks(self, points=256):
        """Return slices of `points` points; 256 points are 4 MB per kind."""
        starts = range(0, len(self), points)
        return [slice(start, min(start + points, len(self))) for start in starts]

    def add(self, kind, patches):
        """Return a set that also has `patches`, `uint8 (points, 16, 32, 32)`, as a kind."""
        if len(patches) != (points := len(self)):
            counts = f"{len(patches)} {kind} patches for {points} points"
            raise UserError(f"{counts}: expected {points}.")
        arrays = {existing: self[existing] for existing in self.arrays} | {kind: patches}
        return PatchSet(arrays, self.sequence, self.label, self.splits, flat=self._flat)

    def add_base(self, kind, array):
        """Return a set that also has a kind, given as an array that `rows` index, see `base`."""
        return self._pick(slice(None), self.arrays | {kind: array})

    def _pick(self, index, arrays=None):
        points = self.sequence[index], self.label[index], self.splits, self.rows[index]
        flat = None if self._flat is None else self._flat[index]
        return PatchSet(arrays or self.arrays, *points, flat, self.fingerprint)

    def select(self, names):
        """Return the points of the named sequences, in the order of the names.

        Raises UserError for an unknown name.
        """
        names = [names] if isinstance(names, str) else list(names)
        unknown = [name for name in names if name not in self._runs]
        if unknown:
            raise UserError(f"Unknown sequence {unknown[0]!r}: expected some of {self.names}.")
        rows = [np.arange(start, stop) for name in names for start, stop in self._runs[name]]
        return self._pick(np.concatenate([np.zeros(0, int), *rows]))

    def sample(self, sequences, seed=0):
        """Return `sequences` random sequences with all their points, in the order of the set.

        A sample of a test set keeps whole sequences: how hard matching is depends on the number of
        points that share a sequence. The same seed gives the same sequences.

        Raises UserError for fewer than one sequence, and for more than the set has.
        """
        if sequences not in range(1, len(self.names) + 1):
            raise UserError(
                f"Cannot draw {sequences} sequences from {len(self.names)}: expected 1 to"
                f" {len(self.names)}. To draw points, use sample_sparse_points."
            )
        drawn = np.random.default_rng(seed).permutation(len(self.names))[: int(sequences)]
        return self.select([self.names[k] for k in np.sort(drawn)])

    def sample_sparse_points(self, points, seed=0, per_sequence=False):
        """Return random points, in the order of the set; the same seed gives the same points.

        Fewer points share a sequence in a sparse sample, so matching and retrieval score higher
        than on the whole set. Use it for training subsets, denoising and quick looks, and `sample`
        for benchmark scores that you report.

        Args:
            points: number of points of the sample.
            seed: of the draw.
            per_sequence: draw at most `points` points of each sequence instead.

        Raises UserError for fewer than one point, and for more than the set has.
        """
        if points < 1 or not len(self) or (points > len(self) and not per_sequence):
            expected = "1 or more per sequence" if per_sequence else f"1 to {len(self)}"
            raise UserError(f"Cannot draw {points} points from {len(self)}: expected {expected}.")
        order = np.random.default_rng(seed).permutation(len(self))
        names = self.sequence[order]
        parts = [order[names == name] for name in self.names] if per_sequence else [order]
        return self._pick(np.sort(np.concatenate([part[:points] for part in parts])))

    def split(self, name=None):
        """Return `(train, validation, test)` of the named split, by default the first of the set.

        Fit on `train`, choose by the scores of `validation`, and report the scores of `test`.
        Sequences are in the order of the split, on which the draws of the benchmark depend. Names
        of the split that are not in this set are skipped, so that a part of HPatches can be split
        like the whole.

        Raises UserError for an unknown split, for one without three sides, which an earlier version
        made, and for a side without a sequence in this set.
        """
        return tuple(map(self.select, names_of_sides(self.splits, name, self._runs)))

    def shared(self, other):
        """Return the photographs and the places that are also in another `PatchSet`.

            train.shared(test)  # Shared(nothing) if no photograph is on both sides

        The virtual sequences `v_<photograph>_<number>` and `i_<photograph>_<number>` show one
        photograph; any other sequence counts as a photograph of its own. Places are compared only
        if both sets come from the same arrays: labels of other sets are unrelated numbers.

        Returns a `Shared`: the tuples `photographs` and `places`, and false if both are empty.
        """
        return shared(self, other)

"""Patches in memory or in a mapped file: points and their 16 views.

A *point* is a place in a scene. A *view* is one of its 16 patches: the reference, then five
each of the levels easy, hard and tough. Every room above this one speaks in these terms.
"""

from functools import cached_property

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.views import VIEWS, is_flat, patch_shape


class PatchSet:
    """Patches of many points, all of one shape, from a memory-mapped file or from memory.

    Args:
        arrays: what each patch looks like, by name: `{"clean": a, "noisy": b, ...}`, each
            `uint8 (points, 16, 32, 32)`, grey levels 0..255; `"original"` is `(points, 16, 65, 65)`.
        sequence: `(points,)` name of the image sequence of each point.
        label: `(points,)` integers, equal where several sequences show the same place of a
            scene. Default: every point is a place of its own.
        splits: `{split: {"train": [names], "test": [names]}}`; the first one is the default.
        rows: which rows of the arrays belong to this set, in order. Default: all.
        flat: `(points,)` true where the reference patch is flat. Default: judged by the clean one.
        fingerprint: names the content of the arrays, where they are files.

    `len(patches)` is the number of points; `patches.clean` is an array as described above.
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
        judged = points if flat is None else len(flat)
        if not len(self.label) == len(self.rows) == judged == points:
            raise UserError(
                f"{points} sequence names, {len(self.label)} labels, {len(self.rows)} rows and"
                f" {judged} times flat or not: expected one of each for every point."
            )
        for kind, array in self.arrays.items():
            if array.dtype != np.uint8 or array.shape[1:] != patch_shape(kind):
                raise UserError(
                    f"{kind!r} patches are {array.dtype} {array.shape}:"
                    f" expected uint8 (points, {', '.join(map(str, patch_shape(kind)))})."
                )
            if rows is None and len(array) != points:
                raise UserError(f"{len(array)} {kind!r} patches for {points} points.")
            if points and not 0 <= self.rows.min() <= self.rows.max() < len(array):
                raise UserError(
                    f"Rows {self.rows.min()} to {self.rows.max()} of {len(array)} {kind!r} patches."
                )

    def __len__(self):
        return len(self.rows)

    def save(self, folder, **provenance):
        """Write the set to a folder, atomically, and return it memory-mapped from there.

        `hk.load(folder)` opens it again.

        Args:
            folder: an existing one is replaced if it was written by this method.
            provenance: what the patches were made with, kept as JSON.

        Raises FileExistsError when the folder holds any other file, UserError when the points of a sequence are not
        contiguous.
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
        """`{name: [(start, stop), ...]}`: where the points of each sequence stand."""
        edges = np.flatnonzero(self.sequence[1:] != self.sequence[:-1]) + 1
        runs = {}
        for start, stop in zip([0, *edges], [*edges, len(self)]):
            if stop > start:
                runs.setdefault(str(self.sequence[start]), []).append((int(start), int(stop)))
        return runs

    @property
    def names(self):
        """Sequence names in the order in which they first appear."""
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
        """`(points,)` true where the reference spreads by 10 grey levels or less.

        The benchmark neither queries those nor uses them as distractors. Patches that were read from
        the 65 px release were judged at 65 px, as the official lists are; others at 32 px, which is
        a little smoother.
        """
        if self._flat is None:
            self._flat = np.zeros(len(self), bool)
            for points in self.blocks():
                self._flat[points] = is_flat(self.base("clean")[self.rows[points], 0])
        return self._flat

    def base(self, kind):
        """The whole array called `kind`, of which `rows` belong to this set."""
        if kind not in self.arrays:
            raise UserError(f"No {kind!r} patches here: expected one of {sorted(self.arrays)}.")
        return self.arrays[kind]

    def __getitem__(self, kind):
        base = self.base(kind)
        start, stop = (self.rows[0], self.rows[-1] + 1) if len(self) else (0, 0)
        if np.array_equal(self.rows, np.arange(start, stop)):
            return base[start:stop]  # a slice of the mapped file: nothing is read yet
        return base[self.rows]

    def blocks(self, points=256):
        """The numbers 0 to `len(self)`, as slices of a few points: 4 MB of patches at a time."""
        return [
            slice(start, min(start + points, len(self))) for start in range(0, len(self), points)
        ]

    def add(self, kind, patches):
        """A set that also has `patches`, `uint8 (points, 16, 32, 32)`, under the name `kind`."""
        if len(patches) != len(self):
            raise UserError(f"{len(patches)} {kind} patches for {len(self)} points.")
        arrays = {name: self[name] for name in self.arrays} | {kind: patches}
        return PatchSet(arrays, self.sequence, self.label, self.splits, flat=self._flat)

    def add_base(self, kind, array):
        """A set that also has `kind`, given as the whole array of which `rows` belong to this set."""
        return self._pick(slice(None), self.arrays | {kind: array})

    def _pick(self, index, arrays=None):
        of_points = self.sequence[index], self.label[index], self.splits, self.rows[index]
        flat = None if self._flat is None else self._flat[index]
        return PatchSet(arrays or self.arrays, *of_points, flat, self.fingerprint)

    def select(self, names):
        """The points of the named sequences, in the order of the names."""
        names = [names] if isinstance(names, str) else list(names)
        unknown = [name for name in names if name not in self._runs]
        if unknown:
            raise UserError(f"Unknown sequence {unknown[0]!r}: expected some of {self.names}.")
        rows = [np.arange(start, stop) for name in names for start, stop in self._runs[name]]
        return self._pick(np.concatenate([np.zeros(0, int), *rows]))

    def sample(self, points, seed=0):
        """A random choice of `points` points, in file order; the same for the same seed."""
        if not 0 < points <= len(self):
            raise UserError(f"Cannot draw {points} points from {len(self)}.")
        return self._pick(np.sort(np.random.default_rng(seed).permutation(len(self))[:points]))

    def split(self, name=None):
        """`(train, test)` of the named split, by default the first one the data came with.

        Sequences stand in the order in which the split names them: the benchmark draws by it. A
        sequence that the split names and that is not here is left out, so that a part of HPatches
        can be split like the whole. Raises UserError when a side that the split fills would be
        empty.
        """
        if not self.splits:
            raise UserError("These patches came without a split: choose with select(names).")
        name = name or next(iter(self.splits))
        if name not in self.splits:
            raise UserError(f"Unknown split {name!r}: expected one of {', '.join(self.splits)}.")
        sides = []
        for side in ("train", "test"):
            wanted = self.splits[name][side]
            here = [sequence for sequence in wanted if sequence in self._runs]
            if wanted and not here:
                raise UserError(f"Split {name!r} has no {side} sequence among {self.names}.")
            sides.append(self.select(here))
        return tuple(sides)

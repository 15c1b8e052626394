"""Patches in memory and on disk: points, their 16 views, and the cache that keeps them.

A *point* is a place in a scene. A *view* is one of its 16 patches: the reference, then five
each of the levels easy, hard and tough. Every room above this one speaks in these terms.
"""

import json
import zlib
from pathlib import Path

import numpy as np

from hpatches_kit.files import checksum, whole_folder

VIEWS = ("ref", *(f"{level}{i}" for level in "eht" for i in range(1, 6)))
LEVELS = {"e": "easy", "h": "hard", "t": "tough"}
PATCH_SIZE = 32  # pixels along the side of a patch
SOURCE_SIZE = 65  # and in the HPatches release
FORMAT = 1  # of the folder written by `PatchSet.save`
META = "patches.json"
FLAT = 10.0  # standard deviation in grey levels
HOLDS = ("*.npy", META)


def view_index(view):
    """Column of a view: `"ref"` is 0, `"e1"` is 1, `"t5"` is 15. Raises ValueError when unknown."""
    if view not in VIEWS:
        raise ValueError(f"Unknown view {view!r}: expected one of {', '.join(VIEWS)}.")
    return VIEWS.index(view)


class PatchSet:
    """Patches of many points, all of one shape, from a memory-mapped file or from memory.

    Args:
        arrays: what each patch looks like, by name: `{"clean": a, "noisy": b, ...}`, each
            `uint8 (points, 16, 32, 32)`, grey levels 0..255.
        sequence: `(points,)` name of the image sequence of each point.
        label: `(points,)` integers, equal where several sequences show the same place of a
            scene. Default: every point is a place of its own.
        splits: `{split: {"train": [names], "test": [names]}}`; the first one is the default.
        rows: which rows of the arrays belong to this set, in order. Default: all.

    `len(patches)` is the number of points; `patches.clean` is an array as described above.
    """

    def __init__(self, arrays, sequence, label=None, splits=None, rows=None):
        self.arrays = dict(arrays)
        self.splits = splits or {}
        self.sequence = np.asarray(sequence)
        points = len(self.sequence)
        self.label = np.arange(points) if label is None else np.asarray(label, np.int64)
        self.rows = np.arange(points) if rows is None else np.asarray(rows, np.int64)
        if not len(self.label) == len(self.rows) == points:
            raise ValueError(
                f"{points} sequence names, {len(self.label)} labels and {len(self.rows)} rows:"
                " expected one of each for every point."
            )
        for name, array in self.arrays.items():
            if array.dtype != np.uint8 or array.shape[1:] != (len(VIEWS), PATCH_SIZE, PATCH_SIZE):
                raise ValueError(
                    f"{name!r} patches are {array.dtype} {array.shape}:"
                    f" expected uint8 (points, {len(VIEWS)}, {PATCH_SIZE}, {PATCH_SIZE})."
                )
            if rows is None and len(array) != points:
                raise ValueError(f"{len(array)} {name!r} patches for {points} points.")

    def __len__(self):
        return len(self.rows)

    def __repr__(self):
        return (
            f"PatchSet({len(self):,} points x {len(VIEWS)} views in {len(self.names)} sequences,"
            f" {len(np.unique(self.label)):,} places, {' and '.join(self.arrays)})"
        )

    @property
    def names(self):
        """Sequence names in the order in which they first appear."""
        names, first = np.unique(self.sequence, return_index=True)
        return [str(name) for name in names[np.argsort(first)]]

    @property
    def lengths(self):
        """Points per sequence, `{name: count}`."""
        return {name: int((self.sequence == name).sum()) for name in self.names}

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
        """`(points,)` true where the clean reference spreads by 10 grey levels or less.

        The benchmark neither queries those nor uses them as distractors. The official lists look
        at the patch of 65 px, this at that of 32 px, which is a little smoother.
        """
        return self.base("clean")[self.rows, 0].std(axis=(1, 2), dtype=np.float32) <= FLAT

    def base(self, kind):
        """The whole array called `kind`, of which `rows` belong to this set."""
        if kind not in self.arrays:
            raise ValueError(f"No {kind!r} patches here: expected one of {sorted(self.arrays)}.")
        return self.arrays[kind]

    def __getitem__(self, kind):
        base = self.base(kind)
        start, stop = (self.rows[0], self.rows[-1] + 1) if len(self) else (0, 0)
        if np.array_equal(self.rows, np.arange(start, stop)):
            return base[start:stop]  # a slice of the mapped file: nothing is read yet
        return base[self.rows]

    def add(self, kind, patches):
        """A set that also has `patches`, `uint8 (points, 16, 32, 32)`, under the name `kind`."""
        if len(patches) != len(self):
            raise ValueError(f"{len(patches)} {kind} patches for {len(self)} points.")
        arrays = {name: self[name] for name in self.arrays} | {kind: patches}
        return PatchSet(arrays, self.sequence, self.label, self.splits)

    def _pick(self, index):
        return PatchSet(
            self.arrays, self.sequence[index], self.label[index], self.splits, self.rows[index]
        )

    def select(self, names):
        """The points of the named sequences, in the order of the names."""
        names = [names] if isinstance(names, str) else list(names)
        known = set(self.names)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"Unknown sequence {unknown[0]!r}: expected some of {self.names}.")
        rows = [np.flatnonzero(self.sequence == name) for name in names]
        return self._pick(np.concatenate([np.zeros(0, int), *rows]))

    def sample(self, points, seed=0):
        """A random choice of `points` points, in file order; the same for the same seed."""
        if not 0 < points <= len(self):
            raise ValueError(f"Cannot draw {points} points from {len(self)}.")
        return self._pick(np.sort(np.random.default_rng(seed).permutation(len(self))[:points]))

    def split(self, name=None):
        """`(train, test)` of the named split, by default the first one the data came with.

        Sequences stand in the order in which the split names them: the benchmark draws by it. A
        sequence that the split names and that is not here is left out, so that a part of HPatches
        can be split like the whole. Raises ValueError when a side that the split fills would be
        empty.
        """
        if not self.splits:
            raise ValueError("These patches came without a split: choose with select(names).")
        name = name or next(iter(self.splits))
        if name not in self.splits:
            raise ValueError(f"Unknown split {name!r}: expected one of {', '.join(self.splits)}.")
        sides, known = [], set(self.names)
        for side in ("train", "test"):
            wanted = self.splits[name][side]
            here = [sequence for sequence in wanted if sequence in known]
            if wanted and not here:
                raise ValueError(f"Split {name!r} has no {side} sequence among {self.names}.")
            sides.append(self.select(here))
        return tuple(sides)

    def save(self, folder, **about):
        """Write this set to a folder that appears whole or not at all; `about` is kept as JSON.

        Raises FileExistsError when the folder holds files of any other kind.
        """
        if not np.array_equal(_spread(self.lengths), self.sequence):
            raise ValueError("Points of one sequence must stand together to be saved.")
        with whole_folder(folder, HOLDS) as partial:
            for kind in self.arrays:
                np.save(partial / f"{kind}.npy", self[kind])
            np.save(partial / "label.npy", self.label)
            meta = {
                "format": FORMAT,
                "about": about,
                "lengths": self.lengths,
                "splits": self.splits,
                "files": {file.name: checksum(file) for file in sorted(partial.glob("*.npy"))},
            }
            meta["crc32"] = _crc(meta)
            (partial / META).write_text(json.dumps(meta, indent=1))
        return PatchSet.open(folder)

    @classmethod
    def open(cls, folder, **about):
        """Memory-map a folder written by `save`.

        Raises FileNotFoundError when it is not there, ValueError when a file is cut off, altered
        or of another format, or when it was saved with another `about`.
        """
        folder = Path(folder)
        file = folder / META
        if not file.exists():
            raise FileNotFoundError(f"{file} is missing: {folder} holds no patches.")
        try:
            meta = json.loads(file.read_text())
            crc = meta.pop("crc32")
        except (ValueError, KeyError, AttributeError) as error:
            raise ValueError(f"{file} is damaged: {error!r}.") from error
        if crc != _crc(meta):
            raise ValueError(f"{file} is damaged: crc32 {_crc(meta)}, expected {crc}.")
        if meta["format"] != FORMAT:
            raise ValueError(f"{folder} has format {meta['format']}, expected {FORMAT}.")
        if about and meta["about"] != json.loads(json.dumps(about)):
            raise ValueError(f"{folder} was built with {meta['about']}, wanted {about}.")
        for name, expected in meta["files"].items():
            found = checksum(folder / name) if (folder / name).exists() else "no file"
            if found != expected:
                raise ValueError(f"{folder / name} is damaged: {found}, expected {expected}.")
        arrays = {Path(name).stem: np.load(folder / name, mmap_mode="r") for name in meta["files"]}
        label = arrays.pop("label")
        return cls(arrays, _spread(meta["lengths"]), label, meta["splits"])


def cached(folder, build, **about):
    """Open the patches in `folder`, or let `build()` make the PatchSet and keep it there.

    A cache that is missing, cut off, damaged, or made with another `about` is built anew.
    """
    try:
        return PatchSet.open(folder, **about)
    except FileNotFoundError:
        pass
    except ValueError as error:
        print(f"Building again: {error}")
    return build().save(folder, **about)


def _spread(lengths):
    """`{name: count}` as the name of each point."""
    return np.repeat(list(lengths), list(lengths.values()))


def _crc(meta):
    return f"{zlib.crc32(json.dumps(meta, sort_keys=True).encode()):08x}"

"""Arrays on disk that are filled a few rows at a time and remember which rows they have.

The process may be killed at any moment: what was marked as done is whole, and whoever opens the
folder again goes on from there.
"""

import errno
import json
import os
import shutil
from threading import Lock

import numpy as np

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.disk import check_disk_space
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_bytes

PLAN, DONE = "plan.json", "done"
FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None))  # which Windows lacks


class ResumableArrays:
    """`uint8` arrays of one length in a folder, `<name>.npy` each.

    Args:
        folder: empty, or with arrays that were begun before. If those have another plan, or a file
            of theirs is missing or cut off, they are begun anew.
        rows: length of the arrays.
        shapes: `{name: shape of one row}`.
        about: whatever decides what is in the arrays, as JSON can hold it.
    """

    def __init__(self, folder, rows, shapes, about):
        self.folder, self.rows, self._lock = folder, rows, Lock()
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self.bytes_a_row = sum(int(np.prod(shape)) for shape in self.shapes.values())
        plan = json.dumps({"rows": rows, "shapes": self.shapes, "about": about}, indent=1)
        try:
            begun = (folder / PLAN).read_text() == plan
            self.done, arrays = np.fromfile(folder / DONE, np.uint8), self.arrays()
            begun &= len(self.done) == rows == len(next(iter(arrays.values())))
        except (OSError, ValueError, KeyError):  # no folder, no plan, no array, or half of one
            begun = False
        if not begun:
            self._begin(plan)

    def _begin(self, plan):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for file, shape in self._files().items():
            # Most systems give such a file no room before it is written to.
            np.lib.format.open_memmap(file, "w+", np.uint8, (self.rows, *shape))
        self.done = np.zeros(self.rows, np.uint8)
        self.done.tofile(self.folder / DONE)
        write_text(self.folder / PLAN, plan)  # last: from now on the arrays count as begun

    def _files(self):
        return {self.folder / f"{name}.npy": shape for name, shape in self.shapes.items()}

    def missing(self, rows=None):
        """Those of the given rows, by default all, that are not there yet, in ascending order."""
        rows = np.arange(self.rows) if rows is None else np.unique(rows)
        return rows[self.done[rows] == 0]

    def check_disk_space(self, rows, what):
        """OSError when the disk has no room for that many more rows."""
        check_disk_space(self.folder, rows * self.bytes_a_row, what)

    def put(self, rows, **blocks):
        """Write whole rows and mark them as done; several threads may.

        Args:
            rows: ascending row numbers.
            blocks: for each array `uint8 (rows, ...)`.

        Raises OSError when the disk is full; what was put before is kept.
        """
        rows = np.asarray(rows)
        try:
            with self._lock:
                for name, block in blocks.items():
                    mapped = np.load(self.folder / f"{name}.npy", mmap_mode="r")
                    if np.shape(block) != (len(rows), *mapped.shape[1:]):
                        raise UserError(
                            f"{name!r} is {np.shape(block)} for {len(rows)} rows of {mapped.shape}."
                        )
                    self._write(self.folder / f"{name}.npy", rows, block, mapped.offset)
                self._write(self.folder / DONE, rows, np.ones(len(rows), np.uint8), 0)
                self.done[rows] = 1
                os.utime(self.folder / PLAN)  # in use
        except OSError as error:
            if error.errno not in FULL:
                raise
            left = len(self.missing()) * self.bytes_a_row
            raise OSError(
                f"The disk of {self.folder.parent} is full. Make room, up to {format_bytes(left)}, and"
                " call again: it goes on from here."
            ) from error

    def _write(self, file, rows, block, offset):
        # Not through a mapping: where the disk is full, that would end the process without a word.
        block = np.ascontiguousarray(block, np.uint8)
        row_bytes = block.nbytes // max(len(rows), 1)
        edges = np.flatnonzero(np.diff(rows) != 1) + 1
        with open(file, "r+b") as stream:
            for start, stop in zip([0, *edges], [*edges, len(rows)]):
                stream.seek(offset + int(rows[start]) * row_bytes)
                stream.write(block[start:stop].data)
            stream.flush()
            os.fsync(stream.fileno())  # before the rows are marked as done

    def arrays(self):
        """`{name: array}`, memory-mapped."""
        return {file.stem: np.load(file, mmap_mode="r") for file in self._files()}

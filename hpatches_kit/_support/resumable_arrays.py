"""Arrays on disk that are filled a few rows at a time and record which rows are complete.

The process may be killed at any time: recorded rows are complete, and the next process continues
with the missing ones.
"""

import errno
import json
import os
import shutil
from threading import Lock

import numpy as np

from hpatches_kit._support.array_files import map_array
from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.disk import check_disk_space
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import (
    check_no_link,
    open_folder,
    open_regular,
    read_regular,
)
from hpatches_kit._support.units import format_bytes

PLAN, DONE = "plan.json", "done"
FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None))  # Windows lacks EDQUOT


class ResumableArrays:
    """`uint8` arrays with the same number of rows in a folder, as `<name>.npy`.

    Args:
        folder: new, or with arrays to continue. If these have other rows, shapes or provenance, or
            a file is missing or truncated, the folder is emptied first.
        rows: number of rows.
        shapes: `{name: shape of one row}`.
        provenance: everything that the content of the arrays depends on; must fit into JSON.
    """

    def __init__(self, folder, rows, shapes, provenance):
        self.folder, self.rows, self._lock = folder, rows, Lock()
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self.bytes_per_row = sum(int(np.prod(shape)) for shape in self.shapes.values())
        plan = _plan(rows, self.shapes, provenance)
        check_no_link(folder)
        try:
            valid = read_regular(folder / PLAN, len(plan), links=False).decode() == plan
            done = read_regular(folder / DONE, rows, links=False)
            self.done, arrays = np.frombuffer(bytearray(done), np.uint8), self.arrays()
            valid &= len(self.done) == rows and self.done.max(initial=0) <= 1
            valid &= all(
                arrays[name].shape == (rows, *shape) for name, shape in self.shapes.items()
            )
        except (OSError, ValueError, KeyError):  # a file is missing, truncated or a link
            valid = False
        if not valid:
            self._create(plan)

    def _create(self, plan):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for file, shape in self._files().items():
            # Most file systems allocate space only when it is written to.
            np.lib.format.open_memmap(file, "w+", np.uint8, (self.rows, *shape))
        self.done = np.zeros(self.rows, np.uint8)
        self.done.tofile(self.folder / DONE)
        write_text(self.folder / PLAN, plan)  # last, because it makes the other files valid

    def _files(self):
        return {self.folder / f"{name}.npy": shape for name, shape in self.shapes.items()}

    def missing(self, rows=None):
        """The given rows (default: all) that are not complete, in ascending order."""
        rows = np.arange(self.rows) if rows is None else np.unique(rows)
        return rows[self.done[rows] == 0]

    def check_disk_space(self, rows, task):
        """Raise OSError if the disk lacks space for `rows` more rows."""
        check_disk_space(self.folder, rows * self.bytes_per_row, task)

    def put(self, rows, **blocks):
        """Write complete rows and record them as done; several threads may call it.

        Args:
            rows: row numbers, ascending.
            blocks: for each array, `uint8 (len(rows), ...)`.

        Raises OSError if the disk is full; rows written before are kept.
        """
        rows = np.asarray(rows)
        try:
            with self._lock:
                for name, block in blocks.items():
                    file, expected = self.folder / f"{name}.npy", (len(rows), *self.shapes[name])
                    if np.shape(block) != expected:
                        raise UserError(
                            f"The rows of {name!r} are {np.shape(block)}, expected {expected}."
                        )
                    self._write(file, rows, block, _map(file).offset)
                self._write(self.folder / DONE, rows, np.ones(len(rows), np.uint8), 0)
                self.done[rows] = 1
                os.utime(self.folder / PLAN)  # marks the arrays as recently used
        except OSError as error:
            if error.errno not in FULL:
                raise
            needed = format_bytes(len(self.missing()) * self.bytes_per_row)
            raise OSError(
                f"The disk of {self.folder.parent} is full. Make room, up to {needed}, and call"
                " again: the work is resumed."
            ) from error

    def _write(self, file, rows, block, offset):
        # Not through a memory map: on a full disk, that kills the process without a message.
        block = np.ascontiguousarray(block, np.uint8)
        row_bytes = block.nbytes // max(len(rows), 1)
        edges = np.flatnonzero(np.diff(rows) != 1) + 1
        with open(file, "r+b") as stream:
            for start, stop in zip([0, *edges], [*edges, len(rows)]):
                stream.seek(offset + int(rows[start]) * row_bytes)
                stream.write(block[start:stop].data)
            stream.flush()
            os.fsync(stream.fileno())  # before the rows are recorded as done

    def arrays(self):
        """`{name: array}`, memory-mapped."""
        return {file.stem: _map(file) for file in self._files()}


def open_complete(folder, rows, shapes, provenance, needed):
    """Memory-map the arrays of a folder if the rows `needed` are complete; None otherwise.

    The other arguments are those of `ResumableArrays`. Needs no lock and writes nothing: another
    process may write, replace or delete the folder meanwhile.
    """
    try:
        with open_folder(folder) as open_file:
            arrays = {}
            for name in shapes:
                with open_file(f"{name}.npy") as stream:
                    arrays[name] = map_array(stream)
            with open_file(DONE) as done_file, open_file(PLAN) as plan_file:
                done = np.frombuffer(done_file.read(), np.uint8)
                plan = plan_file.read().decode()
    except (OSError, ValueError):  # a file is missing, truncated or a link
        return None
    is_complete = plan == _plan(rows, shapes, provenance) and len(done) == rows
    is_complete &= all(arrays[name].shape == (rows, *shape) for name, shape in shapes.items())
    return arrays if is_complete and done[needed].all() else None


def _plan(rows, shapes, provenance):
    return json.dumps({"rows": rows, "shapes": shapes, "provenance": provenance}, indent=1)


def _map(file):
    with open_regular(file, links=False) as stream:
        return map_array(stream)

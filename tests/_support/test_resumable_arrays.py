"""Arrays on disk that are filled row by row."""

import os
from pathlib import Path

import numpy as np
import pytest
from files import truncate
from processes import run_python

from hpatches_kit._support.resumable_arrays import DONE, PLAN, ResumableArrays

SHAPES = {"small": (2,), "large": (3, 4)}


def open_arrays(folder, rows=10, provenance=None):
    return ResumableArrays(folder / "arrays", rows, SHAPES, provenance or {"seed": 0})


def block(rows, value):
    return {name: np.full((rows, *shape), value, np.uint8) for name, shape in SHAPES.items()}


def test_written_rows_are_kept_in_any_order(tmp_path):
    arrays = open_arrays(tmp_path)
    arrays.put([2, 3, 7], **block(3, 5))
    assert arrays.missing().tolist() == [0, 1, 4, 5, 6, 8, 9]
    assert arrays.missing([7, 1, 3, 1]).tolist() == [1]
    for array in arrays.arrays().values():
        assert isinstance(array, np.memmap)
        assert np.unique(np.nonzero(array)[0]).tolist() == [2, 3, 7] and (array[7] == 5).all()


def test_a_folder_that_is_opened_again_keeps_its_rows(tmp_path):
    open_arrays(tmp_path).put(range(4), **block(4, 1))
    reopened = open_arrays(tmp_path)
    assert reopened.missing().tolist() == [4, 5, 6, 7, 8, 9]
    reopened.put(reopened.missing(), **block(6, 2))
    assert open_arrays(tmp_path).arrays()["small"][:, 0].tolist() == [1] * 4 + [2] * 6


@pytest.mark.parametrize("other", [{"rows": 11}, {"provenance": {"seed": 1}}])
def test_another_plan_empties_the_folder(tmp_path, other):
    open_arrays(tmp_path).put([0], **block(1, 1))
    arrays = open_arrays(tmp_path, **other)
    assert len(arrays.missing()) == arrays.rows and not arrays.arrays()["large"].any()


def replace_by_a_pipe(file):
    file.unlink()
    os.mkfifo(file)


DAMAGES = [truncate, Path.unlink, lambda file: file.write_text("x"), replace_by_a_pipe]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [PLAN, DONE, "large.npy"])
def test_a_damaged_file_empties_the_folder(tmp_path, name, damage):
    open_arrays(tmp_path).put([0], **block(1, 1))
    damage(tmp_path / "arrays" / name)
    arrays = open_arrays(tmp_path)
    assert len(arrays.missing()) == 10 and not arrays.arrays()["large"].any()


def test_rows_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"rows of .small. are \(2, 2\), expected \(3, 2\)"):
        open_arrays(tmp_path).put([0, 1, 2], small=np.zeros((2, 2)))


def test_empty_arrays_need_no_disk_space_and_rows_need_their_size(tmp_path, set_free_space):
    arrays = ResumableArrays(tmp_path / "arrays", 1_000_000, {"images": (1000,)}, {})
    used = (tmp_path / "arrays" / "images.npy").stat().st_blocks * 512
    assert used < 1_000_000
    set_free_space(999_999)
    arrays.check_disk_space(999, "Filling")
    with pytest.raises(OSError, match=r"Filling needs 1\.0 GB, 1\.0 MB are free"):
        arrays.check_disk_space(1_000_000, "Filling")


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from hpatches_kit._support.resumable_arrays import ResumableArrays
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
arrays = ResumableArrays(Path(sys.argv[1]), 100, {"images": (1000,)}, {})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # bytes of a file
try:
    for row in range(100):
        arrays.put([row], images=np.full((1, 1000), row + 1, np.uint8))
except OSError as error:
    print(error)
"""


def test_a_full_disk_is_reported_and_written_rows_are_kept(tmp_path):
    pytest.importorskip("resource")
    folder = tmp_path / "arrays"
    message = f"The disk of {tmp_path} is full. Make room, up to 51.0 kB, and call again"
    assert message in run_python(FULL_DISK, folder)
    reopened = ResumableArrays(folder, 100, {"images": (1000,)}, {})
    kept = np.setdiff1d(np.arange(100), reopened.missing())
    assert kept.tolist() == list(range(49))
    assert (reopened.arrays()["images"][kept] == kept[:, None] + 1).all()

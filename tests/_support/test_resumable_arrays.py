import subprocess
import sys

import numpy as np
import pytest

from hpatches_kit._support import disk
from hpatches_kit._support.resumable_arrays import DONE, PLAN, ResumableArrays

SHAPES = {"small": (2,), "large": (3, 4)}


def begin(folder, rows=10, about=None):
    return ResumableArrays(folder / "arrays", rows, SHAPES, about or {"seed": 0})


def block(rows, value):
    return {name: np.full((rows, *shape), value, np.uint8) for name, shape in SHAPES.items()}


def test_rows_are_kept_wherever_they_are_put(tmp_path):
    filling = begin(tmp_path)
    filling.put([2, 3, 7], **block(3, 5))
    assert filling.missing().tolist() == [0, 1, 4, 5, 6, 8, 9]
    assert filling.missing([7, 1, 3, 1]).tolist() == [1]
    for array in filling.arrays().values():
        assert isinstance(array, np.memmap)
        assert np.unique(np.nonzero(array)[0]).tolist() == [2, 3, 7] and (array[7] == 5).all()


def test_whoever_opens_the_folder_again_goes_on(tmp_path):
    begin(tmp_path).put(range(4), **block(4, 1))
    again = begin(tmp_path)
    assert again.missing().tolist() == [4, 5, 6, 7, 8, 9]
    again.put(again.missing(), **block(6, 2))
    assert begin(tmp_path).arrays()["small"][:, 0].tolist() == [1] * 4 + [2] * 6


@pytest.mark.parametrize("other", [{"rows": 11}, {"about": {"seed": 1}}])
def test_another_plan_begins_anew(tmp_path, other):
    begin(tmp_path).put([0], **block(1, 1))
    filling = begin(tmp_path, **other)
    assert len(filling.missing()) == filling.rows and not filling.arrays()["large"].any()


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize("harm", [cut, lambda file: file.unlink(), lambda f: f.write_text("x")])
@pytest.mark.parametrize("name", [PLAN, DONE, "large.npy"])
def test_a_damaged_file_begins_anew(tmp_path, name, harm):
    begin(tmp_path).put([0], **block(1, 1))
    harm(tmp_path / "arrays" / name)
    filling = begin(tmp_path)
    assert len(filling.missing()) == 10 and not filling.arrays()["large"].any()


def test_rows_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\(2, 2\) for 3 rows"):
        begin(tmp_path).put([0, 1, 2], small=np.zeros((2, 2)))


def test_empty_arrays_take_no_room_and_too_little_room_is_said_first(tmp_path, monkeypatch):
    filling = ResumableArrays(tmp_path / "arrays", 1_000_000, {"patches": (1000,)}, {})
    used = (tmp_path / "arrays" / "patches.npy").stat().st_blocks * 512
    assert used < 1_000_000
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 999_999}))
    filling.check_disk_space(999, "ResumableArrays")
    with pytest.raises(OSError, match=r"ResumableArrays needs 1\.0 GB, 1\.0 MB are free"):
        filling.check_disk_space(1_000_000, "ResumableArrays")


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from hpatches_kit.filling import ResumableArrays
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
filling = ResumableArrays(Path(sys.argv[1]), 100, {"patches": (1000,)}, {})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))  # no file may grow beyond this
try:
    for row in range(100):
        filling.put([row], patches=np.full((1, 1000), row + 1, np.uint8))
except OSError as error:
    print(len(filling.missing()), error)
"""


def test_where_no_more_can_be_written_an_error_says_so_and_nothing_is_lost(tmp_path):
    pytest.importorskip("resource")
    folder = tmp_path / "arrays"
    done = subprocess.run([sys.executable, "-c", FULL, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (
        f"The disk of {tmp_path} is full. Make room, up to 51.0 kB, and call again" in done.stdout
    )
    again = ResumableArrays(folder, 100, {"patches": (1000,)}, {})
    kept = np.setdiff1d(np.arange(100), again.missing())
    assert kept.tolist() == list(range(49))
    assert (again.arrays()["patches"][kept] == kept[:, None] + 1).all()

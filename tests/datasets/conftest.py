"""A small release in the layout of HPatches."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from hpatches_kit.datasets.strips import write_strips


@pytest.fixture
def release(tmp_path):
    """A folder with the 65 px strips of two sequences; the last point is flat."""
    rng = np.random.default_rng(0)
    for name, points in (("i_ajuntament", 3), ("v_there", 2)):
        patches = rng.integers(0, 256, (points, 16, 65, 65), np.uint8)
        if name == "v_there":
            patches[1, 0] = 100 + np.arange(65)[:, None] % 8
        write_strips(tmp_path / "hpatches-release" / name, patches)
    return tmp_path / "hpatches-release"


@pytest.fixture
def zipped_release(release):
    parent = release.parent
    return Path(shutil.make_archive(parent / "zipped", "zip", parent, release.name))

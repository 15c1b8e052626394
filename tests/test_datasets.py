import subprocess
import sys

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit import hpatches
from hpatches_kit.storage import save


def test_a_folder_of_saved_patches_or_of_strips_is_opened_by_its_path(patches, tmp_path):
    save(patches, tmp_path / "saved")
    hpatches.write(patches, tmp_path / "strips")
    np.testing.assert_array_equal(hk.load(tmp_path / "saved").noisy, patches.noisy)
    assert len(hk.load(str(tmp_path / "strips"))) == len(patches)


def test_a_saved_set_that_lost_a_file_says_so(patches, tmp_path):
    save(patches, tmp_path / "saved")
    (tmp_path / "saved" / "clean.npy").unlink()
    with pytest.raises(ValueError, match=r"clean\.npy is damaged: no file"):
        hk.load(tmp_path / "saved")


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="Unknown data set 'maxi': expected 'mini', 'photos'"):
        hk.load("maxi")


def test_reading_data_and_scoring_need_no_keras():
    code = (
        "import sys, numpy as np, hpatches_kit as hk\n"
        "sequence = np.repeat(['v_a', 'v_b'], 9)\n"
        "patches = np.random.default_rng(0).integers(0, 255, (18, 16, 32, 32)).astype('uint8')\n"
        "data = hk.PatchSet({'clean': patches}, sequence)\n"
        "print(hk.benchmark.evaluate(hk.describe(hk.pixels, data)))\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

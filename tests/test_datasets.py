import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit import hpatches


def test_a_folder_of_saved_patches_or_of_strips_is_opened_by_its_path(patches, tmp_path):
    patches.save(tmp_path / "saved")
    hpatches.write(patches, tmp_path / "strips")
    np.testing.assert_array_equal(hk.load(tmp_path / "saved").noisy, patches.noisy)
    assert len(hk.load(str(tmp_path / "strips"))) == len(patches)


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="Unknown data set 'maxi': expected 'mini', 'photos'"):
        hk.load("maxi")


def test_reading_data_and_scoring_need_no_keras():
    import subprocess
    import sys

    code = (
        "import sys, hpatches_kit as hk; hk.benchmark.evaluate; hk.load; hk.describe;"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

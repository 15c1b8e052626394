import numpy as np
import pytest
from conftest import toy_patches

import hpatches_kit as hk
from hpatches_kit.statistics import noise_of_levels, psnr, twins


def test_psnr_of_an_error_of_one_grey_level_is_48_dB():
    assert psnr(np.ones((3, 32, 32))).tolist() == pytest.approx([48.1308] * 3)
    assert psnr(np.zeros((32, 32))) == pytest.approx(48.1308 + 10 * np.log10(1024))


def test_the_noise_of_each_level_is_measured_on_its_views():
    clean = np.full((5, 16, 32, 32), 100, np.uint8)
    off = np.repeat([1, 2, 3, 4], [1, 5, 5, 5])[:, None, None].astype(np.uint8)
    patches = hk.PatchSet({"clean": clean, "noisy": clean + off}, ["v_a"] * 5)
    table = noise_of_levels(patches)
    assert table.index.tolist() == ["reference", "easy", "hard", "tough"]
    assert table["mean absolute error"].tolist() == [1, 2, 3, 4]
    expected = 20 * np.log10(255 / np.array([1, 2, 3, 4]))
    np.testing.assert_allclose(table["PSNR in dB"], expected, rtol=1e-6)


def test_the_nearest_stranger_comes_first_and_a_pair_once():
    patches = toy_patches({"v_a": 12})
    clean = patches.clean.copy()
    clean[7, 0] = clean[2, 0] // 2 + 60  # the same pattern, fainter and brighter
    table = twins(hk.PatchSet({"clean": clean}, patches.sequence))
    assert table.loc[0, ["point", "twin"]].tolist() == [2, 7]
    assert table.distance[0] < 0.05 < table.distance[1] and table.distance.is_monotonic_increasing
    assert not table.duplicated(["point", "twin"]).any()


def test_a_place_is_not_its_own_twin_and_flat_ones_are_left_out():
    patches = toy_patches({"v_a": 6, "i_a": 6}, label=[*range(6), *range(6)])
    clean = patches.clean.copy()
    clean[6:] = clean[:6]  # the same place in another sequence
    clean[[3, 9], 0] = 50
    table = twins(hk.PatchSet({"clean": clean}, patches.sequence, patches.label))
    seen = {*table.point, *table.twin}
    assert seen <= {0, 1, 2, 4, 5} and table.distance.min() > 0.3


def test_one_place_has_no_twin():
    with pytest.raises(ValueError, match="1 places that are not flat: expected 2 or more"):
        twins(toy_patches({"v_a": 1}))

import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.patches.duplicates import near_duplicates


def test_the_most_similar_pair_comes_first_and_each_pair_appears_once():
    patches = toy_patches({"v_a": 12})
    clean = patches.clean.copy()
    clean[7, 0] = clean[2, 0] // 2 + 60  # the same pattern, with less contrast and brighter
    table = near_duplicates(hk.PatchSet({"clean": clean}, patches.sequence))
    assert table.loc[0, ["point", "other"]].tolist() == [2, 7]
    assert table.distance[0] < 0.05 < table.distance[1] and table.distance.is_monotonic_increasing
    assert not table.duplicated(["point", "other"]).any()


def test_a_place_is_not_compared_with_itself_and_flat_places_are_excluded():
    patches = toy_patches({"v_a": 6, "i_a": 6}, label=[*range(6), *range(6)])
    clean = patches.clean.copy()
    clean[6:] = clean[:6]  # the same place in another sequence
    clean[[3, 9], 0] = 50
    table = near_duplicates(hk.PatchSet({"clean": clean}, patches.sequence, patches.label))
    compared = {*table.point, *table.other}
    assert compared <= {0, 1, 2, 4, 5} and table.distance.min() > 0.3


def test_a_single_place_is_rejected():
    with pytest.raises(ValueError, match="1 places that are not flat: expected 2 or more"):
        near_duplicates(toy_patches({"v_a": 1}))

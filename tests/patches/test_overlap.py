"""Photographs and places that two patch sets have in common."""

import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.patches.overlap import Shared, photograph_of


def test_the_sides_of_a_split_by_photograph_share_nothing(patches):
    train, validation, test = patches.split()
    for shared in (train.shared(validation), train.shared(test), validation.shared(test)):
        assert not shared and shared == Shared((), ()) and repr(shared) == "Shared(nothing)"


def test_virtual_sequences_of_one_photograph_share_it():
    first = toy_patches({"v_cat_1": 3, "i_cat_2": 3, "v_dog_1": 3, "v_wall": 3})
    second = toy_patches({"i_dog_1": 3, "v_cat_7": 3, "i_wall": 3})
    shared = first.shared(second)
    assert shared and shared.photographs == ("cat", "dog")  # in the order of the first set
    assert second.shared(first).photographs == ("dog", "cat")
    assert repr(shared) == "Shared(2 photographs (cat, dog))"


@pytest.mark.parametrize(
    ("sequence", "photograph"),
    [
        ("v_cat_1", "cat"),
        ("i_cat_12", "cat"),
        ("v_IMG_1234_2", "IMG_1234"),
        ("v_wall", "v_wall"),
        ("v_1", "v_1"),
        ("x_cat_1", "x_cat_1"),
        ("poster", "poster"),
    ],
)
def test_the_name_of_a_sequence_tells_its_photograph(sequence, photograph):
    assert photograph_of(sequence) == photograph


def test_places_are_shared_by_parts_of_one_set():
    patches = toy_patches({"v_one": 4, "i_two": 4}, label=[5, 1, 2, 3, 9, 5, 8, 1])
    shared = patches.select("v_one").shared(patches.select("i_two"))
    assert shared == Shared((), (1, 5)) and repr(shared) == "Shared(2 places)"
    itself = patches.shared(patches)
    assert repr(itself) == "Shared(2 photographs (v_one, i_two) and 6 places)"


def test_labels_of_sets_with_different_arrays_are_not_compared():
    first, second = toy_patches({"v_one": 4}), toy_patches({"i_two": 4})
    assert set(first.label) == set(second.label) and not first.shared(second)
    second.arrays["noisy"] = first.arrays["noisy"]
    assert first.shared(second).places == (0, 1, 2, 3)


def test_a_set_that_is_opened_twice_is_the_same_set(patches, tmp_path):
    patches.select(patches.names).save(tmp_path / "saved")
    first, second = (hk.load(tmp_path / "saved") for _ in range(2))
    first.label[:] = 7  # opened labels are in memory
    second.label[:] = 7
    assert first.select("v_one").shared(second.select("i_two")).places == (7,)


def test_only_some_of_many_photographs_are_named():
    many = toy_patches({f"v_{letter}_1": 1 for letter in "abcd"})
    assert repr(many.shared(toy_patches(many.lengths))) == "Shared(4 photographs (a, b, c, ...))"


def test_an_empty_set_shares_nothing(patches):
    assert not patches.shared(patches.select([])) and not patches.select([]).shared(patches)

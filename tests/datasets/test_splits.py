import pytest

from hpatches_kit.datasets.splits import (
    SEQUENCE_NAMES,
    SPLITS,
    split_names,
    with_validation_side,
)
from hpatches_kit.patches.sides import SIDES


def count_by_kind(names):
    return {kind: sum(name.startswith(f"{kind}_") for name in names) for kind in "iv"}


def test_there_are_57_illumination_and_59_viewpoint_sequences():
    assert len(set(SEQUENCE_NAMES)) == 116
    assert count_by_kind(SEQUENCE_NAMES) == {"i": 57, "v": 59}


@pytest.mark.parametrize("split", "abc")
def test_a_b_and_c_have_61_training_15_validation_and_40_test_sequences(split):
    train, validation, test = (split_names(split, side) for side in SIDES)
    assert (len(train), len(validation), len(test)) == (61, 15, 40)
    assert {*train, *validation, *test} == set(SEQUENCE_NAMES)
    assert count_by_kind(test) == {"i": 20, "v": 20}


@pytest.mark.parametrize("split", "abc")
def test_every_fifth_sequence_of_the_official_training_side_is_for_validation(split):
    official = [name for name in SEQUENCE_NAMES if name not in split_names(split, "test")]
    for position, name in enumerate(official, start=1):
        assert name in split_names(split, "train" if position % 5 else "validation")


def test_view_illum_and_full_have_only_test_sequences():
    assert [len(split_names(split)) for split in ("view", "illum", "full")] == [59, 57, 116]
    assert split_names("a")[:2] == ["i_ajuntament", "i_resort"]  # the order is part of the protocol
    for split in ("view", "illum", "full"):
        assert SPLITS[split]["train"] == SPLITS[split]["validation"] == []


def test_an_unknown_split_or_side_is_refused():
    with pytest.raises(ValueError, match="Unknown split 'd'.*expected one of a, b, c, view"):
        split_names("d")
    message = "or side 'val': expected .* and one of 'train', 'validation', 'test'"
    with pytest.raises(ValueError, match=message):
        split_names("a", "val")


def test_stored_splits_of_hpatches_get_the_validation_side_of_this_version():
    two_sided = {
        name: {"train": [n for n in SEQUENCE_NAMES if n in {*train, *validation}], "test": test}
        for name, split in SPLITS.items()
        for train, validation, test in [split.values()]
    }
    assert with_validation_side(two_sided) == SPLITS
    assert with_validation_side(SPLITS) == SPLITS


@pytest.mark.parametrize(
    "splits",
    [
        {"own": {"train": ["v_one"], "test": ["v_two"]}},
        {"a": {"train": ["v_one"], "test": ["v_two"]}},  # another split of this name
        {"a": {"train": SPLITS["a"]["train"], "test": SPLITS["a"]["test"]}},
        {"b": SPLITS["a"]},
        {},
    ],
)
def test_stored_splits_of_other_sets_stay_as_they_are(splits):
    assert with_validation_side(splits) == splits

import pytest

from hpatches_kit.datasets.splits import SEQUENCE_NAMES, SPLITS, split_names


def count_by_kind(names):
    return {kind: sum(name.startswith(f"{kind}_") for name in names) for kind in "iv"}


def test_there_are_57_illumination_and_59_viewpoint_sequences():
    assert len(set(SEQUENCE_NAMES)) == 116
    assert count_by_kind(SEQUENCE_NAMES) == {"i": 57, "v": 59}


@pytest.mark.parametrize("split", "abc")
def test_a_b_and_c_train_on_76_and_test_on_40_others(split):
    train, test = split_names(split, "train"), split_names(split)
    assert (len(train), len(test)) == (76, 40)
    assert set(train) | set(test) == set(SEQUENCE_NAMES)
    assert count_by_kind(test) == {"i": 20, "v": 20}


def test_view_illum_and_full_have_no_training_sequences():
    assert [len(split_names(split)) for split in ("view", "illum", "full")] == [59, 57, 116]
    assert split_names("a")[:2] == ["i_ajuntament", "i_resort"]  # the order is part of the protocol
    assert all(SPLITS[split]["train"] == [] for split in ("view", "illum", "full"))


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="Unknown split 'd'.*expected one of a, b, c, view"):
        split_names("d")

import numpy as np
import pytest
from toy_data import toy_patches

from hpatches_kit import UserError
from hpatches_kit.patches.patch_set import PatchSet
from hpatches_kit.patches.views import VIEWS, view_index


def test_a_point_has_sixteen_views_in_the_order_of_the_hpatches_release():
    assert len(VIEWS) == 16
    assert (VIEWS[0], VIEWS[1], VIEWS[6], VIEWS[15]) == ("ref", "e1", "h1", "t5")


def test_the_error_of_an_unknown_view_lists_the_views():
    with pytest.raises(ValueError, match="'e6'.*ref, e1"):
        view_index("e6")


def test_select_returns_the_patches_in_the_order_of_the_names(patches):
    chosen = patches.select(["v_three", "v_one"])
    assert chosen.names == ["v_three", "v_one"]
    assert chosen.lengths == {"v_three": 8, "v_one": 7}
    np.testing.assert_array_equal(chosen.clean, patches.clean[[*range(12, 20), *range(7)]])


def test_a_contiguous_part_shares_its_memory_with_the_whole(patches):
    assert np.shares_memory(patches.select("i_two").clean, patches.clean)


def test_split_returns_train_validation_and_test(patches):
    for sides in (patches.split(), patches.split("thirds")):
        assert [side.names for side in sides] == [["v_one"], ["i_two"], ["v_three"]]


def test_sequences_are_in_the_order_of_the_split_and_those_that_are_absent_are_skipped(patches):
    test_names = ["v_three", "absent", "v_one"]
    patches.splits["other"] = {"train": ["i_two"], "validation": [], "test": test_names}
    train, validation, test = patches.split("other")
    assert (train.names, test.names) == (["i_two"], ["v_three", "v_one"])
    assert len(validation) == 0  # as the split says


@pytest.mark.parametrize("side", ["train", "validation", "test"])
def test_a_side_without_a_sequence_in_the_set_is_refused(patches, side):
    rest = patches.select(
        [name for name in patches.names if name != patches.splits["thirds"][side][0]]
    )
    with pytest.raises(UserError, match=f"Split 'thirds' has no {side} sequence among"):
        rest.split()


def test_a_split_of_an_earlier_version_has_no_validation_side_and_the_error_says_what_to_do(
    patches,
):
    patches.splits["halves"] = {"train": ["v_one", "i_two"], "test": ["v_three"]}
    message = r"'halves' has no validation side.*build the patches again.*select\(names\)"
    with pytest.raises(UserError, match=message):
        patches.split("halves")


def test_a_sample_has_whole_sequences_in_the_order_of_the_set(patches):
    drawn = {tuple(patches.sample(2, seed).names) for seed in range(20)}
    assert drawn == {("v_one", "i_two"), ("v_one", "v_three"), ("i_two", "v_three")}
    sample = patches.sample(2, seed=1)
    assert sample.lengths == {name: patches.lengths[name] for name in sample.names}
    assert sample.names == patches.sample(2, seed=1).names
    np.testing.assert_array_equal(patches.sample(3).rows, patches.rows)


def test_sparse_points_are_drawn_once_each_and_the_same_seed_gives_the_same_points(patches):
    first, same, other = (patches.sample_sparse_points(9, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.rows, same.rows)
    assert len(set(first.rows)) == 9 and set(first.rows) != set(other.rows)


def test_sparse_points_are_those_that_version_0_1_drew(patches):
    expected = np.sort(np.random.default_rng(3).permutation(20)[:6])
    np.testing.assert_array_equal(patches.sample_sparse_points(6, seed=3).rows, expected)


def test_sparse_points_per_sequence_limit_each_sequence(patches):
    sample = patches.sample_sparse_points(6, seed=1, per_sequence=True)
    assert sample.lengths == {"v_one": 6, "i_two": 5, "v_three": 6}
    assert (np.diff(sample.rows) > 0).all()
    other = patches.sample_sparse_points(6, seed=2, per_sequence=True)
    assert set(sample.rows) != set(other.rows)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: p.select("v_four"), "Unknown sequence 'v_four'"),
        (lambda p: p.split("a"), "Unknown split 'a': expected one of thirds"),
        (lambda p: p["denoised"], "No 'denoised' patches in this set"),
        (lambda p: p.sample(0), "Cannot draw 0 sequences from 3: expected 1 to 3"),
        (
            lambda p: p.sample(4),
            "Cannot draw 4 sequences.*To draw points, use sample_sparse_points",
        ),
        (lambda p: p.sample(1.5), "Cannot draw 1.5 sequences from 3"),
        (lambda p: p.sample_sparse_points(0), "Cannot draw 0 points from 20: expected 1 to 20"),
        (lambda p: p.sample_sparse_points(21), "Cannot draw 21 points from 20: expected 1 to 20"),
        (
            lambda p: p.sample_sparse_points(0, per_sequence=True),
            "Cannot draw 0 points from 20: expected 1 or more per sequence",
        ),
        (lambda p: p.select([]).sample_sparse_points(1, per_sequence=True), "1 points from 0"),
        (lambda p: PatchSet(p.arrays, p.sequence).split(), r"have no split: use select\(names\)"),
        (lambda p: p.add("denoised", p.clean[:3]), "3 denoised patches for 20 points"),
        (lambda p: PatchSet({"clean": p.clean[:, :5]}, p.sequence), r"expected uint8 \(points, 16"),
        (lambda p: PatchSet({"clean": p.clean / 255.0}, p.sequence), "are float64"),
        (lambda p: PatchSet({"clean": p.clean}, p.sequence, label=[1, 2]), "2 labels"),
        (lambda p: PatchSet({"clean": p.clean}, p.sequence, flat=[True]), "1 values of flat"),
        (lambda p: PatchSet(p.arrays, ["v"], rows=[20]), "Rows 20 to 20 of 20 'clean' patches"),
        (lambda p: PatchSet({"clean": p.clean}, p.sequence[:9]), "20 'clean' patches for 9 points"),
    ],
)
def test_the_error_says_what_is_wrong(patches, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(patches)


def test_select_collects_points_of_a_sequence_that_are_not_contiguous():
    patches = toy_patches({"v_one": 3, "i_two": 2})._pick(np.array([0, 3, 1, 4, 2]))
    assert patches.names == ["v_one", "i_two"] and patches.lengths == {"v_one": 3, "i_two": 2}
    assert patches.select(["i_two", "v_one"]).rows.tolist() == [3, 4, 0, 1, 2]


def test_a_base_array_can_be_added_to_a_part_of_the_set(patches):
    part = patches.select("i_two").add_base("inverted", 255 - patches.clean)
    np.testing.assert_array_equal(part["inverted"], 255 - part.clean)
    sample = part.sample_sparse_points(2)
    np.testing.assert_array_equal(sample["inverted"], 255 - sample.clean)


def test_a_reference_is_flat_if_its_standard_deviation_is_at_most_ten_grey_levels(patches):
    patches = PatchSet({"clean": patches.clean.copy()}, patches.sequence)
    patches.arrays["clean"][3, 0] = np.where(np.arange(32) < 16, 100, 120)  # standard deviation 10
    patches.arrays["clean"][4, 0] = np.where(np.arange(32) < 16, 100, 121)
    assert np.flatnonzero(patches.flat).tolist() == [3]
    assert patches.sample_sparse_points(20).flat.sum() == 1


def test_given_values_of_flat_stay_with_their_points(patches):
    given = PatchSet(patches.arrays, patches.sequence, flat=np.arange(20) % 2 == 0)
    np.testing.assert_array_equal(given.select("i_two").flat, [False, True, False, True, False])


def test_blocks_cover_every_point_once(patches):
    assert patches.blocks(8) == [slice(0, 8), slice(8, 16), slice(16, 20)]


def test_originals_have_65_pixels(patches):
    large = np.zeros((20, 16, 65, 65), np.uint8)
    assert PatchSet({"original": large}, patches.sequence)["original"].shape == large.shape
    with pytest.raises(ValueError, match=r"expected uint8 \(points, 16, 65, 65\)"):
        PatchSet({"original": patches.clean}, patches.sequence)

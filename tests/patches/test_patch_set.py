import numpy as np
import pytest
from toy_data import toy_patches

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


def test_split_returns_train_and_test_and_skips_sequences_that_are_not_in_the_set(patches):
    train, test = patches.split()
    assert (train.names, test.names) == (["v_one", "i_two"], ["v_three"])
    train, test = patches.select(["v_one", "v_three"]).split("halves")
    assert (train.names, test.names) == (["v_one"], ["v_three"])


def test_training_and_test_sequences_are_in_the_order_of_the_split(patches):
    patches.splits["other"] = {"train": [], "test": ["v_three", "absent", "v_one"]}
    train, test = patches.split("other")
    assert len(train) == 0 and test.names == ["v_three", "v_one"]


def test_sample_draws_each_point_once_and_the_same_seed_gives_the_same_points(patches):
    first, same, other = patches.sample(9, 1), patches.sample(9, 1), patches.sample(9, 2)
    np.testing.assert_array_equal(first.rows, same.rows)
    assert len(set(first.rows)) == 9 and set(first.rows) != set(other.rows)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: p.select("v_four"), "Unknown sequence 'v_four'"),
        (lambda p: p.split("a"), "Unknown split 'a': expected one of halves"),
        (lambda p: p.select("v_one").split(), "no test sequence among"),
        (lambda p: p["denoised"], "No 'denoised' patches in this set"),
        (lambda p: p.sample(21), "Cannot draw 21 points from 20"),
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
    np.testing.assert_array_equal(part.sample(2)["inverted"], 255 - part.sample(2).clean)


def test_a_reference_is_flat_if_its_standard_deviation_is_at_most_ten_grey_levels(patches):
    patches = PatchSet({"clean": patches.clean.copy()}, patches.sequence)
    patches.arrays["clean"][3, 0] = np.where(np.arange(32) < 16, 100, 120)  # standard deviation 10
    patches.arrays["clean"][4, 0] = np.where(np.arange(32) < 16, 100, 121)
    assert np.flatnonzero(patches.flat).tolist() == [3]
    assert patches.sample(20).flat.sum() == 1


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

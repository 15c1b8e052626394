import numpy as np
import pytest
from conftest import toy_patches

from hpatches_kit.files import checksum, whole_folder, write_text
from hpatches_kit.patches import VIEWS, PatchSet, cached, view_index


def test_a_point_has_sixteen_views_in_the_order_of_the_release():
    assert len(VIEWS) == 16
    assert (VIEWS[0], VIEWS[1], VIEWS[6], VIEWS[15]) == ("ref", "e1", "h1", "t5")


def test_an_unknown_view_is_named_with_what_was_expected():
    with pytest.raises(ValueError, match="'e6'.*ref, e1"):
        view_index("e6")


def test_select_keeps_the_order_of_the_names_and_the_right_patches(patches):
    chosen = patches.select(["v_three", "v_one"])
    assert chosen.names == ["v_three", "v_one"]
    assert chosen.lengths == {"v_three": 8, "v_one": 7}
    np.testing.assert_array_equal(chosen.clean, patches.clean[[*range(12, 20), *range(7)]])


def test_a_contiguous_part_is_a_view_and_reads_nothing(patches):
    assert np.shares_memory(patches.select("i_two").clean, patches.clean)


def test_split_gives_train_and_test_and_skips_sequences_that_are_not_here(patches):
    train, test = patches.split()
    assert (train.names, test.names) == (["v_one", "i_two"], ["v_three"])
    train, test = patches.select(["v_one", "v_three"]).split("halves")
    assert (train.names, test.names) == (["v_one"], ["v_three"])


def test_a_side_of_a_split_has_the_order_of_the_split(patches):
    patches.splits["other"] = {"train": [], "test": ["v_three", "absent", "v_one"]}
    train, test = patches.split("other")
    assert len(train) == 0 and test.names == ["v_three", "v_one"]


def test_sample_is_seeded_and_draws_each_point_once(patches):
    one, again, other = patches.sample(9, 1), patches.sample(9, 1), patches.sample(9, 2)
    np.testing.assert_array_equal(one.rows, again.rows)
    assert len(set(one.rows)) == 9 and set(one.rows) != set(other.rows)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: p.select("v_four"), "Unknown sequence 'v_four'"),
        (lambda p: p.split("a"), "Unknown split 'a': expected one of halves"),
        (lambda p: p.select("v_one").split(), "no test sequence among"),
        (lambda p: p["denoised"], "No 'denoised' patches here"),
        (lambda p: p.sample(21), "Cannot draw 21 points from 20"),
        (lambda p: p.add("denoised", p.clean[:3]), "3 denoised patches for 20 points"),
        (lambda p: PatchSet({"clean": p.clean[:, :5]}, p.sequence), r"expected uint8 \(points, 16"),
        (lambda p: PatchSet({"clean": p.clean / 255.0}, p.sequence), "are float64"),
        (lambda p: PatchSet({"clean": p.clean}, p.sequence, label=[1, 2]), "2 labels"),
        (lambda p: PatchSet({"clean": p.clean}, p.sequence[:9]), "20 'clean' patches for 9 points"),
    ],
)
def test_bad_requests_say_what_was_wrong(patches, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(patches)


def test_saved_patches_open_equal_and_memory_mapped(patches, tmp_path):
    saved = patches.save(tmp_path / "toy", seed=3)
    opened = PatchSet.open(tmp_path / "toy", seed=3)
    assert isinstance(opened.arrays["clean"], np.memmap)
    for one, other in ((saved, patches), (opened, patches)):
        np.testing.assert_array_equal(one.clean, other.clean)
        np.testing.assert_array_equal(one.noisy, other.noisy)
        np.testing.assert_array_equal(one.label, other.label)
        assert (one.names, one.splits) == (other.names, other.splits)


def test_a_failed_build_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "half", ["*"]) as partial:
        (partial / "clean.npy").write_text("half of it")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_foreign_files_is_never_replaced(patches, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.tex").write_text("years")
    with pytest.raises(FileExistsError, match=r"already holds thesis\.tex: choose another"):
        patches.save(tmp_path / "work")
    assert (tmp_path / "work" / "thesis.tex").read_text() == "years"
    assert [child.name for child in tmp_path.iterdir()] == ["work"]


def test_text_files_appear_whole_in_folders_made_for_them(tmp_path):
    write_text(tmp_path / "new" / "a.json", "{}")
    write_text(tmp_path / "new" / "a.json", "[]")
    assert {file.name: file.read_text() for file in (tmp_path / "new").iterdir()} == {
        "a.json": "[]"
    }


def test_the_checksum_of_a_large_file_sees_both_ends_and_the_middle(tmp_path):
    file, content = tmp_path / "large", bytearray(range(100))
    file.write_bytes(content)
    before = checksum(file, limit=50, window=10)
    for place in (0, 55, 99):
        changed = content.copy()
        changed[place] ^= 1
        file.write_bytes(changed)
        assert checksum(file, limit=50, window=10) != before


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def remove(file):
    file.unlink()


HARM = [(name, harm) for name in ("clean.npy", "label.npy") for harm in (cut, flip_a_bit, remove)]


@pytest.mark.parametrize(
    ("name", "harm"),
    [*HARM, ("patches.json", cut), ("patches.json", flip_a_bit), ("patches.json", remove)],
)
def test_a_damaged_cache_is_noticed_and_built_again(name, harm, tmp_path):
    builds = []

    def build():
        builds.append(1)
        return toy_patches({"v_one": 20})

    folder = tmp_path / "cache"
    cached(folder, build, seed=0)
    cached(folder, build, seed=0)
    assert len(builds) == 1
    harm(folder / name)
    again = cached(folder, build, seed=0)
    assert len(builds) == 2
    np.testing.assert_array_equal(again.clean, build().clean)
    assert [child.name for child in tmp_path.iterdir()] == ["cache"]


def test_a_cache_made_with_other_settings_is_built_again(tmp_path):
    cached(tmp_path / "cache", lambda: toy_patches({"v_one": 3}), seed=0)
    other = cached(tmp_path / "cache", lambda: toy_patches({"v_one": 4}), seed=1)
    assert len(other) == 4

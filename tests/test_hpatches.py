import numpy as np
import pytest
from PIL import Image

from hpatches_kit import hpatches
from hpatches_kit.noise import noisy_and_clean
from hpatches_kit.patches import VIEWS
from hpatches_kit.splits import NAMES, SPLITS, split_names


def test_there_are_57_illumination_and_59_viewpoint_sequences():
    assert len(set(NAMES)) == 116
    assert [sum(name.startswith(kind) for name in NAMES) for kind in ("i_", "v_")] == [57, 59]


@pytest.mark.parametrize("split", "abc")
def test_a_b_and_c_train_on_76_and_test_on_40_others(split):
    train, test = split_names(split, "train"), split_names(split)
    assert (len(train), len(test)) == (76, 40)
    assert set(train) | set(test) == set(NAMES)
    assert [sum(name.startswith(kind) for name in test) for kind in ("i_", "v_")] == [20, 20]


def test_view_illum_and_full_only_test():
    assert [len(split_names(split)) for split in ("view", "illum", "full")] == [59, 57, 116]
    assert split_names("a")[:2] == ["i_ajuntament", "i_resort"]  # the order is the protocol's
    assert all(SPLITS[split]["train"] == [] for split in ("view", "illum", "full"))


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="Unknown split 'd'.*expected one of a, b, c, view"):
        split_names("d")


def test_the_noisy_layout_is_written_and_read_back_equal(patches, tmp_path):
    shared = patches.select(patches.names)
    shared.label[:3] = shared.label[7:10]  # places that two sequences show
    hpatches.write(shared, tmp_path / "release")
    assert (tmp_path / "release" / "v_one" / "t5_noise.png").exists()
    with Image.open(tmp_path / "release" / "v_one" / "e3.png") as strip:
        assert strip.size == (32, 7 * 32)
    read = hpatches.read(tmp_path / "release").select(shared.names)
    np.testing.assert_array_equal(read.clean, shared.clean)
    np.testing.assert_array_equal(read.noisy, shared.noisy)
    np.testing.assert_array_equal(read.label, shared.label)
    assert read.splits == shared.splits


@pytest.fixture
def release(tmp_path):
    """Two sequences of the original layout, 65 px."""
    rng = np.random.default_rng(0)
    for name, points in (("i_ajuntament", 3), ("v_there", 2)):
        patches = rng.integers(0, 256, (points, 16, 65, 65), np.uint8)
        hpatches.write_strips(tmp_path / "hpatches" / name, patches)
    return tmp_path / "hpatches"


def test_original_strips_get_the_noise_of_the_course_seeded_by_sequence(release):
    both = hpatches.read(release)
    assert both.lengths == {"i_ajuntament": 3, "v_there": 2}
    source = hpatches.read_strips(release / "v_there", 65)
    clean = noisy_and_clean(source)[1]
    np.testing.assert_array_equal(both.select("v_there").clean, clean)
    for child in (release / "i_ajuntament").iterdir():
        child.unlink()
    alone = hpatches.read(release)  # a part of the release gets the same patches as the whole
    np.testing.assert_array_equal(alone.noisy, both.select("v_there").noisy)
    assert (hpatches.read(release, seed=1).noisy != alone.noisy).any()


def test_hpatches_sequences_bring_their_splits(release):
    train, test = hpatches.read(release).split("a")
    assert (train.names, test.names) == (["v_there"], ["i_ajuntament"])


def strip(file, width, height):
    Image.fromarray(np.zeros((height, width), np.uint8)).save(file)


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        (lambda f: (f / "h2.png").unlink(), FileNotFoundError, r"h2\.png is missing: .*ref, e1"),
        (lambda f: (f / "h2.png").write_text("x"), ValueError, r"h2\.png cannot be read"),
        (
            lambda f: strip(f / "h2.png", 65, 65),
            ValueError,
            r"h2\.png holds 1 patches, ref\.png holds 2",
        ),
        (lambda f: strip(f / "h2.png", 64, 130), ValueError, r"h2\.png is 64 pixels wide.*65 wide"),
        (lambda f: strip(f / "h2.png", 65, 131), ValueError, r"131 high:.*a multiple of 65"),
    ],
)
def test_a_broken_strip_is_named(release, harm, error, message):
    harm(release / "v_there")
    with pytest.raises(error, match=message):
        hpatches.read(release)


def test_a_missing_noise_strip_is_named(patches, tmp_path):
    hpatches.write(patches, tmp_path / "release")
    (tmp_path / "release" / "v_one" / "e1_noise.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"e1_noise\.png is missing"):
        hpatches.read(tmp_path / "release")


def test_a_cut_off_png_is_named(release):
    file = release / "v_there" / "e4.png"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"e4\.png cannot be read"):
        hpatches.read(release)


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        (lambda f: f.unlink(), FileNotFoundError, r"v_there.ref\.png is missing"),
        (lambda f: f.write_text("x"), ValueError, r"v_there.ref\.png cannot be read"),
    ],
)
def test_a_sequence_without_a_good_ref_is_not_skipped(release, harm, error, message):
    harm(release / "v_there" / "ref.png")
    with pytest.raises(error, match=message):
        hpatches.read(release)


def test_labels_that_do_not_fit_the_strips_are_named(patches, tmp_path):
    folder = hpatches.write(patches, tmp_path / "release") or tmp_path / "release"
    places = (folder / "places.json").read_text()
    for content in (places[:40], places.replace("v_three", "v_four"), places.replace("[0, ", "[")):
        (folder / "places.json").write_text(content)
        with pytest.raises(ValueError, match=r"places\.json"):
            hpatches.read(folder)


def test_foreign_files_are_never_replaced_by_strips(patches, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        hpatches.write(patches, tmp_path)


def test_an_empty_folder_and_odd_patches_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no sequence"):
        hpatches.read(tmp_path)
    with pytest.raises(ValueError, match=r"expected uint8 \(points, 16, size, size\)"):
        hpatches.write_strips(tmp_path / "x", np.zeros((3, len(VIEWS) - 1, 32, 32), np.uint8))

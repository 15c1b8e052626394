import threading
import zlib

import numpy as np
import pytest
from files import truncate
from PIL import Image
from toy_data import write_sequence

from hpatches_kit.datasets.own_photographs import (
    find_scenes,
    from_photographs,
    safe_name,
    split,
    without_copies,
)
from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.virtual_sequences import viewpoint_sequence
from hpatches_kit.patches import scenes


def write_photograph(file, name="coins"):
    """Write a 210 x 170 crop of a built-in photograph."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photograph(name)[60:230, 60:270].astype(np.uint8)).save(file)
    return file


def write_views(folder, name="microscope", images=6):
    """Write an image sequence made from a crop of a built-in photograph."""
    views = viewpoint_sequence("v", photograph(name)[60:230, 60:270], seed=1)
    return write_sequence(folder, views.images[:images], views.homographies[: images - 1])


@pytest.fixture
def album(tmp_path):
    """Two photographs, a sequence of six images and one of two."""
    write_photograph(tmp_path / "album" / "a.png", "coins")
    write_photograph(tmp_path / "album" / "b.png", "coffee")
    write_views(tmp_path / "album" / "v_wall", "brick")
    write_views(tmp_path / "album" / "poster", "chelsea", images=2)
    return tmp_path / "album"


def small_set(photos, **arguments):
    """`from_photographs` with few sequences and points."""
    small = {"viewpoint": 1, "lighting": 1, "points": 12, "progress": False} | arguments
    return from_photographs(photos, **small)


def sequence_names(photos, **arguments):
    return [name for scene in find_scenes(photos, **arguments) for name in scene.sequences]


def test_photographs_and_sequences_become_patches(album):
    patches = small_set(album)
    assert patches.names == ["poster", "v_wall", "v_a_1", "i_a_1", "v_b_1", "i_b_1"]
    assert patches.lengths == dict.fromkeys(patches.names, 12)
    assert patches.clean.shape == patches.noisy.shape == (72, 16, 32, 32)
    noise = patches.noisy.astype(float) - patches.clean
    assert 15 < noise.std() < 30 and abs(noise.mean()) < 3


def test_a_place_has_the_same_label_in_all_sequences_of_its_photograph_only(album):
    patches = small_set(album, points=60)
    for name in ("a", "b"):
        viewpoint, lighting = (patches.select(f"{kind}_{name}_1") for kind in "vi")
        labels = viewpoint.label, lighting.label
        shared, v_rows, i_rows = np.intersect1d(*labels, return_indices=True)
        assert len(shared) > 10
        np.testing.assert_array_equal(viewpoint.clean[v_rows, 0], lighting.clean[i_rows, 0])
    scene = np.array([name.strip("vi_1") for name in patches.sequence])
    for label in np.unique(patches.label):
        assert len(set(scene[patches.label == label])) == 1


def test_the_seed_determines_the_patches(album):
    first, second, other = (small_set(album, seed=seed) for seed in (3, 3, 4))
    for kind in ("clean", "noisy"):
        np.testing.assert_array_equal(first[kind], second[kind])
        assert not np.array_equal(first[kind], other[kind])
    assert first.splits == second.splits


@pytest.mark.slow
def test_a_new_photograph_leaves_the_patches_of_the_others_unchanged(album):
    before = small_set(album).select(["i_b_1", "v_wall"])
    write_photograph(album / "aa.png", "china")
    after = small_set(album).select(["i_b_1", "v_wall"])
    np.testing.assert_array_equal(before.clean, after.clean)
    np.testing.assert_array_equal(before.noisy, after.noisy)


def test_patches_are_in_temporary_files_until_they_are_saved(album, tmp_path):
    patches = small_set(album)
    assert isinstance(patches.base("clean"), np.memmap)  # they may be larger than memory
    opened = patches.save(tmp_path / "saved")
    np.testing.assert_array_equal(opened.noisy, patches.noisy)
    assert opened.splits == patches.splits


def test_a_sequence_a_file_and_a_list_are_accepted(album):
    assert sequence_names(album / "v_wall") == sequence_names(str(album / "v_wall")) == ["v_wall"]
    assert sequence_names(album / "b.png", viewpoint=1, lighting=0) == ["v_b_1"]
    listed = sequence_names([album / "b.png", album / "poster", album], viewpoint=1, lighting=0)
    assert listed == ["poster", "v_wall", "v_b_1", "v_a_1"]  # each once


def test_large_photographs_are_resized(tmp_path):
    Image.new("L", (3000, 1500)).save(tmp_path / "a.jpg")
    large = np.zeros((400, 2000))
    write_sequence(tmp_path / "wall", [large, large], [np.diag([0.5, 1, 1])])
    wall, single = find_scenes(tmp_path)
    assert single.read().shape == (500, 1000)
    sequence = wall.read()
    assert [image.shape for image in sequence.images] == [(320, 1600)] * 2
    # Both images are scaled by 0.8.
    np.testing.assert_allclose(sequence.homographies[0][0], [0.5, 0, -0.05])


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("IMG_1234", "IMG_1234"),
        ("my wall (2)", "my-wall-2"),
        ("a.b,c;d/e", "a-b-c-d-e"),
        ("Mu\u0308nchen", "M\u00fcnchen"),
        ("../..", "photograph"),
        ("%%", "photograph"),
    ],
)
def test_names_keep_letters_digits_hyphens_and_underscores(stem, name):
    assert safe_name(stem) == name


def test_no_two_sequences_have_the_same_name(tmp_path):
    write_views(tmp_path / "v_wall_1")
    photographs = ["coins", "coffee", "china", "chelsea", "astronaut", "rocket"]
    files = ["a b.png", "a,b.png", "a-b-2.png", "A-B.jpg", "wall.png", "wall_1.png"]
    for file, name in zip(files, photographs):
        write_photograph(tmp_path / file, name)
    names = {scene.file.rpartition("/")[2]: scene.name for scene in find_scenes(tmp_path)}
    expected = {"v_wall_1", "A-B", "a-b-2", "a-b-3", "a-b-2-2", "wall-2", "wall_1"}
    assert len(names) == 7 and set(names.values()) == expected
    assert names["wall.png"] == "wall-2"  # v_wall_1 is the folder's name
    lower_case = [name.lower() for name in sequence_names(tmp_path)]
    assert len(set(lower_case)) == len(lower_case)


def test_two_sequence_folders_with_one_name_are_refused(tmp_path):
    folders = [write_views(tmp_path / city / "wall", images=2) for city in ("prague", "brno")]
    with pytest.raises(ValueError, match="Two sequences are called wall, .*prague.*brno"):
        find_scenes(folders)


def test_a_copy_of_a_photograph_is_skipped(tmp_path, capsys):
    write_photograph(tmp_path / "a.png")
    write_photograph(tmp_path / "a (1).png")
    assert sequence_names(tmp_path, viewpoint=1, lighting=0) == ["v_a-1_1"]
    assert "a.png is a copy of" in capsys.readouterr().out
    write_views(tmp_path / "wall", images=2)
    (tmp_path / "b.png").write_bytes((tmp_path / "wall" / "2.png").read_bytes())
    assert sequence_names(tmp_path, viewpoint=1, lighting=0) == ["wall", "v_a-1_1"]
    assert "b.png is a copy of" in capsys.readouterr().out


def test_different_files_with_equal_crc_32_and_size_are_not_copies(tmp_path):
    # The remainder of a division by this polynomial is the CRC-32: adding the polynomial keeps it.
    polynomial = f"{0x104C11DB7:b}"
    contents = [b"photo" + bytes(5), b"photo" + int(polynomial[::-1], 2).to_bytes(5, "little")]
    assert contents[0] != contents[1] and zlib.crc32(contents[0]) == zlib.crc32(contents[1])
    files = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for file, content in zip(files, contents):
        file.write_bytes(content)
    assert without_copies(files) == files
    assert without_copies(files[:1], others=files[1:]) == files[:1]


class FakeScene:
    def __init__(self, *sequences):
        self.sequences = list(sequences)


def fake_scenes(count):
    return [FakeScene(f"v_{k}_1", f"i_{k}_1") for k in range(count)]


@pytest.mark.parametrize(
    ("scenes", "train", "validation", "test"),
    [(3, 1, 1, 1), (4, 2, 1, 1), (5, 3, 1, 1), (6, 3, 1, 2), (8, 5, 1, 2), (20, 12, 3, 5)],
)
def test_each_side_gets_its_fraction_of_the_scenes_and_at_least_one(
    scenes, train, validation, test
):
    sides = split(fake_scenes(scenes))["photographs"]
    counts = {side: len(names) // 2 for side, names in sides.items()}
    assert counts == {"train": train, "validation": validation, "test": test}


def test_every_scene_is_on_one_side_only_and_in_its_order():
    sides = split(fake_scenes(20))["photographs"]
    numbers = {side: [int(name.split("_")[1]) for name in sides[side]] for side in sides}
    assert all(numbers[side] == sorted(numbers[side]) for side in sides)
    together = [number for side in sides for number in set(numbers[side])]
    assert sorted(together) == list(range(20))


def test_the_seed_determines_the_split():
    eight = fake_scenes(8)
    chosen = [repr(split(eight, seed=seed)) for seed in range(12)]
    assert len(set(chosen)) > 8 and chosen[0] == repr(split(eight))


def test_other_fractions_change_how_many_scenes_each_side_has():
    ten = fake_scenes(10)
    sides = split(ten, validation=0.3, test=0.5)["photographs"]
    assert {side: len(names) // 2 for side, names in sides.items()} == {
        "train": 2,
        "validation": 3,
        "test": 5,
    }
    for fractions in ((0.01, 0.98), (0.98, 0.01), (0.49, 0.5)):  # no side is empty
        sides = split(ten[:3], *fractions)["photographs"]
        assert all(len(names) == 2 for names in sides.values())


@pytest.mark.parametrize(("scenes", "test"), [(0, 0.25), (1, 0.25), (2, 0.25), (8, 0)])
def test_fewer_than_three_scenes_or_a_fraction_of_0_give_no_split(scenes, test):
    assert split(fake_scenes(scenes), test=test) == {}


def test_the_split_contains_only_scenes_with_points(tmp_path):
    for k in range(3):
        Image.new("L", (200, 200), 100 + k).save(tmp_path / f"blank{k}.png")
    for letter, name in zip("abc", ["coins", "coffee", "brick"]):
        write_photograph(tmp_path / f"{letter}.png", name)
    sides = small_set(tmp_path).split()
    assert all(len(side.names) == 2 for side in sides)
    names = {name for side in sides for name in side.names}
    assert names == {f"{kind}_{letter}_1" for kind in "vi" for letter in "abc"}


def test_the_sides_of_an_album_share_no_photograph_and_no_place(album):
    train, validation, test = small_set(album).split()
    assert len(train.names) >= 1 and train.shared(test) == train.shared(validation) == ((), ())
    assert not validation.shared(test)


def test_the_fractions_change_the_split_and_not_the_patches(album):
    first, second = small_set(album), small_set(album, validation=0.4, test=0.4)
    np.testing.assert_array_equal(first.noisy, second.noisy)
    assert first.names == second.names and first.splits != second.splits


@pytest.mark.parametrize("photographs", [["coins"], ["coins", "coffee"]])
def test_fewer_than_three_photographs_have_no_split(photographs, tmp_path):
    for name in photographs:
        write_photograph(tmp_path / f"{name}.png", name)
    patches = small_set(tmp_path)
    with pytest.raises(ValueError, match="have no split"):
        patches.split()


def test_photographs_and_sequences_without_a_usable_point_are_skipped(tmp_path, capsys):
    write_photograph(tmp_path / "a.png")
    Image.new("L", (200, 200), 90).save(tmp_path / "white_wall.png")
    Image.new("L", (20, 20), 90).save(tmp_path / "icon.png")
    grey = photograph("microscope")[60:230, 60:270]
    out_of_the_image = np.array([[1, 0, 900], [0, 1, 0], [0, 0, 1.0]])
    write_sequence(tmp_path / "wall", [grey, grey], [out_of_the_image])
    assert small_set(tmp_path).names == ["v_a_1", "i_a_1"]
    printed = sorted(capsys.readouterr().out.splitlines())
    assert len(printed) == 3
    for line, name in zip(printed, ("icon.png", "wall", "white_wall.png")):
        assert line.startswith("Skipped: ") and f"{name} has no usable point" in line


def test_photographs_that_are_all_blank_are_refused(tmp_path):
    Image.new("L", (200, 200), 90).save(tmp_path / "white_wall.png")
    with pytest.raises(ValueError, match="No usable point in any of 1 photographs"):
        small_set(tmp_path)


def test_files_that_are_not_photographs_are_ignored(album):
    before = sequence_names(album)
    (album / "notes.txt").write_text("x")
    (album / ".hidden.jpg").write_bytes(b"x")
    (album / "._a.png").write_bytes(b"x")
    (album / "movie.mov").write_bytes(b"x")
    for folder in ("__MACOSX", ".trash", "empty"):
        (album / folder).mkdir()
    (album / "__MACOSX" / "1.png").write_bytes(b"x")
    (album / "__MACOSX" / "H_1_2").write_bytes(b"x")
    assert sequence_names(album) == before


def test_a_folder_of_images_without_homographies_is_skipped_with_a_message(album, capsys):
    write_photograph(album / "holiday" / "1.png")
    assert len(find_scenes(album)) == 4
    assert "holiday has images but no homography H_1_2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda f: (f / "c.jpg").write_bytes(b"no"), ValueError, r"c\.jpg cannot be read as an im"),
        (lambda f: (f / "c.HEIC").write_bytes(b"\0\0\0\x24ftypheic"), ValueError, "c.HEIC is a H"),
        (lambda f: (f / "v_wall" / "H_1_5").unlink(), FileNotFoundError, "H_1_5 is missing"),
        (lambda f: (f / "v_wall" / "5.png").write_bytes(b"no"), ValueError, r"5\.png cannot be"),
        (lambda f: (f / "poster" / "H_1_2").write_text("1 2"), ValueError, "H_1_2 is not a 3x3"),
        (lambda f: (f / "poster" / "2.png").unlink(), FileNotFoundError, r"2\.ppm .* is missing"),
    ],
)
def test_unusable_files_are_reported_before_the_work_starts(
    album, damage, error, message, monkeypatch
):
    damage(album)
    monkeypatch.setattr(scenes, "detect_keypoints", None)  # no work is done
    with pytest.raises(error, match=message):
        small_set(album)


def test_a_truncated_photograph_is_reported_and_stops_all_threads(tmp_path):
    for k, name in enumerate(["coins", "coffee", "china"]):
        write_photograph(tmp_path / f"{k}.jpg", name)
    truncate(tmp_path / "1.jpg", 2000)
    before = threading.active_count()
    with pytest.raises(ValueError, match=r"1\.jpg cannot be read as an image"):
        small_set(tmp_path)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": 0}, "points=0"),
        ({"viewpoint": -1}, "viewpoint=-1"),
        ({"viewpoint": 0, "lighting": 0}, "would give no sequence: viewpoint=0, lighting=0"),
        ({"test": 1.0}, "test=1.0: expected fractions greater than 0 with a sum less than 1"),
        ({"test": -0.1}, "test=-0.1"),
        ({"test": float("nan")}, "test=nan"),
        ({"validation": 0}, "validation=0, test=0.25: expected .* or test=0 for no split"),
        ({"validation": -0.1}, "validation=-0.1"),
        ({"validation": 0.5, "test": 0.5}, "validation=0.5, test=0.5"),
        ({"validation": 1.5, "test": 0}, "validation=1.5, test=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_arguments_out_of_range_are_refused_before_the_work_starts(
    album, arguments, message, monkeypatch
):
    monkeypatch.setattr(scenes, "detect_keypoints", None)  # no work is done
    with pytest.raises(ValueError, match=message):
        small_set(album, **arguments)


@pytest.mark.parametrize("name, points", [("coins", r"\d+"), ("tiny", "0")])
def test_a_photograph_with_fewer_points_than_asked_is_an_error(name, points, tmp_path):
    write_photograph(tmp_path / "coins.png", "coins")
    Image.new("L", (20, 20)).save(tmp_path / "tiny.png")
    message = rf"{name}.png gives {points} points in the sequence v_{name}_1: expected 400 or more"
    with pytest.raises(ValueError, match=message):
        from_photographs(tmp_path / f"{name}.png", 1, 1, fewest_points=400, progress=False)


@pytest.mark.parametrize("fewest", [-1, 501])
def test_a_smallest_number_of_points_out_of_range_is_named(fewest, tmp_path):
    with pytest.raises(ValueError, match=f"fewest_points={fewest}: expected 0 to 500"):
        from_photographs(tmp_path, fewest_points=fewest)


def test_image_sequences_need_no_virtual_sequences(album):
    patches = small_set([album / "v_wall", album / "poster"], viewpoint=0, lighting=0)
    assert patches.names == ["v_wall", "poster"]


def test_an_empty_or_missing_folder_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is missing"):
        find_scenes(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="No photographs and no sequences in"):
        find_scenes(tmp_path)

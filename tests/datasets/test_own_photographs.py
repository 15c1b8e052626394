import threading

import numpy as np
import pytest
from PIL import Image
from toy_data import write_sequence

from hpatches_kit.datasets.own_photographs import find_scenes, from_photographs, safe_name, split
from hpatches_kit.images import virtual_sequences as virtual
from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches import scenes as scenes


def picture(file, name="coins", side=170, **about):
    """Write a piece of a built-in photograph."""
    file.parent.mkdir(parents=True, exist_ok=True)
    grey = photograph(name)[60 : 60 + side, 60 : 60 + side + 40].astype(np.uint8)
    Image.fromarray(grey).save(file, **about)
    return file


def sequence(folder, name="microscope", images=6):
    """Write a sequence of a piece of a built-in photograph."""
    grey = photograph(name)[60:230, 60:270]
    made = virtual.viewpoint_sequence("v", grey, seed=1)
    return write_sequence(folder, made.images[:images], made.homographies[: images - 1])


@pytest.fixture
def album(tmp_path):
    """Two photographs, a sequence of six images and one of two."""
    picture(tmp_path / "album" / "a.png", "coins")
    picture(tmp_path / "album" / "b.png", "coffee")
    sequence(tmp_path / "album" / "v_wall", "brick")
    sequence(tmp_path / "album" / "poster", "chelsea", images=2)
    return tmp_path / "album"


def made(photos, **arguments):
    """A small `from_photographs`."""
    small = {"viewpoint": 1, "lighting": 1, "points": 12, "progress": False} | arguments
    return from_photographs(photos, **small)


def names(photos, **arguments):
    return [name for scene in find_scenes(photos, **arguments) for name in scene.sequences]


def test_photographs_and_sequences_become_patches(album):
    patches = made(album)
    assert patches.names == ["poster", "v_wall", "v_a_1", "i_a_1", "v_b_1", "i_b_1"]
    assert patches.lengths == dict.fromkeys(patches.names, 12)
    assert patches.clean.shape == patches.noisy.shape == (72, 16, 32, 32)
    noise = patches.noisy.astype(float) - patches.clean
    assert 15 < noise.std() < 30 and abs(noise.mean()) < 3


def test_a_place_has_one_label_in_all_sequences_of_its_photograph_and_in_no_other(album):
    patches = made(album, points=60)
    for name in ("a", "b"):
        one, other = (patches.select(f"{kind}_{name}_1") for kind in "vi")
        shared, rows, others = np.intersect1d(one.label, other.label, return_indices=True)
        assert len(shared) > 10
        np.testing.assert_array_equal(one.clean[rows, 0], other.clean[others, 0])
    scene = np.array([name.strip("vi_1") for name in patches.sequence])
    for label in np.unique(patches.label):
        assert len(set(scene[patches.label == label])) == 1


def test_the_same_seed_makes_the_same_patches_and_another_one_others(album):
    one, again, other = (made(album, seed=seed) for seed in (3, 3, 4))
    for patches in (again, other):
        same = patches is again
        assert np.array_equal(one.clean, patches.clean) == same
        assert np.array_equal(one.noisy, patches.noisy) == same
    assert again.splits == one.splits


def test_a_new_photograph_leaves_the_patches_of_the_others_as_they_are(album):
    before = made(album).select(["i_b_1", "v_wall"])
    picture(album / "aa.png", "china")
    after = made(album).select(["i_b_1", "v_wall"])
    np.testing.assert_array_equal(before.clean, after.clean)
    np.testing.assert_array_equal(before.noisy, after.noisy)


def test_patches_wait_in_files_without_a_name_until_they_are_saved(album, tmp_path):
    patches = made(album)
    assert isinstance(patches.base("clean"), np.memmap)  # they may be larger than memory
    opened = patches.save(tmp_path / "made")
    np.testing.assert_array_equal(opened.noisy, patches.noisy)
    assert opened.splits == patches.splits


def test_a_sequence_a_file_or_a_list_of_both_will_do(album):
    assert names(album / "v_wall") == names(str(album / "v_wall")) == ["v_wall"]
    assert names(album / "b.png", viewpoint=1, lighting=0) == ["v_b_1"]
    both = names([album / "b.png", album / "poster", album], viewpoint=1, lighting=0)
    assert both == ["poster", "v_wall", "v_b_1", "v_a_1"]  # each once


def test_large_photographs_are_shrunk(tmp_path):
    Image.new("L", (3000, 1500)).save(tmp_path / "a.jpg")
    large = np.zeros((400, 2000))
    write_sequence(tmp_path / "wall", [large, large], [np.diag([0.5, 1, 1])])
    wall, single = find_scenes(tmp_path)
    assert single.read().shape == (500, 1000)
    read = wall.read()
    assert [image.shape for image in read.images] == [(320, 1600)] * 2
    np.testing.assert_allclose(read.homographies[0][0], [0.5, 0, -0.05])  # 0.8 / 0.8 of 0.5


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
def test_names_keep_letters_digits_minus_and_underscore(stem, name):
    assert safe_name(stem) == name


def test_no_two_sequences_share_a_name(tmp_path):
    sequence(tmp_path / "v_wall_1")
    scenes_of = ["coins", "coffee", "china", "chelsea", "astronaut", "rocket"]
    files = ["a b.png", "a,b.png", "a-b-2.png", "A-B.jpg", "wall.png", "wall_1.png"]
    for file, name in zip(files, scenes_of):
        picture(tmp_path / file, name)
    found = {scene.file.rpartition("/")[2]: scene.name for scene in find_scenes(tmp_path)}
    assert sorted(found.values()) == sorted(
        ["v_wall_1", "A-B", "a-b-2", "a-b-3", "a-b-2-2", "wall-2", "wall_1"]
    )
    assert found["wall.png"] == "wall-2"  # v_wall_1 is the folder's name
    every = [name.lower() for name in names(tmp_path)]
    assert len(set(every)) == len(every)


def test_two_sequence_folders_of_one_name_are_an_error(tmp_path):
    folders = [sequence(tmp_path / city / "wall", images=2) for city in ("prague", "brno")]
    with pytest.raises(ValueError, match="Two sequences are called wall, .*prague.*brno"):
        find_scenes(folders)


def test_a_copy_of_a_photograph_is_left_out_since_it_could_be_in_train_and_test(tmp_path, capsys):
    picture(tmp_path / "a.png")
    picture(tmp_path / "a (1).png")
    assert names(tmp_path, viewpoint=1, lighting=0) == ["v_a-1_1"]
    assert "a.png is a copy of" in capsys.readouterr().out
    sequence(tmp_path / "wall", images=2)
    (tmp_path / "b.png").write_bytes((tmp_path / "wall" / "2.png").read_bytes())
    assert names(tmp_path, viewpoint=1, lighting=0) == ["wall", "v_a-1_1"]
    assert "b.png is a copy of" in capsys.readouterr().out


class Named:
    def __init__(self, *sequences):
        self.sequences = list(sequences)


def test_about_a_quarter_of_the_scenes_is_test_and_none_is_on_both_sides():
    for count, expected in [(2, 1), (3, 1), (4, 1), (5, 1), (6, 2), (8, 2), (20, 5)]:
        sides = split([Named(f"v_{k}_1", f"i_{k}_1") for k in range(count)])["photographs"]
        of_scene = {side: {name.split("_")[1] for name in sides[side]} for side in sides}
        assert len(of_scene["test"]) == expected
        assert len(of_scene["train"]) == count - expected
        assert of_scene["train"].isdisjoint(of_scene["test"])
        assert len(sides["train"] + sides["test"]) == 2 * count


def test_the_seed_chooses_the_side():
    every = [Named(str(k)) for k in range(8)]
    chosen = [tuple(split(every, seed=seed)["photographs"]["test"]) for seed in range(12)]
    assert len(set(chosen)) > 4 and chosen[0] == tuple(split(every)["photographs"]["test"])


def test_a_large_share_leaves_something_to_train_on_and_no_share_gives_no_split():
    every = [Named("a"), Named("b"), Named("c")]
    assert len(split(every, test=0.99)["photographs"]["train"]) == 1
    assert split(every, test=0) == {}


def test_the_split_has_only_what_gave_points(tmp_path):
    for k in range(3):
        Image.new("L", (200, 200), 100 + k).save(tmp_path / f"blank{k}.png")
    picture(tmp_path / "a.png", "coins")
    picture(tmp_path / "b.png", "coffee")
    train, test = made(tmp_path).split()
    assert {*train.names, *test.names} == {"v_a_1", "i_a_1", "v_b_1", "i_b_1"}
    assert len(train) and len(test)


def test_one_photograph_comes_without_a_split(tmp_path):
    patches = made(picture(tmp_path / "a.png"))
    with pytest.raises(ValueError, match="came without a split"):
        patches.split()


def test_a_photograph_without_a_usable_point_is_named_and_skipped(tmp_path, capsys):
    picture(tmp_path / "a.png")
    Image.new("L", (200, 200), 90).save(tmp_path / "white_wall.png")
    Image.new("L", (20, 20), 90).save(tmp_path / "icon.png")
    assert made(tmp_path).names == ["v_a_1", "i_a_1"]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2
    for line, file in zip(printed, ("icon.png", "white_wall.png")):
        assert line.startswith("Skipped: ") and f"{file} has no usable point" in line


def test_homographies_that_lead_out_of_the_image_leave_no_point(tmp_path, capsys):
    picture(tmp_path / "a.png")
    grey = photograph("microscope")[60:230, 60:270]
    away = np.array([[1, 0, 900], [0, 1, 0], [0, 0, 1.0]])
    write_sequence(tmp_path / "wall", [grey, grey], [away])
    assert made(tmp_path).names == ["v_a_1", "i_a_1"]
    assert "wall has no usable point" in capsys.readouterr().out


def test_nothing_but_blank_photographs_is_an_error(tmp_path):
    Image.new("L", (200, 200), 90).save(tmp_path / "white_wall.png")
    with pytest.raises(ValueError, match="No usable point in any of 1 photographs"):
        made(tmp_path)


def test_what_is_no_photograph_is_passed_over(album):
    expected = names(album)
    (album / "notes.txt").write_text("x")
    (album / ".hidden.jpg").write_bytes(b"x")
    (album / "._a.png").write_bytes(b"x")
    (album / "movie.mov").write_bytes(b"x")
    for folder in ("__MACOSX", ".trash", "empty"):
        (album / folder).mkdir()
    (album / "__MACOSX" / "1.png").write_bytes(b"x")
    (album / "__MACOSX" / "H_1_2").write_bytes(b"x")
    assert names(album) == expected


def test_a_folder_of_pictures_without_homographies_is_named(album, capsys):
    picture(album / "holiday" / "1.png")
    assert len(find_scenes(album)) == 4
    printed = capsys.readouterr().out
    assert "holiday holds pictures but no H_1_2" in printed


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        (lambda f: (f / "c.jpg").write_bytes(b"no"), ValueError, r"c\.jpg cannot be read as an im"),
        (lambda f: (f / "c.HEIC").write_bytes(b"\0\0\0\x24ftypheic"), ValueError, "c.HEIC is a H"),
        (lambda f: (f / "v_wall" / "H_1_5").unlink(), FileNotFoundError, "H_1_5 is missing"),
        (lambda f: (f / "v_wall" / "5.png").write_bytes(b"no"), ValueError, r"5\.png cannot be"),
        (lambda f: (f / "poster" / "H_1_2").write_text("1 2"), ValueError, "H_1_2 is not a 3x3"),
        (lambda f: (f / "poster" / "2.png").unlink(), FileNotFoundError, r"2\.ppm .* is missing"),
    ],
)
def test_what_cannot_be_used_is_named_before_the_work(album, harm, error, message, monkeypatch):
    harm(album)
    monkeypatch.setattr(scenes, "detect_keypoints", None)  # no work is done
    with pytest.raises(error, match=message):
        made(album)


def test_a_photograph_cut_off_in_the_middle_ends_the_work_and_is_named(tmp_path):
    for k, name in enumerate(["coins", "coffee", "china"]):
        picture(tmp_path / f"{k}.jpg", name)
    whole = (tmp_path / "1.jpg").read_bytes()
    (tmp_path / "1.jpg").write_bytes(whole[: len(whole) // 2])
    before = threading.active_count()
    with pytest.raises(ValueError, match=r"1\.jpg cannot be read as an image"):
        made(tmp_path)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": 0}, "points=0"),
        ({"viewpoint": -1}, "viewpoint=-1"),
        ({"viewpoint": 0, "lighting": 0}, "would give no sequence: viewpoint=0, lighting=0"),
        ({"test": 1.0}, "test=1.0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_arguments_without_sense_are_refused(album, arguments, message):
    with pytest.raises(ValueError, match=message):
        made(album, **arguments)


def test_sequences_need_no_virtual_ones(album):
    patches = made([album / "v_wall", album / "poster"], viewpoint=0, lighting=0)
    assert patches.names == ["v_wall", "poster"]


def test_an_empty_or_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is missing"):
        find_scenes(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="No photographs and no sequences in"):
        find_scenes(tmp_path)

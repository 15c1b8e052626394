"""A user's own photographs, added to the training side of the built-in patch sets."""

import json

import numpy as np
import pytest
from files import truncate
from PIL import Image
from tiny_photographs import use_three_photographs, write_photograph
from toy_data import write_sequence

import hpatches_kit as hk
from hpatches_kit.datasets import builtin
from hpatches_kit.datasets.own_photographs import find_scenes, fingerprint
from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.virtual_sequences import viewpoint_sequence


@pytest.fixture(autouse=True)
def three_photographs(monkeypatch):
    use_three_photographs(monkeypatch)


@pytest.fixture
def no_build(monkeypatch):
    """Building patches fails."""
    monkeypatch.setattr(builtin, "extract_scenes", None)


@pytest.fixture
def album(tmp_path):
    """A photograph and a real sequence."""
    write_photograph(tmp_path / "album" / "cup.png")
    write_wall(tmp_path / "album" / "v_wall")
    return tmp_path / "album"


def write_wall(folder, first=None):
    """Write a sequence of two images; the first one is a crop of a photograph by default."""
    grey = photograph("brick")[60:230, 60:270] if first is None else first
    views = viewpoint_sequence("v", grey, seed=1)
    return write_sequence(folder, views.images[:2], views.homographies[:1])


def small_build(extra=None, **arguments):
    return builtin.build(builtin.BUILTIN["mini"], progress=False, extra=extra, **arguments)


def find(extra, size=None):
    """The scenes that `extra` adds."""
    size = size or builtin.BUILTIN["mini"]
    return builtin.extra_scenes(extra, size, builtin.builtin_scenes(size)[0], progress=False)


def load(extra, home, name="mini", **arguments):
    return hk.load(name, home, extra=extra, progress=False, **arguments)


def folders_in(home):
    return sorted(child.name for child in home.iterdir() if not child.name.endswith(".lock"))


def test_the_training_side_grows_and_everything_else_stays_the_same_to_the_byte(album):
    before, after = small_build(), small_build(album)
    assert after.names == [*before.names, "v_wall", "v_cup_1", "i_cup_1"]
    assert after.lengths == before.lengths | {"v_wall": 20, "v_cup_1": 20, "i_cup_1": 20}
    for kind in ("clean", "noisy"):
        np.testing.assert_array_equal(after[kind][: len(before)], before[kind])
    np.testing.assert_array_equal(after.label[: len(before)], before.label)
    assert after.label[len(before) :].min() > before.label.max()
    train, *others = after.split()
    assert train.names == [*before.split()[0].names, "v_wall", "v_cup_1", "i_cup_1"]
    for side, expected in zip(others, before.split()[1:]):
        assert side.names == expected.names
        np.testing.assert_array_equal(side.noisy, expected.noisy)
    assert not any(train.shared(side) for side in others)


@pytest.mark.slow
def test_the_set_is_built_once_until_a_file_changes(album, tmp_path, monkeypatch, capsys):
    home = tmp_path / "home"
    built = load(album, home)
    assert isinstance(built.base("clean"), np.memmap)
    name = f"mini-extra-{fingerprint(album)[:16]}"
    assert folders_in(home) == [name]
    provenance = json.loads((home / name / "patches.json").read_text())["provenance"]
    assert provenance["extra"] == fingerprint(album)
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(builtin, "build", None)  # a second build would fail
        for extra in (album, str(album), iter([album])):
            assert load(extra, home).fingerprint == built.fingerprint
    assert capsys.readouterr().out == ""
    write_photograph(album / "cup.png", "astronaut")
    changed = load(album, home)
    assert len(folders_in(home)) == 2 and changed.names == built.names
    assert not np.array_equal(changed.noisy, built.noisy)
    assert "extra" not in builtin.provenance("mini")


def test_the_set_without_extra_photographs_is_another_one(album, tmp_path):
    extended, plain = (load(extra, tmp_path / "home") for extra in (album, None))
    assert "mini" in folders_in(tmp_path / "home") and len(plain) < len(extended)


def test_the_stored_set_is_opened_by_its_path(album, tmp_path):
    built = load(album, tmp_path / "home", "photos")
    (path,) = (tmp_path / "home").glob("photos-extra-*")
    assert hk.load(path).fingerprint == built.fingerprint
    assert [side.names for side in hk.load(path).split()] == [s.names for s in built.split()]


def test_originals_are_stored_separately(tmp_path):
    extra, home = write_photograph(tmp_path / "cup.png"), tmp_path / "home"
    patches = load(extra, home, originals=True)
    assert patches["original"].shape == (len(patches), 16, 65, 65)
    assert folders_in(home) == [f"mini-extra-{fingerprint(extra)[:16]}-original"]


@pytest.mark.parametrize(
    "change",
    [
        lambda album: write_photograph(album / "cup.png", "china"),
        lambda album: write_photograph(album / "new.png", "china"),
        lambda album: (album / "cup.png").rename(album / "mug.png"),
        lambda album: (album / "cup.png").unlink(),
        lambda album: (album / "v_wall").rename(album / "wall"),
        lambda album: (album / "v_wall" / "H_1_2").write_text("1 0 1\n0 1 0\n0 0 1"),
        lambda album: write_photograph(album / "v_wall" / "2.png", "china"),
    ],
)
def test_the_fingerprint_depends_on_every_name_and_every_file(album, change):
    before = fingerprint(album)
    change(album)
    assert fingerprint(album) != before


def test_the_fingerprint_ignores_the_parent_folder_and_other_files(album):
    before = fingerprint(album)
    (album / "notes.txt").write_text("x")
    (album / ".hidden.png").write_bytes(b"x")
    assert fingerprint(album.rename(album.with_name("moved"))) == before


def test_a_list_of_files_and_sequences_is_accepted(album):
    scenes = find([album / "cup.png", str(album / "v_wall"), album])
    assert [scene.name for scene in scenes] == ["v_wall", "cup"]


def test_sequences_and_points_are_those_for_training(album):
    size = builtin.BuiltinSize(3, 2, points=7, texture_points=6, test_sequences=1, test_points=8)
    wall, cup = find(album, size)
    assert wall.sequences == ["v_wall"]
    assert cup.sequences == ["v_cup_1", "v_cup_2", "v_cup_3", "i_cup_1", "i_cup_2"]
    assert wall.points == cup.points == 7 and cup.fewest_points == 0


def test_the_seeds_of_scenes_depend_on_the_seed_of_the_size(album):
    sizes = [builtin.BuiltinSize(1, 1, 7, 6, 1, 8, seed=seed) for seed in (0, 1)]
    first, second = ([scene.seed for scene in find(album, size)] for size in sizes)
    assert set(first).isdisjoint(second)


@pytest.mark.parametrize("name", ["coins", "Coins", "CHELSEA", "clock"])
def test_a_photograph_called_like_a_built_in_one_gets_a_number(name, tmp_path):
    write_photograph(tmp_path / f"{name}.jpg")
    (scene,) = find(tmp_path)
    assert scene.name == f"{name}-2" and scene.sequences == [f"v_{name}-2_1", f"i_{name}-2_1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "v_chelsea_1",
            "Two sequences are called v_chelsea_1, the built-in photograph chelsea and",
        ),
        ("I_COINS_1", "Two sequences are called I_COINS_1, the built-in photograph coins and"),
        ("chelsea", "chelsea has the name of the built-in photograph chelsea: rename its folder"),
        ("v_chelsea_77", "v_chelsea_77 has the name of the built-in photograph chelsea"),
    ],
)
def test_a_sequence_called_like_a_built_in_photograph_is_refused(name, message, tmp_path, no_build):
    write_wall(tmp_path / "album" / name)
    with pytest.raises(hk.UserError, match=message):
        load(tmp_path / "album", tmp_path / "home")
    assert folders_in(tmp_path / "home") == []


def write_copy(file, name="chelsea", change=0, **options):
    """Write a complete built-in photograph; `change` is added to every second row."""
    file.parent.mkdir(exist_ok=True)
    grey = photograph(name).astype(int)
    grey[::2] += np.where(grey[::2] > 127, -change, change)
    Image.fromarray(grey.astype(np.uint8)).save(file, **options)
    return file


@pytest.mark.parametrize("name", ["coins", "clock", "chelsea"])  # train, validation, test
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_copy_of_a_built_in_photograph_is_skipped(name, suffix, tmp_path, capsys):
    options = {"quality": 95} if suffix == "jpg" else {}
    copy = write_copy(tmp_path / "album" / f"holiday.{suffix}", name, **options)
    write_photograph(tmp_path / "album" / "cup.png")
    assert [scene.name for scene in find(tmp_path / "album")] == ["cup"]
    message = f"Skipped: {copy} is a copy of the built-in photograph {name}.\n"
    assert capsys.readouterr().out == message


def test_a_colour_copy_is_skipped(tmp_path, capsys):
    import skimage.data

    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "cat.png")
    write_photograph(tmp_path / "cup.png")
    assert [scene.name for scene in find(tmp_path)] == ["cup"]
    assert "cat.png is a copy of the built-in photograph chelsea" in capsys.readouterr().out


@pytest.mark.parametrize(("change", "kept"), [(3, ["cup"]), (40, ["cup", "other"])])
def test_a_copy_differs_little_on_average(change, kept, tmp_path):
    write_copy(tmp_path / "other.png", change=change)  # half the pixels change
    write_photograph(tmp_path / "cup.png")
    assert [scene.name for scene in find(tmp_path)] == kept


def test_a_crop_of_a_built_in_photograph_is_kept(tmp_path):
    write_photograph(tmp_path / "part.png", "chelsea")
    assert [scene.name for scene in find(tmp_path)] == ["part"]


def test_a_sequence_that_contains_a_copy_is_skipped(album, capsys):
    folder = write_wall(album / "cat", photograph("chelsea"))
    assert [scene.name for scene in find(album)] == ["v_wall", "cup"]
    printed = capsys.readouterr().out
    assert printed == f"Skipped: {folder} contains a copy of the built-in photograph chelsea.\n"


def write_blank(file):
    Image.new("L", (200, 200), 90).save(file)
    return file


def test_a_blank_photograph_among_others_is_skipped(album, capsys):
    write_blank(album / "paper.png")
    patches = small_build(album)
    assert patches.names[-3:] == ["v_wall", "v_cup_1", "i_cup_1"]
    assert "paper.png has no usable point" in capsys.readouterr().out
    assert patches.split()[0].names[-3:] == ["v_wall", "v_cup_1", "i_cup_1"]


def write_truncated(folder):
    truncate(write_photograph(folder / "a.jpg"), 2000)


def write_subfolder(folder):
    write_photograph(folder / "holiday" / "1.png")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: None, "No photographs and no sequences in .*album"),
        (lambda folder: (folder / "a.txt").write_text("x"), "No photographs and no sequences in"),
        (write_subfolder, "No photographs .* But the folder .*holiday has images but no homogr"),
        (lambda folder: (folder / "a.jpg").write_bytes(b"no"), r"a\.jpg cannot be read as an im"),
        (write_truncated, r"a\.jpg cannot be read as an image"),
        (lambda folder: write_copy(folder / "a.png"), "every photograph is a copy of a built-in"),
        (lambda folder: write_blank(folder / "a.png"), "no usable point in any of 1 photographs"),
        (
            lambda folder: [write_copy(folder / "a.png"), write_blank(folder / "b.png")],
            "no usable point in any of 1 photographs",
        ),
    ],
)
def test_a_folder_without_a_usable_picture_is_one_error_before_the_build(
    prepare, message, tmp_path, no_build
):
    (tmp_path / "album").mkdir()
    prepare(tmp_path / "album")
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(hk.UserError, match=message):
        load(tmp_path / "album", home)
    assert folders_in(home) == []


def test_a_missing_folder_and_an_empty_list_leave_nothing_on_disk(tmp_path, no_build):
    with pytest.raises(FileNotFoundError, match="nowhere is missing"):
        load(tmp_path / "nowhere", tmp_path / "home")
    with pytest.raises(hk.UserError, match="No photographs and no sequences in an empty list"):
        load([], tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


def test_an_incomplete_sequence_is_an_error_before_the_build(album, tmp_path, no_build):
    (album / "v_wall" / "2.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"2\.ppm .* is missing"):
        load(album, tmp_path / "home")


@pytest.mark.parametrize("name", ["hpatches", "n-hpatches", "saved", "nothing"])
def test_other_patch_sets_take_no_extra_photographs(name, patches, album, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    patches.save("saved")
    message = f"'{name}' takes no extra photographs: extra= is for 'mini' and 'photos'"
    with pytest.raises(hk.UserError, match=message):
        load(album, tmp_path / "home", name)
    assert not (tmp_path / "home").exists()


def test_names_that_are_taken_are_not_used_again(album):
    names = [scene.name for scene in find_scenes(album, taken={"v_cup_1": "a cup"})]
    assert names == ["v_wall", "cup-2"]
    with pytest.raises(hk.UserError, match="Two sequences are called v_wall, a wall and .*album"):
        find_scenes(album, taken={"v_wall": "a wall"})

"""The command `hpatches data`."""

import numpy as np
import pytest
from PIL import Image
from tiny_photographs import use_three_photographs, write_photograph

import hpatches_kit as hk
from hpatches_kit.cli.main import main
from hpatches_kit.datasets import hpatches
from hpatches_kit.datasets.builtin import BUILTIN
from hpatches_kit.images.builtin import photograph

SMALL = ["--points", "10", "--viewpoint", "1", "--lighting", "1", "--quiet"]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("coins", "coffee", "brick"):
        grey = photograph(name)[60:230, 60:270].astype(np.uint8)
        Image.fromarray(grey).save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


def test_photographs_become_a_folder_of_patches(photos, capsys):
    assert main(["data", "make", "photos", "--out", "made", "--seed", "1", *SMALL]) == 0
    printed = capsys.readouterr().out
    patches = hk.load("made")
    assert printed.splitlines() == [
        repr(patches),
        "split 'photographs': 20 training points, 20 validation points, 20 test points",
        "To open them: hk.load('made')",
    ]
    expected = hk.datasets.from_photographs(photos, 1, 1, 10, seed=1, progress=False)
    np.testing.assert_array_equal(patches.noisy, expected.noisy)
    assert patches.splits == expected.splits
    assert main(["data", "make", "photos", "--out", "made", *SMALL]) == 0  # replaced
    assert (hk.load("made").noisy != patches.noisy).any()


@pytest.mark.parametrize("names", [["coins"], ["coins", "coffee"]])
def test_fewer_than_three_photographs_have_no_split(names, photos, capsys):
    files = [f"photos/{name}.png" for name in names]
    assert main(["data", "make", *files, "--out", "made", *SMALL]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].startswith("Fewer than three photographs or sequences have no split: ")
    assert hk.load("made").names == [f"{kind}_{name}_1" for name in names for kind in "vi"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photos", "--out", "photos"], "photos already contains co"),
        (["photos", "--out", "photos/coins.png"], "coins.png is a file"),
        (["photos", "--out", "photos/coins.png/made"], "coins.png is not a writable folder"),
        (["nowhere", "--out", "made"], "nowhere is missing"),
        (["photos", "--out", "made", "--points", "0"], "points=0"),
        (["photos", "notes.txt", "--out", "made"], "notes.txt cannot be read as an image"),
    ],
)
def test_an_error_comes_before_the_work_and_nothing_is_written(
    photos, arguments, message, capsys, monkeypatch
):
    (photos.parent / "notes.txt").write_text("x")
    monkeypatch.setattr("hpatches_kit.datasets.own_photographs.extract_scenes", None)
    before = sorted(photos.parent.rglob("*"))
    assert main(["data", "make", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and message in error and "\n" not in error
    assert sorted(photos.parent.rglob("*")) == before


def test_a_failure_keeps_the_old_patches(photos, monkeypatch):
    assert main(["data", "make", "photos", "--out", "made", *SMALL]) == 0
    before = hk.load("made").noisy.copy()
    monkeypatch.setattr(hk.datasets, "from_photographs", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["data", "make", "photos", "--out", "made", *SMALL])
    np.testing.assert_array_equal(hk.load("made").noisy, before)
    assert sorted(child.name for child in photos.parent.iterdir()) == ["made", "photos"]


def test_the_help_explains_the_layout_of_image_sequences(capsys):
    with pytest.raises(SystemExit):
        main(["data", "make", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "1.jpg, 2.jpg, H_1_2" in printed and "default: 500" in printed
    with pytest.raises(SystemExit) as exit:
        main(["data"])
    assert exit.value.code == 2 and "COMMAND" in capsys.readouterr().err


def test_the_built_in_set_prints_its_sides_and_how_to_open_it(tmp_path, monkeypatch, capsys):
    use_three_photographs(monkeypatch)
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    assert main(["data", "photos", "--quiet"]) == 0
    path = str(tmp_path / "home" / "photos")
    assert capsys.readouterr().out.splitlines() == [
        repr(hk.load(path)),
        "split 'photographs': 40 training points, 16 validation points, 16 test points",
        f"To open it: hk.load('photos') or hk.load({path!r})",
        f"To train the tables on it: hpatches reproduce --data {path}",
    ]


def test_extra_photographs_are_added_to_the_training_side(tmp_path, monkeypatch, capsys):
    use_three_photographs(monkeypatch)
    monkeypatch.chdir(tmp_path)
    write_photograph(tmp_path / "my album" / "wall.png")
    command = ["data", "photos", "--set", "mini", "--extra", "my album", "--folder", "my sets"]
    assert main([*command, "--quiet"]) == 0
    (path,) = (tmp_path / "my sets").glob("mini-extra-*")
    assert capsys.readouterr().out.splitlines() == [
        repr(hk.load(path)),
        "split 'photographs': 80 training points, 16 validation points, 16 test points",
        f"To open it: hk.load('mini', 'my sets', extra='my album') or hk.load({str(path)!r})",
        f"To train the tables on it: hpatches reproduce --data '{path}'",
    ]
    by_name = hk.load("mini", "my sets", extra="my album")
    assert by_name.fingerprint == hk.load(path).fingerprint


def test_extra_photographs_that_cannot_be_used_are_one_line(tmp_path, monkeypatch, capsys):
    use_three_photographs(monkeypatch)
    (tmp_path / "empty").mkdir()
    command = ["data", "photos", "--folder", str(tmp_path / "home"), "--extra"]
    for folder, message in (("nowhere", "is missing"), ("empty", "No photographs and no sequen")):
        assert main([*command, str(tmp_path / folder)]) == 2
        output = capsys.readouterr()
        assert output.err.startswith("error: ") and output.err.count("\n") == 1
        assert message in output.err and not output.out
    assert not (tmp_path / "home").exists()


def test_the_command_offers_every_built_in_set(capsys):
    with pytest.raises(SystemExit):
        main(["data", "photos", "--set", "hpatches"])
    printed = capsys.readouterr().err
    assert all(name in printed for name in BUILTIN)


def test_a_local_release_is_converted(patches, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    hpatches.write_release(patches, tmp_path / "release")
    assert main(["data", "hpatches", "--source", str(tmp_path / "release"), "--quiet"]) == 0
    source, folder = str(tmp_path / "release"), str(tmp_path / "folder")
    converted = hk.load("hpatches", source=source)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [repr(converted), f"To open it: hk.load('hpatches', source={source!r})"]
    assert main(["data", "hpatches", "--folder", folder, "--source", source]) == 0
    assert f"hk.load('hpatches', {folder!r}, source={source!r})" in capsys.readouterr().out


def test_a_folder_without_sequences_is_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    (tmp_path / "release").mkdir()
    assert main(["data", "hpatches", "--source", str(tmp_path / "release")]) == 2
    assert "release holds no sequence: expected folders with ref.png" in capsys.readouterr().err


def test_downloads_print_their_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "sequences" / "v_wall").mkdir(parents=True)
    sequences = tmp_path / "sequences"
    monkeypatch.setattr(hk.datasets, "image_sequences", lambda *_, **__: sequences)
    assert main(["data", "sequences"]) == 0
    assert capsys.readouterr().out == f"1 sequences are in {tmp_path / 'sequences'}\n"
    monkeypatch.setattr(hk.benchmark, "download_tasks", lambda split, folder, progress: folder)
    assert main(["data", "tasks", "--split", "b", "--folder", "lists"]) == 0
    assert "evaluate DESCRIPTORS --tasks lists/official_tasks --split b" in capsys.readouterr().out

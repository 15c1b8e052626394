"""The command `hpatches match`."""

import numpy as np
import pytest
from PIL import Image
from two_views import SHIFT, picture, seen_by, seen_from_the_side

from hpatches_kit.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with A.png, B.png and their homography, which is also the current folder."""
    for name, image in (("A", picture()), ("B", seen_by(SHIFT))):
        Image.fromarray(np.rint(image).astype(np.uint8)).save(tmp_path / f"{name}.png")
    np.savetxt(tmp_path / "H_1_2", SHIFT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*options):
    return main(["match", "A.png", "B.png", "--descriptor", "pixels", "--quiet", *options])


def test_it_prints_the_counts_and_the_homography_and_draws_the_figure(folder, capsys):
    assert run("--out", "new/matches.png", "--homography", "H_1_2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "matches of" in lines[0] and "agree with one homography" in lines[0]
    matrix = np.array([line.split() for line in lines[2:5]], float)
    np.testing.assert_allclose(matrix, SHIFT, atol=0.5)
    with Image.open(folder / "new" / "matches.png") as figure:
        assert figure.width == 1500
    assert [file.name for file in (folder / "new").iterdir()] == ["matches.png"]


def test_a_fundamental_matrix_is_printed_with_its_largest_number_one(folder, capsys):
    Image.fromarray(np.rint(seen_from_the_side()).astype(np.uint8)).save(folder / "B.png")
    assert run("--geometry", "fundamental", "--points", "300") == 0
    lines = capsys.readouterr().out.splitlines()
    matrix = np.array([line.split() for line in lines[2:5]], float)
    assert abs(matrix).max() == pytest.approx(1)


def test_pictures_that_do_not_match_say_why(folder, capsys):
    Image.new("L", (200, 200)).save(folder / "B.png")
    assert run("--out", "matches.png") == 0
    assert "B.png without keypoints: blank, blurred or very small" in capsys.readouterr().out
    assert (folder / "matches.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "matches.txt"], "expected a name that ends in .png"),
        (["--ratio", "3"], "ratio=3.0: expected"),
        (["--seed", "-1"], "seed=-1: expected a whole number, 0 or more"),
        (["--points", "0"], "points=0: expected a whole number, 1 or more"),
        (["--homography", "A.png"], "A.png is not a 3x3 matrix"),
        (["--homography", "missing"], "No such file or directory: 'missing'"),
    ],
)
def test_what_the_user_can_fix_is_one_line(folder, capsys, options, message):
    assert run(*options) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1


def test_a_file_that_is_no_picture_is_named(folder, capsys):
    (folder / "B.png").write_text("no picture")
    assert run() == 2
    assert "B.png cannot be read as an image" in capsys.readouterr().err


def test_magsac_without_opencv_is_one_line(folder, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    assert run("--estimator", "magsac") == 2
    assert "MAGSAC needs OpenCV: pip install" in capsys.readouterr().err

import numpy as np
import pytest
from PIL import Image
from toy_data import write_sequence

from hpatches_kit._support.errors import UserError
from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.homographies import project
from hpatches_kit.images.sequences import (
    ImageSequence,
    read_matrix,
    read_sequence,
    sequence_folders,
)
from hpatches_kit.images.virtual_sequences import viewpoint_sequence


@pytest.fixture(scope="module")
def virtual():
    return viewpoint_sequence("v_coffee", photograph("coffee")[::2, ::2], seed=0)


@pytest.fixture
def folder(virtual, tmp_path):
    return write_sequence(tmp_path / "v_coffee", virtual.images, virtual.homographies)


@pytest.mark.parametrize("ending", ["ppm", "png", "jpg", "JPG"])
def test_a_folder_in_the_layout_of_the_hpatches_release_is_read(virtual, tmp_path, ending):
    colour = [np.repeat(image[..., None], 3, axis=2) for image in virtual.images]
    folder = write_sequence(tmp_path / "v_read", colour, virtual.homographies, ending)
    read = read_sequence(folder)
    assert read.name == "v_read"
    np.testing.assert_array_equal(read.homographies, np.float64(virtual.homographies))
    for image, expected in zip(read.images, virtual.images):
        assert image.shape == expected.shape and image.dtype == np.float32
        assert np.abs(image - expected).mean() < (5 if ending.lower() == "jpg" else 1)


@pytest.mark.parametrize("images", [2, 3, 5])
def test_a_sequence_may_have_fewer_than_six_images(virtual, tmp_path, images):
    first = virtual.images[:images], virtual.homographies[: images - 1]
    read = read_sequence(write_sequence(tmp_path / "wall", *first, "jpg"))
    assert len(read.images) == images and read.homographies.shape == (images - 1, 3, 3)


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda f: (f / "4.png").unlink(), FileNotFoundError, r"4\.ppm \(or png, jpg\) is missing"),
        (lambda f: (f / "6.png").unlink(), FileNotFoundError, "missing: H_1_6 has no image"),
        (lambda f: (f / "1.png").unlink(), FileNotFoundError, r"1\.ppm \(or png, jpg\) is missing"),
        (lambda f: (f / "4.png").write_text("no"), ValueError, r"4\.png cannot be read"),
        (lambda f: (f / "H_1_3").unlink(), FileNotFoundError, r"H_1_3 is missing: 3\.png"),
        (lambda f: (f / "H_1_3").write_text("1 2\n3"), ValueError, "H_1_3 is not a 3x3 matrix"),
        (lambda f: (f / "H_1_3").write_text("1 2 3 " * 3), ValueError, "H_1_3 is singular"),
        (lambda f: (f / "H_1_3").write_text("nan " * 9), ValueError, "H_1_3 is singular"),
        (lambda f: (f / "H_1_3").write_text("0 " * 9), ValueError, "H_1_3 is singular"),
        (
            lambda f: (f / "6.png").rename(f / "7.png"),
            ValueError,
            r"7\.png has the number 7: .*6 i",
        ),
        (lambda f: (f / "H_1_6").rename(f / "H_1_9"), ValueError, "H_1_9 has the number 9: .*6 i"),
    ],
)
def test_the_error_names_the_missing_or_damaged_file(folder, damage, error, message):
    damage(folder)
    with pytest.raises(error, match=message):
        read_sequence(folder)


@pytest.mark.parametrize(("removed", "first"), [((3, 5, 6), 3), ((2, 3, 4, 5, 6), 2)])
def test_the_error_names_the_first_missing_number(folder, removed, first):
    for k in removed:
        (folder / f"{k}.png").unlink()
        (folder / f"H_1_{k}").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{first}\.ppm \(or png, jpg\) is missing"):
        read_sequence(folder)


def test_a_homography_may_end_in_txt_and_other_files_are_ignored(folder):
    expected = read_sequence(folder)
    (folder / "H_1_2").rename(folder / "H_1_2.txt")
    (folder / "notes.txt").write_text("The wall behind the library.")
    (folder / "._3.png").write_bytes(b"written by macOS")
    Image.new("L", (9, 9)).save(folder / "overview.jpg")
    Image.new("L", (9, 9)).save(folder / "2.jpg")  # 2.png is used
    read = read_sequence(folder)
    np.testing.assert_array_equal(read.homographies, expected.homographies)
    np.testing.assert_array_equal(read.images[1], expected.images[1])


def test_other_numbers_of_images_or_homographies_and_colour_are_rejected(virtual):
    with pytest.raises(ValueError, match="7 images.*expected 2 to 6 images"):
        ImageSequence("v_seven", [*virtual.images, virtual.images[0]], np.ones((6, 3, 3)))
    with pytest.raises(ValueError, match="1 images.*expected 2 to 6 images"):
        ImageSequence("v_one", virtual.images[:1], np.empty((0, 3, 3)))
    with pytest.raises(ValueError, match=r"5 images and homographies of shape \(5, 3, 3\)"):
        ImageSequence("v_five", virtual.images[:5], virtual.homographies)
    colour = [np.zeros((9, 9, 3))] * 6
    with pytest.raises(ValueError, match=r"image 1 has shape \(9, 9, 3\): expected grey"):
        ImageSequence("v_colour", colour, virtual.homographies)


def test_homographies_are_adapted_when_images_are_reduced(tmp_path):
    images = [np.zeros((100, 200)), np.zeros((100, 400))]
    shift = np.array([[1, 0, 40], [0, 1, 20], [0, 0, 1.0]])
    folder = write_sequence(tmp_path / "wall", images, [shift])
    read = read_sequence(folder, longest=100)
    assert [image.shape for image in read.images] == [(50, 100), (25, 100)]
    # Pixel (9.5, 4.5) of the reduced image 1 is pixel (19.5, 9.5) of image 1, which maps to
    # (59.5, 29.5) of image 2, which is reduced to a quarter.
    x, y = project(read.homographies, np.array([[9.5, 4.5]]))
    np.testing.assert_allclose([x[0, 0], y[0, 0]], [14.5, 7.0])
    np.testing.assert_array_equal(read_sequence(folder, longest=400).homographies[0], shift)


def test_a_bright_dot_of_a_reduced_sequence_is_where_the_homography_maps_it(tmp_path):
    y, x = np.mgrid[:300, :400]
    centres = [(205, 105), (265, 135)]
    images = [240 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 200) for a, b in centres]
    shift = np.array([[1, 0, 60], [0, 1, 30], [0, 0, 1.0]])
    read = read_sequence(write_sequence(tmp_path / "wall", images, [shift]), longest=150)
    grid_y, grid_x = np.mgrid[: read.images[0].shape[0], : read.images[0].shape[1]]
    centroids = [
        [(image * grid).sum() / image.sum() for grid in (grid_x, grid_y)] for image in read.images
    ]
    x, y = project(read.homographies, np.array(centroids[:1]))
    np.testing.assert_allclose([x[0, 0], y[0, 0]], centroids[1], atol=0.05)


def test_the_sequences_of_a_folder_are_its_subfolders_with_homographies_or_itself(folder, tmp_path):
    other = write_sequence(tmp_path / "all" / "v_a", [np.zeros((9, 9))] * 2, [np.eye(3)])
    (tmp_path / "all" / "photos").mkdir()
    (tmp_path / "all" / "notes.txt").write_text("two walls")
    assert sequence_folders(tmp_path / "all") == [other]
    assert sequence_folders(str(other)) == [other]
    with pytest.raises(UserError, match="photos has no image sequence: expected folders with"):
        sequence_folders(tmp_path / "all" / "photos")


def test_a_matrix_is_read_from_text_and_anything_else_is_refused(tmp_path):
    (tmp_path / "H").write_text("1 0 5\n0 1 -2\n0 0 1\n")
    np.testing.assert_array_equal(read_matrix(tmp_path / "H"), [[1, 0, 5], [0, 1, -2], [0, 0, 1]])
    for text, message in (("1 2 3", "is not a 3x3 matrix"), ("0 " * 9, "is singular")):
        (tmp_path / "H").write_text(text)
        with pytest.raises(UserError, match=message):
            read_matrix(tmp_path / "H")

import numpy as np
import pytest
from PIL import Image
from toy_data import write_sequence

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.homographies import project, scaling_homography
from hpatches_kit.images.reading import read_grey
from hpatches_kit.images.sequences import ImageSequence, read_sequence
from hpatches_kit.images.virtual_sequences import viewpoint_sequence
from hpatches_kit.patches.extraction import extract, image_of_views
from hpatches_kit.patches.views import VIEWS


@pytest.fixture(scope="module")
def virtual():
    return viewpoint_sequence("v_coffee", photograph("coffee")[::2, ::2], seed=0)


@pytest.fixture
def folder(virtual, tmp_path):
    return write_sequence(tmp_path / "v_coffee", virtual.images, virtual.homographies)


@pytest.mark.parametrize("ending", ["ppm", "png", "jpg", "JPG"])
def test_a_folder_in_the_layout_of_the_release_is_read(virtual, tmp_path, ending):
    colour = [np.repeat(image[..., None], 3, axis=2) for image in virtual.images]
    folder = write_sequence(tmp_path / "v_read", colour, virtual.homographies, ending)
    read = read_sequence(folder)
    assert read.name == "v_read"
    np.testing.assert_array_equal(read.homographies, np.float64(virtual.homographies))
    for one, other in zip(read.images, virtual.images):
        assert one.shape == other.shape and one.dtype == np.float32
        assert np.abs(one - other).mean() < (5 if ending.lower() == "jpg" else 1)


@pytest.mark.parametrize("images", [2, 3, 5])
def test_fewer_than_six_images_make_a_sequence(virtual, tmp_path, images):
    some = virtual.images[:images], virtual.homographies[: images - 1]
    read = read_sequence(write_sequence(tmp_path / "wall", *some, "jpg"))
    assert len(read.images) == images and read.homographies.shape == (images - 1, 3, 3)


def test_fewer_images_are_used_in_turn():
    # Views e1..e5 come from images 2..6; of three images, from 2, 3, 2, 3, 2.
    assert image_of_views(6) == [0] + 3 * [1, 2, 3, 4, 5]
    assert image_of_views(5) == [0] + 3 * [1, 2, 3, 4, 1]
    assert image_of_views(3) == [0] + 3 * [1, 2, 1, 2, 1]
    assert image_of_views(2) == [0] + 15 * [1]


def test_a_view_shows_the_image_that_it_is_cut_from():
    image = photograph("coins")
    dark = [image, 0.75 * image, 0.5 * image]  # nothing moves, the light goes
    sequence = ImageSequence("i_coins", dark, np.repeat(np.eye(3)[None], 2, 0))
    brightness = np.median(extract(sequence, count=30)[0].mean((2, 3)), axis=0)
    expected = [1.0, *3 * [0.75, 0.5, 0.75, 0.5, 0.75]]
    assert len(VIEWS) == len(expected)
    np.testing.assert_allclose(brightness / brightness[0], expected, atol=0.06)


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        (lambda f: (f / "4.png").unlink(), FileNotFoundError, r"4\.ppm \(or png, jpg\) is missing"),
        (
            lambda f: (f / "6.png").unlink(),
            FileNotFoundError,
            r"6\.ppm .* is missing, but H_1_6 is",
        ),
        (lambda f: (f / "1.png").unlink(), FileNotFoundError, r"1\.ppm \(or png, jpg\) is missing"),
        (lambda f: (f / "4.png").write_text("no"), ValueError, r"4\.png cannot be read"),
        (lambda f: (f / "H_1_3").unlink(), FileNotFoundError, r"H_1_3 is missing: 3\.png"),
        (lambda f: (f / "H_1_3").write_text("1 2\n3"), ValueError, "H_1_3 is not a 3x3 matrix"),
        (lambda f: (f / "H_1_3").write_text("1 2 3 " * 3), ValueError, "H_1_3 is singular"),
        (lambda f: (f / "H_1_3").write_text("nan " * 9), ValueError, "H_1_3 is singular"),
        (lambda f: (f / "H_1_3").write_text("0 " * 9), ValueError, "H_1_3 is singular"),
        (lambda f: (f / "6.png").rename(f / "7.png"), ValueError, r"7\.png is too many.* 6 images"),
        (lambda f: (f / "H_1_6").rename(f / "H_1_9"), ValueError, "H_1_9 is too many.* 6 images"),
    ],
)
def test_a_broken_folder_is_named(folder, harm, error, message):
    harm(folder)
    with pytest.raises(error, match=message):
        read_sequence(folder)


def test_a_gap_in_the_numbers_is_named(folder):
    for k in (3, 5, 6):
        (folder / f"{k}.png").unlink()
        (folder / f"H_1_{k}").unlink()
    with pytest.raises(FileNotFoundError, match=r"3\.ppm \(or png, jpg\) is missing"):
        read_sequence(folder)


def test_one_image_is_no_sequence(virtual, tmp_path):
    folder = write_sequence(tmp_path / "one", virtual.images[:1], [])
    with pytest.raises(FileNotFoundError, match=r"2\.ppm \(or png, jpg\) is missing"):
        read_sequence(folder)


def test_a_homography_may_end_in_txt_and_what_lies_beside_does_not_matter(folder):
    expected = read_sequence(folder)
    (folder / "H_1_2").rename(folder / "H_1_2.txt")
    (folder / "notes.txt").write_text("The wall behind the library.")
    (folder / "._3.png").write_bytes(b"of a Mac")
    Image.new("L", (9, 9)).save(folder / "overview.jpg")
    Image.new("L", (9, 9)).save(folder / "2.jpg")  # 2.png counts
    read = read_sequence(folder)
    np.testing.assert_array_equal(read.homographies, expected.homographies)
    np.testing.assert_array_equal(read.images[1], expected.images[1])


def test_seven_images_too_few_homographies_or_colour_are_refused(virtual):
    with pytest.raises(ValueError, match="7 images.*expected 2 to 6 images"):
        ImageSequence("v_seven", [*virtual.images, virtual.images[0]], np.ones((6, 3, 3)))
    with pytest.raises(ValueError, match="1 images.*expected 2 to 6 images"):
        ImageSequence("v_one", virtual.images[:1], np.empty((0, 3, 3)))
    with pytest.raises(ValueError, match=r"5 images and homographies of shape \(5, 3, 3\)"):
        ImageSequence("v_five", virtual.images[:5], virtual.homographies)
    colour = [np.zeros((9, 9, 3))] * 6
    with pytest.raises(ValueError, match=r"image 1 has shape \(9, 9, 3\): expected grey"):
        ImageSequence("v_colour", colour, virtual.homographies)


def test_shrinking_keeps_edges_and_centre_in_place():
    # 200x100 pixels become 50x20: x by 1/4, y by 1/5; the edges lie half a pixel outside.
    matrix = scaling_homography((100, 200), (20, 50))
    x, y = project(matrix[None], np.array([[-0.5, -0.5], [199.5, 99.5], [99.5, 49.5]]))
    np.testing.assert_allclose(x[0], [-0.5, 49.5, 24.5], atol=1e-12)
    np.testing.assert_allclose(y[0], [-0.5, 19.5, 9.5], atol=1e-12)


def test_homographies_are_shrunk_with_the_images(tmp_path):
    images = [np.zeros((100, 200)), np.zeros((100, 400))]
    shift = np.array([[1, 0, 40], [0, 1, 20], [0, 0, 1.0]])
    folder = write_sequence(tmp_path / "wall", images, [shift])
    read = read_sequence(folder, longest=100)
    assert [image.shape for image in read.images] == [(50, 100), (25, 100)]
    # Pixel (9.5, 4.5) of the small image 1 is (19.5, 9.5), goes to (59.5, 29.5), then a quarter.
    x, y = project(read.homographies, np.array([[9.5, 4.5]]))
    np.testing.assert_allclose([x[0, 0], y[0, 0]], [14.5, 7.0])
    np.testing.assert_array_equal(read_sequence(folder, longest=400).homographies[0], shift)


def test_a_spot_of_a_shrunk_sequence_is_where_the_homography_says(tmp_path):
    y, x = np.mgrid[:300, :400]
    spots = [(205, 105), (265, 135)]
    images = [240 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 200) for a, b in spots]
    shift = np.array([[1, 0, 60], [0, 1, 30], [0, 0, 1.0]])
    read = read_sequence(write_sequence(tmp_path / "wall", images, [shift]), longest=150)
    weights = read.images
    grid_y, grid_x = np.mgrid[: weights[0].shape[0], : weights[0].shape[1]]
    (x, y), there = [[(w * g).sum() / w.sum() for g in (grid_x, grid_y)] for w in weights]
    at_x, at_y = project(read.homographies, np.array([[x, y]]))
    np.testing.assert_allclose([at_x[0, 0], at_y[0, 0]], there, atol=0.05)


# The tag of EXIF that says how the camera was held, and what puts the stored picture upright.
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (8, np.rot90)],
)
def test_a_picture_stands_as_its_camera_was_held(tmp_path, orientation, upright):
    stored = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_allclose(read_grey(tmp_path / "a.png"), upright(stored), atol=1e-4)


def test_a_turned_picture_is_shrunk_by_its_upright_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (80, 40)).save(tmp_path / "a.jpg", exif=exif)
    assert read_grey(tmp_path / "a.jpg", longest=20).shape == (20, 10)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16", "CMYK", "1"])
def test_all_kinds_of_pictures_are_grey_levels(tmp_path, mode):
    grey = np.where(np.arange(64).reshape(8, 8) < 32, 0, 255).astype(np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode in ("LA", "RGBA"):  # transparent where it is white
        bands = [Image.fromarray(grey)] * (len(mode) - 1)
        picture = Image.merge(mode, [*bands, Image.fromarray(255 - grey)])
    else:
        picture = Image.fromarray(grey).convert("RGB" if mode == "CMYK" else "L").convert(mode)
    file = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(file)
    read = read_grey(file)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, grey, atol=1e-3)


def test_colours_are_weighted_as_the_eye_does(tmp_path):
    Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)).save(
        tmp_path / "a.png"
    )
    np.testing.assert_allclose(read_grey(tmp_path / "a.png")[0], [54.2, 182.4, 18.4], atol=0.1)


@pytest.mark.parametrize("period", [2.0, 2.5, 3.1])
def test_fine_stripes_shrink_to_grey(tmp_path, period):
    stripes = 127.5 + 127 * np.sin(2 * np.pi * np.arange(1200) / period)
    stored = np.broadcast_to(stripes, (300, 1200)).astype(np.uint8)
    for name, pixels in (("a.png", stored), ("b.png", stored.astype(np.uint16) * 257)):
        Image.fromarray(pixels).save(tmp_path / name)
        small = read_grey(tmp_path / name, longest=250)
        assert small.shape == (62, 250)
        assert small[:, 5:-5].std() < 3 and small.mean() == pytest.approx(127, abs=2)


def test_smaller_pictures_are_left_as_they_are(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_grey(tmp_path / "a.png", longest=40), grey, atol=1e-4)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.jpg"])
def test_heic_is_named_with_what_to_do(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(ValueError, match=rf"{name} is a HEIC picture.*convert it to JPEG.*camera"):
        read_grey(tmp_path / name)


def test_a_picture_cut_off_in_the_middle_is_named(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (90, 90), np.uint8)
    Image.fromarray(grey).save(tmp_path / "half.jpg")
    whole = (tmp_path / "half.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"half\.jpg cannot be read as an image"):
        read_grey(tmp_path / "half.jpg")

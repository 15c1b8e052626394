import os
import struct
import zlib

import numpy as np
import pytest
from files import raising, truncate
from PIL import Image

from hpatches_kit._support.errors import UserError
from hpatches_kit.images.reading import check_image_file, read_grey


# The value of the EXIF orientation, and the operation that makes the stored image upright.
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (8, np.rot90)],
)
def test_the_exif_orientation_is_applied(tmp_path, orientation, upright):
    stored = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_allclose(read_grey(tmp_path / "a.png"), upright(stored), atol=1e-4)
    reduced = tuple(side // 2 for side in upright(stored).shape)
    assert read_grey(tmp_path / "a.png", longest=3).shape == reduced


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16", "CMYK", "1"])
def test_images_of_every_mode_become_grey_levels(tmp_path, mode):
    grey = np.where(np.arange(64).reshape(8, 8) < 32, 0, 255).astype(np.uint8)
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode in ("LA", "RGBA"):  # transparent where the image is white
        bands = [Image.fromarray(grey)] * (len(mode) - 1)
        image = Image.merge(mode, [*bands, Image.fromarray(255 - grey)])
    else:
        image = Image.fromarray(grey).convert("RGB" if mode == "CMYK" else "L").convert(mode)
    file = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image.save(file)
    read = read_grey(file)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, grey, atol=1e-3)


def test_grey_is_the_luminance_of_the_colours(tmp_path):
    red_green_blue = np.diag([255, 255, 255]).astype(np.uint8)[None]
    Image.fromarray(red_green_blue).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_grey(tmp_path / "a.png")[0], [54.2, 182.4, 18.4], atol=0.1)


@pytest.mark.parametrize("period", [2.0, 2.5, 3.1])
def test_fine_stripes_are_reduced_to_grey_without_aliasing(tmp_path, period):
    stripes = 127.5 + 127 * np.sin(2 * np.pi * np.arange(1200) / period)
    stored = np.broadcast_to(stripes, (300, 1200)).astype(np.uint8)
    for name, pixels in (("a.png", stored), ("b.png", stored.astype(np.uint16) * 257)):
        Image.fromarray(pixels).save(tmp_path / name)
        small = read_grey(tmp_path / name, longest=250)
        assert small.shape == (62, 250)
        assert small[:, 5:-5].std() < 3 and small.mean() == pytest.approx(127, abs=2)


def test_smaller_images_are_not_changed(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_grey(tmp_path / "a.png", longest=40), grey, atol=1e-4)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.jpg"])
def test_the_error_of_a_heic_image_says_what_to_do(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0\0\0\x24ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(ValueError, match=rf"{name} is a HEIC image.*convert it to JPEG.*camera"):
        read_grey(tmp_path / name)


def test_the_error_names_a_truncated_image(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (90, 90), np.uint8)
    Image.fromarray(grey).save(tmp_path / "half.jpg")
    truncate(tmp_path / "half.jpg", 2000)
    with pytest.raises(ValueError, match=r"half\.jpg cannot be read as an image"):
        read_grey(tmp_path / "half.jpg")


def test_longest_is_the_longer_side_after_the_exif_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (80, 40)).save(tmp_path / "a.jpg", exif=exif)
    assert read_grey(tmp_path / "a.jpg", longest=20).shape == (20, 10)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize("act", [read_grey, check_image_file])
def test_a_picture_is_never_handed_to_another_program(act, tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(POSTSCRIPT)
    monkeypatch.setattr("subprocess.Popen", raising(AssertionError("started a program")))
    monkeypatch.setattr("shutil.which", lambda *_: "/bin/true")  # Ghostscript, if Pillow asks
    with pytest.raises(UserError, match=r"a\.jpg cannot be read as an image"):
        act(tmp_path / "a.jpg")


@pytest.mark.parametrize("act", [read_grey, check_image_file])
def test_a_picture_with_too_many_pixels_is_refused_by_its_header(act, tmp_path):
    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + size))
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + size + crc
    (tmp_path / "a.png").write_bytes(header)
    with pytest.raises(UserError, match=r"a\.png (has|cannot be read as an image)"):
        act(tmp_path / "a.png")
    Image.new("L", (12_000, 11_500)).save(tmp_path / "b.png")
    with pytest.raises(UserError, match=r"b\.png has 12,000 x 11,500 pixels: expected 1 to"):
        act(tmp_path / "b.png")


def test_a_small_file_with_millions_of_equal_pixels_is_refused(tmp_path):
    Image.new("1", (8000, 4000)).save(tmp_path / "a.png")
    with pytest.raises(
        UserError, match=r"a\.png has 8,000 x 4,000 pixels in a file of \d,\d+ bytes"
    ):
        read_grey(tmp_path / "a.png")


def test_a_pipe_with_the_name_of_a_picture_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(UserError, match=r"a\.jpg is a pipe or a device"):
        check_image_file(tmp_path / "a.jpg")

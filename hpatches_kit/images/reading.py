"""images.reading."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from skimage.color import rgb2gray
from skimage.util import img_as_float

from hpatches_kit._support.errors import UserError

# Of files that are taken for pictures. Where a sequence has 1.ppm and 1.jpg, the first one counts.
IMAGE_SUFFIXES = "ppm png jpg jpeg jfif pgm bmp tif tiff webp avif heic heif".split()


def read_grey(file, longest=None):
    """Read an image file as `float32 (height, width)`, grey levels 0..255.

    The picture stands upright, as its camera noted, and transparency is dropped.

    Args:
        file: in any format that Pillow reads.
        longest: a larger picture is shrunk, without aliasing, to this many pixels along the longer side.

    Raises UserError, which names the file, when it cannot be read.
    """
    return _read(file, longest)[0]


def is_image_file(file):
    """Whether the name of a file is that of a picture; hidden files and folders are none."""
    return _ending(file) in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()


def check_image_file(file):
    """ValueError, which says what to do, for a file that does not begin as a picture does."""
    try:
        Image.open(file).close()
    except Exception as error:  # Pillow raises whatever the reader of the format raises
        raise _unreadable(file, error) from error


def _read(file, longest):
    """The grey picture, and the `(height, width)` it had before it was shrunk."""
    try:
        with Image.open(file) as stored:
            picture = _plain(ImageOps.exif_transpose(stored))
        width, height = size = picture.size
        if longest and max(size) > longest:
            smaller = [max(1, round(side * longest / max(size))) for side in size]
            picture = picture.resize(smaller, Image.Resampling.LANCZOS)
        pixels = np.asarray(picture)
    except Exception as error:  # Pillow raises whatever the reader of the format raises
        raise _unreadable(file, error) from error
    if picture.mode == "F":
        return np.clip(pixels, 0, 255), (height, width)
    grey = rgb2gray(img_as_float(pixels)) if pixels.ndim == 3 else img_as_float(pixels)
    return grey.astype(np.float32) * np.float32(255), (height, width)


def _plain(picture):
    """The picture as bytes, grey or RGB, or where it is finer than that as floats 0..255."""
    if picture.mode.startswith("I"):  # 16 bits
        return Image.fromarray(np.asarray(picture, np.float32) / np.float32(257))
    if picture.mode == "F":
        return Image.fromarray(np.asarray(picture) * np.float32(255))
    if picture.mode in ("L", "RGB"):
        return picture
    return picture.convert("L" if picture.mode in ("1", "LA", "La") else "RGB")


def _unreadable(file, error):
    head = b""
    if Path(file).is_file():
        with open(file, "rb") as stream:
            head = stream.read(12)
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        return UserError(
            f"{file} is a HEIC picture, which cannot be read here: convert it to JPEG, or set the"
            " camera to JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)."
        )
    return UserError(f"{file} cannot be read as an image: {error}")


def _ending(file):
    return file.suffix[1:].lower()

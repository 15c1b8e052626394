"""Read image files as grey images, with 1, 8, 16 or 32 bits."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from skimage.color import rgb2gray
from skimage.util import img_as_float

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.pictures import open_picture
from hpatches_kit._support.regular_files import open_regular

# If a sequence has both 1.ppm and 1.jpg, the suffix listed first is used.
IMAGE_SUFFIXES = "ppm png jpg jpeg jfif pgm bmp tif tiff webp avif heic heif".split()


def read_grey(file, longest=None):
    """Read an image file as `float32 (height, width)`, grey levels 0..255.

    The orientation that the camera stored (EXIF) is applied, and transparency is ignored. An image
    whose longer side exceeds `longest` pixels is reduced to that size, without aliasing. Raises
    UserError, which names the file, if it cannot be read.
    """
    return read_grey_and_shape(file, longest)[0]


def read_grey_and_shape(file, longest):
    """Return the image as `read_grey` does, and its `(height, width)` before the reduction."""
    try:
        with open_regular(file) as stream, open_picture(stream, file) as stored:
            return upright_grey_and_shape(stored, longest)
    except UserError:
        raise
    except Exception as error:  # each format of Pillow raises its own errors
        raise _unreadable(file, error) from error


def upright_grey_and_shape(image, longest):
    """The same for an image of Pillow. Raises Pillow's errors, which depend on the format."""
    image = _to_plain_mode(ImageOps.exif_transpose(image))
    width, height = image.size
    image = reduce_image(image, longest)
    pixels = np.asarray(image)
    if image.mode == "F":
        return np.clip(pixels, 0, 255), (height, width)
    grey = rgb2gray(img_as_float(pixels)) if pixels.ndim == 3 else img_as_float(pixels)
    return grey.astype(np.float32) * np.float32(255), (height, width)


def reduce_image(image, longest):
    """Reduce an image of Pillow without aliasing if its longer side exceeds `longest` pixels."""
    if not longest or max(image.size) <= longest:
        return image
    size = [max(1, round(side * longest / max(image.size))) for side in image.size]
    return image.resize(size, Image.Resampling.LANCZOS)


def is_image_file(file):
    """Whether a path is a file with the suffix of an image, and not a hidden one."""
    return suffix(file) in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()


def suffix(file):
    """The suffix of a file name in lower case, without the dot."""
    return file.suffix[1:].lower()


def check_image_file(file):
    """Raise UserError for a file whose first bytes are not those of an image that can be read."""
    try:
        with open_regular(file) as stream:
            open_picture(stream, file, verify=False).close()
    except UserError:
        raise
    except Exception as error:  # each format of Pillow raises its own errors
        raise _unreadable(file, error) from error


def _to_plain_mode(image):
    """Convert to 8 bits, grey or RGB, or to floats 0..255 if the image has more bits."""
    if image.mode.startswith("I"):  # 16 bits
        return Image.fromarray(np.asarray(image, np.float32) / np.float32(257))
    if image.mode == "F":
        return Image.fromarray(np.asarray(image) * np.float32(255))
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode in ("1", "LA", "La") else "RGB")


def _unreadable(file, error):
    head = b""
    if Path(file).is_file():
        with open(file, "rb") as stream:
            head = stream.read(12)
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        return UserError(
            f"{file} is a HEIC image, which cannot be read: convert it to JPEG, or set the camera"
            " to JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)."
        )
    return UserError(f"{file} cannot be read as an image: {error}")

"""Pictures in any form as grey images: a path, an array or an image of Pillow."""

from os import PathLike

import numpy as np
from PIL import Image
from skimage.color import rgb2gray

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.options import check_longest
from hpatches_kit.images.reading import (
    read_grey_and_shape,
    reduce_image,
    upright_grey_and_shape,
)


def as_grey(picture, longest=None):
    """Return a picture as `float32 (height, width)`, grey levels 0..255.

    Args:
        picture: the path of an image file, which is read as by `read_grey`; an image of Pillow,
            whose stored orientation (EXIF) is applied; or an array `(height, width)`, or `(height,
            width, channels)` with 1 channel, 3 (RGB) or 4 (RGB and transparency, which is ignored).
            Arrays of `uint16` have grey levels 0..65535 and arrays of `bool` 0 and 1; all others
            have 0..255. OpenCV reads BGR: pass it `image[..., ::-1]`.
        longest: a larger picture is reduced to this number of pixels along its longer side.

    Raises UserError, which says what was expected, for a file that cannot be read, an array of
    another shape or type, an empty picture, grey levels out of range, and `longest` below 1.
    """
    return as_grey_and_shape(picture, longest)[0]


def as_grey_and_shape(picture, longest=None):
    """Return the picture as `as_grey` does, and its `(height, width)` before the reduction."""
    check_longest(longest)
    if isinstance(picture, str | PathLike):
        return read_grey_and_shape(picture, longest)
    if isinstance(picture, Image.Image):
        try:
            return upright_grey_and_shape(picture, longest)
        except Exception as error:  # a file that is opened lazily and turns out to be damaged
            raise UserError(f"{picture} cannot be read as an image: {error}") from error
    grey = _grey_of_array(np.asarray(picture))
    # Interpolation may leave the range of grey levels by a little.
    reduced = np.clip(np.asarray(reduce_image(Image.fromarray(grey), longest)), 0, 255)
    return reduced, grey.shape


def _grey_of_array(array):
    if array.dtype == object and array.ndim == 0:
        raise UserError(
            f"The picture is {array}: expected a path, an array or an image of Pillow. cv2.imread"
            " returns None for a file that it cannot read."
        )
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or not array.size:
        raise UserError(
            f"The picture has shape {array.shape}: expected (height, width) or (height, width, 3)."
        )
    if array.dtype.kind not in "buif":
        raise UserError(
            f"The picture has type {array.dtype}: expected uint8, or other numbers 0..255."
        )
    largest = {"bool": 1, "uint16": 65535}.get(array.dtype.name, 255)
    is_float, array = array.dtype.kind == "f", array.astype(np.float32)
    if not np.isfinite(array).all():
        raise UserError("The picture has NaN or infinite pixels: expected grey levels 0..255.")
    low, high = array.min(), array.max()
    if low < 0 or high > largest:
        raise UserError(f"The grey levels are {low:g} to {high:g}: expected 0..{largest}.")
    if is_float and 0 < high <= 1:  # it would look black, and give no keypoint
        raise UserError(f"The grey levels reach {high:g}: expected 0..255. Multiply them by 255.")
    grey = rgb2gray(array[..., :3]) if channels > 1 else array.reshape(array.shape[:2])
    return np.ascontiguousarray(grey * np.float32(255 / largest), np.float32)

"""Image sequences, and how they and single photographs are read from files."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from skimage.color import rgb2gray
from skimage.util import img_as_float

MOST_IMAGES = 6  # as many as a sequence of HPatches has
# Of files that are taken for pictures. Where a sequence has 1.ppm and 1.jpg, the first one counts.
ENDINGS = "ppm png jpg jpeg jfif pgm bmp tif tiff webp avif heic heif".split()
HOMOGRAPHY = re.compile(r"H_1_(\d+)(\.txt)?")


@dataclass
class ImageSequence:
    """Two to six images of one flat or distant scene, and where image 1 went in each.

    Attributes:
        name: by custom `v_...` for a moving viewpoint, `i_...` for moving light.
        images: `(height, width)` arrays of grey levels 0..255; sizes may differ.
        homographies: `(images - 1, 3, 3)`, image 1 to each of the others, in pixels with x before
            y; the centre of the first pixel is (0, 0).
    """

    name: str
    images: list
    homographies: np.ndarray

    def __post_init__(self):
        self.homographies = np.asarray(self.homographies, float)
        others = len(self.images) - 1
        if not 1 <= others < MOST_IMAGES or self.homographies.shape != (others, 3, 3):
            raise ValueError(
                f"{self.name}: {len(self.images)} images and homographies of shape"
                f" {self.homographies.shape}: expected 2 to {MOST_IMAGES} images and"
                " (images - 1, 3, 3)."
            )
        for k, matrix in enumerate(self.homographies, start=2):
            if _is_singular(matrix):
                raise ValueError(
                    f"{self.name}: the homography H_1_{k} is singular: {matrix.tolist()}."
                )
        for k, image in enumerate(self.images, start=1):
            if np.ndim(image) != 2:
                raise ValueError(
                    f"{self.name}: image {k} has shape {np.shape(image)}: expected grey."
                )


def read_sequence(folder, longest=None):
    """Read a folder in the layout of the HPatches image-sequences release.

    Args:
        folder: holds `1.ppm .. 6.ppm` (or png, jpg, ...) and `H_1_2 .. H_1_6`, 3x3 text matrices;
            two images and `H_1_2` are enough. The homographies are those of the upright pictures.
        longest: larger images are shrunk to this many pixels along the longer side, and the
            homographies with them.

    Returns:
        An `ImageSequence` with the name of the folder.

    Raises FileNotFoundError for a missing image or homography, ValueError for one that cannot be
    read, a homography that is singular or a seventh image; each names the file.
    """
    folder = Path(folder)
    files, matrices = zip(*sequence_files(folder))
    images, shapes = zip(*(_read(file, longest) for file in files))
    maps = [shrinking(shape, image.shape) for shape, image in zip(shapes, images)]
    back = np.linalg.inv(maps[0])
    homographies = [here @ matrix @ back for here, matrix in zip(maps[1:], matrices[1:])]
    return ImageSequence(folder.resolve().name, list(images), homographies)


def sequence_files(folder):
    """`[(image file, 3x3 matrix), ...]` of a sequence; image 1 has no matrix but None.

    Raises as `read_sequence`, but looks into no image.
    """
    folder = Path(folder)
    pictures = [file for file in folder.iterdir() if is_picture(file) and file.stem.isdecimal()]
    pictures.sort(key=lambda file: -ENDINGS.index(_ending(file)))  # what comes last counts
    images = {k: file for file in pictures if (k := int(file.stem)) > 0}
    matrices = homography_files(folder)
    found = {**matrices, **images}
    if (last := max(found, default=0)) > MOST_IMAGES:
        raise ValueError(
            f"{found[last]} is too many: of a sequence, {MOST_IMAGES} images are used at most."
        )
    files = []
    for k in range(1, max(last, 2) + 1):
        if k not in images:
            whose = f", but {matrices[k].name} is there" if k in matrices else ""
            raise FileNotFoundError(f"{folder / str(k)}.ppm (or png, jpg) is missing{whose}.")
        if k > 1 and k not in matrices:
            raise FileNotFoundError(
                f"{folder / f'H_1_{k}'} is missing: {images[k].name} has no homography."
            )
        files.append((images[k], _read_matrix(matrices[k]) if k > 1 else None))
    return files


def homography_files(folder):
    """`{2: H_1_2, 3: H_1_3, ...}`: the homographies of a sequence; nothing in any other folder."""
    named = ((HOMOGRAPHY.fullmatch(file.name), file) for file in sorted(Path(folder).iterdir()))
    return {int(match[1]): file for match, file in named if match}


def read_grey(file, longest=None):
    """Read an image file as `float32 (height, width)`, grey levels 0..255.

    The picture stands upright, as its camera noted, and transparency is dropped.

    Args:
        file: in any format that Pillow reads.
        longest: a larger picture is shrunk, without aliasing, to this many pixels along the longer side.

    Raises ValueError, which names the file, when it cannot be read.
    """
    return _read(file, longest)[0]


def shrinking(before, after):
    """The 3x3 map of pixels between two sizes of one picture, each `(height, width)`.

    Edges go to edges. The edge of the first pixel is at -0.5, so there is a shift, too.
    """
    y, x = np.array(after) / before
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def is_picture(file):
    """Whether the name of a file is that of a picture; hidden files and folders are none."""
    return _ending(file) in ENDINGS and not file.name.startswith(".") and file.is_file()


def check_picture(file):
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
        return ValueError(
            f"{file} is a HEIC picture, which cannot be read here: convert it to JPEG, or set the"
            " camera to JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)."
        )
    return ValueError(f"{file} cannot be read as an image: {error}")


def _read_matrix(file):
    try:
        matrix = np.loadtxt(file).reshape(3, 3)
    except ValueError as error:
        raise ValueError(f"{file} is not a 3x3 matrix of numbers: {error}") from error
    if _is_singular(matrix):
        raise ValueError(f"{file} is singular: {matrix.tolist()}.")
    return matrix


def _is_singular(matrix):
    return not np.isfinite(matrix).all() or not np.linalg.cond(matrix) < 1e12


def _ending(file):
    return file.suffix[1:].lower()

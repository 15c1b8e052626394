"""Image sequences, and how they and single photographs are read from files."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.images.homographies import _is_singular, scaling_homography
from hpatches_kit.images.reading import IMAGE_SUFFIXES, _ending, _read, is_image_file

MOST_IMAGES = 6  # as many as a sequence of HPatches has
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
            raise UserError(
                f"{self.name}: {len(self.images)} images and homographies of shape"
                f" {self.homographies.shape}: expected 2 to {MOST_IMAGES} images and"
                " (images - 1, 3, 3)."
            )
        for k, matrix in enumerate(self.homographies, start=2):
            if _is_singular(matrix):
                raise UserError(
                    f"{self.name}: the homography H_1_{k} is singular: {matrix.tolist()}."
                )
        for k, image in enumerate(self.images, start=1):
            if np.ndim(image) != 2:
                raise UserError(
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

    Raises FileNotFoundError for a missing image or homography, UserError for one that cannot be
    read, a homography that is singular or a seventh image; each names the file.
    """
    folder = Path(folder)
    files, matrices = zip(*sequence_files(folder))
    images, shapes = zip(*(_read(file, longest) for file in files))
    maps = [scaling_homography(shape, image.shape) for shape, image in zip(shapes, images)]
    back = np.linalg.inv(maps[0])
    homographies = [here @ matrix @ back for here, matrix in zip(maps[1:], matrices[1:])]
    return ImageSequence(folder.resolve().name, list(images), homographies)


def sequence_files(folder):
    """`[(image file, 3x3 matrix), ...]` of a sequence; image 1 has no matrix but None.

    Raises as `read_sequence`, but looks into no image.
    """
    folder = Path(folder)
    pictures = [file for file in folder.iterdir() if is_image_file(file) and file.stem.isdecimal()]
    pictures.sort(key=lambda file: -IMAGE_SUFFIXES.index(_ending(file)))  # what comes last counts
    images = {k: file for file in pictures if (k := int(file.stem)) > 0}
    matrices = homography_files(folder)
    found = {**matrices, **images}
    if (last := max(found, default=0)) > MOST_IMAGES:
        raise UserError(
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


def _read_matrix(file):
    try:
        matrix = np.loadtxt(file).reshape(3, 3)
    except ValueError as error:
        raise UserError(f"{file} is not a 3x3 matrix of numbers: {error}") from error
    if _is_singular(matrix):
        raise UserError(f"{file} is singular: {matrix.tolist()}.")
    return matrix

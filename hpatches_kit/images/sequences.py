"""Image sequences: two to six images of one scene and the homographies between them."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import read_regular
from hpatches_kit.images.homographies import is_singular, scaling_homography
from hpatches_kit.images.reading import IMAGE_SUFFIXES, is_image_file, read_grey_and_shape, suffix

LARGEST_MATRIX = 10_000  # bytes of a homography file
MOST_IMAGES = 6  # as in every sequence of HPatches
HOMOGRAPHY = re.compile(r"H_1_(\d+)(\.txt)?")


@dataclass
class ImageSequence:
    """Two to six images of one flat or distant scene, with the homographies between them.

    Attributes:
        name: by convention `v_...` for a moving viewpoint, `i_...` for changing illumination.
        images: `(height, width)` arrays of grey levels 0..255; sizes may differ.
        homographies: `(images - 1, 3, 3)`, from image 1 to each of the others, in pixels, x before
            y; the centre of the first pixel is (0, 0).

    Raises UserError for another number of images, other shapes or a singular homography.
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
            if is_singular(matrix):
                raise UserError(
                    f"{self.name}: the homography H_1_{k} is singular: {matrix.tolist()}."
                )
        for k, image in enumerate(self.images, start=1):
            if np.ndim(image) != 2:
                raise UserError(
                    f"{self.name}: image {k} has shape {np.shape(image)}:"
                    " expected grey, (height, width)."
                )


def read_sequence(folder, longest=None):
    """Read an `ImageSequence` from a folder in the layout of HPatches (Balntas et al., CVPR 2017).

    Args:
        folder: contains `1.ppm .. 6.ppm` (or png, jpg, ...) and `H_1_2 .. H_1_6`, 3x3 text
            matrices; two images and `H_1_2` are enough. The homographies are those of the images
            after the orientation that the camera stored (EXIF) is applied.
        longest: as for `read_grey`; the homographies are adapted.

    Raises FileNotFoundError for a missing image or homography; UserError for one that cannot be
    read, a singular homography or a seventh image. Each names the file.
    """
    folder = Path(folder)
    files, matrices = zip(*sequence_files(folder))
    images, shapes = zip(*(read_grey_and_shape(file, longest) for file in files))
    scalings = [scaling_homography(shape, image.shape) for shape, image in zip(shapes, images)]
    unscale = np.linalg.inv(scalings[0])
    scaled = [scaling @ matrix @ unscale for scaling, matrix in zip(scalings[1:], matrices[1:])]
    return ImageSequence(folder.resolve().name, list(images), scaled)


def sequence_folders(folder):
    """List the image sequences in a folder: itself, or its subfolders with homographies, by name.

    Raises UserError if there is none, FileNotFoundError for a missing folder.
    """
    folder = Path(folder).expanduser()
    if homography_files(folder):
        return [folder]
    children = [child for child in sorted(folder.iterdir()) if child.is_dir()]
    if not (sequences := [child for child in children if homography_files(child)]):
        raise UserError(
            f"{folder} has no image sequence: expected folders with 1.jpg, 2.jpg and H_1_2."
        )
    return sequences


def sequence_files(folder):
    """Return `[(image file, 3x3 matrix), ...]` of a sequence; the matrix of image 1 is None.

    Raises the errors of `read_sequence`, but does not read the images.
    """
    folder = Path(folder)
    candidates = [f for f in folder.iterdir() if is_image_file(f) and f.stem.isdecimal()]
    # The dictionary keeps the last file of each number, so the preferred suffixes come last.
    candidates.sort(key=lambda file: -IMAGE_SUFFIXES.index(suffix(file)))
    images = {k: file for file in candidates if (k := int(file.stem)) > 0}
    matrices = homography_files(folder)
    numbered = {**matrices, **images}
    if (last := max(numbered, default=0)) > MOST_IMAGES:
        raise UserError(
            f"{numbered[last]} has the number {last}: expected at most {MOST_IMAGES} images."
            " Remove it, or give it a smaller number."
        )
    files = []
    for k in range(1, max(last, 2) + 1):
        if k not in images:
            reason = f": {matrices[k].name} has no image" if k in matrices else ""
            raise FileNotFoundError(f"{folder / str(k)}.ppm (or png, jpg) is missing{reason}.")
        if k > 1 and k not in matrices:
            raise FileNotFoundError(
                f"{folder / f'H_1_{k}'} is missing: {images[k].name} has no homography."
            )
        files.append((images[k], read_matrix(matrices[k]) if k > 1 else None))
    return files


def homography_files(folder):
    """Return `{2: H_1_2, 3: H_1_3, ...}`, the homography files of a folder."""
    matches = ((HOMOGRAPHY.fullmatch(file.name), file) for file in sorted(Path(folder).iterdir()))
    return {int(match[1]): file for match, file in matches if match}


def read_matrix(file):
    """Read a 3x3 matrix, `(3, 3)`, from a text file; UserError names a file without one."""
    try:
        text = read_regular(file, LARGEST_MATRIX).decode("latin-1")
        if not text.strip():
            raise ValueError("it is empty.")
        matrix = np.loadtxt(text.splitlines()).reshape(3, 3)
    except ValueError as error:
        reason = str(error)[:100]
        raise UserError(f"{file} is not a 3x3 matrix of numbers: {reason}") from error
    if is_singular(matrix):
        raise UserError(f"{file} is singular: {matrix.tolist()}.")
    return matrix

"""Two pictures of one flat scene whose homography is known."""

import numpy as np

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.homographies import project
from hpatches_kit.images.virtual_sequences import warp

SHIFT = np.array([[1, 0, -17], [0, 1, 9], [0, 0, 1.0]])
# A turn of 10 degrees, 10 % smaller, and a little perspective.
TILT = np.array([[0.886, -0.156, 40.0], [0.156, 0.886, -8.0], [2e-4, 1e-4, 1.0]])


def picture(name="coffee"):
    """A part of a built-in photograph, `float32 (240, 300)`, grey levels 0..255."""
    return photograph(name)[50:290, 80:380]


def seen_by(homography, image=None):
    """The picture as another camera sees it; the homography maps its pixels there."""
    image = picture() if image is None else image
    return warp(image, homography, np.zeros((2, *image.shape)))


def seen_from_the_side(image=None):
    """The picture as a camera to its left sees it if its lower half is nearer.

    The upper half moves by 5 pixels, the lower one by 45: points keep their row.
    """
    image = picture() if image is None else image
    middle = len(image) // 2
    return np.concatenate([np.roll(image[:middle], 5, axis=1), np.roll(image[middle:], 45, axis=1)])


def corner_distance(matrix, homography, shape):
    """Mean distance in pixels between the corners of an image mapped by two homographies."""
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    (x, other_x), (y, other_y) = project(np.stack([matrix, homography]), corners)
    return np.hypot(x - other_x, y - other_y).mean()


def same_keypoints(keypoints, homography):
    """The keypoints of the other picture that show the same points, for a similarity."""
    x, y = project(homography[None], keypoints[:, :2])
    scale = np.sqrt(np.linalg.det(homography[:2, :2]))
    turn = np.arctan2(homography[1, 0], homography[0, 0])
    return np.column_stack([x[0], y[0], keypoints[:, 2] * scale, keypoints[:, 3] + turn])

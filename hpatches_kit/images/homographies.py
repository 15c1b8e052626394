"""Homographies: 3x3 matrices that map the pixels of one view of a plane to those of another.

Pixel coordinates are x (to the right), then y (down). The centre of the first pixel is (0, 0).
"""

import numpy as np

# A point is before the camera if its third coordinate is greater, once scaled to the front.
IN_FRONT = 1e-3


def scaling_homography(before, after):
    """Return the `(3, 3)` map of pixels between two sizes of one image, each `(height, width)`.

    It maps edges to edges, which lie half a pixel outside the centres of the outermost pixels.
    """
    y, x = np.array(after) / before
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def is_singular(matrix):
    """Whether a matrix has infinite entries, NaN, or numerically no inverse."""
    return not np.isfinite(matrix).all() or not np.linalg.cond(matrix) < 1e12


def random_homography(shape, strength, rng):
    """Draw the homography of a plane seen from another viewpoint, `(3, 3)`.

    Args:
        shape: `(height, width)` of the image; its centre moves by at most 3 % of its size.
        strength: 0 to 1. Strength 1 is a tilt of 30 to 50 degrees, an in-plane rotation of up to 30
            degrees and a zoom between 0.74 and 1.35.
        rng: a `numpy.random.Generator`.
    """
    height, width = shape
    tilt = np.radians(50) * strength * rng.uniform(0.6, 1)
    turn = np.radians(30) * strength * rng.uniform(-1, 1)
    zoom = np.exp(0.3 * strength * rng.uniform(-1, 1))
    shift = 0.03 * strength * rng.uniform(-1, 1, 2) * [width, height]
    axis, focal = rng.uniform(0, 2 * np.pi), 1.5 * max(shape)

    def rotation(angle):
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])

    def translation(x, y):
        return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)

    oblique = np.diag([np.cos(tilt), 1.0, 1.0])  # foreshortened along one axis ...
    oblique[2, 0] = np.sin(tilt) / focal  # ... and smaller at a greater distance
    if not strength:  # exactly, not up to rounding errors
        return np.eye(3)
    centre = np.array([width - 1, height - 1]) / 2
    return (
        translation(*(centre + shift))
        @ np.diag([zoom, zoom, 1.0])
        @ rotation(axis + turn)
        @ oblique
        @ rotation(-axis)
        @ translation(*-centre)
    )


def project(maps, xy):
    """Apply `(maps, 3, 3)` homographies to `(n, 2)` coordinates; returns x and y, `(maps, n)` each.

    They are NaN for a point behind the camera, which a homography would mirror.
    """
    maps = scaled_to_the_front(maps)
    x, y, w = (maps[:, i, :2] @ xy.T + maps[:, i, 2:] for i in range(3))
    w = np.where(w > IN_FRONT, w, np.nan)
    return x / w, y / w


def scaled_to_the_front(maps):
    """Scale `(maps, 3, 3)` homographies: the third coordinate is positive before the camera."""
    # There, it has the sign of the determinant.
    return maps * np.sign(np.linalg.det(maps))[:, None, None] / np.abs(maps[:, 2:, 2:])


def transfer_errors(homography, xy_a, xy_b):
    """Return the distances in pixels from mapped points to their matches, `(n,)`.

    The homography maps `xy_a` to the image of `xy_b`, both `(n, 2)`. A point behind the camera has
    an infinite error.
    """
    x, y = project(np.asarray(homography, float)[None], np.asarray(xy_a, float))
    errors = np.hypot(x[0] - xy_b[:, 0], y[0] - xy_b[:, 1])
    return np.where(np.isnan(errors), np.inf, errors)

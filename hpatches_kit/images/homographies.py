"""images.homographies."""

import numpy as np


def scaling_homography(before, after):
    """The 3x3 map of pixels between two sizes of one picture, each `(height, width)`.

    Edges go to edges. The edge of the first pixel is at -0.5, so there is a shift, too.
    """
    y, x = np.array(after) / before
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _is_singular(matrix):
    return not np.isfinite(matrix).all() or not np.linalg.cond(matrix) < 1e12


def random_homography(shape, strength, rng):
    """Homography of a plane seen from elsewhere, `(3, 3)`, that keeps the centre about in place.

    Strength 1 is a tilt of up to 50 degrees, a turn of up to 30, a zoom between 0.75 and 1.35.
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
    oblique[2, 0] = np.sin(tilt) / focal  # ... and smaller where it is farther away
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
    """Apply `(points, 3, 3)` homographies to `(n, 2)` coordinates: x and y, each `(points, n)`.

    Where a point falls behind the camera the coordinates are NaN: there the map would show the
    scene mirrored, so the third coordinate and the determinant differ in sign.
    """
    maps = maps * np.sign(np.linalg.det(maps))[:, None, None] / np.abs(maps[:, 2:, 2:])
    x, y, w = (maps[:, i, :2] @ xy.T + maps[:, i, 2:] for i in range(3))
    w = np.where(w > 1e-3, w, np.nan)
    return x / w, y / w

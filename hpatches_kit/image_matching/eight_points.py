"""The eight-point algorithm, for the matrices that fit degenerate points besides the best one.

Reference: Hartley, In Defense of the Eight-Point Algorithm, PAMI 1997.
"""

import numpy as np


def second_fundamental_matrix(xy_a, xy_b):
    """Return the second best solution in the sense of least squares, `(3, 3)`.

    It is orthogonal to the best one. Points on a plane or line agree with both, others do not.
    `xy_a` and `xy_b` are `(matches, 2)`, at two places or more each.
    """
    to_a, to_b = _normalisation(xy_a), _normalisation(xy_b)
    a, b = _homogeneous(xy_a) @ to_a.T, _homogeneous(xy_b) @ to_b.T
    equations = (b[:, :, None] * a[:, None, :]).reshape(-1, 9)
    _, solutions = np.linalg.eigh(equations.T @ equations)  # the best one first
    return to_b.T @ solutions[:, 1].reshape(3, 3) @ to_a


def _homogeneous(xy):
    return np.column_stack([xy, np.ones(len(xy))])


def _normalisation(xy):
    """The map of points to mean 0 and mean distance sqrt(2), `(3, 3)`."""
    centre = xy.mean(axis=0)
    scale = np.sqrt(2) / np.hypot(*(xy - centre).T).mean()
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])

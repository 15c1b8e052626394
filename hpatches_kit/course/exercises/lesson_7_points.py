"""Exercise of lesson 7: points under a homography."""

import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise, Wrong
from hpatches_kit.course.exercises.expectations import expect, expect_array, is_close


def transform_points(homography, points):
    """Map points by a homography (3, 3): points (n, 2), x before y, to (n, 2)."""
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    mapped = homogeneous @ homography.T
    return mapped[:, :2] / mapped[:, 2:]


def _text(point):
    return "({:.3g}, {:.3g})".format(*point)


def check_transform_points(transform_points):
    shift = np.array([[1.0, 0, 10], [0, 1, 20], [0, 0, 1]])
    points = np.array([[1.0, 2.0], [3.0, 5.0]])
    mapped = transform_points(shift, points)
    mapped = expect_array(mapped, (None, None), "transform_points(homography, points)")
    expect(
        mapped.shape == (2, 2),
        f"two points give shape {mapped.shape}: expected (2, 2). Leave out the third coordinate"
        " after the division.",
    )
    expect(
        not is_close(mapped, (points + [10, 20]).T),
        "the result is transposed: expected one row per point, x before y.",
    )
    expect(
        not is_close(mapped, points - [10, 20]),
        "the points are mapped by the inverse of the homography.",
    )
    swapped = points[:, ::-1] + [20, 10], points + [20, 10], points[:, ::-1] + [10, 20]
    expect(
        not any(is_close(mapped, wrong) for wrong in swapped),
        f"a shift by 10 in x and 20 in y moves (1, 2) to {_text(mapped[0])}, as if x and y were"
        " swapped. With swapped coordinates a matching of 700 points leaves a dozen inliers: x is"
        " the column, and comes first.",
    )
    transposed = points / (points @ [10, 20] + 1)[:, None]
    expect(
        not is_close(mapped, transposed),
        "the homography is applied as if it were transposed: rows of points need homography.T on"
        " their right.",
    )
    expect(
        not is_close(mapped, points),
        "a shift by (10, 20) moves nothing: append 1 to each point, so that the third column counts,"
        " and multiply from the left by the homography (or from the right by its transpose).",
    )
    expect(
        is_close(mapped, points + [10, 20]),
        f"a shift by 10 in x and 20 in y moves (1, 2) to {_text(mapped[0])}: expected (11, 22).",
    )
    tilt = np.array([[1.0, 0.2, 0], [0.1, 1, 0], [0.5, 0, 1]])
    mapped = expect_array(transform_points(tilt, np.array([[2.0, 1.0]])), (1, 2), "the point")[0]
    expect(
        not is_close(mapped, [2.2, 1.2]),
        "(2, 1) is mapped to (2.2, 1.2), as without perspective: divide x and y by the third"
        " coordinate, which is 2 here.",
    )
    expect(
        is_close(mapped, [1.1, 0.6]),
        f"under a perspective homography (2, 1) is mapped to {_text(mapped)}: expected"
        f" (1.1, 0.6). {_question(mapped)}",
    )
    _check_three_points(transform_points, tilt)


def _question(mapped):
    if is_close(mapped, np.round(mapped)):
        return "Did you round? Points lie between pixels."
    return "Is the matrix transposed, or inverted?"


def _check_three_points(transform_points, tilt):
    """Three whole-numbered points with third coordinates 2, 3 and 1."""
    points = np.array([[2, 1], [4, 3], [0, 5]])
    expected = np.array([[1.1, 0.6], [4.6 / 3, 3.4 / 3], [1.0, 5.0]])
    own = (
        "Divide each point by its own third coordinate: `mapped[:, 2:]` keeps the axis,"
        " `mapped[:, 2]` does not."
    )
    try:
        mapped = expect_array(transform_points(tilt, points), (3, 2), "three points")
    except ValueError as error:
        raise Wrong(f"three points raise {error}. {own}") from error
    expect(
        not is_close(mapped, np.trunc(expected)),
        "points of whole numbers give results without decimals: an array of integers cuts them off."
        " Use an array of float.",
    )
    expect(
        is_close(mapped, expected),
        f"(4, 3) beside two other points is mapped to {_text(mapped[1])}: expected (1.53, 1.13). {own}",
    )


TRANSFORM_POINTS = Exercise(
    "transform_points",
    7,
    transform_points,
    check_transform_points,
    (
        "Append a 1, multiply by the matrix, divide by the third coordinate.",
        "(n, 2) becomes (n, 3); times (3, 3) stays (n, 3); the result is (n, 2).",
        "return mapped[:, :2] / mapped[:, 2:]",
    ),
)

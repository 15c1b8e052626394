"""Mistakes in the exercises of lesson 7, and what the checks say of them.

Each is `(exercise, code of the solution, what stands there instead, a part of the reason)`.
"""

MUTUAL, RATIO, POINTS = "mutual_nearest", "ratio_test", "transform_points"
PLANTED = (
    (MUTUAL, "mutual = back[nearest] == rows", "mutual = rows >= 0", "has two: you did not ask"),
    (MUTUAL, "argmin", "argmax", "you took the largest distance"),
    (
        MUTUAL,
        "[rows[mutual], nearest[mutual]], axis=1",
        "[nearest[mutual], rows[mutual]], axis=1",
        "the row of the first set comes first",
    ),
    (MUTUAL, "nearest[mutual]], axis=1", "nearest[mutual]]", "expected one row per pair. Stack"),
    (MUTUAL, "[rows[mutual], nearest[mutual]]", "[rows[mutual]]", "expected (k, 2), one row per"),
    (
        MUTUAL,
        "np.stack([rows[mutual], nearest[mutual]], axis=1)",
        "np.concatenate([first[rows[mutual]], second[nearest[mutual]]], axis=1)",
        "expected their row numbers",
    ),
    (
        MUTUAL,
        "np.linalg.norm(first[:, None] - second[None], axis=2)",
        "-first @ second.T",
        "Inner products agree with distances",
    ),
    (MUTUAL, "return np.stack", "np.stack", "is a `return` missing?"),
    (MUTUAL, "axis=2)", "axis=2, ord=1)", "Is the distance Euclidean"),
    (RATIO, "axis=2)", "axis=2, ord=1)", "Is the distance Euclidean"),
    (RATIO, "ratio * second", "ratio**2 * second", "use `ratio`, not its square"),
    (RATIO, "nearest < ratio", "nearest > ratio", "the comparison is turned around"),
    (RATIO, "ratio * second_nearest", "second_nearest", "is `ratio` used"),
    (RATIO, "ratio * second_nearest", "0.3 * second_nearest", "or a constant"),
    (RATIO, "ratio * second_nearest", "0.8 * second_nearest", "Use `ratio`, not a constant"),
    (
        RATIO,
        "rows = np.flatnonzero(nearest < ratio * second_nearest)",
        "rows = np.flatnonzero((nearest < ratio * second_nearest)"
        " & (distances.argmin(axis=0)[order[:, 0]] == np.arange(len(first))))",
        "two rows may have the same nearest",
    ),
    (
        RATIO,
        "return np.stack([rows, order[rows, 0]], axis=1)",
        "return nearest < ratio * second_nearest",
        "expected (k, 2), one row per pair",
    ),
    (RATIO, "nearest < ratio * second_nearest", "nearest < ratio * nearest", "no row passes"),
    (
        RATIO,
        "nearest < ratio * second_nearest",
        "nearest**2 < ratio * second_nearest**2",
        "squared",
    ),
    (RATIO, "return np.stack", "np.stack", "is a `return` missing?"),
    (POINTS, "/ mapped[:, 2:]", "", "divide x and y by the third"),
    (POINTS, "/ mapped[:, 2:]", "/ mapped[:, 2]", "`mapped[:, 2]` does not"),
    (POINTS, "/ mapped[:, 2:]", "/ mapped[0, 2]", "Divide each point by its own"),
    (
        POINTS,
        "return mapped[:, :2] / mapped[:, 2:]",
        "return np.rint(mapped[:, :2] / mapped[:, 2:])",
        "Did you round?",
    ),
    (
        POINTS,
        "return mapped[:, :2] / mapped[:, 2:]",
        "result = np.zeros_like(points)\n    result[:] = mapped[:, :2] / mapped[:, 2:]\n    return result",
        "Use an array of float",
    ),
    (RATIO, "nearest < ratio * second", "nearest <= ratio * second", "not as close"),
    (POINTS, "homography.T", "homography", "as if it were transposed"),
    (POINTS, "np.concatenate([points,", "np.concatenate([points[:, ::-1],", "x and y were swapped"),
    (POINTS, "mapped[:, :2] / mapped[:, 2:]", "mapped / mapped[:, 2:]", "Leave out the third"),
    (POINTS, "mapped[:, :2]", "mapped[:, 1::-1]", "x and y were swapped"),
    (POINTS, "homography.T", "np.linalg.inv(homography).T", "by the inverse of"),
    (
        POINTS,
        "mapped[:, :2] / mapped[:, 2:]",
        "(mapped[:, :2] / mapped[:, 2:]).T",
        "the result is transposed",
    ),
    (POINTS, "return mapped", "mapped", "is a `return` missing?"),
)

ALSO_RIGHT = (
    (
        MUTUAL,
        """
def mutual_nearest(first, second):
    pairs = []
    for row in range(len(first)):
        column = int(((second - first[row]) ** 2).sum(axis=1).argmin())
        if int(((first - second[column]) ** 2).sum(axis=1).argmin()) == row:
            pairs.append((row, column))
    return pairs
""",
    ),
    (
        RATIO,
        """
def ratio_test(first, second, ratio=0.8):
    pairs = []
    for row, descriptor in enumerate(first):
        distances = np.sqrt(((second - descriptor) ** 2).sum(axis=1))
        a, b = np.argsort(distances)[:2]
        if distances[a] / distances[b] < ratio:
            pairs.append([row, a])
    return np.array(pairs)
""",
    ),
    (
        POINTS,
        """
def transform_points(homography, points):
    x, y, w = homography @ np.vstack([points.T, np.ones(len(points))])
    return np.column_stack([x / w, y / w])
""",
    ),
)

"""Exercises of lesson 5: in-batch mining."""

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_return,
    is_close,
)


def hardest_negatives(distances, labels):
    """The nearest negative of each pair in its row and in its column: `rows, columns`.

    distances: (pairs, pairs), entry [i, j] from anchor i to positive j; it must stay unchanged.
    labels: (pairs,), the place of each pair. Pairs of one place are not negatives of each other.
    Returns two arrays of distances, (pairs,) each.
    """
    labels = keras.ops.convert_to_tensor(labels)
    same = labels[:, None] == labels[None, :]
    negatives = keras.ops.where(same, 10.0, distances)
    return keras.ops.min(negatives, axis=1), keras.ops.min(negatives, axis=0)


DISTINCT = np.array([[0.1, 0.7, 0.5], [0.6, 0.2, 0.8], [0.9, 0.4, 0.3]], "float32")
REPEATED = np.array([[0.2, 0.9, 0.1], [0.8, 0.3, 0.5], [0.4, 0.6, 0.25]], "float32")  # 0 and 2
FAR = np.array([[0.3, 1.7, 1.9], [1.6, 0.4, 1.8], [1.9, 1.8, 0.2]], "float32")


def check_hardest_negatives(hardest_negatives):
    rows, columns = _both(hardest_negatives, DISTINCT, [1, 2, 3])
    expect(
        rows.any() or columns.any(),
        "all distances are 0, as if all descriptors are equal: collapse. Did you multiply by a"
        " mask? An excluded entry must be larger than every distance, not 0.",
    )
    expect(
        not is_close(rows, [0.1, 0.2, 0.3]) and not is_close(columns, [0.1, 0.2, 0.3]),
        "diagonal not excluded: your nearest negative is the positive.",
    )
    expect(
        not (is_close(rows, [2, 0, 1]) or is_close(rows, [1, 2, 0])),
        "these are positions in the row: expected distances. Use min instead of argmin.",
    )
    expect(
        not is_close(rows, [0.7, 0.8, 0.9]),
        "these are the farthest negatives, the easiest: the hardest is the nearest.",
    )
    expect(
        not (is_close(rows, [0.6, 0.4, 0.5]) and is_close(columns, [0.5, 0.6, 0.4])),
        "rows and columns are swapped: row i belongs to anchor i, and axis=1 runs along a row.",
    )
    expect(
        is_close(rows, [0.5, 0.6, 0.4]),
        f"the row of pair 0 is 0.1, 0.7, 0.5, and its nearest negative {rows[0]:g}: expected 0.5.",
    )
    expect(
        is_close(columns, [0.6, 0.4, 0.5]),
        f"the column of pair 0 is 0.1, 0.6, 0.9, and its nearest negative {columns[0]:g}: expected"
        " 0.6.",
    )
    _check_repeated(*_both(hardest_negatives, REPEATED, [7, 5, 7]))
    _check_far(*_both(hardest_negatives, FAR, [1, 2, 3]))


def _both(hardest_negatives, distances, labels):
    matrix = distances.copy()
    value = hardest_negatives(matrix, np.array(labels))
    expect_return(value, "hardest_negatives(...)")
    try:
        rows, columns = value
    except (TypeError, ValueError):
        what = f"{len(value)} values" if np.ndim(value) else f"a {type(value).__name__}"
        expect(False, f"it returns {what}: expected two, `return rows, columns`.")
    size = (len(distances),)
    rows = expect_array(rows, size, "the negatives of the rows")
    columns = expect_array(columns, size, "the negatives of the columns")
    expect(
        np.array_equal(matrix, distances),
        "it changes the matrix that it is given, and with it the distances of the positives, which"
        " the loss needs. Work on a copy, or use where.",
    )
    return rows, columns


def _check_repeated(rows, columns):
    expect(
        not (is_close(rows[0], 0.1) or is_close(rows[2], 0.4) or is_close(columns[0], 0.4)),
        "pairs 0 and 2 show one place (label 7), and you take them for negatives of each other:"
        " exclude all entries with equal labels, not the diagonal alone.",
    )
    expect(
        is_close(rows, [0.9, 0.5, 0.6]) and is_close(columns, [0.8, 0.6, 0.5]),
        f"with labels 7, 5, 7 the rows give {rows.round(2).tolist()} and the columns"
        f" {columns.round(2).tolist()}: expected [0.9, 0.5, 0.6] and [0.8, 0.6, 0.5].",
    )


def _check_far(rows, columns):
    expect(
        is_close(rows, [1.7, 1.6, 1.8]) and is_close(columns, [1.6, 1.7, 1.8]),
        f"a nearest negative at distance 1.7 becomes {rows[0]:g}. Distances of unit vectors reach"
        " 2: put a number larger than 2 in place of what is excluded.",
    )


def percentile_negatives(distances, labels, q):
    """The q-th percentile of the negatives of each row: (pairs,).

    distances, labels: as for `hardest_negatives`. q: 0 (the nearest negative) to 100 (the
    farthest); between two negatives it interpolates linearly, as np.percentile does.
    """
    labels = np.asarray(labels)
    rows = [row[labels != label] for row, label in zip(np.asarray(distances), labels)]
    return np.array([np.percentile(row, q) for row in rows])


ROWS = np.array(
    [
        [0.1, 0.8, 0.2, 0.6, 0.4],
        [0.9, 0.3, 0.5, 1.1, 0.7],
        [1.0, 1.2, 1.3, 1.4, 1.6],
        [1.9, 1.3, 1.5, 0.2, 1.7],
        [0.6, 1.0, 1.4, 1.8, 0.5],
    ]
)
NEAREST, STEP = np.array([0.2, 0.5, 1.0, 1.3, 0.6]), np.array([0.2, 0.2, 0.2, 0.2, 0.4])


def check_percentile_negatives(percentile_negatives):
    labels = np.arange(5)

    def answer(q, labels=labels):
        value = percentile_negatives(ROWS.copy(), labels, q)
        expect_return(value, "percentile_negatives(...)")
        expect(
            np.shape(value) != (),
            "it returns one number for the whole matrix: expected one per row.",
        )
        return expect_array(value, (5,), f"percentile_negatives(..., q={q})")

    lowest, median, low = answer(0), answer(50), answer(10)
    expect(
        not is_close(lowest, ROWS.min(axis=1)),
        "diagonal not excluded: at q = 0 your nearest negative is the positive.",
    )
    expect(
        not is_close(lowest, NEAREST + 3 * STEP),
        "q = 0 gives the farthest negative: expected the nearest. Sort from small to large.",
    )
    columns = np.where(np.eye(5, dtype=bool), 9, ROWS).min(axis=0)
    expect(not is_close(lowest, columns), "these are the negatives of the columns: expected rows.")
    expect(
        is_close(lowest, NEAREST),
        f"at q = 0 the first row gives {lowest[0]:.3g}: expected its nearest negative, 0.2.",
    )
    expect(
        not is_close(median, NEAREST + 0.015 * STEP),
        "q = 50 gives almost the nearest negative: q is in percent, and np.percentile expects"
        " percent, too. Do not divide it by 100.",
    )
    with_positive = np.percentile(ROWS, 50, axis=1)
    expect(
        not is_close(median, with_positive),
        "the positive is among the values of the percentile: exclude the diagonal.",
    )
    expect(
        not (is_close(median, NEAREST + 2 * STEP) and is_close(low, NEAREST + 0.4 * STEP)),
        "a large number in place of the positive still counts as a value: the percentile is taken of"
        " five numbers, expected of four. Leave the positive out of the row.",
    )
    rounded = [NEAREST + rank * STEP for rank in (1, 2)]
    expect(
        not any(is_close(median, one) for one in rounded),
        f"the first row has the negatives 0.2, 0.4, 0.6, 0.8, and q = 50 gives {median[0]:.3g}:"
        " expected 0.5, halfway between the second and the third. Interpolate linearly.",
    )
    expect(
        is_close(median, NEAREST + 1.5 * STEP),
        f"the first row has the negatives 0.2, 0.4, 0.6, 0.8, and q = 50 gives {median[0]:.3g}:"
        " expected their median, 0.5.",
    )
    expect(
        is_close(low, NEAREST + 0.3 * STEP),
        f"of 0.2, 0.4, 0.6, 0.8, q = 10 gives {low[0]:.3g}: expected 0.26, at position"
        " 10 / 100 * 3 = 0.3 between 0.2 and 0.4.",
    )
    repeated = answer(0, np.array([0, 1, 0, 2, 3]))
    expect(
        is_close(repeated, [0.4, 0.5, 1.2, 1.3, 0.6]),
        f"pairs 0 and 2 show one place, at distance 0.2, and q = 0 gives {repeated[0]:.3g} for pair"
        " 0: expected 0.4. Exclude all entries with equal labels.",
    )


HARDEST_NEGATIVES = Exercise(
    "hardest_negatives",
    5,
    hardest_negatives,
    check_hardest_negatives,
    (
        "Replace what is not a negative by a number that no minimum chooses. Pairs with equal"
        " labels are not negatives; the diagonal is among them, where both labels are those of one pair.",
        "labels[:, None] == labels[None, :] is (pairs, pairs): True where two pairs show one place."
        " axis=1 is the minimum of each row, axis=0 of each column.",
        "negatives = keras.ops.where(same, 10.0, distances)",
    ),
)
PERCENTILE_NEGATIVES = Exercise(
    "percentile_negatives",
    5,
    percentile_negatives,
    check_percentile_negatives,
    (
        "Take the negatives out of each row first; rows may keep different numbers of them. Then"
        " take a percentile of each.",
        "row[labels != label] keeps the negatives of a row: n - 1 of n where all places differ.",
        "return np.array([np.percentile(row, q) for row in rows])",
    ),
)

"""Exercises of lesson 7: mutual nearest neighbours, and the ratio test."""

import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.expectations import expect, expect_array, expect_return
from hpatches_kit.course.exercises.lesson_7_points import TRANSFORM_POINTS


def mutual_nearest(first, second):
    """Pairs of descriptors that are each other's nearest, by Euclidean distance.

    first: (n, dim), second: (m, dim), of any norm. Returns row numbers, (k, 2): a row of `first`,
    then its row of `second`. The order of the pairs does not matter.
    """
    distances = np.linalg.norm(first[:, None] - second[None], axis=2)
    nearest, back = distances.argmin(axis=1), distances.argmin(axis=0)
    rows = np.arange(len(first))
    mutual = back[nearest] == rows
    return np.stack([rows[mutual], nearest[mutual]], axis=1)


# Distances of row 0 of FIRST to SECOND: 1, 4, 9; of row 1: 2, 1, 6; of row 2: 3, 0, 5.
FIRST, SECOND = np.array([[0.0], [3.0], [4.0]]), np.array([[1.0], [4.0], [9.0]])
MANY, OTHERS = (np.random.default_rng(seed).normal(size=(30 - 10 * seed, 8)) for seed in (0, 1))
OF_MANY = "30 and 20 random descriptors of eight numbers have other pairs than they should."
EUCLIDEAN = "Is the distance Euclidean, over all numbers of a descriptor?"
solved_mutual = mutual_nearest  # for the check, in which the name is the learner's function


def check_mutual_nearest(mutual_nearest):
    found = _pairs(mutual_nearest(FIRST, SECOND), "mutual_nearest(first, second)")
    expect(
        found != {(0, 2), (0, 1)},
        "it returns the rows of the first set, then those of the second: expected one row per pair."
        " Stack along axis 1.",
    )
    expect(
        found != {(0, 1), (4, 4)},
        "these are the descriptors of the pairs: expected their row numbers.",
    )
    expect(
        found != {(2, 2)},
        "4 and 9 are a pair, whose inner product is the largest. Inner products agree with"
        " distances for descriptors of unit norm only: take the smallest distance.",
    )
    expect(
        found != {(0, 0), (1, 1), (2, 1)},
        "every row of the first set has a partner, and row 1 of the second has two: you did not ask"
        " whether the nearest of the second set has its own nearest in the same row.",
    )
    expect(
        found != {(0, 2)},
        "0 and 9 are a pair, the two that are farthest apart: you took the largest distance.",
    )
    expect(
        found != {(0, 0), (1, 2)},
        "the pairs are swapped: the row of the first set comes first.",
    )
    expect(
        found == {(0, 0), (2, 1)},
        f"for descriptors 0, 3, 4 and 1, 4, 9 the pairs are {sorted(found)}: expected (0, 0) and"
        " (2, 1). The nearest of 3 is the 4 of the second set, but the nearest of that is the 4 of"
        " the first. Row i is in a pair if the nearest of its nearest is row i again.",
    )
    forth = _pairs(mutual_nearest(MANY, OTHERS), "mutual_nearest(first, second)")
    back = _pairs(mutual_nearest(OTHERS, MANY), "mutual_nearest(first, second)")
    expect(
        forth == {(a, b) for b, a in back},
        "30 and 20 random descriptors have other pairs when the two sets are exchanged: the"
        " distance must be the same in both directions. Sum the squared differences over axis 2.",
    )
    expect(forth == _pairs(solved_mutual(MANY, OTHERS), ""), f"{OF_MANY} {EUCLIDEAN}")


def _pairs(value, name):
    """The pairs of an answer as a set of tuples; an empty list has no pairs."""
    expect_return(value, name)
    if np.size(value) == 0:
        return set()
    expect(
        np.ndim(value) == 2 and np.shape(value)[1] == 2,
        f"{name} has shape {np.shape(value)}: expected (k, 2), one row per pair: the row of the"
        " first set, then the row of the second.",
    )
    return {(int(a), int(b)) for a, b in expect_array(value, (None, 2), name)}


def ratio_test(first, second, ratio=0.8):
    """Pairs of descriptors whose nearest is much closer than the second nearest.

    first, second and the result are those of `mutual_nearest`. Each row of `first` is tested by
    itself: it is paired with its nearest row of `second` if the Euclidean distance to it is less
    than `ratio` times the distance to the second nearest.
    """
    distances = np.linalg.norm(first[:, None] - second[None], axis=2)
    order = distances.argsort(axis=1)[:, :2]
    nearest, second_nearest = np.take_along_axis(distances, order, axis=1).T
    rows = np.flatnonzero(nearest < ratio * second_nearest)
    return np.stack([rows, order[rows, 0]], axis=1)


solved_ratio = ratio_test


def check_ratio_test(ratio_test):
    # Nearest and second nearest distances: 1 and 4, 1 and 2, 2 and 2.5; ratios .25, .5 and .8.
    first = np.array([[0.0], [3.0], [6.0]])
    second = np.array([[-4.0], [1.0], [4.0], [8.5]])
    found = _pairs(ratio_test(first, second, 0.6), "ratio_test(first, second, 0.6)")
    expect(
        found != {(2, 2)},
        "only the ambiguous row 2 passes: the comparison is turned around. A match is kept when"
        " its nearest is much closer than the second nearest.",
    )
    expect(
        found != {(0, 1), (1, 2), (2, 2)},
        "all rows pass at ratio 0.6, also row 2, whose two nearest are at 2 and 2.5: is `ratio`"
        " used, and is the second nearest another row than the nearest?",
    )
    expect(
        bool(found),
        "no row passes at ratio 0.6: is the second nearest another row than the nearest? The"
        " nearest over itself is 1.",
    )
    expect(
        found != {(0, 1)},
        "row 1, at distances 1 and 2, is refused at ratio 0.6 although 1 / 2 = 0.5: use"
        " `ratio`, not its square or a constant.",
    )
    expect(
        found == {(0, 1), (1, 2)},
        f"at ratio 0.6 the pairs are {sorted(found)}: expected (0, 1) and (1, 2), whose ratios are"
        " 0.25 and 0.5. Each row of the first set looks for its two nearest rows of the second: sort"
        " along axis 1.",
    )
    every = _pairs(ratio_test(first, second, 0.9), "ratio_test(first, second, 0.9)")
    expect(
        len(every) == 3,
        f"at ratio 0.9 {len(every)} of 3 rows pass: expected all, the largest ratio is 0.8. Use"
        " `ratio`, not a constant, and test each row of the first set by itself: two rows may have"
        " the same nearest.",
    )
    strict = _pairs(ratio_test(first, second, 0.4), "ratio_test(first, second, 0.4)")
    expect(
        len(strict) == 1,
        f"at ratio 0.4 {len(strict)} rows pass: expected one, with ratio 0.25. Squared distances"
        " have squared ratios: 0.5 becomes 0.25.",
    )
    equal = _pairs(ratio_test(first, second, 0.5), "ratio_test(first, second, 0.5)")
    expect(
        equal == {(0, 1)},
        "at ratio 0.5 row 1, at distances 1 and 2, passes: the nearest must be closer than `ratio`"
        " times the second nearest, not as close.",
    )
    found = _pairs(ratio_test(MANY, OTHERS), "ratio_test(first, second)")
    expect(found == _pairs(solved_ratio(MANY, OTHERS), ""), f"{OF_MANY} {EUCLIDEAN}")


EXERCISES = (
    Exercise(
        "mutual_nearest",
        7,
        mutual_nearest,
        check_mutual_nearest,
        (
            "Ask both ways: a pair is kept if each is the nearest of the other.",
            "Distances are (n, m); argmin over axis 1 gives (n,), over axis 0 gives (m,).",
            "mutual = back[nearest] == np.arange(len(first))",
        ),
    ),
    Exercise(
        "ratio_test",
        7,
        ratio_test,
        check_ratio_test,
        (
            "If the second nearest is nearly as close, the match is a guess: leave it out.",
            "argsort over axis 1 gives (n, m); its first two columns are the two nearest.",
            "rows = np.flatnonzero(nearest < ratio * second_nearest)",
        ),
    ),
    TRANSFORM_POINTS,
)

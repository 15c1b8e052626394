"""Exercises of lesson 3: matching of one image, and one query of retrieval."""

import numpy as np

import hpatches_kit as hk
from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_return,
    is_close,
)
from hpatches_kit.course.exercises.lesson_3_numbers import expect_number

# One number per descriptor. Nearest: 204 (right, at 4), 98 (wrong, at 0.5), 1 (right, at 1),
# 204 (wrong, at 3), 98 (right, at 2). So the ranked matches are - + + - +.
REFERENCE = np.array([[200.0], [97.5], [0.0], [207.0], [100.0]])
IMAGE = np.array([[204.0], [120.0], [1.0], [300.0], [98.0]])


def matching_ap(reference, image):
    """Average precision and success rate of matching one image: `(ap, success_rate)`.

    `reference` and `image` are descriptors (points, dim); row i of both shows the same point. The
    match of a reference row is the nearest row of `image`, by Euclidean distance; it is correct if
    it has the same number i. The matches are ranked by distance, the smallest first, and all points
    count as positives, also those without a correct match. AP is the area of `average_precision`.
    """
    distances = np.linalg.norm(reference[:, None] - image, axis=2)
    correct = np.argmin(distances, axis=1) == np.arange(len(reference))
    ranked = correct[np.argsort(np.min(distances, axis=1), kind="stable")]
    before = np.cumsum(~ranked)[ranked]  # wrong matches before each correct one
    return hk.benchmark.average_precision(before, len(reference)), correct.mean()


def check_matching_ap(matching_ap):
    def scores(reference, image):
        answer = matching_ap(reference, image)
        expect_return(answer, "matching_ap(...)")
        expect(
            isinstance(answer, tuple | list) and len(answer) == 2,
            "matching_ap returns one value: expected two, `return ap, success_rate`.",
        )
        names = "the AP", "the success rate"
        return [float(expect_array(value, (), name)) for value, name in zip(answer, names)]

    ap, rate = scores(REFERENCE, IMAGE)
    swapped = is_close([ap, rate], [0.6, 0.276667])
    expect(not swapped, "AP and success rate are swapped: `return ap, success_rate`.")
    expect_number(
        rate,
        0.6,
        "as success rate, five points with three correct matches",
        "A match is correct if the nearest row has the same number as the reference row.",
        {
            0.4: "You searched the nearest reference row of each row of the image. Search the"
            " nearest row of the image for each reference row.",
            3.0: "That is a count: divide it by the number of points.",
            60.0: "That is in percent: expected a fraction, 0 to 1.",
            0.2: "Did you take the row with the largest product? Descriptors need not have norm 1:"
            " take the smallest Euclidean distance.",
        },
    )
    expect_number(
        ap,
        0.276667,
        "as AP, five points with three correct matches",
        "By distance, the matches are wrong, correct, correct, wrong, correct: 1, 1 and 2 wrong"
        " ones stand before the correct ones.",
        {
            0.461111: "You divided by the positives found, not by all: every point is a positive.",
            0.426667: "The matches are in the order of the points: rank them by distance.",
            0.458333: "The largest distance ranks first: the smallest must.",
            0.353333: "That is the mean precision at the positives: use the trapezoid rule.",
            0.478254: "You ranked all pairs of a reference row and an image row: rank one match for"
            " each reference row.",
            0.6: "All correct matches rank first. Did you rank by the distance to the row with the"
            " same number? Rank by the distance to the match, which may be wrong.",
        },
    )
    none = scores(REFERENCE[:2], REFERENCE[1::-1])
    expect_number(
        sum(none), 0, "two wrong matches and no correct one", "AP and success rate are 0."
    )
    rng = np.random.default_rng(5)
    reference = rng.normal(size=(40, 3))
    image = reference + rng.normal(0, 0.4, (40, 3))
    ap, rate = scores(reference, image)
    right_ap, right_rate = solved_matching(reference, image)
    given = "40 random points of three numbers"
    distance = "Is the distance Euclidean, over all numbers of a descriptor?"
    expect_number(rate, right_rate, f"as success rate, {given}", distance)
    expect_number(ap, right_ap, f"as AP, {given}", distance)


# For the check, in which the name is the learner's function.
solved_matching = matching_ap


def retrieval_ap(query, positives, distractors):
    """Average precision of one query of retrieval.

    `query` is a descriptor (dim,), `positives` (5, dim) and `distractors` (n, dim) are the pool.
    The pool is ranked by Euclidean distance to the query; at equal distance a positive ranks before
    a distractor, as in the official code. AP is the trapezoid area, as in `average_precision`.
    """
    to_positives = np.linalg.norm(positives - query, axis=1)
    to_distractors = np.linalg.norm(distractors - query, axis=1)
    before = [np.sum(to_distractors < distance) for distance in np.sort(to_positives)]
    return hk.benchmark.average_precision(before)


def check_retrieval_ap(retrieval_ap):
    def ap(query, positives, distractors):
        answer = retrieval_ap(query, positives, distractors)
        return float(expect_array(answer, (), "retrieval_ap"))

    query = np.array([10.0, 20.0])
    # Positives at 7, 1, 9, 2, 4 and distractors at 10, 3, 6, 8, 5: the ten pairs of the lesson.
    positives = query + np.array([[7.0, 0], [-1, 0], [0, 9], [0, -2], [4, 0]])
    distractors = query + np.array([[10.0, 0], [0, 3], [-6, 0], [0, 8], [5, 0]])
    expect_number(
        ap(query, positives, distractors),
        0.754365,
        "positives at distances 1, 2, 4, 7, 9 and distractors at 3, 5, 6, 8, 10",
        "The distractors before the positives are 0, 0, 1, 3 and 4, if you sort the positives by"
        " distance. Is the distance Euclidean, to the query, one for each row?",
        {
            0.775397: "That is the mean precision at the positives: use the trapezoid rule.",
            0.664524: "The positives are not sorted by distance.",
            0.68: "That is the area under the ROC curve.",
            0.551795: "You counted all patches before a positive: count the distractors only.",
        },
    )
    expect_number(
        ap(query, positives, query + np.full((50, 2), 100.0)),
        1,
        "distractors that are all farther than the positives",
        "No distractor stands before a positive.",
    )
    expect_number(
        ap(query, np.tile(query + 1, (5, 1)), np.tile(query + 1, (30, 1))),
        1,
        "five positives and 30 distractors at one distance",
        "At equal distance a positive ranks first: count distractors that are strictly closer.",
    )
    steps = np.array([[1.0, 0], [2, 0], [3, 0]])
    expect_number(
        ap(query, query + steps[[0, 0, 1, 1, 2]], query + np.tile(steps, (100, 1))),
        0.416032,
        "positives at distances 1, 1, 2, 2, 3 and 100 distractors at each of 1, 2 and 3",
        "0, 0, 100, 100 and 200 distractors are strictly closer. If you sort, put the positives first"
        ' in the list and use np.argsort(distances, kind="stable").',
    )
    expect_number(
        ap(query, np.tile(query + 3, (5, 1)), query + np.array([[0.0, 5.0]])),
        1,
        "positives at a Euclidean distance of 4.24 and a distractor at 5",
        "Is the distance Euclidean? The sum of absolute differences would be 6 and 5.",
    )


TASK_EXERCISES = (
    Exercise(
        "matching_ap",
        3,
        matching_ap,
        check_matching_ap,
        (
            "Compute the distance of every reference row to every row of the image. The smallest of"
            " each row of that matrix is the match. Then rank the matches by that distance.",
            "The distances are (points, points), `correct` is (points,), booleans. For each correct"
            " match, nearest first, `before` has the number of wrong matches that rank before it;"
            " hk.benchmark.average_precision takes it, and the number of positives. (Yours of above"
            " takes the list itself.)",
            "return hk.benchmark.average_precision(before, len(reference)), correct.mean()",
        ),
    ),
    Exercise(
        "retrieval_ap",
        3,
        retrieval_ap,
        check_retrieval_ap,
        (
            "For each positive, nearest first, count the distractors that are strictly closer to the"
            " query. hk.benchmark.average_precision takes these five numbers.",
            "The distances are (5,) to the positives and (n,) to the distractors.",
            "before = [np.sum(to_distractors < distance) for distance in np.sort(to_positives)]",
        ),
    ),
)

"""Exercises of lesson 3: average precision and the ROC area; `lesson_3_tasks.py` has the others."""

import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.expectations import expect_array
from hpatches_kit.course.exercises.lesson_3_numbers import expect_number
from hpatches_kit.course.exercises.lesson_3_tasks import TASK_EXERCISES

# The ten pairs of the lesson, not sorted by distance. Sorted, they are + + - + - - + - + -.
DISTANCES = np.array([0.8, 0.1, 0.5, 0.0, 0.9, 0.3, 0.7, 0.2, 0.6, 0.4])
POSITIVE = np.array([True, True, False, True, False, True, False, False, True, False])
ORDER = np.argsort(DISTANCES)
PAIRS = "the ten pairs of the lesson"
# A list with ties: 200 pairs at each of three distances. The first 300 are of one kind.
TIED = np.tile([0.1, 0.2, 0.3], 200)
FIRST_HALF = np.arange(600) < 300


def average_precision(distances, is_positive, positives):
    """Area under the precision-recall curve of a list of pairs, by the trapezoid rule.

    The list is `distances` and booleans `is_positive`, (pairs,) each. The smallest distance ranks
    first; equal distances keep the order of the list. `positives` is the number of all positives,
    of which some may be missing from the list. The curve starts at recall 0 with precision 1 and
    ends with the last pair, even if recall is below 1 there.
    """
    ranked = is_positive[np.argsort(distances, kind="stable")]
    true = np.cumsum(ranked)
    precision = np.append(1, true / np.arange(1, len(true) + 1))
    recall = np.append(0, true / positives)
    return np.trapezoid(precision, recall)


AP_OF_PAIRS = 0.754365
AP_MISTAKES = {
    0.775397: "That is the mean precision at the positives, as in the MATLAB code. Here the area is"
    " asked for: np.trapezoid(precision, recall).",
    0.733333: "That takes the precision before each step. A trapezoid takes the mean of the"
    " precision before and after it.",
    0.554365: "The first point of the curve is missing: recall 0 with precision 1.",
    0.654365: "The curve starts with precision 0: it starts at recall 0 with precision 1.",
    -0.254365: "np.trapezoid takes the y values first: np.trapezoid(precision, recall).",
    75.436508: "That is in percent: expected a fraction, 0 to 1.",
    0.68: "That is the area under the ROC curve: take precision over recall.",
    0.385913: "The largest distance ranks first: the smallest must.",
    0.375635: "You counted the negatives instead of the positives.",
    0.377183: "Recall is divided by all pairs: divide it by the number of positives.",
    0.35: "Precision is divided by all pairs: at each rank, divide by the pairs listed so far.",
}


def check_average_precision(average_precision):
    def ap(distances, is_positive, positives):
        answer = average_precision(np.array(distances), np.array(is_positive), positives)
        return float(expect_array(answer, (), "average_precision"))

    expect_number(
        ap(DISTANCES[ORDER], POSITIVE[ORDER], 5),
        AP_OF_PAIRS,
        PAIRS,
        "Compare your precision and recall with the table of the lesson.",
        AP_MISTAKES,
    )
    expect_number(
        ap(DISTANCES, POSITIVE, 5),
        AP_OF_PAIRS,
        "the same ten pairs in another order",
        "Sort the list by distance first.",
    )
    expect_number(
        ap(DISTANCES, POSITIVE, 10),
        AP_OF_PAIRS / 2,
        "ten pairs with five of ten positives",
        "The five that are missing change recall, and not precision.",
        {
            AP_OF_PAIRS: "You divided by the positives found, not by all: use `positives`.",
            AP_OF_PAIRS / 2
            + 0.125: "You continue the curve to recall 1: it ends with the last pair.",
            AP_OF_PAIRS / 2
            + 0.25: "You continue the curve to recall 1: it ends with the last pair.",
        },
    )
    expect_number(
        ap([0.1, 0.2, 0.3], [False, True, True], 2),
        0.416667,
        "a negative and then two positives",
        "The precisions are 1, 0, 1/2 and 2/3, the recalls 0, 0, 1/2 and 1.",
    )
    expect_number(
        ap([0.1, 0.2, 0.3], [False, False, False], 4),
        0,
        "three negatives, with four positives that are never found,",
        "Recall stays 0.",
    )
    for is_positive, expected, first in (
        (FIRST_HALF, 0.716082, "positives"),
        (~FIRST_HALF, 0.394839, "negatives"),
    ):
        expect_number(
            ap(TIED, is_positive, 300),
            expected,
            f"pairs with ties, {first} first in the list,",
            'Equal distances keep the order of the list: np.argsort(distances, kind="stable").',
        )


def roc_area(distances, is_positive):
    """Area under the ROC curve of a list of pairs, by the trapezoid rule.

    The list is `distances` and booleans `is_positive`, (pairs,) each. The smallest distance ranks
    first; equal distances keep the order of the list. The curve is the fraction of all positives
    ranked so far (y) over the fraction of all negatives ranked so far (x). It starts at (0, 0).
    """
    ranked = is_positive[np.argsort(distances, kind="stable")]
    true = np.append(0, np.cumsum(ranked))
    false = np.append(0, np.cumsum(~ranked))
    return np.trapezoid(true / true[-1], false / false[-1])


ROC_MISTAKES = {
    0.32: "That is 1 - 0.68: either x and y are swapped, or the largest distance ranks first.",
    AP_OF_PAIRS: "That is the area under the precision-recall curve.",
    0.17: "Divide by the number of positives and by the number of negatives, not by all pairs.",
    17.0: "Those are counts: divide by the number of positives and by the number of negatives.",
    68.0: "That is in percent: expected a fraction, 0 to 1.",
}


def check_roc_area(roc_area):
    def area(distances, is_positive):
        answer = roc_area(np.array(distances), np.array(is_positive))
        return float(expect_array(answer, (), "roc_area"))

    counted = "Before the five positives stand 0, 0, 1, 3 and 4 of the five negatives."
    ten_pairs = area(DISTANCES[ORDER], POSITIVE[ORDER])
    expect_number(ten_pairs, 0.68, PAIRS, counted, ROC_MISTAKES)
    expect_number(
        area(DISTANCES, POSITIVE),
        0.68,
        "the same ten pairs in another order",
        "Sort the list by distance first.",
    )
    expect_number(
        area([0.1, 0.2, 0.3, 0.4, 0.5], [False, True, True, True, False]),
        0.5,
        "three positives between two negatives",
        "Divide the positives so far by 3 and the negatives so far by 2.",
    )
    for is_positive, expected, first in (
        (FIRST_HALF, 2 / 3, "positives"),
        (~FIRST_HALF, 1 / 3, "negatives"),
    ):
        expect_number(
            area(TIED, is_positive),
            expected,
            f"pairs with ties, {first} first in the list,",
            'Equal distances keep the order of the list: np.argsort(distances, kind="stable").',
            {
                0.5: "You counted a tie as one half; here equal distances keep the order of the list."
            },
        )


EXERCISES = (
    Exercise(
        "average_precision",
        3,
        average_precision,
        check_average_precision,
        (
            "Sort the labels by distance and go down the list. At each rank count the positives so"
            " far. Precision is that count over the rank, recall that count over all positives.",
            "Precision and recall are (pairs + 1,), because the curve starts at recall 0 with"
            " precision 1. np.cumsum of the sorted labels is (pairs,).",
            "return np.trapezoid(precision, recall)",
        ),
    ),
    Exercise(
        "roc_area",
        3,
        roc_area,
        check_roc_area,
        (
            "Sort the labels by distance. Count the positives and the negatives so far, and divide"
            " each count by its last value.",
            "Both counts are (pairs + 1,) and start with 0. `~` inverts booleans.",
            "return np.trapezoid(true / true[-1], false / false[-1])",
        ),
    ),
    *TASK_EXERCISES,
)

"""Exercises of lesson 8: scores in the order of their seeds, and the effect of a change."""

import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise
from hpatches_kit.course.exercises.lesson_8_effect import check_effect
from hpatches_kit.course.exercises.lesson_8_scores_by_seed import check_scores_by_seed


def scores_by_seed(values, table, row, column):
    """Choose the scores of one row from the numbers of all tables, in the order of their seeds.

    `values` is a DataFrame with columns `table`, `row`, `column`, `seed` and `value`; its lines are
    in any order. Returns an array with one number for each seed, shape (seeds,).
    """
    chosen = values[
        (values.table == table) & (values.row == row) & (values.column == column)
    ].sort_values("seed")
    return chosen["value"].to_numpy()


def effect(scores, baseline, t=4.303):
    """Judge whether a row scores higher than a baseline.

    `scores` and `baseline` are arrays (seeds,), with the same seeds in the same order; `t` is the
    97.5 % quantile of Student's t distribution, 4.303 for three seeds. Returns three things: the
    mean difference, half the width of its 95 % interval, and a word: "clear" if 0 is outside of
    that interval, else "unclear".
    """
    differences = scores - baseline
    mean = np.mean(differences)
    half_width = t * np.std(differences, ddof=1) / np.sqrt(len(differences))
    return mean, half_width, "clear" if abs(mean) > half_width else "unclear"


EXERCISES = (
    Exercise(
        "scores_by_seed",
        8,
        scores_by_seed,
        check_scores_by_seed,
        (
            "Keep the lines that agree in table, row and column, and bring them into the order of the"
            " seeds: two rows can then be compared seed by seed.",
            "(values.row == row) is an array of True and False, one for each line; & joins two of them."
            " values[...] keeps the lines with True.",
            'return chosen.sort_values("seed")["value"].to_numpy()',
        ),
    ),
    Exercise(
        "effect",
        8,
        effect,
        check_effect,
        (
            "Subtract seed by seed first. The mean of the differences is the effect; how much they vary"
            " decides how sure it is.",
            "differences has shape (seeds,). The half width is t s / sqrt(n), with the standard"
            " deviation s of the differences, divided by n - 1.",
            "half_width = t * np.std(differences, ddof=1) / np.sqrt(len(differences))",
        ),
    ),
)

"""The check of `scores_by_seed`, on a small table whose lines are not in order."""

import numpy as np
import pandas as pd

from hpatches_kit.course.exercises.expectations import expect, expect_array, is_close

LINES = [
    ("first", "deep", "Matching", 2, 0.70),
    ("first", "shallow", "Matching", 1, 0.52),
    ("first", "deep", "Matching, real", 0, 0.31),
    ("first", "deep", "Matching", 0, 0.62),
    ("first", "shallow", "Matching", 2, 0.58),
    ("second", "deep", "Matching", 0, 0.11),
    ("first", "deep", "Matching", 1, 0.55),
    ("second", "deep", "Matching", 2, 0.13),
    ("first", "shallow", "Matching", 0, 0.50),
    ("first", "deep", "Matching, real", 1, 0.33),
    ("second", "deep", "Matching", 1, 0.12),
    ("first", "deep", "Matching, real", 2, 0.32),
    ("first", "deep, long", "Matching", 1, 0.83),
    ("first", "deep, long", "Matching", 0, 0.81),
    ("first", "deep, long", "Matching", 2, 0.85),
]
FOREIGN = {  # scores that are not of row "deep", column "Matching" of the first table
    "table": (0.11, 0.12, 0.13),
    "row": (0.50, 0.52, 0.58),
    "column": (0.31, 0.33, 0.32),
}


def check_scores_by_seed(scores_by_seed):
    values = pd.DataFrame(LINES, columns=["table", "row", "column", "seed", "value"])
    before = values.copy()
    scores = scores_by_seed(values, "first", "deep", "Matching")
    scores = expect_array(scores, np.shape(scores) if np.ndim(scores) < 2 else (3,), "the result")
    expect(scores.size > 0, "it returns no numbers: no line agrees with what it looks for.")
    expect(
        scores.shape != (),
        f"it returns one number, {np.mean(scores):.3f}: expected one for each seed. Do not average.",
    )
    for name, foreign in (*FOREIGN.items(), ("row", (0.81, 0.83, 0.85))):
        found = [score for score in scores.tolist() if score in foreign]
        expect(
            not found,
            f"{found} are scores of another {name}: keep the lines that agree in table, row and column.",
        )
    expect(
        len(scores) == 3,
        f"the result has length {len(scores)}: expected one score for each of 3 seeds.",
    )
    right = np.array([0.62, 0.55, 0.70])
    expect(
        not is_close(scores, [0.70, 0.62, 0.55]),
        "the scores are in the order of the lines, seeds 2, 0, 1: sort by seed. Else scores of"
        " different seeds are subtracted from each other.",
    )
    expect(
        not is_close(scores, np.sort(right)) and not is_close(scores, np.sort(right)[::-1]),
        f"{scores.tolist()} are sorted by value: sort by seed.",
    )
    expect(
        not is_close(scores, right[::-1]),
        "the last seed comes first: sort the seeds upwards.",
    )
    expect(is_close(scores, right), f"it returns {scores.tolist()}: expected {right.tolist()}.")
    for changed, name in (
        ("table", ("second", "deep", "Matching")),
        ("row", ("first", "shallow", "Matching")),
        ("column", ("first", "deep", "Matching, real")),
    ):
        scores = expect_array(scores_by_seed(values, *name), (3,), f"the scores of {name}")
        expect(
            is_close(scores, FOREIGN[changed]),
            f"of {name} it returns {scores.tolist()}: expected {list(FOREIGN[changed])}. Use the"
            f" argument `{changed}`.",
        )
    expect(
        values.equals(before), "it changes `values`: work on a copy, other cells need the numbers."
    )

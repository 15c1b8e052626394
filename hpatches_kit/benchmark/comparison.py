"""Compare descriptors: a table of scores, and confidence intervals of differences."""

import numpy as np
import pandas as pd

from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.bootstrap import interval


def table(*scores):
    """Mean AP of several descriptors: a `pandas.DataFrame`, one row per `Scores`.

    If the protocols are not all the Python protocol, a column names them.
    """
    rows = [{"kind": score.kind, "descriptor": score.name} | score.by_task for score in scores]
    frame, names = pd.DataFrame(rows), [score.protocol.name for score in scores]
    if set(names) - {"python"}:
        frame.insert(2, "protocol", names)
    return frame


def check_same_protocol(scores):
    """Raise UserError for scores of different protocols, which cannot be compared."""
    for score in scores:
        if score.protocol != scores[0].protocol:
            raise UserError(
                f"Scores of different protocols cannot be compared: {score.title} has"
                f" {score.protocol.name}; {scores[0].title} has {scores[0].protocol.name}."
                " Evaluate both with the same protocol."
            )


def compare(*scores, level=0.95):
    """Mean AP of several `Scores`, the difference to the first, and confidence intervals.

    The intervals come from a bootstrap over sequences: 1000 draws, the same for all descriptors.
    They are NaN for a single sequence. `level` is their confidence level. A difference whose
    interval excludes 0 is unlikely to come from the choice of the test sequences.

    Returns a `pandas.DataFrame`, one row per descriptor and task: descriptor, kind, task; mean_ap,
    low, high; difference, difference_low, difference_high. Raises UserError for scores of different
    protocols, sequences, task lists, distances or tasks.
    """
    if not scores:
        raise UserError("There are no scores to compare.")
    check_same_protocol(scores)
    first, rows = scores[0], []
    for score in scores:
        for field, value, expected in (
            ("sequences", ", ".join(score.sequences), ", ".join(first.sequences)),
            ("task lists or distances", score.provenance, first.provenance),
            ("tasks", ", ".join(score.tasks), ", ".join(first.tasks)),
        ):
            if value != expected:
                raise UserError(
                    f"Scores of different {field} cannot be compared: {score.title} has {value};"
                    f" {first.title} has {expected}."
                )
        for task in score.tasks:
            mean, draws = score[task]["mean_ap"], np.asarray(score[task]["draws"])
            differences = draws - np.asarray(first[task]["draws"])
            row = {"descriptor": score.name, "kind": score.kind, "task": task, "mean_ap": mean}
            row["low"], row["high"] = interval(draws, level)
            row["difference"] = mean - first[task]["mean_ap"]
            row["difference_low"], row["difference_high"] = interval(differences, level)
            rows.append(row)
    return pd.DataFrame(rows)

"""Several descriptors side by side, and whether their differences would survive other sequences."""

import numpy as np
import pandas as pd

from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.bootstrap import interval


def table(*scores):
    """Mean AP of several descriptors, a row each: a `pandas.DataFrame`."""
    rows = [{"kind": one.kind, "descriptor": one.name} | one.by_task for one in scores]
    return pd.DataFrame(rows)


def compare(*scores, level=0.95):
    """Mean AP with confidence intervals, and how far each descriptor is ahead of the first.

    Sequences are drawn with replacement, a thousand times, the same for all descriptors.

    Args:
        scores: `Scores` of the same sequences and tasks.
        level: of the intervals.

    Returns:
        A `pandas.DataFrame`, a row for each descriptor and task: mean_ap, low, high; ahead, ahead_low
        and ahead_high: an interval without 0 is a difference that other draws of the sequences show,
        too. Intervals are NaN when there is one sequence only.

    Raises UserError for scores of other sequences, task lists or tasks.
    """
    if not scores:
        raise UserError("There are no scores to compare.")
    first, rows = scores[0], []
    for one in scores:
        for what, mine, others in (
            ("sequences", ", ".join(one.sequences), ", ".join(first.sequences)),
            ("lists and distance", one.protocol, first.protocol),
            ("tasks", ", ".join(one.tasks), ", ".join(first.tasks)),
        ):
            if mine != others:
                raise UserError(
                    f"Scores of other {what} cannot be compared: {one.title} has {mine};"
                    f" {first.title} has {others}."
                )
        for task in one.tasks:
            mean, draws = one[task]["mean_ap"], np.asarray(one[task]["draws"])
            ahead = draws - np.asarray(first[task]["draws"])
            row = {"descriptor": one.name, "kind": one.kind, "task": task, "mean_ap": mean}
            row["low"], row["high"] = interval(draws, level)
            row["ahead"] = mean - first[task]["mean_ap"]
            row["ahead_low"], row["ahead_high"] = interval(ahead, level)
            rows.append(row)
    return pd.DataFrame(rows)

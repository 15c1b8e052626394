"""The table of all submissions, for the teacher."""

import re

import pandas as pd

from hpatches_kit._support.atomic import atomic_file
from hpatches_kit.course.challenge.marking.ranking import as_ranges
from hpatches_kit.course.challenge.submissions.model_cards import visible

# A spreadsheet takes such text as a formula. In many countries it also begins a cell after a `;`.
FORMULA = re.compile(r"""(^|;)(?=[\s"']*[=+\-@＝＋－＠])""")


def score_table(results):
    """Return a `pandas.DataFrame`, one row per result, in their order.

    Columns: rank, submission (the name of its folder or file), name (of the model card), mean with
    low and high (95 % interval), tied_with (ranks), references (above which, tied with which), the
    scores of each half, dim, parameters, gpu_hours, copy_of (names of almost equal submissions),
    notes, problem.
    """
    halves = list(dict.fromkeys(half for result in results for half in result.halves))
    return pd.DataFrame([_row(result, results, halves) for result in results])


def write_table(table, file):
    """Write the table as CSV; text of strangers is not taken as a formula by spreadsheets."""
    table = table.copy()
    for column in table.columns:
        table[column] = [_harmless(value) for value in table[column]]
    for column in ("rank", "dim", "parameters"):
        table[column] = table[column].astype("Int64")
    with atomic_file(file) as partial:
        # With the mark by which Excel recognises UTF-8.
        table.to_csv(partial, index=False, float_format="%.5f", encoding="utf-8-sig")


def _row(result, results, halves):
    row = {"rank": result.rank, "submission": visible(result.entry.name)}
    row["name"] = visible(result.name) + " (reference)" * result.is_reference
    if result.halves:
        row["mean"] = result.ranking.mean
        row["low"], row["high"] = result.ranking.interval
    row["tied_with"] = as_ranges(result.tied)
    row["references"] = ", ".join(f"{word} {name}" for name, word in result.against.items())
    for half in halves:
        if half in result.halves:
            row[f"{half}_mean"] = result.halves[half].mean
            row |= {f"{half}_{task}": ap for task, ap in result.halves[half].tasks.items()}
    row["dim"] = result.dim or None
    row |= {field: result.card.get(field) for field in ("parameters", "gpu_hours")}
    row["copy_of"] = "; ".join(visible(results[k].entry.name) for k in result.copies)
    row["notes"] = " ".join(result.notes)
    row["problem"] = result.problem
    return row


def _harmless(value):
    return FORMULA.sub(r"\1'", value) if isinstance(value, str) else value

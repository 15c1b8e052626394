"""Tables of a report: columns, rows, reported numbers, conclusions."""

from dataclasses import dataclass, field

SCORES = "verification", "matching", "retrieval"  # of a run's record; other columns are in its log
ALL_THREE = "Verification", "Matching", "Retrieval"
LOWER_IS_BETTER = "mae", "loss"


@dataclass(frozen=True)
class Claim:
    """A conclusion of a report: one row is better than another in each of these columns.

    With `within`, the two rows are alike: they differ by at most this much.
    """

    text: str
    better: str
    worse: str
    columns: tuple
    within: float | None = None


@dataclass(frozen=True)
class Table:
    """A table or a figure of a report.

    Args:
        title: its subject.
        columns: `{name: (key, fraction)}`: a score of the run's record, or a number of its log and
            the epoch as a fraction of all epochs, from 0 (the first) to 1 (the last).
        rows: `{label: row}`.
        reported: `{label: numbers}` in the order of the columns.
        claims: the conclusions of the report.
        note: what a reader needs to compare reported and new numbers.
    """

    title: str
    columns: dict
    rows: dict
    reported: dict
    claims: list = field(default_factory=list)
    note: str = ""


def score_columns(*tasks):
    """Columns with the scores of these tasks, in this order."""
    return {task.capitalize(): (task, 1) for task in tasks}

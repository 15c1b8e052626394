"""Tables of a report: columns, rows, reported numbers, conclusions."""

from dataclasses import dataclass, field

LOWER_IS_BETTER = "mae", "loss"


@dataclass(frozen=True)
class Claim:
    """A conclusion of a report: one row is better than another in each of these columns.

    With `within`, the conclusion is that the two rows differ by at most this much.
    """

    text: str
    better: str
    worse: str
    columns: tuple = ("Verification", "Matching", "Retrieval")
    within: float | None = None


@dataclass(frozen=True)
class Table:
    """A table or a figure of a report.

    Args:
        title: its subject.
        columns: `{name: (key, fraction)}`. The key is a task, or a column of the log. The fraction
            says which epoch of the log: from 0 (the first) to 1 (the last).
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
    """The columns of a `Table` that hold the scores of these tasks."""
    return {task.capitalize(): (task, 1) for task in tasks}

"""What a table of a report is: columns, rows, reported numbers, conclusions."""

from dataclasses import dataclass, field

SCORES = ("verification", "matching", "retrieval")
ALL_THREE = ("Verification", "Matching", "Retrieval")
LESS_IS_BETTER = ("mae", "loss")


@dataclass(frozen=True)
class Claim:
    """A conclusion of a report: one row is better than another in every one of these columns.

    Or no farther from it than `within`, where the report finds them alike.
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
        title: what it is about.
        columns: name of a column -> `(number of the log or score, epoch)`; the epoch as a share of
            all: 0 the first, 1 the last.
        rows: label -> row.
        reported: label -> the reported numbers, in the order of the columns.
        claims: what the report concludes from it.
        note: what one should know to compare with it.
    """

    title: str
    columns: dict
    rows: dict
    reported: dict
    claims: list = field(default_factory=list)
    note: str = ""


def scored(*order):
    return {name.capitalize(): (name, 1) for name in order}

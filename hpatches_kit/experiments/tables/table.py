"""Tables of a report: columns, rows, reported numbers, conclusions."""

from dataclasses import dataclass, field

LOWER_IS_BETTER = "mae", "loss"
REAL = "real "  # first part of the key of a score on real image sequences
NOISY = "noisy "  # part of the key of a score of the same network on noisy patches
REAL_SUFFIX = ", real"  # last part of the name of such a column
DENOISER = "denoiser "  # first part of the key of a column of the denoiser's log


@dataclass(frozen=True)
class Claim:
    """A conclusion of a report, as differences between cells of its table.

    Attributes:
        text: the conclusion.
        effects: `{label: cells}`, a cell being `(row, column)`. An effect of two cells is the first
            minus the second, one of four is that minus the difference of the last two, each with
            the opposite sign where lower is better. The conclusion holds if all are positive.
        within: the conclusion is instead that no effect is larger than this in size.
    """

    text: str
    effects: dict
    within: float | None = None


@dataclass(frozen=True)
class Table:
    """A table or a figure of a report.

    Args:
        title: its subject.
        columns: `{name: (key, fraction)}`. The key is one of:

            - a task: the score on the test set, or on the side that the scale names;
            - `"real "` and a task: the score on real image sequences;
            - `"noisy "` and a task, also after `"real "`: the score on noisy patches, for rows with
              `scored_on_noisy_too`;
            - a column of the log; `"denoiser "` and a column of the denoiser's log;
            - `"parameters"` or `"core_seconds"`.

            The fraction says which epoch of a log: from 0 (the first) to 1 (the last).
        rows: `{label: row}`.
        reported: `{label: numbers}` in the order of the columns; there may be fewer numbers.
        claims: the conclusions of the report.
        note: what a reader needs to compare reported and new numbers.
        curve_over: of a figure: what the numbers at the end of the labels are. It is drawn as a
            curve.
    """

    title: str
    columns: dict
    rows: dict
    reported: dict
    claims: list = field(default_factory=list)
    note: str = ""
    curve_over: str = ""


def score_columns(*tasks):
    """The columns with the scores of these tasks: on the test set, then on real sequences."""
    test = {task.capitalize(): (task, 1) for task in tasks}
    return test | {real_column(name): (f"{REAL}{task}", 1) for name, (task, _) in test.items()}


def real_column(name):
    """The column with the same score on real sequences."""
    return f"{name}{REAL_SUFFIX}"


def is_real(column):
    """Whether a column is one of `real_column`."""
    return column.endswith(REAL_SUFFIX)


SCORES = ("Verification", "Matching", "Retrieval")
ALL_SCORES = (*SCORES, *(real_column(name) for name in SCORES))


def better(text, row, than, columns=ALL_SCORES):
    """The claim that one row is better than another in each of these columns."""
    return Claim(text, {column: ((row, column), (than, column)) for column in columns})


def alike(text, row, other, within, columns=ALL_SCORES):
    """The claim that two rows differ by at most `within` in each of these columns."""
    effects = {column: ((row, column), (other, column)) for column in columns}
    return Claim(text, effects, within)


def improves(text, row, column, earlier):
    """The claim that a row is better in one column (a later epoch) than in an earlier one."""
    return Claim(text, {column: ((row, column), (row, earlier))})


def ordered(text, row, columns=("Verification", "Retrieval", "Matching")):
    """The claim that the scores of a row fall in this order, on the test set and on real sequences.

    The first effect is the first score minus the second, and so on.
    """
    pairs = list(zip(columns, columns[1:]))
    pairs += [tuple(map(real_column, pair)) for pair in pairs]
    effects = {f"{first} - {second}": ((row, first), (row, second)) for first, second in pairs}
    return Claim(text, effects)


def smaller_drop(text, row, to, column="Verification", others=("Matching", "Retrieval")):
    """The claim that from one row to another one score drops less than the others."""
    effects = {}
    for make in (str, real_column):
        kept = make(column)
        for other in map(make, others):
            drops = (row, other), (to, other), (row, kept), (to, kept)
            effects[f"drop in {other} - drop in {kept}"] = drops
    return Claim(text, effects)

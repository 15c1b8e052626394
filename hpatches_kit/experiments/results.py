"""Numbers from runs: reported, ours over seeds, difference, and whether conclusions hold."""

import math

import numpy as np
import pandas as pd

from hpatches_kit._support.errors import UserError
from hpatches_kit.callbacks.resume import read_log
from hpatches_kit.experiments.remote_results import download_records, local_folder
from hpatches_kit.experiments.runs import Run, in_order
from hpatches_kit.experiments.tables import TABLES
from hpatches_kit.experiments.tables.table import LESS_IS_BETTER, SCORES
from hpatches_kit.experiments.training import record_of


def runs_of_tables(names, data="photos", scale="quick", seeds=1, policy="float32"):
    """Every run of these tables: all rows with one seed before those with the next.

    Args:
        names: of tables, see `TABLES`.
        data: a name or path for `hk.load`.
        scale: a name of `SCALES`, or a `Scale`.
        seeds: how many; each row is trained with seed 0, 1, ...
        policy: Keras's dtype policy.
    """
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        known = ", ".join(TABLES)
        raise UserError(f"Unknown table {unknown[0]!r}: expected some of {known}.")
    if seeds < 1:
        raise UserError(f"{seeds} seeds: expected 1 or more.")
    rows = {row.name: row for name in names for row in TABLES[name].rows.values()}
    return [Run(row, data, scale, seed, policy) for seed in range(seeds) for row in rows.values()]


def numbers(names, root, *what):
    """Every number of these tables, from the runs in a folder that are complete.

    Args:
        names: of tables.
        root: folder or address of the results.
        what: data, scale, seeds and policy, as for `runs_of_tables`.

    Returns:
        A DataFrame with columns `table`, `row`, `column`, `seed`, `value`.
    """
    runs = runs_of_tables(names, *what)
    root = _here(root, runs)

    def read(run, columns):
        scores, log = record_of(run, root)["scores"], read_log(root / run.folder)
        for key, share in columns:
            epoch = max(math.ceil(share * len(log)) - 1, 0)
            yield scores.get(key) if key in SCORES else log[key].iloc[epoch]

    return tabulate(names, [run for run in runs if record_of(run, root)], read)


def tabulate(names, runs, read):
    """A line for each number of these tables: what `numbers` returns.

    Args:
        names: of tables.
        runs: of their rows.
        read: from a run and columns as `Table` has them to their numbers.
    """
    lines = [
        (name, label, column, run.seed, value)
        for name in dict.fromkeys(names)  # a table named twice has no more seeds
        for label, row in TABLES[name].rows.items()
        for run in runs
        if run.row == row
        for column, value in zip(TABLES[name].columns, read(run, TABLES[name].columns.values()))
    ]
    return pd.DataFrame(lines, columns=["table", "row", "column", "seed", "value"])


def logs(names, root, *what):
    """Every epoch of the complete runs of these tables and of those they need, with `run` and `seed`."""
    parts, runs = [], in_order(runs_of_tables(names, *what))
    root = _here(root, runs)
    for run in runs:
        if record_of(run, root):
            log = read_log(root / run.folder).round(4)
            log.insert(0, "run", run.row.name)
            log.insert(1, "seed", run.seed)
            parts.append(log)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["run", "seed"])


def provenance(names, root, *what):
    """What each complete run of these tables, and each that one of them needs, was made with.

    Args:
        names, root, what: as for `numbers`.

    Returns:
        A DataFrame with columns `run`, `seed`, `folder`, `parameters`, `seconds`, `date`, `made with`.
    """
    lines, runs = [], in_order(runs_of_tables(names, *what))
    root = _here(root, runs)
    for run in runs:
        if record := record_of(run, root):
            made = [record[key] for key in ("parameters", "seconds", "date", "made with")]
            lines.append((run.row.name, run.seed, run.folder, *made))
    names = ["run", "seed", "folder", "parameters", "seconds", "date", "made with"]
    return pd.DataFrame(lines, columns=names)


def summary(name, values):
    """Each cell of a table: what was reported, and ours over seeds.

    Args:
        name: of the table.
        values: of `numbers`.

    Returns:
        A DataFrame with columns `row`, `column`, `reported`, `mean`, `spread` (standard deviation over
        seeds), `seeds`, `difference` (mean - reported).
    """
    table, lines = TABLES[name], []
    values = values[values.table == name]
    for label in table.rows:
        said = dict(zip(table.columns, table.reported.get(label, ())))
        for column in table.columns:
            here = values[(values.row == label) & (values.column == column)].value.astype(float)
            reported, mean = said.get(column, np.nan), here.mean()
            lines.append((label, column, reported, mean, here.std(), here.count(), mean - reported))
    names = ["row", "column", "reported", "mean", "spread", "seeds", "difference"]
    return pd.DataFrame(lines, columns=names)


def conclusions(name, values):
    """How often each conclusion of the report holds: in how many of the seeds that have both rows.

    It holds where the one row is better than the other in every column that it speaks of.

    Returns:
        A DataFrame with columns `conclusion`, `holds in`, `of`, and the mean advantage in each of
        those columns, positive where it points the way of the conclusion.
    """
    values, lines = values[values.table == name], []
    for claim in TABLES[name].claims:
        gains = {}
        for column in claim.columns:
            here = values[values.column == column]
            better, worse = (
                here[here.row == label].set_index("seed").value.astype(float)
                for label in (claim.better, claim.worse)
            )
            less = TABLES[name].columns[column][0].removeprefix("val_") in LESS_IS_BETTER
            gains[column] = (worse - better if less else better - worse).dropna()
        gains = pd.DataFrame(gains).dropna()
        holds = gains > 0 if claim.within is None else gains.abs() <= claim.within
        holds = int(holds.all(axis=1).sum())
        mean = gains.mean().to_dict()
        lines.append({"conclusion": claim.text, "holds in": holds, "of": len(gains), **mean})
    return pd.DataFrame(lines)


def _here(root, runs):
    """The local folder of results, with what the address has of these runs."""
    download_records(root, [run.folder for run in runs])
    return local_folder(root)

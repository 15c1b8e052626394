"""Collect the numbers of complete runs, and count how often the reports' conclusions hold."""

import math

import numpy as np
import pandas as pd

from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.experiments.records import log_of, record_of
from hpatches_kit.experiments.remote_results import download_records, local_folder
from hpatches_kit.experiments.rows import check_choice
from hpatches_kit.experiments.runs import Run, training_order
from hpatches_kit.experiments.tables import TABLES
from hpatches_kit.experiments.tables.table import LOWER_IS_BETTER


def runs_of_tables(names, data="photos", scale="quick", seeds=1, policy="float32"):
    """List the runs of these tables: all rows with seed 0, then all with seed 1, and so on.

    Args:
        names: of tables in `TABLES`.
        data: a name or path for `hk.load`.
        scale: a name in `SCALES`, or a `Scale`.
        seeds: number of seeds.
        policy: Keras's dtype policy.
    """
    for name in names:
        check_choice(name, TABLES, "table")
    if seeds < 1:
        raise UserError(f"{seeds} seeds: expected 1 or more.")
    rows = {row.name: row for name in names for row in TABLES[name].rows.values()}
    return [Run(row, data, scale, seed, policy) for seed in range(seeds) for row in rows.values()]


def numbers(names, root, *selection):
    """Collect the numbers of these tables from the complete runs.

    Args:
        names: of tables in `TABLES`.
        root: folder or address of the results, or a folder of `save_tables`.
        selection: data, scale, seeds and policy, as for `runs_of_tables`.

    Returns a DataFrame with columns `table`, `row`, `column`, `seed`, `value`.
    """
    local, runs = _complete(runs_of_tables(names, *selection), root)

    def read(run, columns):
        scores, log = record_of(run, local)["scores"], log_of(run, local)
        for key, fraction in columns:
            epoch = max(math.ceil(fraction * len(log)) - 1, 0)
            yield scores.get(key) if key in TASKS else log[key].iloc[epoch]

    return tabulate(names, runs, read)


def tabulate(names, runs, read):
    """Arrange the numbers of runs by table, row, column and seed, as `numbers` returns them.

    `read` is a function of a run and the values of `Table.columns`; it returns a number for each.
    """
    lines = [
        (name, label, column, run.seed, value)
        for name in dict.fromkeys(names)  # a table named twice does not get more seeds
        for label, row in TABLES[name].rows.items()
        for run in runs
        if run.row == row
        for column, value in zip(TABLES[name].columns, read(run, TABLES[name].columns.values()))
    ]
    return pd.DataFrame(lines, columns=["table", "row", "column", "seed", "value"])


def logs(names, root, *selection):
    """Collect the logs of the complete runs of these tables, and of the runs they need.

    Takes the arguments of `numbers`. Returns a DataFrame with a row for each epoch, and columns
    `run` (name of the row) and `seed`.
    """
    local, runs = _complete(training_order(runs_of_tables(names, *selection)), root)
    parts = []
    for run in runs:
        log = log_of(run, local).round(4)
        log.insert(0, "run", run.row.name)
        log.insert(1, "seed", run.seed)
        parts.append(log)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["run", "seed"])


def provenance(names, root, *selection):
    """Collect how the complete runs of these tables, and the runs they need, were trained.

    Takes the arguments of `numbers`. Returns a DataFrame with columns `run`, `seed`, `folder`,
    `parameters`, `seconds`, `date`, `environment`.
    """
    local, runs = _complete(training_order(runs_of_tables(names, *selection)), root)
    lines = [
        {"run": run.row.name, "seed": run.seed, "folder": run.folder, **record_of(run, local)}
        for run in runs
    ]
    columns = ["run", "seed", "folder", "parameters", "seconds", "date", "environment"]
    return pd.DataFrame(lines, columns=columns)


def summary(name, values):
    """Compare the reported number of each cell of a table with ours, over seeds.

    Takes the name of a table and the DataFrame of `numbers`. Returns a DataFrame with columns
    `row`, `column`, `reported`, `mean`, `spread` (standard deviation over seeds), `seeds`,
    `difference` (mean - reported).
    """
    table, lines = TABLES[name], []
    values = values[values.table == name]
    for label in table.rows:
        reported_numbers = dict(zip(table.columns, table.reported.get(label, ())))
        for column in table.columns:
            cell = values[(values.row == label) & (values.column == column)].value.astype(float)
            reported, mean = reported_numbers.get(column, np.nan), cell.mean()
            lines.append((label, column, reported, mean, cell.std(), cell.count(), mean - reported))
    names = ["row", "column", "reported", "mean", "spread", "seeds", "difference"]
    return pd.DataFrame(lines, columns=names)


def conclusions(name, values):
    """Count the seeds in which each conclusion of a table holds.

    A conclusion holds when it is true in every column that it names. Only seeds that have the
    numbers of both rows count.

    Takes the arguments of `summary`. Returns a DataFrame with columns `conclusion`, `holds in`,
    `of`, and for each column of a conclusion the mean difference, positive where `Claim.better` is
    better.
    """
    values, lines = values[values.table == name], []
    for claim in TABLES[name].claims:
        gains = {}
        for column in claim.columns:
            in_column = values[values.column == column]
            better, worse = (
                in_column[in_column.row == label].set_index("seed").value.astype(float)
                for label in (claim.better, claim.worse)
            )
            key, _ = TABLES[name].columns[column]
            lower_is_better = key.removeprefix("val_") in LOWER_IS_BETTER
            gains[column] = (worse - better if lower_is_better else better - worse).dropna()
        gains = pd.DataFrame(gains).dropna()
        holds = gains > 0 if claim.within is None else gains.abs() <= claim.within
        counts = {"holds in": int(holds.all(axis=1).sum()), "of": len(gains)}
        lines.append({"conclusion": claim.text, **counts, **gains.mean()})
    return pd.DataFrame(lines)


def _complete(runs, root):
    """The local folder of the results, and the complete ones among these runs."""
    download_records(root, [run.folder for run in runs])
    local = local_folder(root)
    return local, [run for run in runs if record_of(run, local)]

"""Collect the numbers of complete runs."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.experiments.records import log_of, record_of
from hpatches_kit.experiments.remote_results import download_records, local_folder
from hpatches_kit.experiments.rows import check_choice
from hpatches_kit.experiments.runs import Run, training_order
from hpatches_kit.experiments.tables import TABLES
from hpatches_kit.experiments.tables.table import DENOISER, NOISY, REAL

NUMBERS_OF_RUN = "parameters", "core_seconds"


def runs_of_tables(
    names, data="photos", scale="quick", seeds=1, policy="float32", tasks=None, only=None
):
    """List the runs of these tables: all rows with seed 0, then all with seed 1, and so on.

    Args:
        names: of tables in `TABLES`.
        data: a name or path for `hk.load`.
        scale: a name in `SCALES`, or a `Scale`.
        seeds: number of seeds.
        policy: Keras's dtype policy.
        tasks: official task lists: `"a"`, downloaded, or a folder; default: lists are drawn.
        only: names of rows, such as `"a-shallow-sgd"`; default: all rows.
    """
    for name in names:
        check_choice(name, TABLES, "table")
    if seeds < 1:
        raise UserError(f"{seeds} seeds: expected 1 or more.")
    rows = {row.name: row for name in names for row in TABLES[name].rows.values()}
    selected = rows if only is None else dict.fromkeys(only)
    for name in selected:
        check_choice(name, rows, "row of these tables")
    return [
        Run(rows[name], data, scale, seed, policy, tasks)
        for seed in range(seeds)
        for name in selected
    ]


def numbers(names, root, *selection):
    """Collect the numbers of these tables from the complete runs.

    Args:
        names: of tables in `TABLES`.
        root: folder or address of the results, or a folder of `save_tables`.
        selection: data, scale, seeds, policy, tasks and only, as for `runs_of_tables`.

    Returns a DataFrame with columns `table`, `row`, `column`, `seed`, `value`.
    """
    local, runs = _complete(runs_of_tables(names, *selection), root)

    return tabulate(
        names, runs, lambda run, columns: [_value_of(run, local, *column) for column in columns]
    )


def draws(names, root, *selection):
    """Collect the bootstrap draws over test sequences of the scores of these tables.

    Takes the arguments of `numbers`, and returns such a DataFrame, with columns `draws` (an array)
    and `sequences` (a tuple of names) instead of `value`. It has no rows for other numbers than scores.
    """
    local, runs = _complete(runs_of_tables(names, *selection), root)

    def read(run, columns):
        for key, _ in columns:
            record, task = _scored(record_of(run, local), key)
            if task in record.get("draws", {}):
                yield np.array(record["draws"][task]), tuple(record["sequences"])
            else:
                yield None

    lines = tabulate(names, runs, read)
    lines = lines[lines.value.notna()]
    for position, name in enumerate(("draws", "sequences")):
        lines[name] = [value[position] for value in lines.value]
    return lines.drop(columns="value")


def _scored(record, key):
    """The part of a record that holds the scores of a column's key, and the task."""
    for part in (REAL, NOISY):
        if key.startswith(part):
            record, key = record.get(part.strip(), {}), key.removeprefix(part)
    return record, key


def _value_of(run, root, key, fraction):
    """The number of a complete run for a column of a `Table`; None if the run does not have it."""
    record = record_of(run, root)
    scored, task = _scored(record, key)
    if task in TASKS:
        return scored.get("scores", {}).get(task)
    if key in NUMBERS_OF_RUN:
        return record.get(key)
    if key.startswith(DENOISER):
        run, key = replace(run, row=run.row.denoiser), key.removeprefix(DENOISER)
        if record_of(run, root) is None:
            return None
    log = log_of(run, root)
    return log[key].iloc[max(math.ceil(fraction * len(log)) - 1, 0)]


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
    `parameters`, `seconds` (of training), `core_hours` (of one processor core, everything
    included), `real` (names of the real sequences), `date`, `environment`.
    """
    local, runs = _complete(training_order(runs_of_tables(names, *selection)), root)
    lines = []
    for run in runs:
        record = record_of(run, local)
        parts = [record.get(part, 0) for part in ("core_seconds", "other_core_seconds")]
        core_hours = sum([*parts, record.get("real", {}).get("core_seconds", 0)]) / 3600
        line = {"run": run.row.name, "seed": run.seed, "folder": run.folder}
        real = ", ".join(record.get("real", {}).get("sequences", ()))
        lines.append(line | record | {"core_hours": core_hours, "real": real})
    columns = ["run", "seed", "folder", "parameters", "seconds", "core_hours", "real"]
    return pd.DataFrame(lines, columns=[*columns, "date", "environment"])


def summary(name, values):
    """Compare the reported number of each cell of a table with ours, over seeds.

    Takes the name of a table and the DataFrame of `numbers`. Returns a DataFrame with columns
    `row`, `column`, `reported`, `mean`, `deviation` (standard, over seeds), `seeds`,
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
    names = ["row", "column", "reported", "mean", "deviation", "seeds", "difference"]
    return pd.DataFrame(lines, columns=names)


def _complete(runs, root):
    """The local folder of the results, and the complete ones among these runs."""
    download_records(root, [run.folder for run in training_order(runs)])
    local = local_folder(root)
    return local, [run for run in runs if record_of(run, local)]

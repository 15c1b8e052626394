"""Tables from runs: reported, ours over seeds, difference, and whether conclusions hold."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit import plots
from hpatches_kit.datasets import RELEASES
from hpatches_kit.experiments.rows import SCALES, Run, narrowed
from hpatches_kit.experiments.store import copy_of, fetch_records
from hpatches_kit.experiments.table import LESS_IS_BETTER, SCORES
from hpatches_kit.experiments.tables import TABLES
from hpatches_kit.experiments.training import record_of
from hpatches_kit.files import write_text
from hpatches_kit.training import training_log

NUMBERS, LOGS, RUNS = "numbers.csv", "logs.csv", "runs.csv"
CONCLUSIONS = "conclusions.md"
GREY_LEVELS = ("mae", "psnr")  # two digits are enough; scores and triplet losses have three


def runs_of(names, data="photos", scale="quick", seeds=1, policy="float32"):
    """Every run of these tables: all rows with one seed before those with the next.

    Args:
        names: of tables, see `TABLES`.
        data: a name or path for `hk.load`.
        scale: `"quick"`, `"report"` or a `Scale`.
        seeds: how many; each row is trained with seed 0, 1, ...
        policy: Keras's dtype policy.
    """
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        known = ", ".join(TABLES)
        raise ValueError(f"Unknown table {unknown[0]!r}: expected some of {known}.")
    if seeds < 1:
        raise ValueError(f"{seeds} seeds: expected 1 or more.")
    rows = {row.name: row for name in names for row in TABLES[name].rows.values()}
    return [Run(row, data, scale, seed, policy) for seed in range(seeds) for row in rows.values()]


def numbers(names, root, *what):
    """Every number of these tables, from the runs in a folder that are complete.

    Args:
        names: of tables.
        root: folder or address of the results.
        what: data, scale, seeds and policy, as for `runs_of`.

    Returns:
        A DataFrame with columns `table`, `row`, `column`, `seed`, `value`.
    """
    lines, runs = [], runs_of(names, *what)
    root = _here(root, runs)
    for name in names:
        for label, row in TABLES[name].rows.items():
            for run in (run for run in runs if run.row == row):
                if (record := record_of(run, root)) is None:
                    continue
                log = training_log(root / run.folder)
                for column, (key, share) in TABLES[name].columns.items():
                    epoch = max(math.ceil(share * len(log)) - 1, 0)
                    value = record["scores"].get(key) if key in SCORES else log[key].iloc[epoch]
                    lines.append((name, label, column, run.seed, value))
    return pd.DataFrame(lines, columns=["table", "row", "column", "seed", "value"])


def logs(names, root, *what):
    """Every epoch of the complete runs of these tables, a row each, with `run` and `seed`."""
    parts, runs = [], runs_of(names, *what)
    root = _here(root, runs)
    for run in runs:
        if record_of(run, root):
            log = training_log(root / run.folder).round(4)
            log.insert(0, "run", run.row.name)
            log.insert(1, "seed", run.seed)
            parts.append(log)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["run", "seed"])


def about(names, root, *what):
    """What each complete run of these tables was made with: a DataFrame, a row for each.

    Args:
        names, root, what: as for `numbers`.

    Returns:
        A DataFrame with columns `run`, `seed`, `folder`, `parameters`, `seconds`, `date`, `made with`.
    """
    lines, runs = [], runs_of(names, *what)
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


def markdown(name, values, runs, data="photos", scale="quick", seeds=1, policy="float32"):
    """A table with its command, what it was made with, and its conclusions, as people read it.

    Args:
        name: of the table.
        values, runs: of `numbers` and `about`.
        data, scale, seeds, policy: as for `runs_of`.
    """
    table, cells = TABLES[name], summary(name, values).set_index(["row", "column"])
    most, rows = cells.seeds.max(), []
    for label in table.rows:
        row = {"": label}
        for column, (key, _) in table.columns.items():
            cell, digits = cells.loc[(label, column)], 2 if key.endswith(GREY_LEVELS) else 3
            ours = _text(cell["mean"], digits, cell.spread)
            if 0 < cell.seeds < most:
                ours += f" ({cell.seeds:.0f} of {most:.0f} seeds)"
            if not table.reported:
                row[column] = ours
                continue
            row[f"{column}: reported"] = _text(cell.reported, digits)
            row["ours" + " " * len(row)] = ours
            row["difference" + " " * len(row)] = _text(cell.difference, digits, sign="+")
        rows.append(row)
    text = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    verdicts = []
    for claim, line in zip(table.claims, conclusions(name, values).to_dict("records")):
        gains = ", ".join(f"{key} {line[key]:+.3f}" for key in claim.columns if key in line)
        found = (
            f"in {line['holds in']} of {line['of']} seeds ({gains})" if line["of"] else "not run"
        )
        verdicts.append(f"- {claim.text}: **{found}**")
    title = f"### {name}: {table.title}"
    origin = _origin(name, runs, data, scale, seeds, policy)
    return "\n\n".join(filter(None, [title, origin, table.note, text, "\n".join(verdicts)])) + "\n"


def _origin(name, runs, data, scale, seeds, policy):
    """The command that makes a table, and what its runs were made with."""
    scale = SCALES[scale] if isinstance(scale, str) else scale
    command = f"reproduce {name} --data {data} --scale {scale.name} --seeds {seeds}"
    if policy != "float32":
        command += f" --policy {policy}"
    rows = TABLES[name].rows.values()
    runs = runs[runs.run.isin([row.name for row in rows])]
    lines = [f"`python -m hpatches_kit {command}`"]
    for made, part in runs.groupby("made with"):
        first, last = part.date.min(), part.date.max()
        days = first if first == last else f"{first} to {last}"
        lines.append(f"{len(part)} run{'s' * (len(part) > 1)}, {days}: {made}")
    if TABLES[name].reported and (data not in RELEASES or scale.name != "report"):
        lines.append(
            "Reported is what N-HPatches gave at the reports' length, ours what"
            f" {Path(data).name} gave at scale {scale.name}: compare the order of the rows."
        )
    if scale.narrow > 1 and any(narrowed(row) for row in rows):
        lines.append(f"Decoders of 6 and 8 layers have 1/{scale.narrow} of their filters here.")
    return "  \n".join(lines)


def overview(names, values):
    """How many seeds each conclusion of these tables holds in, as a Markdown table."""
    lines = [
        {"table": f"[{name}]({name}.md)", "the report concludes": line["conclusion"]}
        | {"holds in": f"{line['holds in']} of {line['of']} seeds" if line["of"] else "not run"}
        for name in names
        for line in conclusions(name, values).to_dict("records")
    ]
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True) + "\n"


def save(folder, names, root, *what):
    """Keep the numbers of these tables, each as Markdown and as a figure; returns the numbers.

    `numbers.csv` has a line for each number and seed, `logs.csv` one for each epoch, `runs.csv` one for
    each run; `conclusions.md` says which conclusions hold.
    """
    folder = Path(folder)
    values, runs = numbers(names, root, *what), about(names, root, *what)
    for file, frame in {NUMBERS: values, LOGS: logs(names, root, *what), RUNS: runs}.items():
        write_text(folder / file, frame.to_csv(index=False))
    for name in names:
        write_text(folder / f"{name}.md", markdown(name, values, runs, *what))
        picture = plots.reported(summary(name, values), values[values.table == name])
        picture.savefig(folder / f"{name}.png", dpi=100)
    write_text(folder / CONCLUSIONS, overview(names, values))
    return values


def _here(root, runs):
    """The local folder of results, with what the address has of these runs."""
    fetch_records(root, [run.folder for run in runs])
    return copy_of(root)


def _text(value, digits, spread=np.nan, sign=""):
    if not np.isfinite(value):
        return ""
    text = f"{value:{sign}.{digits}f}"
    return f"{text} ± {spread:.{digits}f}" if np.isfinite(spread) else text

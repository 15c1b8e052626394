"""Write tables as Markdown pages and figures, with command, provenance and conclusions."""

import base64
import html
import io
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from hpatches_kit import plots
from hpatches_kit._support.atomic import replace_section, write_text
from hpatches_kit._support.units import format_duration
from hpatches_kit.datasets.loading import RELEASES
from hpatches_kit.experiments import evidence, results
from hpatches_kit.experiments.records import save_records
from hpatches_kit.experiments.remote_results import local_folder
from hpatches_kit.experiments.runs import training_order
from hpatches_kit.experiments.scales import SCALES
from hpatches_kit.experiments.tables import TABLES
from hpatches_kit.experiments.tables.table import REAL_SUFFIX, is_real, real_column

NUMBERS, EFFECTS, PAGE = "numbers.csv", "effects.csv", "README.md"
VERDICT_COLUMNS = ["conclusion", "here", "on real sequences"]
NEW_PAGE = "# Results\n\n<!-- conclusions -->\n<!-- end -->\n"


def markdown(
    name,
    values,
    effects=None,
    runs=None,
    data="photos",
    scale="quick",
    seeds=1,
    policy="float32",
    tasks=None,
):
    """Format a table with its provenance, note and conclusions as Markdown.

    Args:
        name: of the table.
        values: the DataFrame of `numbers`, or of a `numbers.csv`.
        effects: the DataFrame of `effects`, or of an `effects.csv`; None: computed from `values`.
        runs: the DataFrame of `provenance`; None omits command and provenance, and ignores the
            further arguments.
        data, scale, seeds, policy, tasks: as for `runs_of_tables`.
    """
    title = f"### {name}: {TABLES[name].title}"
    effects = evidence.effects([name], values) if effects is None else effects
    origin = None if runs is None else _origin(name, runs, data, scale, seeds, policy, tasks)
    parts = [title, origin, TABLES[name].note, cells(name, values), verdicts(name, effects)]
    return "\n\n".join(filter(None, parts)) + "\n"


def cells(name, values):
    """Format the numbers of a table: reported, ours, and on real sequences."""
    table, by_cell = TABLES[name], results.summary(name, values).set_index(["row", "column"])
    columns = [column for column in table.columns if not is_real(column)]
    transposed = len(columns) > max(3, len(table.rows))  # too wide to read otherwise
    labels, heads = (columns, table.rows) if transposed else (table.rows, columns)
    header, lines = [""], [[label] for label in labels]
    for head in heads:
        pairs = [(head, label) if transposed else (label, head) for label in labels]
        named = [column for _, column in pairs]
        shown = {head: named}
        if by_cell.loc[pairs].reported.notna().any():
            shown = {f"{head}: reported": None, "ours": named}
        if real := [
            real_column(column) for column in named if real_column(column) in table.columns
        ]:
            shown["real"] = [real_column(c) if real_column(c) in real else None for c in named]
        for title, cell_columns in shown.items():
            header.append(title)
            for line, (row, column), shown_column in zip(lines, pairs, cell_columns or named):
                digits = _digits(table.columns[column][0])
                if cell_columns is None:
                    line.append(_number(by_cell.loc[(row, column)].reported, digits))
                else:
                    cell = by_cell.loc[(row, shown_column)] if shown_column else None
                    line.append("" if cell is None else _mean(cell, digits, by_cell.seeds.max()))
    return tabulate(lines, header, tablefmt="pipe", disable_numparse=True)


def _mean(cell, digits, most_seeds):
    text = _number(cell["mean"], digits, cell.spread)
    if 0 < cell.seeds < most_seeds:
        text += f" ({cell.seeds:.0f} of {most_seeds:.0f} seeds)"
    return text


def _digits(key):
    """Digits after the decimal point for a column's key."""
    if key in results.NUMBERS_OF_RUN:
        return 0
    return 2 if key.endswith(("mae", "psnr")) else 3


def verdicts(name, effects):
    """List whether each conclusion of a table holds, with its effects and their intervals."""
    lines, of_table = [], effects[effects.table == name]
    for line in evidence.conclusions(name, effects).to_dict("records"):
        lines.append(f"- {line['conclusion']}")
        for on, title in (("test", ""), ("real", "on real sequences ")):
            chosen = of_table[(of_table.conclusion == line["conclusion"]) & (of_table.on == on)]
            if line[on]:
                shown = ", ".join(map(_effect, chosen.dropna(subset="mean").itertuples()))
                lines.append(f"  - {title}**{line[on]}**" + (f": {shown}" if shown else ""))
    return "\n".join(lines)


def _effect(line):
    """An effect and its interval, like `Matching +0.057 [+0.021, +0.093]`."""
    digits = 3 if abs(line.mean) < 10 else 0
    text = f"{line.effect.replace(REAL_SUFFIX, '')} {line.mean:+.{digits}f}"
    if np.isfinite(line.low):
        text += f" [{line.low:+.{digits}f}, {line.high:+.{digits}f}]"
    return text


def figure(name, values):
    """Draw a table: reported numbers beside ours, or a curve for a figure of a report."""
    of_table = values[values.table == name]
    if not (label := TABLES[name].curve_over):
        return plots.reported_vs_ours(results.summary(name, values), of_table)
    scores = of_table.pivot_table("value", ["row", "seed"], "column", sort=False)
    scores.index = [float(row.rpartition(" ")[2]) for row, _ in scores.index]
    return plots.metric_curve(scores.sort_index(), label)


def short_markdown(name, values, effects):
    """Format a table, and in one line each whether its conclusions hold, for a notebook."""
    verdict_table = evidence.conclusions(name, effects)
    verdict_table.columns = VERDICT_COLUMNS
    parts = [f"### {name}: {TABLES[name].title}", cells(name, values)]
    if len(verdict_table):
        parts.append(verdict_table.to_markdown(index=False, disable_numparse=True))
    return "\n\n".join(parts) + "\n"


def details(name, values, effects):
    """A folded section of HTML with the note, the effects and the figure of a table."""
    table, of_table = TABLES[name], effects[effects.table == name]
    stream = io.BytesIO()
    figure(name, values).savefig(stream, format="png", dpi=80)
    picture = base64.b64encode(stream.getvalue()).decode()
    shown = of_table.drop(columns=["table", "on"]).to_html(
        index=False, float_format="{:+.3f}".format
    )
    return (
        f"<details><summary>{name}: what differs, effects with their intervals, figure</summary>"
        f"<p>{html.escape(table.note)}</p>{shown if len(of_table) else ''}"
        f'<img alt="{name}" src="data:image/png;base64,{picture}"></details>'
    )


def overview(names, effects):
    """Format whether the conclusions of these tables hold, as Markdown."""
    parts = []
    for name in names:
        part = evidence.conclusions(name, effects)
        part.columns = VERDICT_COLUMNS
        part.insert(0, "table", f"[{name}]({name}.md)")
        parts.append(part)
    return pd.concat(parts).to_markdown(index=False, disable_numparse=True)


def save_tables(folder, names, root, *selection):
    """Write these tables to a folder: numbers, Markdown pages, figures, and records of the runs.

    - `numbers.csv`: a line for each number and seed; `effects.csv`: one for each effect;
    - `NAME.md`, `NAME.png` and, with the learning curves, `NAME-curves.png` of each table;
    - `README.md`: which conclusions hold, between two marks; other text stays;
    - `runs.jsonl` and `logs.jsonl`: records and logs of the runs, without the trained networks.
      `numbers`, `logs` and `provenance` read them when the folder is their `root`.

    Numbers, records and logs of other tables are overwritten.

    Takes the arguments of `numbers`, and returns its DataFrame. Raises UserError for a `README.md`
    without the marks, before anything is written.
    """
    folder = Path(folder).expanduser()
    values = results.numbers(names, root, *selection)
    effects = evidence.effects(names, values, results.draws(names, root, *selection))
    runs = results.provenance(names, root, *selection)
    if not (folder / PAGE).exists():
        write_text(folder / PAGE, NEW_PAGE)
    command = "  \n".join(_command_lines(names, runs, *selection))
    replace_section(folder / PAGE, "conclusions", f"{command}\n\n{overview(names, effects)}")
    write_text(folder / NUMBERS, values.to_csv(index=False))
    write_text(folder / EFFECTS, effects.round(5).to_csv(index=False))
    ordered = training_order(results.runs_of_tables(names, *selection))
    complete = [run for run in ordered if run.folder in set(runs.folder)]
    save_records(folder, complete, local_folder(root))
    for name in names:
        write_text(folder / f"{name}.md", markdown(name, values, effects, runs, *selection))
        figure(name, values).savefig(folder / f"{name}.png", dpi=100)
        logs = results.logs([name], root, *selection)
        by_label = {label: logs[logs.run == row.name] for label, row in TABLES[name].rows.items()}
        plots.curve_panels(by_label).savefig(folder / f"{name}-curves.png", dpi=80)
    return values


def _origin(name, runs, data, scale, seeds, policy, tasks):
    """The command that makes a table, how its runs were trained, and what limits a comparison."""
    rows = [run.row for run in training_order(results.runs_of_tables([name], data, scale))]
    runs = runs[runs.run.isin([row.name for row in rows])]
    lines = _command_lines([name], runs, data, scale, seeds, policy, tasks)
    scale = SCALES.get(scale, scale)
    if TABLES[name].reported and (data not in RELEASES or scale.name != "report"):
        lines.append(
            "Reported: N-HPatches, at the reports' length. Ours:"
            f" {Path(data).name}, at scale {scale.name}. Compare the order of the rows."
        )
    return "  \n".join(lines)


def _command_lines(
    names, runs, data="photos", scale="quick", seeds=1, policy="float32", tasks=None
):
    """The command that makes these tables, and a line for each environment it ran in."""
    tables = "all" if list(names) == list(TABLES) else " ".join(names)
    scale = SCALES.get(scale, scale)
    command = f"reproduce {tables} --data {data} --scale {scale.name} --seeds {seeds}"
    if policy != "float32":
        command += f" --policy {policy}"
    if tasks is not None:
        command += f" --tasks {tasks}"
    lines = [f"`python -m hpatches_kit {command}`"]
    for environment, part in runs.groupby("environment"):
        first, last = part.date.min(), part.date.max()
        days = first if first == last else f"{first} to {last}"
        count, duration = len(part), format_duration(part.seconds.sum())
        cost = format_duration(part.core_hours.sum() * 3600)
        trained = (
            f"{count} run{'s' * (count > 1)}, {duration} of training, {cost} of one core in all"
        )
        lines.append(f"{trained}, {days}: {environment}")
    return lines


def _number(value, digits, spread=np.nan):
    """A number with its spread, for example `0.857 ± 0.003`; empty when it is not finite."""
    if not np.isfinite(value):
        return ""
    text = f"{value:,.{digits}f}"
    return f"{text} ± {spread:,.{digits}f}" if spread > 0 else text

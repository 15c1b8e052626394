"""Write tables as Markdown pages and figures, with command, provenance and conclusions."""

import base64
import html
import io
import re
from pathlib import Path

import pandas as pd

from hpatches_kit import plots
from hpatches_kit._support.atomic import atomic_file, replace_section, write_text
from hpatches_kit._support.escaping import markdown_text
from hpatches_kit._support.units import format_duration
from hpatches_kit.datasets.loading import RELEASES
from hpatches_kit.experiments import evidence, results
from hpatches_kit.experiments.records import save_records
from hpatches_kit.experiments.remote_results import local_folder
from hpatches_kit.experiments.runs import training_order
from hpatches_kit.experiments.scales import SCALES
from hpatches_kit.experiments.table_markdown import cells, verdicts
from hpatches_kit.experiments.tables import REPORTS, TABLES

NUMBERS, EFFECTS, PAGE = "numbers.csv", "effects.csv", "README.md"
CODE = re.compile("`(.+?)`")  # in Markdown
VERDICT_COLUMNS = ["conclusion", "validation or test set", "real sequences"]
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
    only=None,
):
    """Format a table with its provenance, note and conclusions as Markdown.

    Args:
        name: of the table.
        values: the DataFrame of `numbers`, or of a `numbers.csv`.
        effects: the DataFrame of `effects`, or of an `effects.csv`; None: computed from `values`.
        runs: the DataFrame of `provenance`; None omits command and provenance, and ignores the
            further arguments.
        data, scale, seeds, policy, tasks, only: as for `runs_of_tables`.
    """
    title = f"### {name}: {TABLES[name].title}"
    effects = evidence.effects([name], values) if effects is None else effects
    selection = data, scale, seeds, policy, tasks, only
    origin = None if runs is None else _origin(name, runs, *selection)
    parts = [title, origin, TABLES[name].note, cells(name, values), verdicts(name, effects)]
    return "\n\n".join(filter(None, parts)) + "\n"


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
    verdict_table = verdict_table.loc[:, (verdict_table != "").any()]
    parts = [f"### {name}: {TABLES[name].title}", cells(name, values)]
    if len(verdict_table):
        parts.append(verdict_table.to_markdown(index=False, disable_numparse=True))
    return "\n\n".join(parts) + "\n"


def details(name, values, effects):
    """A folded section of HTML with the note, the effects and the figure of a table."""
    table, of_table = TABLES[name], effects[effects.table == name]
    stream = io.BytesIO()
    figure(name, values).savefig(stream, format="png", dpi=64)
    picture = base64.b64encode(stream.getvalue()).decode()
    shown = of_table.drop(columns=["table", "on"]).to_html(
        index=False, float_format="{:+.3f}".format
    )
    note = CODE.sub(r"<code>\1</code>", html.escape(table.note))
    return (
        f"<details><summary>{name}: what differs, effects with their intervals, figure</summary>"
        f"<p>{note}</p>{shown if len(of_table) else ''}"
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
    effects = effects.round(5)  # rounded once: the pages show what the file holds
    runs = results.provenance(names, root, *selection)
    if not (folder / PAGE).exists():
        write_text(folder / PAGE, NEW_PAGE)
    command = "  \n".join(_command_lines(names, runs, *selection))
    replace_section(folder / PAGE, "conclusions", f"{command}\n\n{overview(names, effects)}")
    write_text(folder / NUMBERS, values.to_csv(index=False))
    write_text(folder / EFFECTS, effects.to_csv(index=False))
    ordered = training_order(results.runs_of_tables(names, *selection))
    complete = [run for run in ordered if run.folder in set(runs.folder)]
    save_records(folder, complete, local_folder(root))
    logs = results.logs(names, root, *selection)
    for name in names:
        write_text(folder / f"{name}.md", markdown(name, values, effects, runs, *selection))
        _save(figure(name, values), folder / f"{name}.png", dpi=100)
        by_label = {label: logs[logs.run == row.name] for label, row in TABLES[name].rows.items()}
        _save(plots.curve_panels(by_label), folder / f"{name}-curves.png", dpi=80)
    return values


def _save(figure, path, dpi):
    with atomic_file(path) as file:
        figure.savefig(file, dpi=dpi)


def _origin(
    name, runs, data="photos", scale="quick", seeds=1, policy="float32", tasks=None, only=None
):
    """The command that makes a table, how its runs were trained, and what limits a comparison."""
    if only is not None:  # of several tables
        only = [row.name for row in TABLES[name].rows.values() if row.name in only]
    needed = training_order(results.runs_of_tables([name], data, scale, only=only))
    runs = runs[runs.run.isin([run.row.name for run in needed])]
    lines = _command_lines([name], runs, data, scale, seeds, policy, tasks, only)
    scale = SCALES.get(scale, scale)
    if TABLES[name].reported and (data not in RELEASES or scale.name != "report"):
        lines.append(
            "Reported: N-HPatches, at the reports' length. Ours:"
            f" {Path(data).name}, at scale {scale.name}. Compare the order of the rows."
        )
    return "  \n".join(lines)


def _command_lines(
    names, runs, data="photos", scale="quick", seeds=1, policy="float32", tasks=None, only=None
):
    """The command that makes these tables, and a line for each environment it ran in."""
    tables = "all" if list(names) == list(REPORTS) else " ".join(names)
    scale = SCALES.get(scale, scale)
    command = f"reproduce {tables} --data {data} --scale {scale.name} --seeds {seeds}"
    if policy != "float32":
        command += f" --policy {policy}"
    if tasks is not None:
        command += f" --tasks {tasks}"
    if only is not None:
        rows = {row.name for name in names for row in TABLES[name].rows.values()}
        command += f" --only {' '.join(name for name in only if name in rows)}"
    if real := [sequences for sequences in runs.real.unique() if sequences]:
        command += " --real PATCHES"
    lines = [f"`python -m hpatches_kit {command}`"]
    lines += [f"Real sequences: {markdown_text(sequences)}." for sequences in real]
    for environment, part in runs.groupby("environment"):
        first, last = part.date.min(), part.date.max()
        days = first if first == last else f"{first} to {last}"
        count, duration = len(part), format_duration(part.seconds.sum())
        cost = format_duration(part.core_hours.sum() * 3600)
        trained = (
            f"{count} run{'s' * (count > 1)}, {duration} of training, {cost} of one core in all"
        )
        lines.append(f"{trained}, {markdown_text(days)}: {markdown_text(environment)}")
    return lines

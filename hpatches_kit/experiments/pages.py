"""Write tables as Markdown pages and figures, with command, provenance and conclusions."""

from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit import plots
from hpatches_kit._support.atomic import replace_section, write_text
from hpatches_kit._support.units import format_duration
from hpatches_kit.datasets.loading import RELEASES
from hpatches_kit.experiments import results
from hpatches_kit.experiments.records import save_records
from hpatches_kit.experiments.remote_results import local_folder
from hpatches_kit.experiments.runs import has_wide_decoder, training_order
from hpatches_kit.experiments.scales import SCALES
from hpatches_kit.experiments.tables import TABLES

NUMBERS, PAGE = "numbers.csv", "README.md"
NEW_PAGE = "# Results\n\n<!-- conclusions -->\n<!-- end -->\n"
TWO_DIGITS = ("mae", "psnr")  # after the decimal point; scores and triplet losses have three


def markdown(name, values, runs=None, data="photos", scale="quick", seeds=1, policy="float32"):
    """Format a table with its provenance, note and conclusions as Markdown.

    Args:
        name: of the table.
        values: the DataFrame of `numbers`, or of a `numbers.csv`.
        runs: the DataFrame of `provenance`; None omits command and provenance, and ignores the
            further arguments.
        data, scale, seeds, policy: as for `runs_of_tables`.
    """
    title = f"### {name}: {TABLES[name].title}"
    origin = None if runs is None else _origin(name, runs, data, scale, seeds, policy)
    parts = [title, origin, TABLES[name].note, cells(name, values), verdicts(name, values)]
    return "\n\n".join(filter(None, parts)) + "\n"


def cells(name, values):
    """Format the numbers of a table: reported, ours and difference; arguments of `markdown`."""
    table, by_cell = TABLES[name], results.summary(name, values).set_index(["row", "column"])
    most_seeds, lines = by_cell.seeds.max(), []
    transposed = len(table.columns) > max(3, len(table.rows))  # too wide to read otherwise
    labels, heads = (table.columns, table.rows) if transposed else (table.rows, table.columns)
    for label in labels:
        line = {"": label}
        for head in heads:
            row, column = (head, label) if transposed else (label, head)
            cell = by_cell.loc[(row, column)]
            digits = 2 if table.columns[column][0].endswith(TWO_DIGITS) else 3
            ours = _number(cell["mean"], digits, cell.spread)
            if 0 < cell.seeds < most_seeds:
                ours += f" ({cell.seeds:.0f} of {most_seeds:.0f} seeds)"
            if not table.reported:
                line[head] = ours
                continue
            line[f"{head}: reported"] = _number(cell.reported, digits)
            # The keys of a dictionary must differ: spaces, which Markdown does not show.
            line["ours" + " " * len(line)] = ours
            line["difference" + " " * len(line)] = _number(cell.difference, digits, sign="+")
        lines.append(line)
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def verdicts(name, values):
    """List in how many seeds each conclusion of a table holds; arguments of `markdown`."""
    lines, counts = [], results.conclusions(name, values).to_dict("records")
    for claim, result in zip(TABLES[name].claims, counts):
        gains = ", ".join(f"{key} {result[key]:+.3f}" for key in claim.columns if key in result)
        verdict = "not run"
        if result["of"]:
            verdict = f"in {result['holds in']} of {result['of']} seeds ({gains})"
        lines.append(f"- {claim.text}: **{verdict}**")
    return "\n".join(lines)


def overview(names, values):
    """Format the conclusions of these tables, and in how many seeds each holds, as Markdown."""
    lines = [
        {"table": f"[{name}]({name}.md)", "conclusion": line["conclusion"]}
        | {"holds in": f"{line['holds in']} of {line['of']} seeds" if line["of"] else "not run"}
        for name in names
        for line in results.conclusions(name, values).to_dict("records")
    ]
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def save_tables(folder, names, root, *selection):
    """Write these tables to a folder: numbers, Markdown pages, figures, and records of the runs.

    - `numbers.csv`: a line for each number and seed;
    - `NAME.md` and `NAME.png` of each table;
    - `README.md`: which conclusions hold, between two marks; other text stays;
    - `runs.jsonl` and `logs.jsonl`: records and logs of the runs, without the trained networks.
      `numbers`, `logs` and `provenance` read them when the folder is their `root`.

    Numbers, records and logs of other tables are overwritten.

    Takes the arguments of `numbers`, and returns its DataFrame. Raises UserError for a `README.md`
    without the marks, before anything is written.
    """
    folder = Path(folder).expanduser()
    values = results.numbers(names, root, *selection)
    runs = results.provenance(names, root, *selection)
    if not (folder / PAGE).exists():
        write_text(folder / PAGE, NEW_PAGE)
    command = "  \n".join(_command_lines(names, runs, *selection))
    replace_section(folder / PAGE, "conclusions", f"{command}\n\n{overview(names, values)}")
    write_text(folder / NUMBERS, values.to_csv(index=False))
    ordered = training_order(results.runs_of_tables(names, *selection))
    complete = [run for run in ordered if run.folder in set(runs.folder)]
    save_records(folder, complete, local_folder(root))
    for name in names:
        write_text(folder / f"{name}.md", markdown(name, values, runs, *selection))
        figure = plots.reported_vs_ours(results.summary(name, values), values[values.table == name])
        figure.savefig(folder / f"{name}.png", dpi=100)
    return values


def _origin(name, runs, data, scale, seeds, policy):
    """The command that makes a table, how its runs were trained, and what limits a comparison."""
    rows = [run.row for run in training_order(results.runs_of_tables([name], data, scale))]
    runs = runs[runs.run.isin([row.name for row in rows])]
    lines = _command_lines([name], runs, data, scale, seeds, policy)
    scale = SCALES.get(scale, scale)
    if TABLES[name].reported and (data not in RELEASES or scale.name != "report"):
        lines.append(
            "Reported: N-HPatches, at the reports' length. Ours:"
            f" {Path(data).name}, at scale {scale.name}. Compare the order of the rows."
        )
    if scale.decoder_divisor > 1 and any(has_wide_decoder(row) for row in rows):
        lines.append(
            f"Decoders of 6 and 8 layers have 1/{scale.decoder_divisor} of their filters here."
        )
    return "  \n".join(lines)


def _command_lines(names, runs, data="photos", scale="quick", seeds=1, policy="float32"):
    """The command that makes these tables, and a line for each environment it ran in."""
    tables = "all" if list(names) == list(TABLES) else " ".join(names)
    scale = SCALES.get(scale, scale)
    command = f"reproduce {tables} --data {data} --scale {scale.name} --seeds {seeds}"
    if policy != "float32":
        command += f" --policy {policy}"
    lines = [f"`python -m hpatches_kit {command}`"]
    for environment, part in runs.groupby("environment"):
        first, last = part.date.min(), part.date.max()
        days = first if first == last else f"{first} to {last}"
        count, duration = len(part), format_duration(part.seconds.sum())
        trained = f"{count} run{'s' * (count > 1)}, {duration} of training"
        lines.append(f"{trained}, {days}: {environment}")
    return lines


def _number(value, digits, spread=np.nan, sign=""):
    """A number with its spread, for example `0.857 ± 0.003`; empty when it is not finite."""
    if not np.isfinite(value):
        return ""
    text = f"{value:{sign}.{digits}f}"
    return f"{text} ± {spread:.{digits}f}" if np.isfinite(spread) else text

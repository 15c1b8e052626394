"""Tables as people read them: in Markdown, with command, origin and conclusions, and as figures."""

from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit import plots
from hpatches_kit._support.atomic import replace_section, write_text
from hpatches_kit._support.units import format_duration
from hpatches_kit.callbacks.resume import LOG
from hpatches_kit.datasets.loading import RELEASES
from hpatches_kit.experiments.remote_results import RECORD, local_folder
from hpatches_kit.experiments.results import (
    conclusions,
    numbers,
    provenance,
    runs_of_tables,
    summary,
)
from hpatches_kit.experiments.runs import in_order, narrowed
from hpatches_kit.experiments.scales import SCALES
from hpatches_kit.experiments.tables import TABLES

NUMBERS, KEPT = "numbers.csv", "runs"
PAGE = "README.md"
NEW_PAGE = "# Results\n\n<!-- conclusions -->\n<!-- end -->\n"
GREY_LEVELS = ("mae", "psnr")  # two digits are enough; scores and triplet losses have three


def markdown(name, values, runs, data="photos", scale="quick", seeds=1, policy="float32"):
    """A table with its command, what it was made with, and its conclusions, as people read it.

    Args:
        name: of the table.
        values, runs: of `numbers` and `about`.
        data, scale, seeds, policy: as for `runs_of_tables`.
    """
    title = f"### {name}: {TABLES[name].title}"
    origin, note = _origin(name, runs, data, scale, seeds, policy), TABLES[name].note
    parts = [title, origin, note, cells(name, values), verdicts(name, values)]
    return "\n\n".join(filter(None, parts)) + "\n"


def cells(name, values):
    """Reported, ours and the difference of each cell of a table; arguments as for `markdown`."""
    table, found = TABLES[name], summary(name, values).set_index(["row", "column"])
    most, lines = found.seeds.max(), []
    turned = len(table.columns) > max(3, len(table.rows))  # too wide to read otherwise
    sides = (table.columns, table.rows) if turned else (table.rows, table.columns)
    for side in sides[0]:
        line = {"": side}
        for head in sides[1]:
            row, column = (head, side) if turned else (side, head)
            cell = found.loc[(row, column)]
            digits = 2 if table.columns[column][0].endswith(GREY_LEVELS) else 3
            ours = _text(cell["mean"], digits, cell.spread)
            if 0 < cell.seeds < most:
                ours += f" ({cell.seeds:.0f} of {most:.0f} seeds)"
            if not table.reported:
                line[head] = ours
                continue
            line[f"{head}: reported"] = _text(cell.reported, digits)
            line["ours" + " " * len(line)] = ours  # as keys they must differ, as headings not
            line["difference" + " " * len(line)] = _text(cell.difference, digits, sign="+")
        lines.append(line)
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def verdicts(name, values):
    """How many seeds each conclusion of a table holds in; arguments as for `markdown`."""
    lines, claims = [], TABLES[name].claims
    for claim, line in zip(claims, conclusions(name, values).to_dict("records")):
        gains = ", ".join(f"{key} {line[key]:+.3f}" for key in claim.columns if key in line)
        found = (
            f"in {line['holds in']} of {line['of']} seeds ({gains})" if line["of"] else "not run"
        )
        lines.append(f"- {claim.text}: **{found}**")
    return "\n".join(lines)


def _origin(name, runs, data, scale, seeds, policy):
    """The command that makes a table, and what its runs, and those they need, were made with."""
    rows = [run.row for run in in_order(runs_of_tables([name], data, scale))]
    runs = runs[runs.run.isin([row.name for row in rows])]
    scale = SCALES.get(scale, scale)
    lines = _made([name], runs, data, scale, seeds, policy)
    if TABLES[name].reported and (data not in RELEASES or scale.name != "report"):
        lines.append(
            "Reported is what N-HPatches gave at the reports' length, ours what"
            f" {Path(data).name} gave at scale {scale.name}: compare the order of the rows."
        )
    if scale.narrow > 1 and any(narrowed(row) for row in rows):
        lines.append(f"Decoders of 6 and 8 layers have 1/{scale.narrow} of their filters here.")
    return "  \n".join(lines)


def _made(names, runs, data, scale, seeds, policy):
    tables = "all" if list(names) == list(TABLES) else " ".join(names)
    command = f"reproduce {tables} --data {data} --scale {scale.name} --seeds {seeds}"
    if policy != "float32":
        command += f" --policy {policy}"
    lines = [f"`python -m hpatches_kit {command}`"]
    for made, part in runs.groupby("made with"):
        first, last = part.date.min(), part.date.max()
        days = first if first == last else f"{first} to {last}"
        trained = f"{len(part)} run{'s' * (len(part) > 1)}, {format_duration(part.seconds.sum())} of training"
        lines.append(f"{trained}, {days}: {made}")
    return lines


def overview(names, values, runs, data="photos", scale="quick", seeds=1, policy="float32"):
    """How many seeds each conclusion of these tables holds in, and where that comes from.

    Args:
        names: of the tables.
        values, runs, data, scale, seeds, policy: as for `markdown`.
    """
    lines = [
        {"table": f"[{name}]({name}.md)", "conclusion": line["conclusion"]}
        | {"holds in": f"{line['holds in']} of {line['of']} seeds" if line["of"] else "not run"}
        for name in names
        for line in conclusions(name, values).to_dict("records")
    ]
    scale = SCALES.get(scale, scale)
    origin = "  \n".join(_made(names, runs, data, scale, seeds, policy))
    return f"{origin}\n\n{pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)}"


def save_tables(folder, names, root, *what):
    """Keep the numbers of these tables, each as Markdown and as a figure; returns the numbers.

    `README.md` says which of their conclusions hold, and keeps what was written around that;
    `numbers.csv` has a line for each number and seed; `runs` has record and log of each run, and is
    itself a folder of results, without the networks. What was kept there of other tables, goes from
    the first two.

    Raises UserError for a `README.md` without a place for the conclusions, before anything is written.
    """
    folder = Path(folder).expanduser()
    values, runs = numbers(names, root, *what), provenance(names, root, *what)
    if not (folder / PAGE).exists():
        write_text(folder / PAGE, NEW_PAGE)
    replace_section(folder / PAGE, "conclusions", overview(names, values, runs, *what))
    write_text(folder / NUMBERS, values.to_csv(index=False))
    for run in runs.folder:
        for file in (RECORD, LOG):
            write_text(folder / KEPT / run / file, (local_folder(root) / run / file).read_text())
    for name in names:
        write_text(folder / f"{name}.md", markdown(name, values, runs, *what))
        picture = plots.reported_vs_ours(summary(name, values), values[values.table == name])
        picture.savefig(folder / f"{name}.png", dpi=100)
    return values


def _text(value, digits, spread=np.nan, sign=""):
    if not np.isfinite(value):
        return ""
    text = f"{value:{sign}.{digits}f}"
    return f"{text} ± {spread:.{digits}f}" if np.isfinite(spread) else text

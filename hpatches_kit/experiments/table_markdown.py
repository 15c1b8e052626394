"""A table of results as Markdown: its cells, and whether its conclusions hold."""

import numpy as np
from tabulate import tabulate

from hpatches_kit.experiments import evidence, results
from hpatches_kit.experiments.tables import TABLES
from hpatches_kit.experiments.tables.table import REAL_SUFFIX, is_real, real_column


def cells(name, values):
    """Format the numbers of a table: reported, ours, and on real sequences."""
    table, by_cell = TABLES[name], results.summary(name, values).set_index(["row", "column"])
    columns = [column for column in table.columns if not is_real(column)]
    known = {column for (_, column), cell in by_cell.iterrows() if cell.seeds}
    transposed = len(columns) > max(3, len(table.rows))  # too wide to read otherwise
    labels, heads = (columns, table.rows) if transposed else (table.rows, columns)
    header, lines = [""], [[label] for label in labels]
    for head in heads:
        pairs = [(head, label) if transposed else (label, head) for label in labels]
        named = [column for _, column in pairs]
        shown = {head: named}
        if by_cell.loc[pairs].reported.notna().any():
            shown = {f"{head}: reported": None, "ours": named}
        real = {c: real_column(c) for c in named if real_column(c) in known}
        if real:
            shown["real"] = [real.get(column) for column in named]
        for title, cell_columns in shown.items():
            header.append(title)
            for line, (row, column), shown_column in zip(lines, pairs, cell_columns or named):
                digits = _digits(table.columns[column][0])
                if cell_columns is None:
                    line.append(
                        format_number(by_cell.loc[(row, column)].reported, _digits_reported(digits))
                    )
                else:
                    cell = by_cell.loc[(row, shown_column)] if shown_column else None
                    line.append("" if cell is None else _mean(cell, digits, by_cell.seeds.max()))
    return tabulate(lines, header, tablefmt="pipe", disable_numparse=True)


def _mean(cell, digits, most_seeds):
    text = format_number(cell["mean"], digits, cell.deviation)
    if 0 < cell.seeds < most_seeds:
        text += f" ({cell.seeds:.0f} of {most_seeds:.0f} seeds)"
    return text


def _digits_reported(digits):
    return 4 if digits == 3 else digits  # as report B has them: 0.7865


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
            if line[on] and (on == "test" or line[on] != "not run"):
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


def format_number(value, digits, deviation=np.nan):
    """A number with its standard deviation, for example `0.857 ± 0.003`; empty when it is not finite."""
    if not np.isfinite(value):
        return ""
    text = f"{value:,.{digits}f}"
    return f"{text} ± {deviation:,.{digits}f}" if deviation > 0 else text

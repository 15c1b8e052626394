"""Reported numbers beside those of one's own."""

import matplotlib.pyplot as plt
import numpy as np

from hpatches_kit.plots.style import closed

THEIRS, OURS = "#c8403c", "#3b6fb6"


def reported_vs_ours(cells, values=None):
    """A row for each row of a table, a panel for each column: what was reported, and ours.

    Args:
        cells: a DataFrame with columns `row`, `column`, `reported`, `mean`, `spread`, as
            `hk.experiments.summary` returns it. The bar through a dot is one standard deviation.
        values: of this table, with columns `row`, `column`, `value`: a stroke for each seed.
    """
    rows, columns = list(dict.fromkeys(cells.row)), list(dict.fromkeys(cells.column))
    wide = min(len(columns), 3)
    high = -(-len(columns) // wide)
    size = 2.2 + 2.9 * wide, high * (1.1 + 0.32 * len(rows))
    figure, axes = plt.subplots(
        high, wide, figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(columns) :]:
        axis.set_axis_off()
    at = {row: -k for k, row in enumerate(rows)}
    for axis, column in zip(axes.flat, columns):
        here = cells[cells.column == column]
        y = np.array([at[row] for row in here.row])
        if values is not None:
            seeds = values[(values.column == column) & values.row.isin(rows)]
            heights = [at[row] for row in seeds.row]
            axis.plot(seeds.value, heights, "|", color="black", ms=8, zorder=3, label="seeds")
        axis.errorbar(here["mean"], y, xerr=here.spread, fmt="o", color=OURS, ms=6, label="ours")
        if cells.reported.notna().any():
            axis.plot(here.reported, y, "D", mfc="none", color=THEIRS, ms=6, label="reported")
        axis.set(title=column, yticks=list(at.values()), yticklabels=list(at))
        axis.set_ylim(0.6 - len(rows), 0.4)
        axis.grid(axis="x", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return closed(figure)

"""A figure that compares the numbers of a report with ours."""

import numpy as np

from hpatches_kit.plots.style import LINE, OURS, REPORTED, axes_grid, finish


def reported_vs_ours(cells, values=None):
    """Draw a table, one panel per column: for each row, the reported number and ours.

    Args:
        cells: a DataFrame with columns `row`, `column`, `reported`, `mean`, `deviation`, from
            `hk.experiments.summary`. The line through a dot is the standard deviation over seeds.
        values: a DataFrame with columns `row`, `column`, `value`, one row for each seed.
    """
    rows, columns = list(dict.fromkeys(cells.row)), list(dict.fromkeys(cells.column))
    panels_across = min(len(columns), 3)
    panels_down = -(-len(columns) // panels_across)
    size = 2.2 + 2.9 * panels_across, panels_down * (1.1 + 0.32 * len(rows))
    figure, axes = axes_grid(panels_down, panels_across, size, sharey=True)
    for axis in axes.flat[len(columns) :]:
        axis.set_axis_off()
    heights = {row: -k for k, row in enumerate(rows)}
    for axis, column in zip(axes.flat, columns):
        panel = cells[cells.column == column]
        y = np.array([heights[row] for row in panel.row])
        if values is not None:
            seeds = values[(values.column == column) & values.row.isin(rows)]
            seed_heights = [heights[row] for row in seeds.row]
            axis.plot(seeds.value, seed_heights, "|", color=LINE, ms=8, zorder=3, label="seeds")
        axis.errorbar(
            panel["mean"], y, xerr=panel.deviation, fmt="o", color=OURS, ms=6, label="ours"
        )
        if cells.reported.notna().any():
            axis.plot(panel.reported, y, "D", mfc="none", color=REPORTED, ms=6, label="reported")
        axis.set(title=column, yticks=list(heights.values()), yticklabels=list(heights))
        axis.set_ylim(0.6 - len(rows), 0.4)
        axis.grid(axis="x", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return finish(figure)

"""The colours of all figures, and what else they share."""

from io import BytesIO

import matplotlib.pyplot as plt

GREEN, RED, BLUE, ORANGE, PURPLE = "#3a9e5c", "#c8403c", "#3b6fb6", "#e08e2b", "#8b6bb1"

MATCHING, NON_MATCHING = GREEN, RED  # pairs, neighbours and answers that are correct, and wrong
QUERY = BLUE  # the query, the reference patch, and histograms of a single group
LEVEL_COLOURS = {"e": GREEN, "h": ORANGE, "t": RED}  # by the first letter of a view
SEQUENCE_COLOURS = {"v": BLUE, "i": ORANGE}  # viewpoint and illumination: first letter of a name
GROUP_COLOURS = [GREEN, RED, BLUE, PURPLE, ORANGE]  # groups of any kind; they repeat after five
RUN_COLOURS = plt.get_cmap("tab10").colors  # training runs and descriptors; they repeat after ten
RUN_MARKERS = "os^Dv"  # the next one each time the colours repeat
REPORTED, OURS = RED, BLUE
BAR, INTERVAL = "#c9d3e0", "#3d4a5a"  # bars, and confidence intervals on top of them
UNKNOWN = "#888888"  # a sequence that is neither viewpoint nor illumination
LINE = "#333333"  # reference lines and neutral marks
STANDARD_DEVIATION = "magma"  # colour map
DISTANCE = "gray"  # colour map; grey, because the marks on top are coloured
GREY = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "nearest"}  # grey levels 0..255


def axes_grid(rows, columns, size, sharey=False):
    """A figure and its axes, `(rows, columns)` even for one row or column."""
    return plt.subplots(
        rows, columns, figsize=size, sharey=sharey, squeeze=False, layout="constrained"
    )


def finish(figure):
    """Close the figure, so that a notebook shows it once, and return it."""
    plt.close(figure)
    return figure


def png(figure, dpi=80):
    """The bytes of the figure as a PNG, for a picture that controls change."""
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()

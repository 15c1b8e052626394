"""plots.style."""

import matplotlib.pyplot as plt

GREY = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "nearest"}  # one scale for all


LEVEL_COLOURS = {"e": "#3a9e5c", "h": "#e08e2b", "t": "#c8403c"}


GROUP_COLOURS = ["#3a9e5c", "#c8403c", "#3b6fb6", "#8b6bb1", "#e08e2b"]


RIGHT, WRONG, QUERY = "#3a9e5c", "#c8403c", "#3b6fb6"


def closed(figure):
    """The figure, which no cell will show a second time."""
    plt.close(figure)
    return figure

"""Interactive figures for notebooks: menus and sliders above a figure, for Jupyter and Colab."""

import numpy as np

from hpatches_kit.plots import style
from hpatches_kit.plots.data import point
from hpatches_kit.plots.mining import distance_matrix


def explore(patches):
    """Browse a `PatchSet`: a menu of sequences and a slider of points above `hk.plots.point`."""
    import ipywidgets as widgets  # only notebooks need it

    rows = {name: np.flatnonzero(patches.sequence == name) for name in patches.names}
    menu = widgets.Dropdown(options=patches.names, description="sequence")
    slider = widgets.IntSlider(0, 0, len(rows[menu.value]) - 1, description="point")
    image = widgets.Image(format="png")

    def draw(_=None):
        image.value = style.png(point(patches, int(rows[menu.value][slider.value])))

    def change_sequence(change):
        slider.max = len(rows[change["new"]]) - 1  # may also move the slider
        draw()

    menu.observe(change_sequence, "value")
    slider.observe(draw, "value")
    draw()
    return widgets.VBox([widgets.HBox([menu, slider]), image])


def explore_mining(descriptors, pairs=24):
    """Choose a pair and a percentile, and see the negatives in `hk.plots.distance_matrix`.

    `descriptors` is `(2 * n, dim)`, of a batch of `Pairs`; its first `pairs` pairs are drawn.
    """
    import ipywidgets as widgets

    pairs = min(pairs, len(descriptors) // 2)
    pair = widgets.IntSlider(0, 0, pairs - 1, description="pair")
    percentile = widgets.IntSlider(0, 0, 100, description="percentile")
    image = widgets.Image(format="png")

    def draw(_=None):
        image.value = style.png(distance_matrix(descriptors, pairs, pair.value, percentile.value))

    pair.observe(draw, "value")
    percentile.observe(draw, "value")
    draw()
    return widgets.VBox([widgets.HBox([pair, percentile]), image])

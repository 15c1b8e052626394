"""Windows for notebooks: onto the data, and onto mining. Menus and sliders above a figure."""

from io import BytesIO

import numpy as np

from hpatches_kit.plots.data import point
from hpatches_kit.plots.mining import distance_matrix


def explore(patches):
    """Browse a `PatchSet`: a menu of sequences, a slider of points, the figure of `plots.point`.

    Works in Jupyter and in Colab; outside a notebook it is an object with buttons that nobody sees.
    """
    import ipywidgets as widgets  # only notebooks need it

    rows = {name: np.flatnonzero(patches.sequence == name) for name in patches.names}
    menu = widgets.Dropdown(options=patches.names, description="sequence")
    slider = widgets.IntSlider(0, 0, len(rows[menu.value]) - 1, description="point")
    picture = widgets.Image(format="png")

    def show(_=None):
        picture.value = _png(point(patches, int(rows[menu.value][slider.value])))

    def change_sequence(change):
        slider.max = len(rows[change["new"]]) - 1  # which may move the slider, too
        show()

    menu.observe(change_sequence, "value")
    slider.observe(show, "value")
    show()
    return widgets.VBox([widgets.HBox([menu, slider]), picture])


def explore_mining(descriptors, pairs=24):
    """Drag the percentile and see which negatives it chooses, in `plots.distance_matrix`.

    Args:
        descriptors: `(2 * n, dim)` of a batch of `Pairs`.
        pairs: rows and columns drawn, the first ones.
    """
    import ipywidgets as widgets

    pairs = min(pairs, len(descriptors) // 2)
    pair = widgets.IntSlider(0, 0, pairs - 1, description="pair")
    percentile = widgets.IntSlider(0, 0, 100, description="percentile")
    picture = widgets.Image(format="png")

    def show(_=None):
        chosen = {"pair": pair.value, "percentile": percentile.value}
        picture.value = _png(distance_matrix(descriptors, pairs, **chosen))

    pair.observe(show, "value")
    percentile.observe(show, "value")
    show()
    return widgets.VBox([widgets.HBox([pair, percentile]), picture])


def _png(figure):
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()

"""A window onto the data for notebooks: choose a sequence and a point, see its views."""

from io import BytesIO

import numpy as np

from hpatches_kit.plots.data import point


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


def _png(figure):
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()

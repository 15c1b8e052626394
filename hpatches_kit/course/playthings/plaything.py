"""`Plaything`: controls above a figure, in Jupyter and Colab."""

import sys
from base64 import b64encode

from hpatches_kit.plots.style import png


class Plaything:
    """Controls above the figure that they change; the last line of a notebook cell shows both.

    A page without a running notebook, such as a saved notebook, shows the figure alone.

    Attributes:
        controls: `{name: control}` of ipywidgets. Setting the `value` of one is like moving it.
        figure: the figure of the current values, a `matplotlib.figure.Figure`.
        widget: the controls above the picture, a `Box` of ipywidgets.
    """

    def __init__(self, draw, controls):
        """`draw` returns the figure; it is called again when the value of a control changes.

        A control may move another one, in a function that observes it before the plaything does.
        """
        import ipywidgets as widgets  # only notebooks need it

        self.controls, self._draw, self._values = controls, draw, None
        self._picture = widgets.Image(format="png")
        for control in controls.values():
            control.observe(self._update, "value")
        self.widget = widgets.VBox([widgets.HBox(list(controls.values())), self._picture])
        self._update()

    def _update(self, _=None):
        values = [control.value for control in self.controls.values()]
        if values != self._values:  # else another control, which this one moved, has drawn already
            self._values, self.figure = values, self._draw()
            self._picture.value = png(self.figure, 100)

    def _repr_mimebundle_(self, include=None, exclude=None):
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        bundle = {"application/vnd.jupyter.widget-view+json": view, "text/plain": repr(self)}
        if "google.colab" not in sys.modules:  # Colab might show the picture instead of the widget
            bundle["image/png"] = b64encode(self._picture.value).decode()
        return bundle

    def __repr__(self):
        values = [f"{name}={control.value!r}" for name, control in self.controls.items()]
        return f"Plaything({', '.join(values)})"

"""A callback that draws the training curves in the notebook after each epoch."""

from contextlib import suppress

import keras

from hpatches_kit import plots
from hpatches_kit.callbacks.resume import read_log


class LivePlot(keras.callbacks.Callback):
    """Redraw the training curves after each epoch; without a notebook, draw nothing.

    Args:
        quantities, labels: as for `hk.plots.curves`.
        folder: of a `Resume`, to draw the epochs of earlier sessions as well.
    """

    def __init__(self, quantities=("loss",), labels=None, folder=None):
        super().__init__()
        self.quantities, self.labels, self.folder = quantities, labels, folder

    def on_train_begin(self, logs=None):
        from IPython.display import display  # only notebooks need it

        self.history, self.handle = {}, display(display_id=True)
        if self.folder:
            with suppress(FileNotFoundError):  # no earlier epochs
                self.history = read_log(self.folder).to_dict("list")
                self._draw()

    def on_epoch_end(self, epoch, logs=None):
        if len(self.history.get("loss", [])) > epoch:  # the epoch was interrupted, and is repeated
            self.history = {key: values[:epoch] for key, values in self.history.items()}
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
        self._draw()

    def _draw(self):
        if self.handle is not None:
            self.handle.update(plots.curves(self.history, self.quantities, self.labels))

"""Callbacks that watch a training: scores after each epoch, an alarm, a figure that grows."""

import warnings
from contextlib import suppress

import keras
import numpy as np

from hpatches_kit import benchmark, plots
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.callbacks.resume import read_log
from hpatches_kit.datasets.denoised import select_kind
from hpatches_kit.descriptors.describe import describe
from hpatches_kit.metrics.quality import quality

ADVICE = (
    "Lower the learning rate, normalise the descriptors (l2net(normalise=True)), begin with easier"
    " negatives (HardNegativeTriplet(percentile=5) or RandomNegativeTriplet), or use larger batches."
)


class BenchmarkScores(keras.callbacks.Callback):
    """Scores a descriptor on the three tasks after each epoch.

    The mean AP of each goes into the logs, and so into `History` and `log.csv`, as
    `val_verification`, `val_matching` and `val_retrieval`.

    Args:
        patches: a `PatchSet`, a few hundred points of photographs that are not trained on:
            `test.sample(300)`.
        kind, denoiser: as for `hk.describe`. Denoised patches are made once, here.
        tasks: of `hk.benchmark.draw_tasks`; default: drawn once from `patches`.

    A network whose weights are no numbers any more scores NaN, with a warning.
    """

    def __init__(self, patches, kind=None, denoiser=None, tasks=None):
        super().__init__()
        self.patches, self.kind = select_kind(patches, kind, denoiser)
        self.tasks = tasks or benchmark.draw_tasks(self.patches)

    def on_epoch_end(self, epoch, logs=None):
        if not all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            logs.update({f"val_{task}": np.nan for task in TASKS})
            warnings.warn(
                f"Training has diverged in epoch {epoch + 1}: weights are NaN or infinite. Lower the"
                " learning rate.",
                stacklevel=2,
            )
            return
        scores = benchmark.evaluate(describe(self.model, self.patches, self.kind), self.tasks)
        logs.update({f"val_{task}": value for task, value in scores.by_task.items()})


class LevelQuality(keras.callbacks.Callback):
    """Measures a denoiser on each level of noise after each epoch.

    Into the logs go the mean absolute error, PSNR and SSIM of each level, as `val_psnr_easy` and so on.

    Args:
        patches: a `PatchSet`, a few hundred points of photographs that are not trained on.
    """

    def __init__(self, patches):
        super().__init__()
        self.patches = patches

    def on_epoch_end(self, epoch, logs=None):
        table = quality(self.patches, self.model)
        for level in table.index.drop("all"):
            for short, column in (("mae", "MAE"), ("psnr", "PSNR in dB"), ("ssim", "SSIM")):
                logs[f"val_{short}_{level}"] = float(table.loc[level, column])


class CollapseAlarm(keras.callbacks.Callback):
    """Warns, with advice, when descriptors shrink to one point, and when the loss is no number.

    A descriptor that maps everything to one point makes all distances 0, and the loss its margin. From
    there the gradient says nothing, and hours pass without a change. The alarm looks at one batch after
    each epoch: the mean distance of different places, in units of the length of a descriptor.

    Args:
        batches: of `hk.batches.Pairs` or `Triplets`; the first batch is looked at.
        spread: rings below this. A trained descriptor has about 1.3, an untrained one 0.1 and more.

    `message` is the last warning, None before there is one.
    """

    def __init__(self, batches, spread=0.05):
        super().__init__()
        self.patches, self.labels = batches[0]
        self.spread, self.rung, self.message = spread, False, None

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            self._ring(f"The loss is {loss} in epoch {epoch + 1}: training has diverged.")
            self.model.stop_training = True
            return
        spread = self.measure()
        if spread < self.spread:
            margin = getattr(self.model.loss, "margin", None)
            at = "" if margin is None else f", where the margin is {margin:g}"
            self._ring(
                f"Collapse in epoch {epoch + 1}: descriptors of different places are only"
                f" {spread:.3f} of their length apart, and the loss is {loss:.3f}{at}."
            )
        else:
            self.rung = False

    def measure(self):
        """Mean distance of rows with different labels, over the mean length of a row."""
        descriptors = self.model.predict(self.patches, verbose=0)
        apart = np.linalg.norm(descriptors[:, None] - descriptors[None], axis=2)
        different = self.labels[:, None] != self.labels[None]
        return float(
            apart[different].mean() / max(np.linalg.norm(descriptors, axis=1).mean(), 1e-9)
        )

    def _ring(self, what):
        if not self.rung:  # once, until it is over
            self.message = f"{what} {ADVICE}"
            warnings.warn(self.message, stacklevel=2)
        self.rung = True


class LivePlot(keras.callbacks.Callback):
    """Draws the curves in the notebook anew after each epoch.

    Args:
        quantities, labels: as for `hk.plots.curves`.
        folder: of a run that `hk.resumable` keeps, whose earlier epochs are drawn, too.
    """

    def __init__(self, quantities=("loss",), labels=None, folder=None):
        super().__init__()
        self.quantities, self.labels, self.folder = quantities, labels, folder

    def on_train_begin(self, logs=None):
        from IPython.display import display  # only where there is a notebook

        self.seen, self.handle = {}, display(display_id=True)
        if self.folder:
            with suppress(FileNotFoundError):
                self.seen = read_log(self.folder).to_dict("list")
                self._draw()

    def on_epoch_end(self, epoch, logs=None):
        done = len(self.seen.get("loss", []))
        if done > epoch:  # of an epoch that is done over
            self.seen = {key: values[:epoch] for key, values in self.seen.items()}
        for key, value in (logs or {}).items():
            self.seen.setdefault(key, []).append(value)
        self._draw()

    def _draw(self):
        if self.handle is not None:
            self.handle.update(plots.curves(self.seen, self.quantities, self.labels))

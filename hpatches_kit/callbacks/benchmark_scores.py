"""A callback that scores a descriptor on the benchmark after each epoch."""

import warnings

import keras
import numpy as np

from hpatches_kit import benchmark
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.datasets.denoised import select_kind
from hpatches_kit.descriptors.describe_patches import describe


class BenchmarkScores(keras.callbacks.Callback):
    """Score a descriptor on the three tasks after each epoch.

    Adds the mAP of each task to the log, as `val_verification`, `val_matching` and `val_retrieval`.
    If a weight is NaN or infinite, the scores are NaN, with a warning.

    Args:
        patches: a `PatchSet` of a few whole sequences of the validation set, such as
            `validation.sample(2)`. Not of the test set: what you choose by these scores would be
            chosen by the test set.
        kind, denoiser: as for `hk.describe`. The patches are denoised once, in the constructor.
        tasks: from `hk.benchmark.draw_tasks`. Default: drawn once from `patches`.
    """

    def __init__(self, patches, kind=None, denoiser=None, tasks=None):
        super().__init__()
        self.patches, self.kind = select_kind(patches, kind, denoiser)
        self.tasks = tasks or benchmark.draw_tasks(self.patches)

    def on_epoch_end(self, epoch, logs=None):
        if not all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            logs.update({f"val_{task}": np.nan for task in TASKS})
            warnings.warn(
                f"Training diverged in epoch {epoch + 1}: weights are NaN or infinite. Lower the"
                " learning rate.",
                stacklevel=2,
            )
            return
        scores = benchmark.evaluate(describe(self.model, self.patches, self.kind), self.tasks)
        logs.update({f"val_{task}": value for task, value in scores.by_task.items()})

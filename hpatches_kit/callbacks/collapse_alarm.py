"""A callback that warns when all descriptors become equal or the loss is not finite."""

import warnings

import keras
import numpy as np

ADVICE = (
    "Lower the learning rate, normalise the descriptors (l2net(normalise=True)), start with easier"
    " negatives (HardNegativeTriplet(percentile=5) or RandomNegativeTriplet), or use larger"
    " batches."
)


class CollapseAlarm(keras.callbacks.Callback):
    """Warn when all descriptors become equal (collapse); stop when the loss is not finite.

    If a network gives every patch the same descriptor, all distances are 0 and the triplet loss
    equals its margin. There the gradient vanishes and training stalls. After each epoch, the alarm
    measures the mean distance between descriptors of different places in one batch, relative to
    their mean norm. It warns once, and again only after the distance has recovered.

    Args:
        batches: of `hk.batches.Pairs` or `Triplets`; the first batch is used.
        threshold: a smaller relative distance is a collapse. A trained descriptor has about 1.3, an
            untrained one more than 0.1.

    `message` is the last warning, or None.
    """

    def __init__(self, batches, threshold=0.05):
        super().__init__()
        self.patches, self.labels = batches[0]
        self.threshold, self.warned, self.message = threshold, False, None

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            self._warn(f"Training diverged in epoch {epoch + 1}: the loss is {loss}.")
            self.model.stop_training = True
            return
        distance = self.measure()
        if distance >= self.threshold:
            self.warned = False
            return
        margin = getattr(self.model.loss, "margin", None)
        with_margin = "" if margin is None else f", with a margin of {margin:g}"
        self._warn(
            f"Collapse in epoch {epoch + 1}: the mean distance between descriptors of different"
            f" places is only {distance:.3f} of their norm. The loss is {loss:.3f}{with_margin}."
        )

    def measure(self):
        """Mean distance between descriptors of different places, divided by their mean norm."""
        descriptors = self.model.predict(self.patches, verbose=0)
        distances = np.linalg.norm(descriptors[:, None] - descriptors[None], axis=2)
        different = self.labels[:, None] != self.labels[None]
        norm = np.linalg.norm(descriptors, axis=1).mean()
        return float(distances[different].mean() / max(norm, 1e-9))

    def _warn(self, problem):
        if not self.warned:
            self.message = f"{problem} {ADVICE}"
            warnings.warn(self.message, stacklevel=2)
        self.warned = True

"""A loss for denoisers."""

import keras
from keras import ops

from hpatches_kit.metrics.denoising import ssim


@keras.saving.register_keras_serializable(package="hpatches_kit")
class SSIMAndMAE(keras.losses.Loss):
    """`weight * (1 - SSIM) + (1 - weight) * MAE / 255`, two terms of similar range.

    Args:
        weight: of the structural similarity (SSIM) against the mean absolute error (MAE).

    Call args:
        y_true, y_pred: patches `(batch, height, width, channels)`, grey levels 0..255.

    Reference: Zhao et al., Loss Functions for Image Restoration With Neural Networks, TCI 2017. The
    paper uses several scales; a patch of 32x32 pixels has room for one.
    """

    def __init__(self, weight=0.84, name="ssim_and_mae", **kwargs):
        super().__init__(name=name, **kwargs)
        self.weight = weight

    def call(self, y_true, y_pred):
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        error = ops.mean(ops.abs(y_true - y_pred), axis=(1, 2, 3)) / 255.0
        return self.weight * (1 - ssim(y_true, y_pred)) + (1 - self.weight) * error

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}

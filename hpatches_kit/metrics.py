"""Metrics to hand to `compile`."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="hpatches_kit")
def psnr(y_true, y_pred, max_value=255.0):
    """Peak signal-to-noise ratio in dB, one per patch; Keras averages over all patches.

    Args:
        y_true, y_pred: patches `(batch, height, width, channels)`.
        max_value: the largest possible grey level.

    Returns:
        `(batch,)`. Equal patches give 148 dB instead of infinity.
    """
    y_pred = ops.convert_to_tensor(y_pred, "float32")
    mse = ops.mean(ops.square(ops.cast(y_true, "float32") - y_pred), axis=(1, 2, 3))
    return 10.0 * ops.log10(max_value**2 / ops.maximum(mse, 1e-10))

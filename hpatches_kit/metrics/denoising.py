"""Metrics of denoised patches: PSNR and SSIM. For the mean absolute error use Keras's `"mae"`."""

import keras
import numpy as np
from keras import ops

from hpatches_kit._support.errors import UserError

WINDOW = 11  # pixels along a side


@keras.saving.register_keras_serializable(package="hpatches_kit")
def psnr(y_true, y_pred, max_value=255.0):
    """Peak signal-to-noise ratio (PSNR) in dB, one per patch, `(batch,)`.

    Identical patches give 148 dB instead of infinity.

    Args:
        y_true, y_pred: patches `(batch, height, width, channels)`.
        max_value: the largest possible grey level.
    """
    y_pred = ops.convert_to_tensor(y_pred, "float32")
    mse = ops.mean(ops.square(ops.cast(y_true, "float32") - y_pred), axis=(1, 2, 3))
    return 10.0 * ops.log10(max_value**2 / ops.maximum(mse, 1e-10))


@keras.saving.register_keras_serializable(package="hpatches_kit")
def ssim(y_true, y_pred, max_value=255.0):
    """Structural similarity (SSIM), one per patch, `(batch,)`: 1 for identical patches.

    It is near 0 for unrelated patches. Means, variances and the covariance are taken in a Gaussian
    window of 11x11 pixels, sigma 1.5, at every position where the window fits.

    Args:
        y_true, y_pred: patches `(batch, height, width, channels)`, at least 11x11 pixels.
        max_value: the largest possible grey level.

    Raises UserError for smaller patches.

    Reference: Wang et al., Image Quality Assessment, TIP 2004.
    """
    x, y = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
    if any(side is not None and side < WINDOW for side in y.shape[1:3]):
        raise UserError(f"Patches have shape {tuple(y.shape)}: expected {WINDOW} pixels or more.")
    middle = max_value / 2  # its subtraction makes the squares smaller, which loses fewer digits
    x, y = x - middle, y - middle
    mean_x, mean_y = _smooth(x), _smooth(y)
    variances = _smooth(x * x) + _smooth(y * y) - mean_x**2 - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + middle, mean_y + middle
    c1, c2 = (0.01 * max_value) ** 2, (0.03 * max_value) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return ops.mean(luminance * (2 * covariance + c2) / (variances + c2), axis=(1, 2, 3))


def _smooth(x):
    """Apply the Gaussian window: `(batch, h, w, c)` -> `(batch, h - 10, w - 10, c)`."""
    column = np.exp(-((np.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * 1.5**2)).astype("float32")
    column = np.tile((column / column.sum())[:, None, None, None], (1, 1, x.shape[-1], 1))
    for kernel in (column, column.swapaxes(0, 1)):
        x = ops.depthwise_conv(x, kernel, data_format="channels_last")
    return x

"""How good denoised patches are, level by level."""

import numpy as np
import pandas as pd
from keras import ops

from hpatches_kit.denoise import predict
from hpatches_kit.metrics import psnr, ssim
from hpatches_kit.patches import VIEWS, columns_of_levels


def quality(data, denoiser=None, kind="noisy"):
    """Compare patches with the clean ones: mean absolute error, PSNR and SSIM, for each level of noise.

    Args:
        data: a `PatchSet`.
        denoiser: a `keras.Model`, or any function, from noisy to clean patches
            `(batch, 32, 32, 1)`. Its output is clipped to 0..255. Default: none.
        kind: which patches are compared or denoised: `"noisy"` or `"denoised"`.

    Returns:
        A DataFrame with a row for the reference, each level and all patches. `MAE` is in grey levels;
        `PSNR in dB` is the mean over patches, as the reports have it.
    """
    rows = []
    for here, block in predict(denoiser or _as_they_are, data, kind, what="Measuring"):
        clean = data.base("clean")[here].reshape(block.shape).astype(np.float32)
        block = np.clip(block, 0, 255).astype(np.float32)
        error = np.abs(block - clean).mean(axis=(1, 2, 3))
        numbers = error, *(ops.convert_to_numpy(metric(clean, block)) for metric in (psnr, ssim))
        rows.append(np.stack(numbers, 1).reshape(len(here), len(VIEWS), -1))
    values = np.concatenate(rows).astype(np.float64)  # float32 is shown as 23.920000
    table = {}
    for level, columns in columns_of_levels().items():
        table[level] = values[:, columns].mean(axis=(0, 1))
    table["all"] = values.mean(axis=(0, 1))
    return pd.DataFrame(table, index=["MAE", "PSNR in dB", "SSIM"]).T


def _as_they_are(patches):
    return patches

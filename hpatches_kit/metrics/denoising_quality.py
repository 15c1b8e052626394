"""Quality of denoised patches by noise level: mean absolute error, PSNR and SSIM."""

import numpy as np
from keras import ops

from hpatches_kit.metrics.denoising import psnr, ssim
from hpatches_kit.patches.prediction import predict_blocks
from hpatches_kit.patches.views import VIEWS, level_columns

COLUMNS = ("MAE", "PSNR in dB", "SSIM")


def patch_quality(clean, patches):
    """Compare patches with their clean versions, both `(points, 16, 32, 32)` in 0..255.

    Returns `{"MAE": .., "PSNR in dB": .., "SSIM": ..}`, each `float64 (points, 16)`; MAE in grey
    levels.
    """
    shape = np.shape(clean)[:2]
    clean, patches = (
        np.asarray(array, np.float32).reshape(-1, *np.shape(array)[2:], 1)
        for array in (clean, patches)
    )
    error = np.abs(patches - clean).mean(axis=(1, 2, 3))
    ratios = (ops.convert_to_numpy(metric(clean, patches)) for metric in (psnr, ssim))
    # float64, because pandas prints a rounded float32 as 23.920000.
    values = (np.asarray(value, np.float64).reshape(shape) for value in (error, *ratios))
    return dict(zip(COLUMNS, values))


def quality_by_level(measured):
    """Average the result of `patch_quality` over the views of each noise level.

    Returns a DataFrame with the rows `reference`, `easy`, `hard`, `tough` and `all`, and the keys
    of `measured` as columns. PSNR is the mean over patches, as in the reports.
    """
    import pandas as pd  # only here: `patch_quality` works without it

    levels = {**level_columns(), "all": list(range(len(VIEWS)))}
    return pd.DataFrame(
        {
            name: {level: values[:, columns].mean() for level, columns in levels.items()}
            for name, values in measured.items()
        }
    )


def quality(patches, denoiser=None, kind="noisy"):
    """Compare patches with the clean ones, by noise level; returns what `quality_by_level` does.

    Args:
        patches: a `PatchSet` with clean patches.
        denoiser: a `keras.Model`, or any function, from noisy to clean patches
            `(batch, 32, 32, 1)`. Its output is clipped to 0..255. Default: none.
        kind: which patches to compare, or to denoise and compare: `"noisy"` or `"denoised"`.
    """
    blocks, model = [], denoiser or (lambda unchanged: unchanged)
    for rows, block in predict_blocks(model, patches, kind, what="Measuring"):
        clean = patches.base("clean")[rows]
        blocks.append(patch_quality(clean, np.clip(block, 0, 255).reshape(clean.shape)))
    return quality_by_level(
        {name: np.concatenate([block[name] for block in blocks]) for name in COLUMNS}
    )

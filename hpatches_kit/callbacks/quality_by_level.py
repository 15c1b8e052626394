"""A callback that measures a denoiser on each noise level after each epoch."""

import keras

from hpatches_kit.metrics.denoising_quality import quality


class QualityByLevel(keras.callbacks.Callback):
    """Measure a denoiser on each noise level after each epoch.

    Adds mean absolute error (grey levels), PSNR (dB) and SSIM of the levels `reference`, `easy`,
    `hard` and `tough` to the log, as `val_mae_easy`, `val_psnr_easy`, `val_ssim_easy` and so on.
    `patches` is a `PatchSet`: a few hundred points of the validation set, such as
    `validation.sample_sparse_points(300)`.
    """

    def __init__(self, patches):
        super().__init__()
        self.patches = patches

    def on_epoch_end(self, epoch, logs=None):
        table = quality(self.patches, self.model)
        for level in table.index.drop("all"):
            for metric, column in (("mae", "MAE"), ("psnr", "PSNR in dB"), ("ssim", "SSIM")):
                logs[f"val_{metric}_{level}"] = float(table.loc[level, column])

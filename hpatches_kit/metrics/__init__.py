"""Metrics to hand to `compile`."""

from hpatches_kit.metrics.denoising import psnr, ssim
from hpatches_kit.metrics.description import (
    ActiveShare,
    FalsePositiveRate,
    diagnostics,
    hardest_negative_distance,
    positive_distance,
)

__all__ = [
    "ActiveShare",
    "FalsePositiveRate",
    "diagnostics",
    "hardest_negative_distance",
    "positive_distance",
    "psnr",
    "ssim",
]

"""A figure of denoised patches, by noise level."""

import matplotlib.pyplot as plt

from hpatches_kit.patches.views import LEVELS, level_columns
from hpatches_kit.plots import style
from hpatches_kit.plots.patches import draw_patch


def denoised(patches, psnr, image=3):
    """Draw noisy, denoised and clean patches, one row per point, and three columns per level.

    The title of a level has the mean PSNR of its noisy and of its denoised patches.

    Args:
        patches: a `PatchSet` of a few points, with denoised patches from `hk.denoise`.
        psnr: `{"noisy": .., "denoised": ..}`, each `(points, 16)`, in dB, as from
            `hk.metrics.patch_quality`.
        image: which of the five views of each level is drawn, from 1 to 5.
    """
    kinds, columns = ("noisy", "denoised", "clean"), level_columns()
    figure = plt.figure(figsize=(9.6, 0.95 * len(patches) + 0.7), layout="constrained")
    blocks = figure.subfigures(1, len(LEVELS), wspace=0.04)
    for block, (letter, level) in zip(blocks, LEVELS.items()):
        noisy, after = (psnr[kind][:, columns[level]].mean() for kind in ("noisy", "denoised"))
        title = f"{level}: PSNR {noisy:.1f} dB, denoised {after:.1f} dB"
        block.suptitle(title, fontsize=10, color=style.LEVEL_COLOURS[letter])
        axes = block.subplots(len(patches), len(kinds), squeeze=False)
        for column, kind in enumerate(kinds):
            axes[0, column].set_title(kind, fontsize=9)
            for axis, patch in zip(axes[:, column], patches[kind][:, columns[level][image - 1]]):
                draw_patch(axis, patch)
    return style.finish(figure)

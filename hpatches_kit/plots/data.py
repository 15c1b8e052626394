"""Figures of a data set: its sequences, jitter, noise, brightness, and single points."""

import matplotlib.pyplot as plt
import numpy as np

from hpatches_kit._support.escaping import figure_text
from hpatches_kit.images.homographies import project
from hpatches_kit.patches.extraction import REGION_CORNERS, jitter, overlap, regions
from hpatches_kit.patches.views import FLAT, LEVELS, VIEWS, level_columns
from hpatches_kit.plots import style
from hpatches_kit.plots.patches import draw_patch


def lengths(points):
    """Draw the number of points of each sequence, `{name: points}`, such as `patches.lengths`."""
    names = sorted(points, key=points.get, reverse=True)
    colours = [style.SEQUENCE_COLOURS.get(name[0], style.UNKNOWN) for name in names]
    figure, axis = plt.subplots(figsize=(11, 2.8), layout="constrained")
    axis.bar(range(len(names)), [points[name] for name in names], 0.8, color=colours)
    for letter, change in {"v": "viewpoint", "i": "illumination"}.items():
        axis.bar([0], [0], color=style.SEQUENCE_COLOURS[letter], label=change)
    labelled = names if len(names) <= 60 else []  # more names would overlap
    axis.set_xticks(range(len(labelled)), [figure_text(name) for name in labelled])
    axis.tick_params(axis="x", rotation=90, labelsize=7)
    axis.set(ylabel="points", xlim=(-0.7, len(names) - 0.3), title=f"{len(names)} sequences")
    axis.legend(frameon=False)
    return style.finish(figure)


def sequence(images, points):
    """Draw the images of a sequence, with the regions of some keypoints in each of them.

    Args:
        images: an `ImageSequence`.
        points: `(points, 4)` keypoints of image 1, as from `hk.images.detect_keypoints`.
    """
    figure, axes = plt.subplots(
        1, len(images.images), figsize=(2.1 * len(images.images), 2.2), layout="constrained"
    )
    in_first_image = regions(points)
    homographies = [np.eye(3), *images.homographies]
    for k, (axis, image, homography) in enumerate(zip(axes, images.images, homographies), start=1):
        axis.imshow(image, **style.GREY)
        corners = project(homography @ in_first_image, REGION_CORNERS)
        for x, y, colour in zip(*corners, style.GROUP_COLOURS * len(in_first_image)):
            axis.fill(x, y, fill=False, edgecolor=colour, linewidth=1.5)
        height, width = image.shape
        axis.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0), title=f"image {k}")
    figure.suptitle(figure_text(images.name))
    return style.finish(figure)


def jitter_overlap(count=40, seed=0):
    """Draw the geometric noise (jitter) of each level, and the overlap of jittered regions.

    `count` regions are drawn at each level.
    """
    figure, axes = plt.subplots(
        1, 4, figsize=(12, 3), width_ratios=[1, 1, 1, 1.7], layout="constrained"
    )
    for axis, (letter, level) in zip(axes, LEVELS.items()):
        colour = style.LEVEL_COLOURS[letter]
        maps = jitter(600, letter, np.random.default_rng(seed))
        for x, y in zip(*project(maps[:count], REGION_CORNERS)):
            axis.fill(x, y, fill=False, edgecolor=colour, linewidth=0.6, alpha=0.6)
        axis.fill(*REGION_CORNERS.T, fill=False, edgecolor=style.LINE, linewidth=2)
        axis.set(xticks=[], yticks=[], xlim=(-2, 2), ylim=(2, -2), aspect="equal", title=level)
        overlaps = overlap(maps)
        median = np.median(overlaps)
        axes[3].hist(overlaps, np.linspace(0.2, 1, 41), color=colour, alpha=0.6)
        axes[3].axvline(median, color=colour, label=f"{level}: median {median:.2f}")
    axes[3].set(xlabel="overlap with the true region", ylabel="fraction of regions")
    axes[3].set(yticks=[], xlim=(0.2, 1))
    axes[3].legend(frameon=False, fontsize=9, loc="upper left")
    return style.finish(figure)


def noise(noisy, clean, psnr):
    """Draw the PSNR of noisy patches by level, and the strength of the noise at each pixel.

        psnr = hk.metrics.patch_quality(patches.clean, patches.noisy)["PSNR in dB"]
        hk.plots.noise(patches.noisy, patches.clean, psnr)

    Args:
        noisy, clean: `(points, 16, 32, 32)`, grey levels 0..255.
        psnr: `(points, 16)`, of each patch in dB.
    """
    difference = np.subtract(noisy, clean, dtype=np.float32)
    figure, axes = plt.subplots(
        1, 4, figsize=(12, 2.9), width_ratios=[1.7, 1, 1, 1], layout="constrained"
    )
    bins = np.linspace(np.floor(psnr.min()), np.ceil(np.percentile(psnr, 99.9)), 81)
    columns, deviations = level_columns(), {}
    for letter, level in LEVELS.items():
        deviations[level] = difference[:, columns[level]].std(axis=(0, 1))
        values, colour = psnr[:, columns[level]].ravel(), style.LEVEL_COLOURS[letter]
        axes[0].hist(values, bins, color=colour, alpha=0.6, label=level)
    axes[0].set(xlabel="PSNR in dB", ylabel="fraction of patches", yticks=[])
    axes[0].legend(frameon=False)
    largest = max(deviation.max() for deviation in deviations.values())
    for axis, (level, deviation) in zip(axes[1:], deviations.items()):
        image = axis.imshow(deviation, cmap=style.STANDARD_DEVIATION, vmin=0, vmax=largest)
        axis.set(xticks=[], yticks=[], title=f"{level}: mean {deviation.mean():.0f}")
    label = "standard deviation of\nthe noise in grey levels"
    figure.colorbar(image, ax=axes[1:], shrink=0.8, label=label)
    return style.finish(figure)


def brightness(patches, points=4000, seed=0):
    """Draw histograms of brightness and contrast: mean and standard deviation of grey levels.

    At most `points` points of the `PatchSet` are used; `seed` decides which.
    """
    clean = patches.sample_sparse_points(min(points, len(patches)), seed).clean
    mean, deviation = clean.mean(axis=(2, 3)), clean.std(axis=(2, 3), dtype=np.float32)
    figure, axes = plt.subplots(1, 3, figsize=(12, 2.9), layout="constrained")
    axes[0].hist(mean[:, 0], 64, (0, 255), color=style.QUERY)
    axes[0].set(xlabel="mean of a reference patch", ylabel="fraction of patches")
    axes[1].hist(deviation[:, 0], 64, (0, 128), color=style.QUERY)
    axes[1].axvline(FLAT, color=style.LINE, linestyle="--", label=f"flat: {FLAT:.0f} or less")
    axes[1].set(xlabel="standard deviation of a reference patch")
    axes[1].legend(frameon=False)
    axes[2].hist((mean[:, 1:] - mean[:, :1]).ravel(), 64, (-128, 128), color=style.QUERY)
    axes[2].set(xlabel="mean of a view - mean of its reference")
    for axis in axes:
        axis.set_yticks([])
    figure.supxlabel("grey levels", fontsize=10)
    return style.finish(figure)


def point(patches, row, kinds=None):
    """Draw all views of a point: the reference on the left, then one row of views per level.

    Args:
        patches: a `PatchSet`.
        row: of the point in the set.
        kinds: one block is drawn for each. Default: all kinds of the set except `"original"`.
    """
    kinds = kinds or [kind for kind in patches.arrays if kind != "original"]
    figure = plt.figure(figsize=(1.6 + 4.6 * len(kinds), 2.9), layout="constrained")
    blocks = figure.subfigures(1, len(kinds), squeeze=False)[0]
    for block, kind in zip(blocks, kinds):
        axes = block.subplot_mosaic(
            [["ref", *VIEWS[start : start + 5]] for start in (1, 6, 11)],
            width_ratios=[3, 1, 1, 1, 1, 1],
        )
        for view, patch in zip(VIEWS, patches.base(kind)[patches.rows[row]]):
            draw_patch(axes[view], patch, style.LEVEL_COLOURS.get(view[0], style.QUERY))
        block.suptitle(kind)
    sequence = figure_text(patches.sequence[row])
    figure.supxlabel(f"point {row}, sequence {sequence}", fontsize=10)
    return style.finish(figure)

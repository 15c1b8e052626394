"""Figures of what is in the data."""

import matplotlib.pyplot as plt
import numpy as np

from hpatches_kit.images.homographies import project
from hpatches_kit.patches.extraction import SQUARE, jitter, overlap, regions
from hpatches_kit.patches.views import FLAT, LEVELS, VIEWS
from hpatches_kit.plots.patches import draw
from hpatches_kit.plots.style import GREY, GROUP_COLOURS, LEVEL_COLOURS, QUERY, closed

KINDS = {"v": ("viewpoint", "#3b6fb6"), "i": ("light", "#e08e2b")}


def lengths(points):
    """Points of each sequence, the longest first, viewpoint and light told apart.

    Args:
        points: `{sequence name: points}`, such as `patches.lengths`.
    """
    ordered = sorted(points.items(), key=lambda item: -item[1])
    figure, axis = plt.subplots(figsize=(11, 2.8), layout="constrained")
    colours = [KINDS.get(name[0], ("", "#888888"))[1] for name, _ in ordered]
    axis.bar(range(len(ordered)), [count for _, count in ordered], 0.8, color=colours)
    for label, colour in KINDS.values():
        axis.bar([0], [0], color=colour, label=label)
    few = len(ordered) <= 60
    axis.set_xticks(
        range(len(ordered)) if few else [], [name for name, _ in ordered] if few else []
    )
    axis.tick_params(axis="x", rotation=90, labelsize=7)
    axis.set(ylabel="points", xlim=(-0.7, len(ordered) - 0.3), title=f"{len(ordered)} sequences")
    axis.legend(frameon=False)
    return closed(figure)


def sequence(images, points):
    """The images of a sequence, and where the regions of some keypoints went in each.

    Args:
        images: an `ImageSequence`.
        points: `(points, 4)` keypoints of image 1, as from `detect`.
    """
    figure, axes = plt.subplots(
        1, len(images.images), figsize=(2.1 * len(images.images), 2.2), layout="constrained"
    )
    base = regions(points)
    maps = [np.eye(3), *images.homographies]
    for k, (axis, image, matrix) in enumerate(zip(axes, images.images, maps)):
        axis.imshow(image, **GREY)
        for x, y, colour in zip(*project(matrix @ base, SQUARE), GROUP_COLOURS * len(base)):
            axis.fill(x, y, fill=False, edgecolor=colour, linewidth=1.5)
        height, width = image.shape
        axis.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0), title=f"image {k + 1}")
    figure.suptitle(images.name)
    return closed(figure)


def jitter_overlap(count=40, seed=0):
    """How inaccurately regions are placed at each level, and how well they overlap.

    Args:
        count: regions drawn at each level.
        seed: of the regions.
    """
    figure, axes = plt.subplots(
        1, 4, figsize=(12, 3), width_ratios=[1, 1, 1, 1.7], layout="constrained"
    )
    for axis, (letter, level) in zip(axes, LEVELS.items()):
        colour, maps = LEVEL_COLOURS[letter], jitter(600, letter, np.random.default_rng(seed))
        covered = overlap(maps)
        for x, y in zip(*project(maps[:count], SQUARE)):
            axis.fill(x, y, fill=False, edgecolor=colour, linewidth=0.6, alpha=0.6)
        axis.fill(*SQUARE.T, fill=False, edgecolor="black", linewidth=2)
        axis.set(xticks=[], yticks=[], xlim=(-2, 2), ylim=(2, -2), aspect="equal", title=level)
        axes[3].hist(covered, np.linspace(0.2, 1, 41), color=colour, alpha=0.6)
        middle = np.median(covered)
        axes[3].axvline(middle, color=colour, label=f"{level}: median {middle:.2f}")
    axes[3].set(xlabel="overlap with the true region", yticks=[], xlim=(0.2, 1))
    axes[3].legend(frameon=False, fontsize=9, loc="upper left")
    return closed(figure)


def noise(noisy, clean, psnr):
    """How noisy patches are: PSNR by level, and where in the patch the noise is strong.

    Args:
        noisy, clean: `(points, 16, 32, 32)`, grey levels 0..255.
        psnr: `(points, 16)` PSNR of each patch in dB, from `hk.metrics.patch_quality`.
    """
    difference = np.subtract(noisy, clean, dtype=np.float32)
    figure, axes = plt.subplots(
        1, 4, figsize=(12, 2.9), width_ratios=[1.7, 1, 1, 1], layout="constrained"
    )
    spreads, bins = {}, np.linspace(np.floor(psnr.min()), np.ceil(np.percentile(psnr, 99.9)), 81)
    for letter, level in LEVELS.items():
        columns = [k for k, view in enumerate(VIEWS) if view[0] == letter]
        spreads[level] = difference[:, columns].std(axis=(0, 1))
        values, colour = psnr[:, columns].ravel(), LEVEL_COLOURS[letter]
        axes[0].hist(values, bins, color=colour, alpha=0.6, label=level)
    axes[0].set(xlabel="PSNR of a patch in dB", yticks=[])
    axes[0].legend(frameon=False)
    highest = max(spread.max() for spread in spreads.values())
    for axis, (level, spread) in zip(axes[1:], spreads.items()):
        shown = axis.imshow(spread, cmap="magma", vmin=0, vmax=highest)
        axis.set(xticks=[], yticks=[], title=f"{level}: {spread.mean():.0f} grey levels")
    figure.colorbar(shown, ax=axes[1:], shrink=0.8, label="standard deviation")
    return closed(figure)


def brightness(patches, points=4000, seed=0):
    """Brightness and contrast of patches: the mean and the spread of their grey levels.

    Args:
        patches: a `PatchSet`.
        points: how many points are looked at.
        seed: decides which.
    """
    some = patches.sample(min(points, len(patches)), seed).clean
    figure, axes = plt.subplots(1, 3, figsize=(12, 2.9), layout="constrained")
    mean, spread = some.mean(axis=(2, 3)), some.std(axis=(2, 3), dtype=np.float32)
    axes[0].hist(mean[:, 0], 64, (0, 255), color=QUERY)
    axes[0].set(xlabel="mean grey level of a reference", yticks=[])
    axes[1].hist(spread[:, 0], 64, (0, 128), color=QUERY)
    axes[1].axvline(FLAT, color="black", linestyle="--", label=f"flat: {FLAT:.0f} or less")
    axes[1].set(xlabel="standard deviation of a reference", yticks=[])
    axes[1].legend(frameon=False)
    axes[2].hist((mean[:, 1:] - mean[:, :1]).ravel(), 64, (-128, 128), color=QUERY)
    axes[2].set(xlabel="mean of a view minus mean of its reference", yticks=[])
    return closed(figure)


def point(patches, number, kinds=None):
    """One point in all its views: the reference at the left, a row for each kind and level.

    Args:
        patches: a `PatchSet`.
        number: of the point in the set.
        kinds: which patches; default: all that the set has.
    """
    kinds = kinds or [kind for kind in patches.arrays if kind != "original"]
    row = patches.rows[number]
    figure = plt.figure(figsize=(1.6 + 4.6 * len(kinds), 2.9), layout="constrained")
    for part, kind in zip(figure.subfigures(1, len(kinds), squeeze=False)[0], kinds):
        views = patches.base(kind)[row]
        axes = part.subplot_mosaic(
            [["ref", *VIEWS[start : start + 5]] for start in (1, 6, 11)],
            width_ratios=[3, 1, 1, 1, 1, 1],
        )
        for name, patch in zip(VIEWS, views):
            draw(axes[name], patch, LEVEL_COLOURS.get(name[0], QUERY))
        part.suptitle(kind)
    figure.supxlabel(f"point {number}: {patches.sequence[number]}", fontsize=10)
    return closed(figure)

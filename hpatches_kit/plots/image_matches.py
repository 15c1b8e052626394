"""Figures of image matching: the matches of two pictures, and matching accuracy of descriptors."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from skimage.transform import warp

from hpatches_kit._support.errors import UserError
from hpatches_kit.image_matching.image_matches import ImageMatches
from hpatches_kit.images.homographies import project, scaling_homography, transfer_errors
from hpatches_kit.plots import style

GAP = 0.02  # between the two pictures, in units of the width of the first
FADED = 0.65  # opacity of the pictures below the lines
OVERLAY_HEIGHT = 1.4  # in units of the height of the pictures below the lines


def matches(result, homography=None, tolerance=3.0, lines=60, seed=0):
    """Draw the matches of two pictures, and below them the second picture laid over the first.

    Args:
        result: an `ImageMatches`, as from `hk.match`. If it has a homography, the part that both
            pictures show has an orange outline, and the second picture is warped to the first and
            drawn in cyan over red: where both agree, the sum is grey.
        homography: the true `(3, 3)` map of pixels from the first picture to the second, if it is
            known: inliers that agree with it are green, others red.
        tolerance: distance in pixels up to which a match agrees with the true homography.
        lines: greatest number of lines drawn for inliers, and for outliers, chosen at random. All
            points are drawn.
        seed: of this choice.

    Raises UserError for anything but an `ImageMatches`, and for a homography of another shape.
    """
    if not isinstance(result, ImageMatches):
        raise UserError(f"Got a {type(result).__name__}: expected the result of hk.match.")
    if homography is not None and np.shape(homography) != (3, 3):
        raise UserError(f"The homography has shape {np.shape(homography)}: expected (3, 3).")
    has_overlay = result.matrix is not None and result.geometry == "homography"
    (height, width), (height_b, width_b) = result.shapes
    aspect = height / (width * (1 + GAP) + width_b * height / height_b)
    heights = [1, OVERLAY_HEIGHT][: 1 + has_overlay]
    size = (10, 10 * aspect * sum(heights) + 0.6 + 0.4 * has_overlay)
    figure, axes = plt.subplots(
        len(heights), 1, figsize=size, height_ratios=heights, layout="constrained"
    )
    axes = np.atleast_1d(axes)
    _draw_lines(axes[0], result, homography, tolerance, lines, np.random.default_rng(seed))
    if has_overlay:
        _draw_overlay(axes[1], result)
    return style.finish(figure)


def matching_accuracy(table):
    """Draw mean matching accuracy over the threshold, a panel for each group of sequences.

    `table` is that of `hk.benchmark.image_pairs`. The legend states the AUC at 3 pixels over all
    sequences, and the estimator of the homographies.
    """
    groups = table.index.unique("sequences")
    columns = [column for column in table.columns if column.startswith("MMA ")]
    pixels = [int(column.split()[1]) for column in columns]
    figure, axes = style.axes_grid(1, len(groups), (2.9 * len(groups) + 2.6, 3), sharey=True)
    for axis, group in zip(axes[0], groups):
        rows = table.xs(group, level="sequences")
        for k, (name, row) in enumerate(rows.iterrows()):
            colour = style.RUN_COLOURS[k % len(style.RUN_COLOURS)]
            marker = style.RUN_MARKERS[k // len(style.RUN_COLOURS) % len(style.RUN_MARKERS)]
            auc = table.loc[(name, groups[0]), "AUC 3 px"]
            values = row[columns].astype(float)
            label = f"{name}: AUC {auc:.2f}"
            axis.plot(pixels, values, color=colour, marker=marker, ms=4, label=label)
        axis.set(title=f"{group}, {rows.pairs.iloc[0]} pairs", xlabel="threshold in pixels")
        axis.set(xticks=pixels, ylim=(0, 1.02))
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("mean matching accuracy")
    title = f"AUC at 3 px of all pairs\n{table.estimator.iloc[0]}"
    legend = {"loc": "outside right upper", "frameon": False, "fontsize": 8, "title": title}
    figure.legend(*axes[0, 0].get_legend_handles_labels(), title_fontsize=8, **legend)
    return style.finish(figure)


def _draw_lines(axis, result, homography, tolerance, lines, rng):
    (height, width), (height_b, width_b) = result.shapes
    zoom, left = height / height_b, width * (1 + GAP)  # both are drawn at the same height
    for image, start, end in (
        (result.images[0], 0, width),
        (result.images[1], left, left + zoom * width_b),
    ):
        extent = (start - 0.5, end - 0.5, height - 0.5, -0.5)
        axis.imshow(image, extent=extent, alpha=FADED, **style.GREY)
    starts, ends = result.points_a, result.points_b * zoom + [left, 0]
    for rows, colour, alpha, label in _groups(result, homography, tolerance):
        axis.plot(*starts[rows].T, ".", color=colour, ms=3, alpha=alpha)
        axis.plot(*ends[rows].T, ".", color=colour, ms=3, alpha=alpha)
        drawn = rng.permutation(rows)[:lines]
        segments = np.stack([starts[drawn], ends[drawn]], axis=1)
        axis.add_collection(LineCollection(segments, color=colour, linewidth=0.8, alpha=alpha))
        axis.plot([], [], color=colour, label=f"{label}: {len(rows):,}")
    if result.matrix is not None and result.geometry == "homography":
        _draw_outline(axis, result.shapes, result.matrix)
        _draw_outline(axis, result.shapes[::-1], np.linalg.inv(result.matrix), zoom, left)
        label = "what both pictures show"
        axis.plot([], [], color=style.ORANGE, linestyle="--", label=label)
    axis.set(xlim=(-0.5, left + zoom * width_b - 0.5), ylim=(height - 0.5, -0.5))
    axis.axis("off")
    axis.set_title(f"{result!r}", fontsize=9)
    if len(result.pairs):
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, frameon=False, fontsize=8)


def _groups(result, homography, tolerance):
    """Yield rows of matches, colour, opacity and name of each group that is not empty."""
    inliers = result.inliers
    if result.matrix is None:
        groups = [(~inliers, style.UNKNOWN, 0.3, "matches")]
    elif homography is None:
        groups = [(~inliers, style.UNKNOWN, 0.3, "outliers"), (inliers, style.BLUE, 0.8, "inliers")]
    else:
        right = transfer_errors(homography, result.points_a, result.points_b) <= tolerance
        groups = [
            (~inliers & ~right, style.UNKNOWN, 0.3, "outliers"),
            (~inliers & right, style.PURPLE, 0.8, "right, but outliers"),
            (inliers & right, style.MATCHING, 0.8, "right inliers"),
            (inliers & ~right, style.NON_MATCHING, 0.9, "wrong inliers"),
        ]
    for members, *look in groups:
        if members.any():
            yield np.flatnonzero(members), *look


def _draw_outline(axis, shapes, matrix, zoom=1.0, left=0.0):
    """Outline the part of the first image of `shapes` that `matrix` maps into the second."""
    (height, width), (height_b, width_b) = shapes
    x, y = np.meshgrid(np.linspace(0, width - 1, 200), np.linspace(0, height - 1, 200))
    mapped_x, mapped_y = project(matrix[None], np.column_stack([x.ravel(), y.ravel()]))
    inside = np.minimum(
        np.minimum(mapped_x, width_b - 1 - mapped_x), np.minimum(mapped_y, height_b - 1 - mapped_y)
    )
    inside = np.nan_to_num(inside, nan=-1.0).reshape(x.shape)  # in pixels, up to the border
    if inside.min() < 0 < inside.max():
        options = {"colors": style.ORANGE, "linestyles": "--", "linewidths": 1.2}
        axis.contour(x * zoom + left, y * zoom, inside, [0], **options)


def _draw_overlay(axis, result):
    image_a, image_b = result.images
    to_a, to_b = (scaling_homography(i.shape, s) for i, s in zip(result.images, result.shapes))
    matrix = np.linalg.inv(to_b) @ result.matrix @ to_a  # between the images that are drawn
    warped = warp(image_b, matrix, output_shape=image_a.shape, cval=np.nan, preserve_range=True)
    covered = np.isfinite(warped)
    if covered.any():  # the same mean and contrast: a change of exposure has no colour
        a, b = image_a[covered], warped[covered]
        warped = (warped - b.mean()) * (a.std() / max(b.std(), 1e-6)) + a.mean()
    second = np.where(covered, warped, image_a)
    colours = np.stack([image_a, second, second], axis=-1)
    axis.imshow(np.clip(colours / 255, 0, 1), interpolation="nearest")
    _draw_outline(axis, [i.shape for i in result.images], matrix)
    axis.axis("off")
    axis.set_title(
        "the second picture (cyan) over the first (red): grey where they agree", fontsize=9
    )

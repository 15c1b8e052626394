"""Figures of patches: labelled rows, triplets, and the 16 views of points."""

import numpy as np

from hpatches_kit.patches.views import VIEWS
from hpatches_kit.plots import style


def draw_patch(axis, patch, frame=None):
    """Draw a patch `(height, width)` or `(height, width, 1)`, with a frame of the given colour."""
    axis.imshow(np.asarray(patch).reshape(patch.shape[0], patch.shape[1]), **style.GREY)
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(visible=frame is not None, color=frame, linewidth=3)


def patch_rows(rows, count=10, right=None):
    """Draw labelled rows of patches; each column is one patch in several versions.

    Args:
        rows: `{label: patches}`, each `(n, height, width)` or `(n, height, width, 1)`, 0..255.
        count: number of columns; the first patches of each row are drawn.
        right: `{label: answers}` for some of the rows. An answer frames its patch: True in green,
            False in red, None in blue.
    """
    colours = {True: style.MATCHING, False: style.NON_MATCHING, None: style.QUERY}
    frames = {
        label: [colours[None if answer is None else bool(answer)] for answer in answers]
        for label, answers in (right or {}).items()
    }
    count = min(count, *(len(patches) for patches in rows.values()))
    figure, axes = style.axes_grid(len(rows), count, (0.9 * count + 1, 0.95 * len(rows)))
    for row, (label, patches) in zip(axes, rows.items()):
        for axis, patch, frame in zip(row, patches, frames.get(label, [None] * count)):
            draw_patch(axis, patch, frame)
        row[0].set_ylabel(label, rotation=0, ha="right", va="center")
    return style.finish(figure)


def triplets(patches, count=8):
    """Draw the first triplets of a batch, one per column: anchor, positive, negative.

    `patches` is `(3 * n, height, width, 1)`, 0..255, a batch of `hk.batches.Triplets`.
    """
    roles = {"anchor": patches[0::3], "positive": patches[1::3], "negative": patches[2::3]}
    return patch_rows(roles, count)


def views(patches, points=(0,), kind="clean"):
    """Draw points in all 16 views: the reference, then five views of each level.

    Args:
        patches: a `PatchSet`.
        points: rows of the set, one per row of the figure.
        kind: `"clean"`, `"noisy"` or `"denoised"`.
    """
    figure, axes = style.axes_grid(len(points), len(VIEWS), (12.5, 0.8 * len(points) + 0.2))
    arrays = patches[kind]
    for row, point in zip(axes, points):
        for column, (view, axis) in enumerate(zip(VIEWS, row)):
            draw_patch(axis, arrays[point, column], style.LEVEL_COLOURS.get(view[0], style.QUERY))
    for view, axis in zip(VIEWS, axes[0]):
        axis.set_title(view, fontsize=9)
    return style.finish(figure)

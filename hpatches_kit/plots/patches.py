"""Figures of patches."""

import matplotlib.pyplot as plt
import numpy as np

from hpatches_kit.patches.views import VIEWS
from hpatches_kit.plots.style import GREY, LEVEL_COLOURS, QUERY, RIGHT, WRONG, closed


def draw(axis, patch, edge=None):
    """Draw a patch, with a frame in a colour where one is given."""
    axis.imshow(np.asarray(patch).reshape(patch.shape[0], patch.shape[1]), **GREY)
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(visible=edge is not None, color=edge, linewidth=3)


def patch_rows(rows, count=10, right=None):
    """Labelled rows of patches; a column is one patch seen several ways.

    Args:
        rows: `{label: patches}`, each `(n, height, width)` or `(n, height, width, 1)`, 0..255.
        count: columns drawn, the first of each row.
        right: `{label: answers}` for some of the rows: True gives a patch a green frame, False a red
            one, None a blue one.
    """
    frames = {True: RIGHT, False: WRONG, None: QUERY}
    edges = {
        k: [frames[v if v is None else bool(v)] for v in row] for k, row in (right or {}).items()
    }
    count = min(count, *(len(patches) for patches in rows.values()))
    figure, axes = plt.subplots(
        len(rows),
        count,
        figsize=(0.9 * count + 1, 0.95 * len(rows)),
        squeeze=False,
        layout="constrained",
    )
    for line, (label, patches) in zip(axes, rows.items()):
        for axis, patch, edge in zip(line, patches, edges.get(label, [None] * count)):
            draw(axis, patch, edge)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    return closed(figure)


def triplets(patches, count=8):
    """Anchor, positive and negative of a batch laid out like `Triplets`, a column each."""
    return patch_rows(
        {"anchor": patches[0::3], "positive": patches[1::3], "negative": patches[2::3]}, count
    )


def views(patches, points=(0,), kind="clean"):
    """Points in all their 16 views: reference, then five of each level.

    Args:
        patches: a `PatchSet`.
        points: rows of the set.
        kind: `"clean"`, `"noisy"` or `"denoised"`.
    """
    figure, axes = plt.subplots(
        len(points),
        len(VIEWS),
        figsize=(12.5, 0.8 * len(points) + 0.2),
        squeeze=False,
        layout="constrained",
    )
    drawn = patches[kind]
    for line, point in zip(axes, points):
        for column, (view, axis) in enumerate(zip(VIEWS, line)):
            draw(axis, drawn[point, column], LEVEL_COLOURS.get(view[0], QUERY))
    for view, axis in zip(VIEWS, axes[0]):
        axis.set_title(view, fontsize=9)
    return closed(figure)

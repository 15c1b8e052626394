"""Browse the nearest neighbours of a query by two descriptors, side by side."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.escaping import figure_text
from hpatches_kit._support.options import check_whole_number
from hpatches_kit.course.playthings.plaything import Plaything
from hpatches_kit.patches.views import VIEWS, view_index
from hpatches_kit.plots import style
from hpatches_kit.plots.patches import draw_patch


def neighbours_browser(first, second, patches, kind="clean", count=8):
    """Choose a query, and see its nearest neighbours by two descriptors.

        *_, test = hk.load("mini").split()
        test = test.sample(1, seed=0)
        pixels = hk.describe(hk.baselines.pixels, test)
        rootsift = hk.describe(hk.baselines.rootsift, test)
        hk.course.neighbours_browser(pixels, rootsift, test)

    The query is the reference patch of a point, and one view of all points is searched. Two
    controls: the point and the view. A neighbour has a green frame if it shows the same place as
    the query, and a red one otherwise.

    Args:
        first, second: `Descriptors` of the points of `patches`.
        patches: a `PatchSet`.
        kind: the patches that are drawn: `"clean"`, `"noisy"` or `"denoised"`.
        count: number of neighbours.

    Returns a `Plaything`. Raises UserError for descriptors of other points.
    """
    for descriptors in (first, second):
        if len(descriptors) != len(patches):
            raise UserError(
                f"{descriptors.name} has {len(descriptors)} points: expected the {len(patches)} of"
                " the patches."
            )
    check_whole_number("count", count, 1)
    import ipywidgets as widgets

    point = widgets.IntSlider(0, 0, len(patches) - 1, description="point")
    view = widgets.SelectionSlider(options=VIEWS[1:], value="h1", description="view")

    def draw():
        return neighbours_figure((first, second), patches[kind], point.value, view.value, count)

    return Plaything(draw, {"point": point, "view": view})


@dataclass(frozen=True)
class Neighbours:
    """The patches of a view, by their distance to a query.

    Attributes:
        points: rows of the nearest points, nearest first, `(count,)`.
        distances: their distances to the query, `(count,)`.
        same_place: whether they show the place of the query, `(count,)`.
        rank: of the first patch that shows the place of the query, 1 for the nearest.
    """

    points: np.ndarray
    distances: np.ndarray
    same_place: np.ndarray
    rank: int


def nearest(descriptors, point, view, count):
    """The `Neighbours` of the reference patch of a point, among the patches of a view.

    Args:
        descriptors: `Descriptors`.
        point: row of the query.
        view: name of the view that is searched, such as `"h1"`.
        count: number of neighbours.
    """
    values = descriptors.values
    distances = cdist(values[point : point + 1, 0], values[:, view_index(view)])[0]
    order = np.argsort(distances, kind="stable")
    same_place = descriptors.label[order] == descriptors.label[point]
    rank = int(np.argmax(same_place)) + 1  # the point itself is among them
    order, same_place = order[:count], same_place[:count]
    return Neighbours(order, distances[order], same_place, rank)


def neighbours_figure(descriptors, patches, point, view, count=8):
    """Draw a query and its nearest neighbours, one row for each descriptor.

    Args:
        descriptors: a sequence of `Descriptors` of the same points.
        patches: `(points, 16, height, width)`, grey levels 0..255, the patches that are drawn.
        point: row of the query.
        view: name of the view that is searched.
        count: number of neighbours.
    """
    count = min(count, len(patches))
    size = 1.05 * (count + 1) + 1.6, 1.35 * len(descriptors) + 0.3
    figure, axes = style.axes_grid(len(descriptors), count + 1, size)
    for row, described in zip(axes, descriptors):
        found = nearest(described, point, view, count)
        draw_patch(row[0], patches[point, 0], style.QUERY)
        title = f"{figure_text(described.name)}\ncorrect: rank {found.rank}"
        row[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9)
        column = view_index(view)
        for axis, neighbour, distance, same in zip(
            row[1:], found.points, found.distances, found.same_place
        ):
            frame = style.MATCHING if same else style.NON_MATCHING
            draw_patch(axis, patches[neighbour, column], frame)
            axis.set_xlabel(f"{distance:.3g}", fontsize=8)
    axes[0, 0].set_title("query", fontsize=9)
    axes[0, 1].set_title(f"nearest in {view}", fontsize=9, loc="left")
    axes[-1, 0].set_xlabel("distance", fontsize=8)
    return style.finish(figure)

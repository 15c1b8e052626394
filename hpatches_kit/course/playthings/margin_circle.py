"""Descriptors of two numbers on a circle, and how a triplet loss moves them."""

from dataclasses import dataclass

import numpy as np

from hpatches_kit._support.options import check_whole_number
from hpatches_kit.course.playthings.plaything import Plaything
from hpatches_kit.plots import style

NEGATIVES = ("hardest", "semi-hard", "random")
LEARNING_RATE = 0.05  # radians for a gradient of 1
NOISE = 0.5  # radians: standard deviation between the two patches of a place, at first
POSITIVE_MARK, ANCHOR_MARK = "o", "s"


def margin_circle(places=6, seed=0):
    """Choose margin and negatives of a triplet loss, and see points move on a circle.

        hk.course.margin_circle()

    Each place has two patches, an anchor and a positive, whose descriptors are points on the unit
    circle. The loss of an anchor is max(0, margin + distance to its positive - distance to its
    negative), and its negative is the positive of another place. Three controls: the margin, which
    negative is chosen, and the number of steps of gradient descent on the angles.

    Args:
        places: number of places, 3 or more; the figure has room for about 12.
        seed: of the angles at first, and of the random negatives.

    Returns a `Plaything`. Raises UserError for fewer than three places.
    """
    check_whole_number("places", places, 3)
    import ipywidgets as widgets

    margin = widgets.FloatSlider(0.8, min=0, max=2, step=0.1, description="margin")
    negatives = widgets.Dropdown(options=NEGATIVES, description="negatives")
    steps = widgets.IntSlider(0, 0, 200, 5, description="steps")

    def draw():
        options = margin.value, negatives.value
        anchors, positives = first_angles(places, seed)
        anchors, positives = descend(anchors, positives, *options, steps.value, seed)
        return circle_figure(anchors, positives, *options, seed)

    return Plaything(draw, {"margin": margin, "negatives": negatives, "steps": steps})


@dataclass(frozen=True)
class Triplets:
    """The triplets of a batch, `(places,)` each: which negative, two distances and the loss."""

    negative: np.ndarray
    to_positive: np.ndarray
    to_negative: np.ndarray
    loss: np.ndarray

    @property
    def active(self):
        """Fraction of the triplets whose loss is greater than 0; the others have no gradient."""
        return float(np.mean(self.loss > 0))


def first_angles(places, seed=0):
    """Angles in radians of anchors and positives before training, `(places,)` each."""
    rng = np.random.default_rng(seed)
    anchors = rng.uniform(0, 2 * np.pi, places)
    return anchors, anchors + rng.normal(0, NOISE, places)


def chord(difference):
    """Euclidean distance of two points of the unit circle, by the difference of their angles."""
    return 2 * np.abs(np.sin(np.asarray(difference) / 2))


def triplets(anchors, positives, margin, negatives, seed=0):
    """Choose a negative for each anchor, and compute the triplet loss.

    Args:
        anchors, positives: angles in radians, `(places,)` each.
        margin: of the loss.
        negatives: `"hardest"`: the nearest; `"semi-hard"`: the nearest that is farther than the
            positive, or the farthest if none is; `"random"`.
        seed: of the random negatives.

    Returns `Triplets`.
    """
    distances = chord(anchors[:, None] - positives)
    to_positive, rows = np.diagonal(distances), np.arange(len(anchors))
    others = np.where(np.eye(len(anchors), dtype=bool), np.inf, distances)
    if negatives == "random":
        shift = np.random.default_rng(seed).integers(1, len(anchors), len(anchors))
        negative = (rows + shift) % len(anchors)
    else:
        if negatives == "semi-hard":
            farthest = np.argmax(np.where(np.isinf(others), -1, others), axis=1)
            others = np.where(others > to_positive[:, None], others, np.inf)
            others[rows, farthest] = distances[rows, farthest]
        negative = np.argmin(others, axis=1)
    to_negative = distances[rows, negative]
    loss = np.maximum(0, margin + to_positive - to_negative)
    return Triplets(negative, to_positive, to_negative, loss)


def descend(anchors, positives, margin, negatives, steps, seed=0):
    """Move angles by gradient descent on the sum of the losses; negatives are chosen at each step.

    Args: as for `triplets`, and the number of steps.

    Returns the angles of anchors and positives, `(places,)` each.
    """
    anchors, positives = np.array(anchors, float), np.array(positives, float)
    for step in range(steps):
        chosen = triplets(anchors, positives, margin, negatives, (seed, step))
        active = chosen.loss > 0
        pull = active * _slope(anchors - positives)
        push = active * _slope(anchors - positives[chosen.negative])
        slope = -pull
        np.add.at(slope, chosen.negative, push)  # a positive may be the negative of several anchors
        anchors -= LEARNING_RATE * (pull - push)
        positives -= LEARNING_RATE * slope
    return anchors, positives


def _slope(difference):
    """Derivative of `chord`."""
    return np.cos(difference / 2) * np.sign(np.sin(difference / 2))


def circle_figure(anchors, positives, margin, negatives, seed=0):
    """Draw the points with their triplets, and the two distances of each triplet.

    Args: as for `triplets`.
    """
    chosen = triplets(anchors, positives, margin, negatives, seed)
    figure, axes = style.axes_grid(1, 2, (9, 4.3))
    _draw_circle(axes[0, 0], anchors, positives, chosen)
    axes[0, 0].set_title(
        f"loss {chosen.loss.mean():.3f}, active triplets {chosen.active:.0%}", fontsize=10
    )
    _draw_distances(axes[0, 1], chosen, margin)
    return style.finish(figure)


def _draw_circle(axis, anchors, positives, chosen):
    turn = np.linspace(0, 2 * np.pi, 200)
    axis.plot(np.cos(turn), np.sin(turn), color=style.BAR)
    marks = "square: anchor\ndot: positive\ndashed: to the negative\nthick: active triplet"
    axis.text(0, 0, marks, ha="center", va="center", fontsize=8, color=style.UNKNOWN, zorder=0)
    a, p = (np.stack([np.cos(angles), np.sin(angles)], 1) for angles in (anchors, positives))
    for k, negative in enumerate(chosen.negative):
        width = 2 if chosen.loss[k] > 0 else 0.6
        axis.plot(*np.stack([a[k], p[k]], 1), color=style.MATCHING, linewidth=width)
        axis.plot(*np.stack([a[k], p[negative]], 1), "--", color=style.NON_MATCHING, lw=width)
        colour = style.RUN_COLOURS[k % 10]
        axis.plot(*a[k], ANCHOR_MARK, color=colour, ms=9, zorder=3)
        axis.plot(*p[k], POSITIVE_MARK, color=colour, ms=9, zorder=3)
        axis.text(*(1.13 * a[k]), str(k), ha="center", va="center", fontsize=9)
    axis.set(aspect="equal", xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), xticks=[-1, 0, 1])
    axis.set(yticks=[-1, 0, 1], xlabel="first number", ylabel="second number")


def _draw_distances(axis, chosen, margin):
    rows = np.arange(len(chosen.loss))
    axis.barh(rows, margin, left=chosen.to_positive, color=style.BAR, height=0.5, label="margin")
    axis.plot(chosen.to_positive, rows, POSITIVE_MARK, color=style.MATCHING, label="positive")
    axis.plot(chosen.to_negative, rows, POSITIVE_MARK, color=style.NON_MATCHING, label="negative")
    axis.set(ylabel="place", yticks=rows, xlim=(-0.05, 3.2))
    axis.set(xlabel="distance to the anchor, at most 2 on the circle")
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.axvline(2, color=style.LINE, linewidth=0.8, linestyle=":")
    axis.set_title("active if the negative is left of the end of its bar", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, loc="lower right")

"""Draw `docs/pipeline.png`, the picture of the README: the whole pipeline on one built-in photograph.

    python docs/pipeline.py

Every patch, distance and match in it is computed here, with the pretrained networks.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from PIL import Image

import hpatches_kit as hk
from hpatches_kit.images.homographies import project
from hpatches_kit.patches.extraction import REGION_CORNERS, regions
from hpatches_kit.plots import style

PHOTOGRAPH = "china"  # on the test side: no network has seen it
VIEW = "e4"  # the patches of the second view, cut from image 5 of the sequence
PAIRS = 7  # drawn in the batch and its distance matrix
DRAWN = 60  # matches
SPARSE = 12  # of so many regions one is drawn

SIZE = 12, 7.2  # inches; the same unit for all places below
LEFT, GAP = 0.12, 0.06  # margin, and space between patches
TOP, TOP_HEIGHT, BOTTOM_HEIGHT = 3.58, 2.95, 2.75  # of the upper and lower row of panels
COLOURS = plt.get_cmap("tab10").colors
TEXT, PALE = "#222222", "#666666"


def compute(seed=0):
    """Extract, denoise, describe and match the points of a virtual viewpoint sequence.

    Returns a dictionary: `images`, the two views; `homography` between them; `points`, `(n, 4)`
    keypoints; `noisy`, `denoised` and `clean`, `(n, 2, 32, 32)` patches of both views; `distances`,
    `(n, n)` from the patches of the first view to those of the second.
    """
    photograph = hk.images.photograph(PHOTOGRAPH)
    sequence = hk.images.viewpoint_sequence(f"v_{PHOTOGRAPH}", photograph, seed)
    originals, points = hk.patches.extract(sequence, seed=seed)
    noisy, clean = hk.patches.noisy_and_clean(originals, seed)
    views, image = [0, hk.patches.view_index(VIEW)], int(VIEW[1])
    noisy, clean = noisy[:, views], clean[:, views]
    denoiser, descriptor = map(hk.models.pretrained, ("denoiser", "descriptor"))
    grey = denoiser.predict(noisy.reshape(-1, 32, 32, 1), verbose=0)
    denoised = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    values = descriptor.predict(denoised, verbose=0).reshape(len(points), 2, -1)
    return {
        "images": [sequence.images[0], sequence.images[image]],
        "homography": sequence.homographies[image - 1],
        "points": points,
        "noisy": noisy,
        "denoised": denoised.reshape(clean.shape),
        "clean": clean,
        "distances": np.linalg.norm(values[:, None, 0] - values[None, :, 1], axis=-1),
    }


def choose(data, count=PAIRS, apart=110):
    """Choose points with large regions and much contrast, at least `apart` pixels from each other."""
    contrast = data["clean"].std(axis=(1, 2, 3)) * np.sqrt(data["points"][:, 2])
    chosen = []
    for row in np.argsort(-contrast):
        offsets = data["points"][chosen, :2] - data["points"][row, :2]
        if np.hypot(*offsets.T).min(initial=np.inf) >= apart:
            chosen.append(row)
    return sorted(chosen[:count], key=lambda row: data["points"][row, 0])


def draw(data):
    """Draw the four steps. Returns the figure."""
    figure, chosen = plt.figure(figsize=SIZE, facecolor="white"), choose(data)
    draw_photograph(figure, data, chosen)
    draw_patches(figure, data, chosen)
    draw_batch(figure, data, chosen)
    draw_matches(figure, data)
    return style.finish(figure)


def place(figure, left, bottom, width, height):
    """Add axes without ticks and frame, at a place in inches."""
    position = np.array([left, bottom, width, height]) / [*SIZE, *SIZE]
    axis = figure.add_axes(position)
    axis.axis("off")
    return axis


def draw_patch(figure, patch, colour, *position):
    axis = place(figure, *position)
    axis.imshow(patch, aspect="auto", **style.GREY)
    axis.axis("on")
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(color=colour, linewidth=3 * min(1, position[2] / 0.6))


def title(figure, number, step, left, bottom, *parts):
    """Write a numbered title above a panel, and under it a line of `(text, colour)`."""
    axis = place(figure, left, bottom, 1, 1)  # data are inches
    circle = {"boxstyle": "circle,pad=0.25", "facecolor": style.BLUE, "edgecolor": "none"}
    number_style = {"color": "white", "fontsize": 13, "weight": "bold"}
    axis.text(0.13, 0.47, number, ha="center", va="center", bbox=circle, **number_style)
    axis.text(0.38, 0.46, step, color=TEXT, fontsize=15, weight="bold", va="center")
    previous = axis.text(0, 0.08, "", fontsize=11)
    for text, colour in parts:
        weight = "normal" if colour == PALE else "bold"
        previous = axis.annotate(
            text, (1, 0), xycoords=previous, color=colour, fontsize=11, weight=weight, va="bottom"
        )


def draw_photograph(figure, data, chosen):
    image, points = data["images"][0], data["points"]
    height, width = image.shape
    axis = place(figure, LEFT, TOP, TOP_HEIGHT * width / height, TOP_HEIGHT)
    axis.imshow(image, aspect="auto", **style.GREY)
    for x, y in zip(*project(regions(points[::SPARSE]), REGION_CORNERS)):
        axis.fill(x, y, fill=False, edgecolor="white", linewidth=0.8, alpha=0.6)
    for colour, x, y in zip(COLOURS, *project(regions(points[chosen]), REGION_CORNERS)):
        axis.fill(x, y, fill=False, edgecolor="white", linewidth=4.5)
        axis.fill(x, y, fill=False, edgecolor=colour, linewidth=2.5)
    axis.set(xlim=(0, width), ylim=(height, 0))
    detail = f"{len(points):,} points, each with a square region"
    title(figure, "1", "Find keypoints", LEFT, TOP + TOP_HEIGHT, (detail, PALE))


def draw_patches(figure, data, chosen):
    step = (TOP_HEIGHT + GAP) / 3  # from one patch to the next
    left = SIZE[0] - LEFT + GAP - step * len(chosen)
    for row, kind in enumerate(("clean", "denoised", "noisy")):
        bottom = TOP + step * row
        for column, (point, colour) in enumerate(zip(chosen, COLOURS)):
            position = left + step * column, bottom, step - GAP, step - GAP
            draw_patch(figure, data[kind][point, 0], colour, *position)
        label = place(figure, left - 0.3, bottom, 0.3, step - GAP)
        label.text(0.45, 0.5, kind, rotation=90, fontsize=12, color=TEXT, ha="center", va="center")
    parts = ("32x32 pixels, with the noise of N-HPatches, denoised by a U-Net", PALE)
    title(figure, "2", "Cut out patches, remove the noise", left, TOP + TOP_HEIGHT, parts)


def draw_batch(figure, data, chosen):
    count, step = len(chosen), (BOTTOM_HEIGHT + GAP / 2) / (len(chosen) + 1)
    side = step - GAP / 2
    for k, (point, colour) in enumerate(zip(chosen, COLOURS), start=1):
        anchor, positive = data["denoised"][point]
        top = LEFT + BOTTOM_HEIGHT - side
        draw_patch(figure, anchor, colour, LEFT, top - step * k, side, side)
        draw_patch(figure, positive, colour, LEFT + step * k, top, side, side)
    axis = place(figure, LEFT + step, LEFT, BOTTOM_HEIGHT - step, BOTTOM_HEIGHT - step)
    matrix = data["distances"][np.ix_(chosen, chosen)]
    axis.imshow(matrix, cmap="YlGnBu_r", vmin=0, vmax=1.5, aspect="auto")
    hardest = np.where(np.eye(count), np.inf, matrix).argmin(1)
    for row in range(count):
        for column in range(count):
            value = matrix[row, column]
            colour = "white" if value < 0.7 else TEXT
            options = {"fontsize": 9, "ha": "center", "va": "center_baseline"}
            axis.text(column, row, f"{value:.1f}", color=colour, **options)
        for column, colour in ((row, style.MATCHING), (hardest[row], style.NON_MATCHING)):
            corner = column - 0.43, row - 0.43
            axis.add_patch(Rectangle(corner, 0.86, 0.86, fill=False, edgecolor=colour, linewidth=3))
    parts = [("distances: ", PALE), ("pairs, ", style.MATCHING)]
    parts.append(("hardest negatives", style.NON_MATCHING))
    title(figure, "3", "Learn from a batch", LEFT, LEFT + BOTTOM_HEIGHT, *parts)


def draw_matches(figure, data, seed=0):
    first, second = data["images"]
    space = np.full((first.shape[0], 12), 255)
    both = np.hstack([first, space, second])
    width = BOTTOM_HEIGHT * both.shape[1] / both.shape[0]
    left = SIZE[0] - LEFT - width
    axis = place(figure, left, LEFT, width, BOTTOM_HEIGHT)
    axis.imshow(both, aspect="auto", **style.GREY)
    nearest = data["distances"].argmin(1)
    correct = nearest == np.arange(len(nearest))
    start = data["points"][:, :2]
    x, y = project(data["homography"][None], start)
    end = np.stack([x[0] + first.shape[1] + space.shape[1], y[0]], 1)
    drawn = np.random.default_rng(seed).permutation(len(nearest))[:DRAWN]
    for row in sorted(drawn, key=lambda row: not correct[row]):
        colour = style.MATCHING if correct[row] else style.NON_MATCHING
        ends = np.stack([start[row], end[nearest[row]]])
        axis.plot(*ends.T, "o-", color=colour, ms=4, mec="white", mew=0.6, linewidth=1.3)
    detail = (
        f"the nearest descriptor in the other view is right for {correct.sum():,} of"
        f" {len(correct):,} points; {len(drawn)} drawn"
    )
    title(figure, "4", "Match another view", left, LEFT + BOTTOM_HEIGHT, (detail, PALE))


def main(path=None):
    save(draw(compute()), path or Path(__file__).with_suffix(".png"))


def save(figure, path, dpi=150):
    """Save a figure as a PNG of 256 colours, which is a third of the size."""
    figure.savefig(path, dpi=dpi)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

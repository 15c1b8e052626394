"""Keypoints of an image: Hessian, Harris and DoG points with a scale and one orientation.

These are the kinds of keypoints of HPatches (Balntas et al., CVPR 2017, section 3), here with the
filters of scikit-image.
"""

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree
from skimage.filters import gaussian

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.options import check_whole_number
from hpatches_kit.images.detectors import THRESHOLDS, detect_peaks

REGION = 5.0  # half the side of the measurement region, in units of the detected scale
SCALES = 1.6 * 2.0 ** (np.arange(10) / 3)  # Gaussian sigma in pixels, 1.6 to 12.8


def detect_keypoints(image, seed=0, thresholds=THRESHOLDS, strongest=None):
    """Detect the keypoints of an image whose measurement region lies inside it.

    Of regions that overlap by more than half, one is kept.

    Args:
        image: `(height, width)` grey levels 0..255.
        seed: of the choice among overlapping regions.
        thresholds: the weakest response kept by each detector.
        strongest: for matching, where two images must have the same keypoints: at most this number,
            strongest first, located to a fraction of a pixel; of overlapping regions the strongest
            is kept. Default: all, in random order and at whole pixels, with a random choice among
            overlapping regions, as in HPatches.

    Returns `float64 (points, 4)`: x, y, scale (Gaussian sigma) in pixels and the angle of the
    dominant gradient in radians, from the x axis towards the y axis. Raises UserError for another
    shape, an image too small for three scales, and `strongest` below 1.
    """
    if strongest is not None:
        check_whole_number("strongest", strongest, 1)
    image = np.asarray(image, np.float32) / 255.0
    if image.ndim != 2:
        raise UserError(f"The image has shape {image.shape}: expected (height, width).")
    height, width = image.shape
    scales = SCALES[2 * REGION * SCALES < min(height, width)]
    if len(scales) < 3:
        raise UserError(
            f"An image of {width}x{height} pixels is too small for keypoints: use a larger one."
        )
    levels = np.stack([gaussian(image, sigma) for sigma in scales])
    peaks, offsets, strength = detect_peaks(image, levels, scales, thresholds)
    scale_index, y, x = peaks.T
    points = np.column_stack([x, y, scales[scale_index]])

    # Half the diagonal of the region, since the region is rotated by the angle.
    margin = np.sqrt(2) * REGION * points[:, 2]
    inside = (x >= margin) & (x <= width - 1 - margin) & (y >= margin) & (y <= height - 1 - margin)
    keep = np.flatnonzero(inside)
    if strongest is None:
        order = np.random.default_rng(seed).permutation(len(keep))
    else:
        order = np.argsort(-strength[keep], kind="stable")
    keep = keep[one_per_cluster(points[keep], order, most=strongest)]
    angles = dominant_angle(levels, points[keep], scale_index[keep])
    points = points[keep]
    if strongest is not None:
        to_scale, to_y, to_x = offsets[keep].T
        ratio = scales[1] / scales[0]  # of neighbouring scales
        points = points + np.column_stack([to_x, to_y, points[:, 2] * (ratio**to_scale - 1)])
    return np.column_stack([points, angles])


def one_per_cluster(points, order, overlap=0.5, most=None):
    """Select points one after the other, such that no two overlap by more than `overlap`.

    `points` are `(points, 3)` x, y and scale; `order` are their rows, the preferred ones first.
    Returns the selected rows, in this order, at most `most`. `disc_overlap` defines the overlap.
    """
    # Discs whose centres are a radius apart overlap by less than half, whatever their sizes.
    neighbours = cKDTree(points[:, :2]).query_ball_point(points[:, :2], REGION * points[:, 2])
    free, selected = np.ones(len(points), bool), []
    for i in order:
        if free[i]:
            if len(selected) == most:
                break
            selected.append(i)
            near = np.array(neighbours[i])
            free[near[disc_overlap(points[i], points[near]) > overlap]] = False
    return np.array(selected, int)


def disc_overlap(point, others):
    """Return the overlap of one point with others: `(3,)` and `(others, 3)` -> `(others,)`.

    A point is x, y and scale. The overlap is the intersection over union of the discs inscribed in
    the measurement regions.
    """
    distance = np.hypot(others[:, 0] - point[0], others[:, 1] - point[1])
    radius, radii = REGION * point[2], REGION * others[:, 2]
    small, large = np.minimum(radius, radii), np.maximum(radius, radii)
    # The area of the lens of two circles. If one contains the other or they are disjoint, clipping
    # the distance makes it the smaller disc or 0.
    d = np.clip(distance, large - small + 1e-9, large + small)
    alpha = np.arccos(np.clip((d**2 + large**2 - small**2) / (2 * d * large), -1, 1))
    beta = np.arccos(np.clip((d**2 + small**2 - large**2) / (2 * d * small), -1, 1))
    lens = large**2 * (alpha - np.sin(2 * alpha) / 2) + small**2 * (beta - np.sin(2 * beta) / 2)
    return lens / (np.pi * (large**2 + small**2) - lens)


def dominant_angle(levels, points, scale_index):
    """Return the peak of each point's histogram of gradient angles, `(points,)`, in radians.

    The histogram has 36 bins. Gradients are sampled every half scale, and weighted by their
    magnitude and a Gaussian of 1.5 scales. Reference: Lowe, IJCV 2004, section 5.

    Args:
        levels: `(scales, height, width)`, the image smoothed to each scale.
        points: `(points, 3)` x, y and scale.
        scale_index: `(points,)` the level of each point.
    """
    steps = np.arange(-9, 10) * 0.5
    grid_y, grid_x = np.meshgrid(steps, steps, indexing="ij")
    weight = np.exp(-(grid_x**2 + grid_y**2)[1:-1, 1:-1] / (2 * 1.5**2))
    angles = np.empty(len(points))
    for k in np.unique(scale_index):
        rows = np.flatnonzero(scale_index == k)
        x, y, scale = points[rows].T[:, :, None, None]
        patch = map_coordinates(
            levels[k], [y + scale * grid_y, x + scale * grid_x], order=1, mode="nearest"
        )
        dx = (patch[:, 1:-1, 2:] - patch[:, 1:-1, :-2]) / 2
        dy = (patch[:, 2:, 1:-1] - patch[:, :-2, 1:-1]) / 2
        bins = np.arctan2(dy, dx) / (2 * np.pi) * 36 % 36
        strength = np.hypot(dx, dy) * weight
        # Each gradient is split between the two nearest bins; then the histogram is smoothed.
        low = np.floor(bins).astype(int)
        histogram = np.zeros((len(rows), 36))
        point = np.broadcast_to(np.arange(len(rows))[:, None, None], low.shape)
        np.add.at(histogram, (point, low % 36), strength * (low + 1 - bins))
        np.add.at(histogram, (point, (low + 1) % 36), strength * (bins - low))
        for _ in range(3):
            histogram = (np.roll(histogram, 1, 1) + histogram + np.roll(histogram, -1, 1)) / 3
        peak = histogram.argmax(1)
        left, top, right = (histogram[np.arange(len(rows)), (peak + i) % 36] for i in (-1, 0, 1))
        curvature = np.maximum(2 * top - left - right, 1e-12)  # a parabola through three bins
        angles[rows] = (peak + (right - left) / (2 * curvature)) * 2 * np.pi / 36
    return angles

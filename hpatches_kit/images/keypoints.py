"""Keypoints of an image: Hessian, Harris and DoG points with a scale and one orientation.

These are the kinds of keypoints of HPatches (Balntas et al., CVPR 2017, section 3), here with the
filters of scikit-image.
"""

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree
from skimage.feature import corner_harris, hessian_matrix_det, peak_local_max
from skimage.filters import gaussian

from hpatches_kit._support.errors import UserError

REGION = 5.0  # half the side of the measurement region, in units of the detected scale
SCALES = 1.6 * 2.0 ** (np.arange(10) / 3)  # Gaussian sigma in pixels, 1.6 to 12.8
# Weakest response kept, for grey levels 0..1; low, because blank patches are dropped later.
THRESHOLDS = {"hessian": 5e-4, "harris": 1e-3, "dog": 8e-3}


def detect_keypoints(image, seed=0, thresholds=THRESHOLDS):
    """Detect the keypoints of an image whose measurement region lies inside it.

    Args:
        image: `(height, width)` grey levels 0..255.
        seed: of the choice among overlapping regions.
        thresholds: the weakest response kept by each detector.

    Returns `float64 (points, 4)`, in random order: x, y, scale (Gaussian sigma) in pixels and the
    angle of the dominant gradient in radians, from the x axis towards the y axis. Raises UserError
    for another shape, and for an image too small for three scales.
    """
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
    finest = gaussian(image, scales[0] / (scales[1] / scales[0]))
    dog = np.abs(np.diff(np.stack([finest, *levels]), axis=0))
    hessian = [sigma**4 * hessian_matrix_det(image, sigma, approximate=False) for sigma in scales]
    maxima = []
    for name, response in (("dog", dog), ("hessian", np.stack(hessian))):  # over position and scale
        peaks = peak_local_max(response, threshold_abs=thresholds[name], exclude_border=False)
        maxima.append(peaks[(peaks[:, 0] > 0) & (peaks[:, 0] < len(scales) - 1)])
    for k, sigma in enumerate(scales):  # corners: over position, at each scale
        response = sigma**4 * corner_harris(levels[k], sigma=sigma)
        corners = peak_local_max(response, min_distance=2, threshold_abs=thresholds["harris"])
        maxima.append(np.insert(corners, 0, k, axis=1))
    scale_index, y, x = np.concatenate(maxima).T
    points = np.column_stack([x, y, scales[scale_index]])

    # Half the diagonal of the region, since the region is rotated by the angle.
    margin = np.sqrt(2) * REGION * points[:, 2]
    inside = (x >= margin) & (x <= width - 1 - margin) & (y >= margin) & (y <= height - 1 - margin)
    keep = np.flatnonzero(inside)
    keep = keep[one_per_cluster(points[keep], seed)]
    return np.column_stack([points[keep], dominant_angle(levels, points[keep], scale_index[keep])])


def one_per_cluster(points, seed=0, overlap=0.5):
    """Select points at random, such that no two overlap by more than `overlap`.

    `points` are `(points, 3)` x, y and scale. Returns the rows of the selected points, in random
    order. `disc_overlap` defines the overlap.
    """
    order = np.random.default_rng(seed).permutation(len(points))
    # Discs whose centres are a radius apart overlap by less than half, whatever their sizes.
    neighbours = cKDTree(points[:, :2]).query_ball_point(points[:, :2], REGION * points[:, 2])
    free, selected = np.ones(len(points), bool), []
    for i in order:
        if free[i]:
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

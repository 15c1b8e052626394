"""Three detectors of keypoints: DoG and Hessian over position and scale, Harris corners."""

import numpy as np
from skimage.feature import corner_harris, hessian_matrix
from skimage.filters import gaussian

from hpatches_kit.images.local_maxima import local_maxima

# Weakest response kept, for grey levels 0..1; low, because blank patches are dropped later.
THRESHOLDS = {"hessian": 5e-4, "harris": 1e-3, "dog": 8e-3}


def detect_peaks(image, levels, scales, thresholds=THRESHOLDS):
    """Find the peaks of all three detectors.

    Args:
        image: `(height, width)` grey levels 0..1.
        levels: `(scales, height, width)`, the image smoothed to each scale.
        scales: `(scales,)` Gaussian sigma in pixels, in constant ratio.
        thresholds: the weakest response kept by each detector.

    Returns `(peaks, offsets, strength)`: `int (peaks, 3)` scale index, y and x; where the peak lies
    between the samples, `(peaks, 3)`, -0.5 to 0.5; and `(peaks,)`, the response in units of the
    threshold of its detector.
    """
    finest = gaussian(image, scales[0] / (scales[1] / scales[0]))
    dog = np.abs(np.diff(np.stack([finest, *levels]), axis=0))
    hessian = np.stack(
        [sigma**4 * _hessian_determinant(level) for sigma, level in zip(scales, levels)]
    )
    found = []
    for name, response in (("dog", dog), ("hessian", hessian)):  # over position and scale
        peaks = local_maxima(response, thresholds[name], reach=(1, 1, 1))
        peaks = peaks[(peaks[:, 0] > 0) & (peaks[:, 0] < len(scales) - 1)]
        offsets = np.column_stack([_offset(response, peaks, axis) for axis in range(3)])
        found.append((peaks, offsets, response[tuple(peaks.T)] / thresholds[name]))
    for k, sigma in enumerate(scales):  # corners: over position, at each scale
        response = sigma**4 * corner_harris(levels[k], sigma=sigma)[None]
        peaks = local_maxima(response, thresholds["harris"], reach=(0, 2, 2))
        offsets = [np.zeros(len(peaks)), *(_offset(response, peaks, axis) for axis in (1, 2))]
        strength = response[tuple(peaks.T)] / thresholds["harris"]
        found.append((peaks + [k, 0, 0], np.column_stack(offsets), strength))
    return map(np.concatenate, zip(*found))


def _hessian_determinant(level):
    # The image is smoothed already; sigma 0 does not smooth it again.
    rows, mixed, columns = hessian_matrix(level, sigma=0, use_gaussian_derivatives=False)
    return rows * columns - mixed**2


def _offset(response, peaks, axis):
    """Return the peak of a parabola through three samples along an axis, relative to the middle."""
    step, last = np.eye(response.ndim, dtype=int)[axis], np.array(response.shape) - 1
    low, middle, high = (
        response[tuple(np.clip(peaks + k * step, 0, last).T)].astype(float) for k in (-1, 0, 1)
    )
    curvature = 2 * middle - low - high
    # A flat top has no curvature, and its middle is as good as any other place.
    return np.clip((high - low) / (2 * np.where(curvature > 0, curvature, np.inf)), -0.5, 0.5)

"""Keypoints of any origin in the format of the kit: x, y, scale and angle."""

import numpy as np

from hpatches_kit._support.errors import UserError

SIZE = 2.0  # `cv2.KeyPoint.size` of SIFT, in units of the scale (Gaussian sigma)


def as_keypoints(keypoints, shape, image_name="the image"):
    """Return keypoints as `float64 (n, 4)`: x, y, scale (Gaussian sigma) in pixels and the angle.

    Args:
        keypoints: `(n, 4)` as from `hk.images.detect_keypoints`, or a list of `cv2.KeyPoint` as
            from `cv2.SIFT_create().detect`.
        shape: `(height, width)` of the image.
        image_name: for messages.

    Raises UserError for another shape, NaN, a scale of 0 or less and a point outside the image.
    """
    expected = (
        "expected (n, 4), with x, y, scale in pixels and angle in radians; or a list of"
        " cv2.KeyPoint."
    )
    try:
        if len(keypoints) and hasattr(keypoints[0], "pt"):
            keypoints = from_opencv(keypoints)
        keypoints = np.asarray(keypoints, float)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # A number, rows of several lengths, no numbers, or some rows and some keypoints of OpenCV.
        raise UserError(f"The keypoints of {image_name} are not an array: {expected}") from error
    if not keypoints.size:
        return np.empty((0, 4))
    if keypoints.ndim != 2 or keypoints.shape[1] != 4:
        raise UserError(f"The keypoints of {image_name} have shape {keypoints.shape}: {expected}")
    if not np.isfinite(keypoints).all() or (keypoints[:, 2] <= 0).any():
        raise UserError(
            f"The keypoints of {image_name} have NaN, infinite numbers or a scale of 0 or less."
        )
    outside = ~is_inside(keypoints, shape)
    if outside.any():
        x, y = keypoints[outside][0, :2]
        raise UserError(
            f"{outside.sum()} of {len(keypoints)} keypoints lie outside {image_name}, which has"
            f" {shape[1]}x{shape[0]} pixels; the first one at x={x:g}, y={y:g}. Are x and y"
            " swapped, or are they keypoints of another size of the picture?"
        )
    return keypoints


def is_inside(keypoints, shape):
    """Return which keypoints lie inside an image of `shape`, booleans `(n,)`."""
    x, y, (height, width) = keypoints[:, 0], keypoints[:, 1], shape
    return (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)


def from_opencv(keypoints, size=SIZE):
    """Convert a list of `cv2.KeyPoint` to `float64 (n, 4)` x, y, scale and angle.

    The scale is `keypoint.size / size`. The angle of OpenCV, in degrees, also turns from the x axis
    towards the y axis; -1, of detectors without an orientation, becomes 0.
    """
    rows = [(*point.pt, point.size / size, max(point.angle, 0)) for point in keypoints]
    keypoints = np.array(rows, float).reshape(-1, 4)
    keypoints[:, 3] = np.radians(keypoints[:, 3])
    return keypoints


def move_keypoints(keypoints, scaling):
    """Return keypoints after an image is resized; `scaling` is as from `scaling_homography`."""
    moved = keypoints.copy()
    moved[:, :2] = keypoints[:, :2] * np.diag(scaling)[:2] + scaling[:2, 2]
    moved[:, 2] *= np.sqrt(scaling[0, 0] * scaling[1, 1])
    return moved

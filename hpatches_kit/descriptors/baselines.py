"""Hand-crafted descriptors, from two numbers per patch to SIFT: the baselines for every score.

    hk.describe(hk.baselines.rootsift, test)

Each is a function from patches `(batch, 32, 32, 1)` or `(batch, 32, 32)`, grey levels 0..255, to
`float32 (batch, dim)`. Patches may have any square size; all except `pixels` raise UserError for
others. Blank patches give finite numbers.

`mean_std`, `resized`, `sift` and `rootsift` are MSTD, RESZ, SIFT and RSIFT in Balntas et al.,
HPatches, CVPR 2017.
"""

import numpy as np

from hpatches_kit._support.errors import UserError

RESIZED_SIDE = 6  # pixels per side of a resized patch
SIFT_CELLS = 4  # cells per side of the SIFT grid


def pixels(patches):
    """Grey levels, shifted to mean 0 and scaled to unit norm, `float32 (batch, 1024)`."""
    flat = np.asarray(patches, np.float32).reshape(len(patches), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def mean_std(patches):
    """Mean and standard deviation, in grey levels, `float32 (batch, 2)`: the weakest baseline."""
    patches = _square_patches(patches).astype(np.float32, copy=False)
    return np.stack([patches.mean(axis=(1, 2)), patches.std(axis=(1, 2))], axis=1)


def resized(patches):
    """Patches of 6x6 pixels, minus the mean, divided by the standard deviation, `(batch, 36)`.

    A pixel of the small patch is the mean of the area that it covers; a pixel of the large patch
    that lies in two areas counts in proportion. A blank patch gives zeros.
    """
    patches = _square_patches(patches).astype(np.float32, copy=False)
    weights = _area_weights(patches.shape[1], RESIZED_SIDE)
    mean = patches.mean(axis=(1, 2), keepdims=True)
    std = patches.std(axis=(1, 2), keepdims=True)
    # The mean is subtracted first, so that a blank patch gives exact zeros, not rounding errors.
    small = weights @ (patches - mean) @ weights.T
    return (small / np.maximum(std, 1e-6)).reshape(len(patches), -1)


def sift(patches):
    """SIFT of the whole patch, upright: 4x4 cells of 8 gradient directions, `float32 (batch, 128)`.

    No keypoint is detected; the whole patch is one keypoint:

    - position: `side // 2` in x and y, with pixel centres at whole numbers. OpenCV rounds positions
      to whole pixels: for 32 pixels, whose middle is 15.5, the grid lies half a pixel too far to
      the right and down; for 65 pixels it is exact.
    - angle: 0. The patches of HPatches are already upright.
    - size: `side / 6`. The cells of OpenCV are 3 * size / 2 pixels wide, so the four cells cover
      the patch: 8 pixels each for 32 pixels, as for the other methods of the paper.
    - octave: 0. OpenCV first blurs the patch with a standard deviation of 1.5 pixels: from 0.5,
      which it assumes for every photograph, to its standard 1.6.

    Cells are in row order. In each cell, number 0 counts gradients to the right (brighter to the
    right), 2 upwards, 4 to the left, 6 downwards. Numbers are the integers 0..255 of OpenCV; the
    norm of a descriptor is about 512. Grey levels are rounded to integers; a blank patch gives
    zeros.

    Raises ImportError without OpenCV; UserError for grey levels 0..1.

    Reference: Lowe, Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004.
    """
    try:
        import cv2  # optional: the other baselines do not need it
    except ImportError as error:
        raise ImportError("SIFT needs OpenCV: pip install opencv-python-headless") from error
    patches = _square_patches(patches)
    if patches.dtype != np.uint8:
        if patches.size and 0 < patches.max() <= 1:
            # Rounded to 0 and 1, the patches would give descriptors that look valid.
            raise UserError(f"Patches reach {patches.max():g}: expected grey levels 0..255.")
        patches = np.clip(np.rint(patches), 0, 255).astype(np.uint8)
    side = patches.shape[1]
    middle = float(side // 2)
    keypoint = [cv2.KeyPoint(middle, middle, side * 2 / (3 * SIFT_CELLS), 0)]
    extractor = cv2.SIFT_create()
    values = np.zeros((len(patches), SIFT_CELLS**2 * 8), np.float32)
    for row, patch in zip(values, patches):
        row[:] = extractor.compute(np.ascontiguousarray(patch), keypoint)[1][0]
    return values


def rootsift(patches):
    """RootSIFT, `float32 (batch, 128)`: the square root of SIFT divided by its sum; unit norm.

    The Euclidean distance of two descriptors is proportional to the Hellinger distance of the two
    histograms, in which the few large numbers have less weight. A blank patch gives zeros. Raises
    the errors of `sift`.

    Reference: Arandjelovic & Zisserman, Three Things Everyone Should Know to Improve Object
    Retrieval, CVPR 2012.
    """
    values = sift(patches)
    # The numbers of SIFT are integers: only a blank patch has a sum below 1.
    return np.sqrt(values / np.maximum(values.sum(axis=1, keepdims=True), 1))


BASELINES = {
    "mean_std": mean_std,
    "resized": resized,
    "pixels": pixels,
    "sift": sift,
    "rootsift": rootsift,
}


def _square_patches(patches):
    """Patches as `(batch, side, side)`. Raises UserError for any other shape and for NaN."""
    patches = np.asarray(patches)
    shape = patches.shape
    if patches.ndim == 4 and shape[3] == 1:
        patches = patches[..., 0]
    if patches.ndim != 3 or patches.shape[1] != patches.shape[2] or not patches.shape[1]:
        raise UserError(
            f"Patches have shape {shape}: expected (batch, 32, 32, 1), or another square size."
        )
    if not np.isfinite(patches).all():
        raise UserError("Patches have NaN or infinite pixels: expected grey levels 0..255.")
    return patches


def _area_weights(side, small_side):
    """Weight of each of `side` pixels in each of `small_side` pixels: `float32 (small_side, side)`.

    Rows sum to 1. From 3 pixels to 2: `[[2/3, 1/3, 0], [0, 1/3, 2/3]]`.
    """
    edges = np.arange(small_side + 1) * (side / small_side)
    left, right = edges[:-1, None], edges[1:, None]
    pixel = np.arange(side)
    overlap = np.minimum(right, pixel + 1) - np.maximum(left, pixel)
    return (np.maximum(overlap, 0) * small_side / side).astype(np.float32)

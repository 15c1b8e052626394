"""Hand-crafted descriptors, from two numbers per patch to SIFT and ORB: the baselines.

    hk.describe(hk.baselines.rootsift, test)

Each is a function from patches `(batch, 32, 32, 1)` or `(batch, 32, 32)`, grey levels 0..255, to
`float32 (batch, dim)`. Patches may have any square size; all except `pixels` raise UserError for
others. Blank patches give finite numbers.

`mean_std`, `resized`, `sift` and `rootsift` are MSTD, RESZ, SIFT and RSIFT in Balntas et al.,
HPatches, CVPR 2017.
"""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.optional import import_opencv

RESIZED_SIDE = 6  # pixels per side of a resized patch
SIFT_CELLS = 4  # cells per side of the SIFT grid
ORB_SIDE = 32  # pixels per side of the patch that ORB sees


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
    cv2 = import_opencv("SIFT")
    patches = _whole_grey_levels(patches)
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


def orb(patches):
    """ORB of the whole patch, upright: 256 comparisons of two pixels, `float32 (batch, 256)`.

    The numbers are the bits of OpenCV's descriptor, 0 and 1: the squared Euclidean distance is the
    Hamming distance. The pairs of pixels span 31 pixels, as published, so a larger or smaller patch
    is resized to 32. Its middle pixel is that of `sift`. A blank patch gives zeros. Raises the
    errors of `sift`.

    Reference: Rublee et al., ORB: an Efficient Alternative to SIFT or SURF, ICCV 2011.
    """
    cv2 = import_opencv("ORB")
    patches = _whole_grey_levels(patches)
    keypoint = [cv2.KeyPoint(ORB_SIDE // 2, ORB_SIDE // 2, ORB_SIDE - 1, 0)]
    extractor = cv2.ORB_create(nlevels=1, edgeThreshold=0)
    values = np.zeros((len(patches), 256), np.float32)
    for row, patch in zip(values, patches):
        if len(patch) != ORB_SIDE:
            patch = cv2.resize(patch, (ORB_SIDE, ORB_SIDE), interpolation=cv2.INTER_AREA)
        row[:] = np.unpackbits(extractor.compute(np.ascontiguousarray(patch), keypoint)[1][0])
    return values


BASELINES = {
    "mean_std": mean_std,
    "resized": resized,
    "pixels": pixels,
    "sift": sift,
    "rootsift": rootsift,
    "orb": orb,
}


def _whole_grey_levels(patches):
    """Patches as `uint8 (batch, side, side)`. Raises UserError also for grey levels 0..1."""
    patches = _square_patches(patches)
    if patches.dtype == np.uint8:
        return patches
    if patches.size and 0 < patches.max() <= 1:
        # Rounded to 0 and 1, the patches would give descriptors that look valid.
        raise UserError(f"Patches reach {patches.max():g}: expected grey levels 0..255.")
    return np.clip(np.rint(patches), 0, 255).astype(np.uint8)


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

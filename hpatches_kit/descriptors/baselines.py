"""Hand-crafted descriptors, to read every score against: from two numbers a patch to SIFT.

    hk.describe(hk.baselines.rootsift, test)

Each is a plain function from patches `(batch, 32, 32, 1)` or `(batch, 32, 32)`, grey levels 0..255,
to `float32 (batch, dim)`; patches of any square size will do. Blank patches give finite numbers.

`mean_std`, `resized`, `sift` and `rootsift` are the MSTD, RESZ, SIFT and RSIFT of Balntas et al.,
HPatches, CVPR 2017.
"""

import numpy as np

from hpatches_kit._support.errors import UserError

RESIZED = 6  # pixels a side of a resized patch
SIFT_CELLS = 4  # a side of SIFT's grid


def pixels(patches):
    """The simplest descriptor: grey levels, shifted to mean 0 and scaled to length 1.

    Args:
        patches: `(batch, 32, 32, 1)`.

    Returns:
        `float32 (batch, 1024)`.
    """
    flat = np.asarray(patches, np.float32).reshape(len(patches), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def mean_std(patches):
    """Mean and standard deviation of the grey levels: a descriptor that a good one must beat.

    Args:
        patches: `(batch, 32, 32, 1)`, grey levels 0..255.

    Returns:
        `float32 (batch, 2)`, both in grey levels.

    Raises UserError for patches of another shape.

    Reference: MSTD in Balntas et al., HPatches, CVPR 2017.
    """
    patches = _squares(patches).astype(np.float32, copy=False)
    return np.stack([patches.mean(axis=(1, 2)), patches.std(axis=(1, 2))], axis=1)


def resized(patches):
    """The patch at 6x6 pixels, minus the mean of the patch, divided by its standard deviation.

    A pixel of the small patch is the mean of the area that it covers; pixels of the large patch
    that lie across a border count in part. A blank patch gives zeros.

    Args:
        patches: `(batch, 32, 32, 1)`, grey levels 0..255.

    Returns:
        `float32 (batch, 36)`, row by row.

    Raises UserError for patches of another shape.

    Reference: RESZ in Balntas et al., HPatches, CVPR 2017.
    """
    patches = _squares(patches).astype(np.float32, copy=False)
    shares = _area_shares(patches.shape[1], RESIZED)
    mean = patches.mean(axis=(1, 2), keepdims=True)
    std = patches.std(axis=(1, 2), keepdims=True)
    # Subtracted first: what is left of a blank patch is zero, not a rounding error.
    small = shares @ (patches - mean) @ shares.T
    return (small / np.maximum(std, 1e-6)).reshape(len(patches), -1)


def sift(patches):
    """SIFT of the whole patch, upright: 4x4 cells, the gradient of each in 8 directions.

    One keypoint is placed by hand, none is detected:

    - position: the middle of the patch, `side // 2` in x and y, where pixel centres have whole
      numbers. OpenCV rounds positions to whole pixels, so on 32 pixels, whose middle is 15.5, the
      grid stands half a pixel too far to the right and down; on 65 it is exact.
    - angle: 0. The patches of HPatches are upright already.
    - size: `side / 6`. OpenCV makes a cell 3 * size / 2 pixels wide, so that the four cells span
      the patch, 8 pixels each on 32, as those of the paper do.
    - octave: 0. OpenCV smooths the patch by 1.5 pixels first, the difference between its standard
      1.6 and the 0.5 that it takes every photograph to have.

    Cells stand row by row. In a cell, number 0 is brighter to the right, 2 brighter upwards, 4 to
    the left, 6 downwards. Numbers are whole, 0..255, rows about 512 long: OpenCV's own. A blank
    patch gives zeros.

    Args:
        patches: `(batch, 32, 32, 1)`, grey levels 0..255; other than whole numbers are rounded.

    Returns:
        `float32 (batch, 128)`.

    Raises ImportError without OpenCV, UserError for patches of another shape and for 0..1.

    Reference: Lowe, Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004.
    """
    try:
        import cv2  # only here: everything else works without
    except ImportError as error:
        raise ImportError("SIFT needs OpenCV: pip install opencv-python-headless") from error
    patches = _squares(patches)
    if patches.dtype != np.uint8:
        if patches.size and 0 < patches.max() <= 1:
            # Rounded to 0 and 1, they would give descriptors that look right.
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
    """SIFT, each row divided by its sum, then the square root: rows of length 1.

    The Euclidean distance of two rows is then the Hellinger distance of the two histograms, in
    which the few large numbers count for less. A blank patch gives zeros.

    Args:
        patches: `(batch, 32, 32, 1)`, grey levels 0..255.

    Returns:
        `float32 (batch, 128)`.

    Raises what `sift` raises.

    Reference: Arandjelovic & Zisserman, Three Things Everyone Should Know to Improve Object
    Retrieval, CVPR 2012.
    """
    values = sift(patches)
    # SIFT's numbers are whole: a sum below 1 is that of a blank patch.
    return np.sqrt(values / np.maximum(values.sum(axis=1, keepdims=True), 1))


BASELINES = {
    "mean_std": mean_std,
    "resized": resized,
    "pixels": pixels,
    "sift": sift,
    "rootsift": rootsift,
}


def _squares(patches):
    """Patches as `(batch, side, side)`. Raises UserError for any other shape and for NaN."""
    patches = np.asarray(patches)
    found = patches.shape
    if patches.ndim == 4 and found[3] == 1:
        patches = patches[..., 0]
    if patches.ndim != 3 or patches.shape[1] != patches.shape[2] or not patches.shape[1]:
        raise UserError(f"Patches have shape {found}: expected (batch, 32, 32, 1), or any square.")
    if not np.isfinite(patches).all():
        raise UserError("Patches have NaN or infinite pixels: expected grey levels 0..255.")
    return patches


def _area_shares(side, small):
    """What each pixel of a line adds to each of a shorter line: `float32 (small, side)`.

    Rows add up to 1. From 3 pixels to 2: `[[2/3, 1/3, 0], [0, 1/3, 2/3]]`.
    """
    edges = np.arange(small + 1) * (side / small)
    left, right = edges[:-1, None], edges[1:, None]
    pixel = np.arange(side)
    overlap = np.minimum(right, pixel + 1) - np.maximum(left, pixel)
    return (np.maximum(overlap, 0) * small / side).astype(np.float32)

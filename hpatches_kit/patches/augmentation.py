"""Augmentation: flips, rotations and small affine changes of patches.

The 8 flips and rotations of the square move pixels and keep their values. A small affine change
interpolates between pixels, which also removes some of their noise: add noise after it.
"""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError

FLIPS_AND_ROTATIONS = 8
# The largest changes for jitter = 1, in both directions.
ROTATION, ZOOM, SHIFT = 5.0, 0.05, 1.0  # degrees, fraction of the size, pixels
MAX_JITTER = 5.0


def flip_and_rotate(patches, orientations):
    """Flip and rotate each patch into one of the 8 orientations of the square.

    Args:
        patches: `uint8 (n, size, size)`, grey levels 0..255.
        orientations: `(n,)` integers 0 to 7. An odd one first swaps left and right; then follow
            `orientation // 2` quarter turns, counter-clockwise. 0 changes nothing.

    Returns a new `uint8 (n, size, size)`. Raises UserError for other shapes, types or numbers.
    """
    patches, orientations = _check_patches(patches), np.asarray(orientations)
    if orientations.shape != (len(patches),) or orientations.dtype.kind not in "iu":
        raise UserError(
            f"Orientations are {orientations.dtype} {orientations.shape}:"
            f" expected an integer for each of {len(patches)} patches."
        )
    low, high = (orientations.min(), orientations.max()) if len(patches) else (0, 0)
    if not 0 <= low <= high < FLIPS_AND_ROTATIONS:
        raise UserError(f"Orientations from {low} to {high}: expected 0 to 7.")
    result = np.empty_like(patches)
    _flip_and_rotate(patches, orientations.astype(np.int64), result)
    return result


def random_affine(count, jitter, rng):
    """Draw small random affine changes for `warp`, `float32 (count, 2, 3)`.

    Args:
        count: number of changes.
        jitter: their strength. At 1, each of rotation (5 degrees), zoom (5 %), shift along x and
            shift along y (1 pixel) is uniformly distributed between minus and plus its limit.
        rng: a `numpy.random.Generator`.
    """
    rotation, zoom, *shift = jitter * rng.uniform(-1, 1, (4, count))
    angle, scale = np.deg2rad(ROTATION * rotation), 1 + ZOOM * zoom
    changes = np.empty((count, 2, 3), np.float32)
    changes[:, 0, 0] = changes[:, 1, 1] = scale * np.cos(angle)
    changes[:, 1, 0] = scale * np.sin(angle)
    changes[:, 0, 1] = -changes[:, 1, 0]
    changes[:, :, 2] = SHIFT * np.transpose(shift)
    return changes


def warp(patches, changes):
    """Apply an affine change to each patch: bilinear, rounded half up, edge pixels repeated.

    With x to the right and y down, both counted from the centre of the patch, pixel `(x, y)` of the
    result is the patch at `changes[i] @ (x, y, 1)`.

    Args:
        patches: `uint8 (n, size, size)`, grey levels 0..255.
        changes: `(n, 2, 3)`; `[[1, 0, 0], [0, 1, 0]]` changes nothing.

    Returns a new `uint8 (n, size, size)`. Raises UserError for other shapes or types, for entries
    beyond 1000 and for NaN.
    """
    patches, changes = _check_patches(patches), np.ascontiguousarray(changes, np.float32)
    if changes.shape != (len(patches), 2, 3):
        raise UserError(f"Changes have shape {changes.shape}: expected ({len(patches)}, 2, 3).")
    if not (np.abs(changes) <= 1000).all():  # the compiled loop could read outside the patch
        raise UserError("Changes have entries beyond 1000 or NaN: expected -1000 to 1000.")
    result = np.empty_like(patches)
    _warp(patches, changes, result)
    return result


def _check_patches(patches):
    patches = np.ascontiguousarray(patches)
    shape = patches.shape
    if patches.dtype != np.uint8 or len(shape) != 3 or shape[1] != shape[2] or shape[1] < 2:
        raise UserError(f"Patches are {patches.dtype} {shape}: expected uint8 (n, size, size).")
    return patches


@compiled()
def _flip_and_rotate(patches, orientations, result):
    size = patches.shape[1]
    for i in range(len(patches)):
        flipped, turns = orientations[i] % 2, orientations[i] // 2
        for y in range(size):
            for x in range(size):
                # The source of this pixel: undo the quarter turns, then the flip.
                row, column = (x, y) if turns % 2 else (y, x)
                if turns >= 2:
                    row = size - 1 - row
                if (turns == 1 or turns == 2) != flipped:
                    column = size - 1 - column
                result[i, y, x] = patches[i, row, column]


@compiled()
def _warp(patches, changes, result):
    size = patches.shape[1]
    last = np.int32(size - 1)
    middle, zero = np.float32(last / 2), np.float32(0)
    # Three loops per row. The processor vectorises the first and the last one.
    upper_left = np.empty(size, np.uint32)  # index of the upper left of the four pixels to mix
    right, down = np.empty(size, np.float32), np.empty(size, np.float32)  # distance from it
    grey = np.empty((4, size), np.uint8)  # of the four pixels
    for i in range(len(patches)):
        a, b, c = changes[i, 0, 0], changes[i, 0, 1], changes[i, 0, 2] + middle
        d, e, f = changes[i, 1, 0], changes[i, 1, 1], changes[i, 1, 2] + middle
        source = patches[i].reshape(-1)
        for row in range(size):
            y = np.float32(row) - middle
            for column in range(size):
                x = np.float32(np.int32(column)) - middle
                u = min(max(a * x + b * y + c, zero), np.float32(last))
                v = min(max(d * x + e * y + f, zero), np.float32(last))
                left, top = min(np.int32(u), last - 1), min(np.int32(v), last - 1)
                upper_left[column] = top * np.int32(size) + left
                right[column], down[column] = u - np.float32(left), v - np.float32(top)
            for column in range(size):
                at = upper_left[column]
                grey[0, column], grey[1, column] = source[at], source[at + 1]
                grey[2, column], grey[3, column] = source[at + size], source[at + size + 1]
            for column in range(size):
                upper = np.float32(grey[0, column])
                upper += (np.float32(grey[1, column]) - upper) * right[column]
                lower = np.float32(grey[2, column])
                lower += (np.float32(grey[3, column]) - lower) * right[column]
                mixed = upper + (lower - upper) * down[column]
                result[i, row, column] = np.uint8(np.int32(mixed + np.float32(0.5)))

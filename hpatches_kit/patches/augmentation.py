"""Augmentation: the same patches seen a little differently.

The 8 symmetries of the square move pixels and change none. A small rotation, zoom and shift mixes
neighbouring pixels, which also takes away some of their noise: add fresh noise after it.
"""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError

FLIPS_AND_ROTATIONS = 8
# What jitter = 1 allows, either way.
ROTATION, ZOOM, SHIFT = 5.0, 0.05, 1.0  # degrees, share of the size, pixels
MAX_JITTER = 5.0


def flip_and_rotate(patches, symmetries):
    """Each patch under one of the 8 symmetries of the square.

    Args:
        patches: `uint8 (n, size, size)`, grey levels 0..255.
        symmetries: `(n,)` integers 0 to 7. An odd one first swaps left and right; then follow
            `symmetry // 2` quarter turns, counter-clockwise. 0 changes nothing.

    Returns:
        `uint8 (n, size, size)`, a new array.

    Raises UserError for other shapes, types or numbers.
    """
    patches, symmetries = _square(patches), np.asarray(symmetries)
    if symmetries.shape != (len(patches),) or symmetries.dtype.kind not in "iu":
        raise UserError(
            f"Symmetries are {symmetries.dtype} {symmetries.shape}:"
            f" expected an integer for each of {len(patches)} patches."
        )
    if symmetries.size and not 0 <= symmetries.min() <= symmetries.max() < FLIPS_AND_ROTATIONS:
        raise UserError(
            f"Symmetries from {symmetries.min()} to {symmetries.max()}: expected 0 to 7."
        )
    result = np.empty_like(patches)
    _flip_and_turn(patches, symmetries.astype(np.int64), result)
    return result


def random_affine(count, jitter, rng):
    """Small random affine changes, for `warp`.

    Args:
        count: how many.
        jitter: how much; 1 is up to 5 degrees, 5 % and 1 pixel each way, evenly drawn.
        rng: a `numpy.random.Generator`.

    Returns:
        `float32 (count, 2, 3)`.
    """
    turn, zoom, *shift = jitter * rng.uniform(-1, 1, (4, count))
    angle, scale = np.deg2rad(ROTATION * turn), 1 + ZOOM * zoom
    changes = np.empty((count, 2, 3), np.float32)
    changes[:, 0, 0] = changes[:, 1, 1] = scale * np.cos(angle)
    changes[:, 1, 0] = scale * np.sin(angle)
    changes[:, 0, 1] = -changes[:, 1, 0]
    changes[:, :, 2] = SHIFT * np.transpose(shift)
    return changes


def warp(patches, changes):
    """Each patch under an affine change: bilinear, rounded half up, edge pixels repeated.

    With x to the right and y down, both counted from the middle of the patch, pixel `(x, y)` of the
    result shows what the patch has at `changes[i] @ (x, y, 1)`.

    Args:
        patches: `uint8 (n, size, size)`, grey levels 0..255.
        changes: `(n, 2, 3)`; `[[1, 0, 0], [0, 1, 0]]` changes nothing.

    Returns:
        `uint8 (n, size, size)`, a new array.

    Raises UserError for other shapes or types, and for numbers beyond 1000.
    """
    patches, changes = _square(patches), np.ascontiguousarray(changes, np.float32)
    if changes.shape != (len(patches), 2, 3):
        raise UserError(f"Changes have shape {changes.shape}: expected ({len(patches)}, 2, 3).")
    if not (np.abs(changes) <= 1000).all():  # nor NaN: the loop below could leave the patch
        raise UserError("Changes hold numbers beyond 1000, or that are none.")
    result = np.empty_like(patches)
    _warp(patches, changes, result)
    return result


def _square(patches):
    patches = np.ascontiguousarray(patches)
    shape = patches.shape
    if patches.dtype != np.uint8 or len(shape) != 3 or shape[1] != shape[2] or shape[1] < 2:
        raise UserError(f"Patches are {patches.dtype} {shape}: expected uint8 (n, size, size).")
    return patches


@compiled()
def _flip_and_turn(patches, symmetries, result):
    size = patches.shape[1]
    for i in range(len(patches)):
        mirrored, turns = symmetries[i] % 2, symmetries[i] // 2
        for y in range(size):
            for x in range(size):
                # Where does this pixel come from? Undo the turns, then the swap.
                down, right = (x, y) if turns % 2 else (y, x)
                if turns >= 2:
                    down = size - 1 - down
                if (turns == 1 or turns == 2) != mirrored:
                    right = size - 1 - right
                result[i, y, x] = patches[i, down, right]


@compiled()
def _warp(patches, changes, result):
    size = patches.shape[1]
    last = np.int32(size - 1)
    middle, zero = np.float32(last / 2), np.float32(0)
    # Row by row in three steps; the first and the last the processor does for many pixels at once.
    place = np.empty(size, np.uint32)  # of the upper left of the four pixels that are mixed
    right, down = np.empty(size, np.float32), np.empty(size, np.float32)  # how far beyond it
    four = np.empty((4, size), np.uint8)
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
                place[column] = top * np.int32(size) + left
                right[column], down[column] = u - np.float32(left), v - np.float32(top)
            for column in range(size):
                here = place[column]
                four[0, column], four[1, column] = source[here], source[here + 1]
                four[2, column], four[3, column] = source[here + size], source[here + size + 1]
            for column in range(size):
                upper = np.float32(four[0, column])
                upper += (np.float32(four[1, column]) - upper) * right[column]
                lower = np.float32(four[2, column])
                lower += (np.float32(four[3, column]) - lower) * right[column]
                grey = upper + (lower - upper) * down[column]
                result[i, row, column] = np.uint8(np.int32(grey + np.float32(0.5)))

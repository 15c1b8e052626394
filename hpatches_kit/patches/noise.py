"""The noise of N-HPatches: a 65x65 patch becomes a noisy and a clean 32x32 patch.

Independent Gaussian noise is added at 65 px, rounded and clipped to 0..255; then noisy and clean
patch are resized to 32 px by bilinear interpolation without anti-aliasing. The order matters: the
resize mixes four noisy pixels with weights that change across the patch, so the noise ends up
strongest in the middle (0.89 sigma) and weakest in the corners (0.50 sigma).

Raw random bits choose from a table of whole grey levels, and all that follows is whole-number
arithmetic, so a seed gives the same bytes on every machine and with every version of NumPy.
"""

from functools import cache

import numpy as np
from scipy.special import ndtri

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.views import PATCH_SIZE, SOURCE_SIZE, VIEWS

# Standard deviation in grey levels at 65 px. What N-HPatches gave `ref` is unknown. Here it gets
# the noise of `easy`: a reference without noise would make half of every noisy pair clean.
SIGMA = {"ref": 25, "e": 25, "h": 35, "t": 45}
VIEW_SIGMA = np.array([SIGMA[view if view == "ref" else view[0]] for view in VIEWS])

# Pixel x of the result lies at (x + 0.5) * 65 / 32 - 0.5 of the source, between two of its pixels,
# which no other pixel of the result reads. All weights are multiples of 1/64.
_LEFT, _WEIGHT = np.divmod(
    (2 * np.arange(PATCH_SIZE) + 1) * SOURCE_SIZE - PATCH_SIZE, 2 * PATCH_SIZE
)
_WEIGHTS = np.stack([64 - _WEIGHT, _WEIGHT]).astype(np.int32)
# The two source pixels, by the size of the source. A 32x32 patch stands for one of doubled pixels.
_PIXELS = {
    SOURCE_SIZE: np.stack([_LEFT, _LEFT + 1]),
    PATCH_SIZE: np.stack([np.arange(PATCH_SIZE)] * 2),
}
_BLOCK = 64  # patches at a time: their random bits stay in the processor's cache


def resize(patches):
    """Bilinear resize without anti-aliasing, `uint8 (..., 65, 65)` to `uint8 (..., 32, 32)`.

    Raises UserError for patches of another shape or type.
    """
    patches = np.asarray(patches)
    if patches.dtype != np.uint8 or patches.shape[-2:] != (SOURCE_SIZE, SOURCE_SIZE):
        raise UserError(
            f"Patches are {patches.dtype} {patches.shape}: expected uint8 (..., 65, 65)."
        )
    source = np.ascontiguousarray(patches).reshape(-1, SOURCE_SIZE, SOURCE_SIZE)
    small = np.empty((len(source), PATCH_SIZE, PATCH_SIZE), np.uint8)
    none = np.zeros((1, 1), np.int16), np.zeros(len(source), np.intp)
    bits = np.zeros((_BLOCK, PATCH_SIZE, PATCH_SIZE, 4), np.uint16)
    for start in range(0, len(source), _BLOCK):
        block = slice(start, start + _BLOCK)
        _mix(source[block], _PIXELS[SOURCE_SIZE], _WEIGHTS, bits, *none, small[block])
    return small.reshape(*patches.shape[:-2], PATCH_SIZE, PATCH_SIZE)


def add_noise(patches, sigma, seed=0):
    """Add noise at 65 px and resize: `uint8 (n, 65, 65)` to noisy `uint8 (n, 32, 32)`.

    A patch of 32x32 pixels gets the same noise, as if each of its pixels had been four equal ones
    at 65 px: so fresh noise can be made where the larger patches are not kept.

    Args:
        patches: `uint8 (n, 65, 65)` or `uint8 (n, 32, 32)`, grey levels 0..255.
        sigma: standard deviation in grey levels at 65 px; a number, or one for each patch.
        seed: an integer, a tuple of them or a `numpy.random.SeedSequence`.

    Raises UserError for patches of another shape or type.
    """
    patches = np.ascontiguousarray(patches)
    size = patches.shape[-1]
    if (
        patches.dtype != np.uint8
        or patches.ndim != 3
        or patches.shape[1:]
        not in (
            (SOURCE_SIZE, SOURCE_SIZE),
            (PATCH_SIZE, PATCH_SIZE),
        )
    ):
        raise UserError(
            f"Patches are {patches.dtype} {patches.shape}: expected uint8 (n, 65, 65) or (n, 32, 32)."
        )
    each = np.broadcast_to(np.asarray(sigma, float), len(patches))
    sigmas, level = np.unique(each, return_inverse=True)
    table = np.stack([_deviations(float(sigma)) for sigma in sigmas] or [_deviations(0.0)])
    bits = np.random.PCG64(seed)
    noisy = np.empty((len(patches), PATCH_SIZE, PATCH_SIZE), np.uint8)
    for start in range(0, len(patches), _BLOCK):
        block = slice(start, start + _BLOCK)
        raw = bits.random_raw(len(patches[block]) * PATCH_SIZE**2).astype("<u8", copy=False)
        four = raw.view("<u2").reshape(-1, PATCH_SIZE, PATCH_SIZE, 4)
        _mix(patches[block], _PIXELS[size], _WEIGHTS, four, table, level[block], noisy[block])
    return noisy


def noisy_and_clean(patches, seed=0):
    """Make N-HPatches patches from HPatches patches.

    Args:
        patches: `uint8 (points, 16, 65, 65)`.
        seed: an integer, a tuple of them or a `numpy.random.SeedSequence`.

    Returns:
        `(noisy, clean)`, each `uint8 (points, 16, 32, 32)`.

    Raises UserError for patches of another shape or type.
    """
    if patches.shape[1:] != (len(VIEWS), SOURCE_SIZE, SOURCE_SIZE):
        raise UserError(
            f"Patches have shape {patches.shape}:"
            f" expected (points, {len(VIEWS)}, {SOURCE_SIZE}, {SOURCE_SIZE})."
        )
    views = range(len(VIEWS))
    noisy = [add_noise(patches[:, k], VIEW_SIGMA[k], view_seed(seed, k)) for k in views]
    return np.stack(noisy, axis=1), resize(patches)


def view_seed(seed, view):
    """The seed of one view (0 to 15), so that views can be made one at a time."""
    if not isinstance(seed, np.random.SeedSequence):
        seed = np.random.SeedSequence(seed)
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, view))


@cache
def _deviations(sigma):
    """What to add for each value of 16 random bits: Gaussian quantiles in whole grey levels."""
    return np.rint(sigma * ndtri((np.arange(1 << 16) + 0.5) / (1 << 16))).astype(np.int16)


@compiled()
def _mix(source, pixels, weights, bits, table, level, result):
    """Each pixel of the result: four noisy, clipped source pixels, weighted and rounded half up."""
    for patch in range(len(source)):
        here = table[level[patch]]
        for y in range(result.shape[1]):
            for x in range(result.shape[2]):
                total = np.int32(2048)  # half of 64 * 64
                for k in range(4):
                    grey = np.int32(source[patch, pixels[k // 2, y], pixels[k % 2, x]])
                    grey += here[bits[patch, y, x, k]]
                    grey = min(max(grey, np.int32(0)), np.int32(255))
                    total += grey * weights[k // 2, y] * weights[k % 2, x]
                result[patch, y, x] = total >> 12

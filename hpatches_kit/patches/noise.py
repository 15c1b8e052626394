"""The noise of N-HPatches: a 65x65 patch becomes a noisy and a clean 32x32 patch.

Independent Gaussian noise is added at 65 px, and the sum is rounded and clipped to 0..255. Then the
noisy and the clean patch are resized to 32 px by bilinear interpolation without anti-aliasing. The
order matters: the resize averages four noisy pixels with weights that change across the patch, so
the noise is strongest in the centre (0.97 sigma) and weakest in the corners (0.50 sigma).

Random bits select a quantile of the Gaussian distribution, which is scaled by sigma and rounded to
whole grey levels. Everything after that is integer arithmetic, so a seed gives the same bytes on
every machine and with every version of NumPy.
"""

from functools import cache, lru_cache

import numpy as np
from scipy.special import ndtri

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.views import PATCH_SIZE, SOURCE_SIZE, VIEWS

# Standard deviation in grey levels at 65 px. The one of `ref` in N-HPatches is unknown. Here it is
# that of `easy`; with a reference without noise, noisy pairs would contain many clean patches.
SIGMA = {"ref": 25, "e": 25, "h": 35, "t": 45}
VIEW_SIGMA = np.array([SIGMA[view if view == "ref" else view[0]] for view in VIEWS])

# Pixel x of the result lies at (x + 0.5) * 65 / 32 - 0.5 of the source, between two of its pixels.
# No other pixel of the result reads these two. All weights are multiples of 1/64.
_POSITION = (2 * np.arange(PATCH_SIZE) + 1) * SOURCE_SIZE - PATCH_SIZE  # in units of 1/64 pixel
_LEFT, _WEIGHT = np.divmod(_POSITION, 64)
_WEIGHTS = np.stack([64 - _WEIGHT, _WEIGHT]).astype(np.int32)
# The two source pixels, by the size of the source. A 32x32 patch is read as if each of its pixels
# were two equal pixels along x and y.
_PIXELS = {
    SOURCE_SIZE: np.stack([_LEFT, _LEFT + 1]),
    PATCH_SIZE: np.stack([np.arange(PATCH_SIZE)] * 2),
}
_BLOCK = 64  # patches per block, so that the random bits of a block fit the processor's cache
# A table of the noise in whole grey levels is up to 15 % faster than unit noise scaled in the loop,
# but takes 128 KB per sigma: calls with more different sigmas than this use no tables.
_MOST_TABLES = 4
_LARGEST_SIGMA = 1_000  # the noise of a pixel has to fit in int16


def resize(patches):
    """Resize `uint8 (..., 65, 65)` to `uint8 (..., 32, 32)`, bilinear without anti-aliasing.

    Raises UserError for patches of another shape or type.
    """
    patches = np.asarray(patches)
    if patches.dtype != np.uint8 or patches.shape[-2:] != (SOURCE_SIZE, SOURCE_SIZE):
        raise UserError(
            f"Patches are {patches.dtype} {patches.shape}: expected uint8 (..., 65, 65)."
        )
    source = np.ascontiguousarray(patches).reshape(-1, SOURCE_SIZE, SOURCE_SIZE)
    small = np.empty((len(source), PATCH_SIZE, PATCH_SIZE), np.uint8)
    no_noise = np.zeros((1, 1), np.int16), np.zeros(len(source), np.intp), None
    bits = np.zeros((_BLOCK, PATCH_SIZE, PATCH_SIZE, 4), np.uint16)
    for start in range(0, len(source), _BLOCK):
        block = slice(start, start + _BLOCK)
        _mix(source[block], _PIXELS[SOURCE_SIZE], _WEIGHTS, bits, *no_noise, small[block])
    return small.reshape(*patches.shape[:-2], PATCH_SIZE, PATCH_SIZE)


def add_noise(patches, sigma, seed=0):
    """Add noise at 65 px and resize: `uint8 (n, 65, 65)` to noisy `uint8 (n, 32, 32)`.

    A 32x32 patch gets noise of the same distribution, as if each of its pixels were four equal ones
    at 65 px.

    Args:
        patches: `uint8 (n, 65, 65)` or `uint8 (n, 32, 32)`, grey levels 0..255.
        sigma: standard deviation in grey levels at 65 px, 0 to 1,000; a number, or one per patch.
        seed: an integer, a tuple of integers or a `numpy.random.SeedSequence`.

    Raises UserError for patches of another shape or type, and for another sigma.
    """
    patches = np.ascontiguousarray(patches)
    size = patches.shape[-1]
    square = patches.ndim == 3 and patches.shape[1] == size
    if patches.dtype != np.uint8 or not square or size not in _PIXELS:
        raise UserError(
            f"Patches are {patches.dtype} {patches.shape}:"
            " expected uint8 (n, 65, 65) or (n, 32, 32)."
        )
    sigma_per_patch = _sigma_of_each(sigma, len(patches))
    sigmas, row = np.unique(sigma_per_patch, return_inverse=True)
    if len(sigmas) <= _MOST_TABLES:
        tables = np.stack([_whole_noise(float(sigma)) for sigma in sigmas] or [_whole_noise(0.0)])
        scale = None
    else:
        tables, row, scale = _unit_noise()[None], np.zeros(len(patches), np.intp), sigma_per_patch
    bits = np.random.PCG64(seed)
    noisy = np.empty((len(patches), PATCH_SIZE, PATCH_SIZE), np.uint8)
    for start in range(0, len(patches), _BLOCK):
        block = slice(start, start + _BLOCK)
        raw = bits.random_raw(len(patches[block]) * PATCH_SIZE**2).astype("<u8", copy=False)
        quarters = raw.view("<u2").reshape(-1, PATCH_SIZE, PATCH_SIZE, 4)  # one per source pixel
        noise = tables, row[block], None if scale is None else scale[block]
        _mix(patches[block], _PIXELS[size], _WEIGHTS, quarters, *noise, noisy[block])
    return noisy


def noise_map(sigma=1.0):
    """Return the standard deviation of the noise at each pixel after the resize, in grey levels.

    It ignores rounding and clipping. The noise of different pixels is independent: no two of them
    share a pixel at 65 px.

    Args:
        sigma: standard deviation in grey levels at 65 px, a number or an array `(...)`.

    Returns `float32 (..., 32, 32)`.
    """
    strength = np.hypot(*_WEIGHTS) / 64  # along one axis: 1/64 is the unit of the weights
    return np.multiply.outer(sigma, np.outer(strength, strength)).astype(np.float32)


def noisy_and_clean(patches, seed=0):
    """Make N-HPatches patches from HPatches patches.

    Args:
        patches: `uint8 (points, 16, 65, 65)`.
        seed: as for `add_noise`.

    Returns `(noisy, clean)`, each `uint8 (points, 16, 32, 32)`. Raises UserError for patches of
    another shape or type.
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
    """Return the seed of one view, 0 to 15: each view can be made without the others."""
    if not isinstance(seed, np.random.SeedSequence):
        seed = np.random.SeedSequence(seed)
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, view))


def _sigma_of_each(sigma, count):
    """The sigma of each patch, `float64 (count,)`."""
    try:
        sigmas = np.array(np.broadcast_to(np.asarray(sigma, float), count))
    except (TypeError, ValueError, OverflowError):
        sigmas = np.array([np.nan])
    if not ((sigmas >= 0) & (sigmas <= _LARGEST_SIGMA)).all():  # false for NaN
        raise UserError(
            f"sigma={str(sigma)[:60]}: expected a number from 0 to {_LARGEST_SIGMA:,}, or one for"
            f" each of {count} patches."
        )
    return sigmas


@cache
def _unit_noise():
    """Return the quantile of the unit Gaussian for each value of 16 bits, `float64 (65536,)`."""
    return ndtri((np.arange(1 << 16) + 0.5) / (1 << 16))


@lru_cache(maxsize=_MOST_TABLES)
def _whole_noise(sigma):
    """Return the noise for each value of 16 bits in whole grey levels, `int16 (65536,)`."""
    return np.rint(sigma * _unit_noise()).astype(np.int16)


@compiled()
def _mix(source, pixels, weights, bits, tables, row, scale, result):
    """Average four noisy, clipped source pixels for each pixel of the result, rounded half up.

    The noise of patch i is `tables[row[i]]` of the random bits. If `scale` is not None, it is
    multiplied by `scale[i]` and rounded to whole grey levels.
    """
    for patch in range(len(source)):
        table = tables[row[patch]]
        for y in range(result.shape[1]):
            for x in range(result.shape[2]):
                total = np.int32(2048)  # half of 64 * 64
                for k in range(4):
                    grey = np.int32(source[patch, pixels[k // 2, y], pixels[k % 2, x]])
                    noise = table[bits[patch, y, x, k]]
                    if scale is None:  # decided when the loop is compiled
                        grey += np.int32(noise)
                    else:
                        grey += np.int32(np.rint(scale[patch] * noise))
                    grey = min(max(grey, np.int32(0)), np.int32(255))
                    total += grey * weights[k // 2, y] * weights[k % 2, x]
                result[patch, y, x] = total >> 12

"""Photometric augmentation: gain, gamma and Gaussian blur of patches.

Blur also removes some of the noise of a patch: add noise after it.
"""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError

# The largest changes for strength 1. Gain and gamma are drawn as logarithms, in both directions.
LOG_GAIN, LOG_GAMMA, BLUR = 0.3, 0.3, 0.7  # BLUR is a standard deviation in pixels
MAX_STRENGTH = 3.0
LIMIT = 10.0  # of gain, gamma and the standard deviation of the blur in `change_photometry`
# The blur ends at three standard deviations, where its weight is 1 % of the largest.
_MAX_RADIUS = int(3 * LIMIT + 0.5)
_LOG_GREY = np.log(np.maximum(np.arange(256), 1) / 255).astype(np.float32)  # log(0) is not finite


def random_photometry(count, strength, rng):
    """Draw small random photometric changes for `change_photometry`, `float32 (count, 3)`.

    Args:
        count: number of changes.
        strength: at 1, gain and gamma are each between `exp(-0.3) = 0.74` and `exp(0.3) = 1.35`,
            with uniformly distributed logarithms, and the standard deviation of the blur is
            uniformly distributed between 0 and 0.7 pixels. `strength` multiplies the logarithms and
            the standard deviation.
        rng: a `numpy.random.Generator`.
    """
    log_gain, log_gamma, blur = rng.uniform([[-1], [-1], [0]], 1, (3, count))
    limits = [np.exp(strength * LOG_GAIN * log_gain), np.exp(strength * LOG_GAMMA * log_gamma)]
    return np.stack([*limits, strength * BLUR * blur], axis=1, dtype=np.float32)


def change_photometry(patches, changes):
    """Apply gamma, gain and Gaussian blur to each patch: rounded half up, clipped to 0..255.

    Grey level g becomes `gain * 255 * (g / 255) ** gamma`. Then follows the blur, with edge pixels
    repeated. The result is rounded and clipped once, after the blur.

    Args:
        patches: `uint8 (n, size, size)`, grey levels 0..255.
        changes: `(n, 3)`: gain, gamma, and the standard deviation of the blur in pixels, each
            between 0 and 10. `[1, 1, 0]` changes nothing.

    Returns a new `uint8 (n, size, size)`. Raises UserError for other shapes, types or numbers.
    """
    patches, changes = np.ascontiguousarray(patches), np.ascontiguousarray(changes, np.float32)
    shape = patches.shape
    if patches.dtype != np.uint8 or len(shape) != 3 or shape[1] != shape[2]:
        raise UserError(f"Patches are {patches.dtype} {shape}: expected uint8 (n, size, size).")
    if changes.shape != (len(patches), 3):
        raise UserError(f"Changes have shape {changes.shape}: expected ({len(patches)}, 3).")
    if not ((changes >= 0) & (changes <= LIMIT)).all():
        raise UserError(
            f"Changes have entries below 0, above {LIMIT:.0f} or NaN: expected 0 to 10."
        )
    result = np.empty_like(patches)
    _change_photometry(patches, changes, _LOG_GREY, result)
    return result


@compiled()
def _change_photometry(patches, changes, log_grey, result):
    size = patches.shape[1]
    half, white = np.float32(0.5), np.float32(255)
    table = np.empty(256, np.float32)  # each grey level after gamma and gain
    weights = np.empty(_MAX_RADIUS + 1, np.float32)  # of the blur, from its centre
    padded = np.empty(size + 2 * _MAX_RADIUS, np.float32)  # a row with repeated edge pixels
    blurred = np.empty((size, size), np.float32)  # along x
    mixed = np.empty(size, np.float32)
    for i in range(len(patches)):
        gain, gamma, sigma = changes[i, 0], changes[i, 1], changes[i, 2]
        for grey in range(256):
            power = np.exp((gamma - np.float32(1)) * log_grey[grey])
            table[grey] = gain * np.float32(grey) * power
        radius = int(3 * sigma + half)
        total = weights[0] = np.float32(1)
        for k in range(1, radius + 1):
            weights[k] = np.exp(-half * (np.float32(k) / sigma) ** 2)
            total += 2 * weights[k]
        weights[: radius + 1] /= total
        # The processor vectorises all loops over columns except the look-up in the table.
        for row in range(size):
            for column in range(size):
                padded[radius + column] = table[patches[i, row, column]]
            padded[:radius] = padded[radius]
            padded[radius + size : size + 2 * radius] = padded[radius + size - 1]
            for column in range(size):
                blurred[row, column] = weights[0] * padded[radius + column]
            for k in range(1, radius + 1):
                left, right = padded[radius - k :], padded[radius + k :]
                for column in range(size):
                    blurred[row, column] += weights[k] * (left[column] + right[column])
        for row in range(size):
            for column in range(size):
                mixed[column] = weights[0] * blurred[row, column]
            for k in range(1, radius + 1):
                upper, lower = blurred[max(row - k, 0)], blurred[min(row + k, size - 1)]
                for column in range(size):
                    mixed[column] += weights[k] * (upper[column] + lower[column])
            for column in range(size):
                result[i, row, column] = np.uint8(np.int32(min(mixed[column] + half, white)))

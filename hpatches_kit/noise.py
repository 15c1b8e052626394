"""The noise of N-HPatches: a 65x65 patch becomes a noisy and a clean 32x32 patch.

Independent Gaussian noise is added at 65 px, rounded and clipped to 0..255; then noisy and clean
patch are resized to 32 px by bilinear interpolation without anti-aliasing. The order matters: the
resize mixes up to four noisy pixels with weights that change across the patch, so the noise ends
up strongest in the middle (0.89 sigma) and weakest in the corners (0.50 sigma).
"""

import numpy as np

from hpatches_kit.patches import PATCH_SIZE, VIEWS

SOURCE_SIZE = 65  # pixels along the side of a patch in the HPatches release

# Standard deviation in grey levels at 65 px. What N-HPatches gave `ref` is unknown. Here it gets
# the noise of `easy`: a reference without noise would make half of every noisy pair clean.
SIGMA = {"ref": 25.0, "e": 25.0, "h": 35.0, "t": 45.0}
VIEW_SIGMA = np.array([SIGMA[view if view == "ref" else view[0]] for view in VIEWS], np.float32)


def resize(patches):
    """Bilinear resize without anti-aliasing, `uint8 (..., 65, 65)` to `uint8 (..., 32, 32)`.

    Pixel x of the result lies at `(x + 0.5) * 65 / 32 - 0.5` of the source, between two pixels.
    All weights are multiples of 1/64, so whole-number arithmetic is exact: every machine gets
    the same bytes.
    """
    patches = np.asarray(patches)
    if patches.dtype != np.uint8 or patches.shape[-2:] != (SOURCE_SIZE, SOURCE_SIZE):
        raise ValueError(
            f"Patches are {patches.dtype} {patches.shape}:"
            f" expected uint8 (..., {SOURCE_SIZE}, {SOURCE_SIZE})."
        )
    position = (2 * np.arange(PATCH_SIZE) + 1) * SOURCE_SIZE - PATCH_SIZE  # in 1/64 pixel
    left, weight = np.divmod(position, 2 * PATCH_SIZE)
    weight = weight.astype(np.int32)
    rows = (
        patches[..., left, :] * (64 - weight)[:, None] + patches[..., left + 1, :] * weight[:, None]
    )
    both = rows[..., left] * (64 - weight) + rows[..., left + 1] * weight
    return ((both + 2048) >> 12).astype(np.uint8)  # 64 * 64 = 4096, rounded half up


def add_noise(patches, sigma, rng):
    """Gaussian noise, rounded and clipped: `uint8` to `uint8` of the same shape.

    Args:
        patches: grey levels 0..255.
        sigma: standard deviation in grey levels, a number or an array that broadcasts.
        rng: a `numpy.random.Generator`.
    """
    noise = rng.standard_normal(patches.shape, np.float32)
    noise *= sigma
    noise += patches
    return np.clip(np.rint(noise, out=noise), 0, 255, out=noise).astype(np.uint8)


def noisy_and_clean(patches, seed=0, sigma=VIEW_SIGMA):
    """Make N-HPatches patches from HPatches patches.

    Args:
        patches: `uint8 (points, 16, 65, 65)`.
        seed: anything that `numpy.random.default_rng` takes.
        sigma: `(16,)` standard deviation of each view, in grey levels at 65 px.

    Returns:
        `(noisy, clean)`, each `uint8 (points, 16, 32, 32)`.
    """
    if patches.shape[1:] != (len(VIEWS), SOURCE_SIZE, SOURCE_SIZE):
        raise ValueError(
            f"Patches have shape {patches.shape}:"
            f" expected (points, {len(VIEWS)}, {SOURCE_SIZE}, {SOURCE_SIZE})."
        )
    rng = np.random.default_rng(seed)
    sigma = np.asarray(sigma, np.float32)[:, None, None]
    noisy, clean = np.empty((2, *patches.shape[:2], PATCH_SIZE, PATCH_SIZE), np.uint8)
    for start in range(0, len(patches), 64):  # a few megabytes at a time
        block = slice(start, start + 64)
        noisy[block] = resize(add_noise(patches[block], sigma, rng))
        clean[block] = resize(patches[block])
    return noisy, clean

"""The exercise of lesson 2 that makes the noise of N-HPatches, and its check."""

import keras
import numpy as np

import hpatches_kit as hk
from hpatches_kit.course.exercises.expectations import expect, expect_array

# At sigma 25: bilinear interpolation mixes two pixels along each axis, with weights 63/64 and 1/64
# in the middle, and 31/64 and 33/64 in the corner. sqrt(63^2 + 1) / 64 = 0.984, squared 0.97.
MIDDLE, CORNER = 24.2, 12.5


def noisy_patches(patches, view, rng):
    """Noisy versions of patches, as in N-HPatches: add Gaussian noise at 65x65, round and clip
    to 0..255, then shrink to 32x32 by bilinear interpolation without anti-aliasing.

    patches: uint8 (n, 65, 65), grey levels 0..255, all of one view: "ref", "e1", ..., "t5".
    Sigma is 25 grey levels for "ref" and easy views, 35 for hard and 45 for tough ones.
    rng: a np.random.Generator, from which all noise is drawn. Returns uint8 (n, 32, 32), rounded.
    """
    sigma = {"r": 25, "e": 25, "h": 35, "t": 45}[view[0]]
    noisy = patches + rng.normal(0, sigma, patches.shape)
    noisy = np.clip(np.rint(noisy), 0, 255).astype("uint8")
    return hk.patches.resize(noisy)


def check_noisy_patches(noisy_patches):
    grey = np.full((300, 65, 65), 128, np.uint8)
    first = _run(noisy_patches, grey[:2], "ref", seed=0)
    _check_type(noisy_patches(grey[:2], "ref", np.random.default_rng(0)))
    noisy = _run(noisy_patches, grey, "ref", seed=1)
    expect(
        np.array_equal(first, _run(noisy_patches, grey[:2], "ref", seed=0)),
        "it gives other noise for a generator with the same seed: draw all noise from `rng`.",
    )
    expect(
        noisy.std() > 0,
        "the reference has no noise: N-HPatches adds noise to all views, sigma 25 for `ref`.",
    )
    _check_generator(noisy_patches, grey[:2])
    expect(
        (noisy != noisy[:1]).any(),
        "all patches have the same noise: draw noise of the shape of `patches`, (n, 65, 65).",
    )
    middle, _ = _middle_and_corner(noisy)
    expect(
        middle < 60,
        f"the standard deviation of the noise is {middle:.0f} in the middle: expected {MIDDLE} at sigma"
        " 25. rng.normal takes the standard deviation, sigma, not its square.",
    )
    _check_mean(noisy)
    _check_shrinking(noisy_patches)
    _check_strength(noisy)
    _check_clipping(noisy_patches)
    _check_levels(noisy_patches, grey[:150])


def _run(noisy_patches, patches, view, seed):
    """The noisy patches as float64, with a generator of this seed."""
    before = patches.copy()
    noisy = noisy_patches(patches, view, np.random.default_rng(seed))
    expect(np.array_equal(patches, before), "it changes the patches that it is given: copy them.")
    count = len(patches)
    shape = np.shape(noisy)
    expect(
        shape[1:] != (65, 65), f"noisy patches have shape {shape}: they still have to be shrunk."
    )
    expect(
        shape != (count, 32, 32, 1),
        f"noisy patches have shape {shape}: expected ({count}, 32, 32), without a channel axis.",
    )
    return expect_array(noisy, (count, 32, 32), f'noisy_patches(patches, "{view}", rng)')


def _check_generator(noisy_patches, patches):
    rng = np.random.default_rng(0)
    first, second = (noisy_patches(patches, "ref", rng) for _ in range(2))
    expect(
        not np.array_equal(first, second),
        "two calls with one generator give the same noise: each call must go on drawing from `rng`."
        " Did you make a generator of your own, always with the same seed?",
    )


def _check_type(noisy):
    dtype = keras.backend.standardize_dtype(getattr(noisy, "dtype", "float64"))
    expect(dtype == "uint8", f"noisy patches are {dtype}: expected uint8. Round them first.")


def _check_shrinking(noisy_patches):
    """Columns of 108 and 148 in turn are mixed: what is the mean over many noisy patches?"""
    stripes = np.tile(np.where(np.arange(65) % 2, 148, 108).astype(np.uint8), (40, 65, 1))
    columns = _run(noisy_patches, stripes, "ref", seed=2).mean(axis=(0, 1))
    left, middle = columns[0], columns[15]
    expect(
        abs(left - 108) > 5,
        f"stripes of one pixel, 108 and 148, become {left:.0f} at the left edge: expected 128, a mix"
        " of both. Did you keep every second pixel, or put the corner pixels of both patches on top"
        " of each other, as scipy.ndimage.zoom does? Use hk.patches.resize.",
    )
    expected = float(hk.patches.resize(stripes[:1])[0, 0, 15])
    expect(
        abs(middle - expected) < 5,
        f"stripes of one pixel, 108 and 148, become {middle:.0f} in the middle: expected"
        f" {expected:.0f}. Bilinear interpolation reads almost a single pixel there. Did you average"
        " blocks of pixels, or use anti-aliasing?",
    )


def _check_mean(noisy):
    shift = noisy.mean() - 128
    expect(
        abs(shift) < 0.25 or abs(shift) > 1.5,
        f"the noise changes the mean grey level by {shift:+.2f}: expected 0. Conversion to uint8 cuts"
        " decimals off: round with np.rint first.",
    )
    expect(abs(shift) < 0.25, f"the noise has mean {shift:+.1f}: expected 0.")


def _check_clipping(noisy_patches):
    """The mean of clipped noise of sigma 25 is 25 / sqrt(2 pi) = 10 grey levels."""
    for name, grey, expected in (("white", 255, 245.0), ("black", 0, 10.0)):
        noisy = _run(noisy_patches, np.full((100, 65, 65), grey, np.uint8), "ref", seed=3)
        farthest = noisy.flat[np.argmax(np.abs(noisy - grey))]
        expect(
            abs(farthest - grey) < 155,
            f"{name} patches get pixels of grey level {farthest:.0f}: above 255, uint8 starts again"
            " at 0, and below 0 at 255. Clip to 0..255 before the conversion.",
        )
        corner = noisy[:, ::31, ::31].mean()
        expect(
            abs(corner - expected) < 2,
            f"the corners of {name} patches have a mean of {corner:.1f}: expected {expected}. Clip"
            " the large patches, before they shrink: 65 px patches are images, too.",
        )


def _check_strength(noisy):
    """24.2 in the middle and 12.5 in the corners at sigma 25."""
    middle, corner = _middle_and_corner(noisy)
    measured = f"{middle:.1f} in the middle and {corner:.1f} in the corners"
    expected = f"expected {MIDDLE} and {CORNER}"
    expect(
        not (abs(middle - 25) < 2 and abs(corner - 25) < 2),
        f"the standard deviation is 25 everywhere: you added it after shrinking ({expected}).",
    )
    expect(
        abs(middle - MIDDLE) < 2 and abs(corner - CORNER) < 1.1,
        f"the standard deviation of the noise is {measured}: {expected} at sigma 25.",
    )


def _check_levels(noisy_patches, grey):
    for view, sigma in {"e4": 25, "h3": 35, "t5": 45}.items():
        middle, _ = _middle_and_corner(_run(noisy_patches, grey, view, seed=4))
        expect(
            abs(middle / sigma - MIDDLE / 25) < 0.12,
            f'the noise of view "{view}" has a standard deviation of {middle:.1f} in the middle:'
            f" expected {sigma * MIDDLE / 25:.1f}, because sigma is {sigma} for this level.",
        )


def _middle_and_corner(noisy):
    """Standard deviation over patches in the four middle pixels and in the four corners."""
    return noisy[:, 15:17, 15:17].std(axis=0).mean(), noisy[:, ::31, ::31].std(axis=0).mean()

"""What is in a set of patches, in numbers: its noise, and places that look alike."""

import numpy as np
import pandas as pd

from hpatches_kit.patches import columns_of_levels


def noise_of_levels(patches, kind="noisy", points=2000, seed=0):
    """How far patches of a kind are from the clean ones, level by level.

    Args:
        patches: a `PatchSet`.
        kind: `"noisy"` or `"denoised"`.
        points: how many points are looked at, chosen at random.
        seed: decides which.

    Returns:
        A DataFrame with a row for the reference and each level: the mean absolute error in grey levels,
        and the mean over patches of the peak signal-to-noise ratio in dB, `10 log10(255^2 / MSE)`.
    """
    difference = differences(patches, kind, points, seed)
    error = np.abs(difference).mean(axis=(2, 3))
    ratio = psnr(difference)
    rows = {}
    for level, columns in columns_of_levels().items():
        rows[level] = {
            "mean absolute error": float(error[:, columns].mean()),
            "PSNR in dB": float(ratio[:, columns].mean()),
        }
    return pd.DataFrame(rows).T


def differences(patches, kind="noisy", points=2000, seed=0):
    """A kind of patches minus the clean ones, of points chosen at random: `float32 (n, 16, 32, 32)`."""
    some = patches.sample(min(points, len(patches)), seed)
    return some[kind].astype(np.float32) - some.clean


def psnr(difference):
    """PSNR in dB of patches `(..., height, width)` from their differences in grey levels.

    One that is exact counts as if a single pixel of 32x32 were off by one.
    """
    mse = np.square(difference).mean(axis=(-2, -1))
    return 10 * np.log10(255**2 / np.maximum(mse, 1 / 1024))


def twins(patches, points=3000, seed=0):
    """The reference patches that look most like the reference of another place.

    Args:
        patches: a `PatchSet`; flat references are left out.
        points: how many places are compared, chosen at random.
        seed: decides which.

    Returns:
        A DataFrame, the most alike first: `point` and `twin`, numbers of points of the set, and
        `distance`, from 0 to 2, of the patches at mean 0 and length 1. A pair is listed once.
    """
    _, first = np.unique(patches.label, return_index=True)  # one point a place
    first = first[~patches.flat[first]]
    if len(first) < 2:
        raise ValueError(
            f"{patches} has {len(first)} places that are not flat: expected 2 or more."
        )
    chosen = np.sort(np.random.default_rng(seed).permutation(first)[:points])
    grey = patches.base("clean")[patches.rows[chosen], 0].reshape(len(chosen), -1)
    grey = grey.astype(np.float32) - grey.mean(axis=1, dtype=np.float32, keepdims=True)
    grey /= np.linalg.norm(grey, axis=1, keepdims=True)
    alike = grey @ grey.T
    np.fill_diagonal(alike, -2)
    nearest = alike.argmax(1)
    distance = np.sqrt(np.maximum(0, 2 - 2 * alike.max(1)))
    table = pd.DataFrame({"point": chosen, "twin": chosen[nearest], "distance": distance})
    swapped = table.point > table.twin
    table.loc[swapped, ["point", "twin"]] = table.loc[swapped, ["twin", "point"]].to_numpy()
    table = table.sort_values("distance", kind="stable").drop_duplicates(["point", "twin"])
    return table.reset_index(drop=True)

"""Near duplicates: different places that look alike.

Hard negative mining chooses them as negatives, although no descriptor can tell them apart.
"""

import numpy as np
import pandas as pd

from hpatches_kit._support.errors import UserError


def near_duplicates(patches, points=3000, seed=0):
    """Find the reference patches that look most like the reference patch of another place.

    Args:
        patches: a `PatchSet`; flat references are excluded.
        points: number of places to compare, drawn at random.
        seed: of that draw.

    Returns a DataFrame, most similar pair first, each pair once. `point` and `other` are numbers of
    points in `patches`; `distance`, 0 to 2, is the Euclidean distance of the clean patches,
    normalised to zero mean and unit norm. Raises UserError for fewer than two places that are not
    flat.
    """
    _, first = np.unique(patches.label, return_index=True)  # one point per place
    first = first[~patches.flat[first]]
    if len(first) < 2:
        raise UserError(f"{patches} has {len(first)} places that are not flat: expected 2 or more.")
    chosen = np.sort(np.random.default_rng(seed).permutation(first)[:points])
    grey = patches.base("clean")[patches.rows[chosen], 0].reshape(len(chosen), -1)
    grey = grey.astype(np.float32) - grey.mean(axis=1, dtype=np.float32, keepdims=True)
    grey /= np.linalg.norm(grey, axis=1, keepdims=True)
    similarity = grey @ grey.T
    np.fill_diagonal(similarity, -2)
    nearest = similarity.argmax(1)
    distance = np.sqrt(np.maximum(0, 2 - 2 * similarity.max(1)))
    point, other = np.sort([chosen, chosen[nearest]], axis=0)
    table = pd.DataFrame({"point": point, "other": other, "distance": distance})
    table = table.sort_values("distance", kind="stable").drop_duplicates(["point", "other"])
    return table.reset_index(drop=True)

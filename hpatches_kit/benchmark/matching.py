"""Matching: find each point of the reference image in another image of its sequence."""

import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit.benchmark.average_precision import average_precision, negatives_before
from hpatches_kit.patches import VIEWS

METRICS = {"L2": "euclidean", "L1": "cityblock"}


def matching(descriptors, distance="L2"):
    """Match every reference patch to its nearest patch of each other image.

    Returns:
        `{"mean_ap": .., "e": .., "h": .., "t": .., "sequences": {name: {"e": {"1": {"ap": .., "sr": ..}}}}}`.
        All patches count as positives, so a wrong nearest patch costs twice: AP is never larger
        than the success rate `sr`. Means give every sequence and image the same weight.
    """
    if distance not in METRICS:
        raise ValueError(f"Unknown {distance=}: expected one of {', '.join(METRICS)}.")
    sequences = {}
    for name in descriptors.names:
        start, length = descriptors.start[name], descriptors.lengths[name]
        here = descriptors.values[start : start + length]
        sequences[name] = {level: {} for level in "eht"}
        for level in "eht":
            for k in range(1, 6):
                other = here[:, VIEWS.index(f"{level}{k}")]
                apart = cdist(here[:, 0], other, METRICS[distance])
                nearest = apart.argmin(axis=1)
                correct = nearest == np.arange(length)
                before = negatives_before(apart[np.arange(length), nearest], correct)
                sequences[name][level][str(k)] = {
                    "ap": float(average_precision(before, length)),
                    "sr": float(correct.mean()),
                }
    result = {
        level: float(
            np.mean([image["ap"] for s in sequences.values() for image in s[level].values()])
        )
        for level in "eht"
    }
    return {
        "mean_ap": float(np.mean([result[level] for level in "eht"])),
        **result,
        "sequences": sequences,
    }

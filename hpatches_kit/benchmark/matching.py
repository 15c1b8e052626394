"""Matching: find each point of the reference image in another image of its sequence."""

import numpy as np

from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.average_precision import (
    average_precision,
    mean_precision,
    tie_neutral_area,
)
from hpatches_kit.benchmark.bootstrap import resampled_means
from hpatches_kit.benchmark.exact_distances import check, nearest
from hpatches_kit.patches.views import VIEWS


def matching(descriptors, distance="L2", progress=True):
    """Match every reference patch to its nearest patch of each other image.

    Returns:
        `{"mean_ap": .., "e": .., "h": .., "t": .., "success_rate": {"mean": .., "e": ..},
        "sequences": {name: {"e": {"1": {"ap": .., "sr": ..}}}}}`. All patches count as positives,
        so a wrong nearest patch costs twice: AP is never larger than the success rate `sr`. Means
        give every sequence and image the same weight. `tie_neutral`, `matlab`, `ties` and `draws`
        are those of `verification`; a tie here is another patch as near as the nearest.
    """
    check(distance)
    lengths = descriptors.lengths
    images = [(level, k) for level in "eht" for k in range(1, 6)]
    columns = [VIEWS.index(f"{level}{k}") for level, k in images]

    def one_sequence(name):
        here = descriptors.values[descriptors.start[name] :][: lengths[name]]
        pools = here[:, columns].swapaxes(0, 1)
        found = nearest(np.ascontiguousarray(here[:, 0]), pools, distance)
        return [_one_image(*image) for image in zip(*found)]

    work = sorted(lengths, key=lambda name: -lengths[name])  # so that all cores end together
    each = dict(zip(work, parallel_map(one_sequence, work, "Matching", progress)))
    scored = {(name, *image): one for name in work for image, one in zip(images, each[name])}

    def mean(number, level):
        return float(np.mean([one[number] for item, one in scored.items() if item[1] == level]))

    def levels(number, overall):
        each = {level: mean(number, level) for level in "eht"}
        return {overall: float(np.mean(list(each.values()))), **each}

    sequences = {name: {level: {} for level in "eht"} for name in lengths}
    for name, level, k in scored:
        sequences[name][level][str(k)] = {n: scored[name, level, k][n] for n in ("ap", "sr")}
    of_sequence = [np.mean([i["ap"] for v in s.values() for i in v.values()]) for s in sequences.values()]  # fmt: skip
    return {
        **levels("ap", "mean_ap"),
        "success_rate": levels("sr", "mean"),
        "sequences": sequences,
        "tie_neutral": {**levels("neutral", "mean_ap"), "success_rate": levels("likely", "mean")},
        "matlab": levels("matlab", "mean_ap"),
        "ties": float(np.mean([one["ties"] for one in scored.values()])),
        "draws": resampled_means(of_sequence, np.ones(len(of_sequence))),
    }


def _one_image(apart, first, tied, own):
    """Numbers of one image, from what `nearest` says of each point of the reference."""
    points = len(apart)
    correct = first == np.arange(points)
    likely = own / tied  # chance to be right when one of the nearest is picked blindly
    ranked = np.argsort(apart, kind="stable")  # at equal distance in the order of the reference
    right = np.flatnonzero(correct[ranked])
    before = right - np.arange(len(right))
    start = np.flatnonzero(np.diff(apart[ranked], prepend=-1))  # of each group of equal distance
    hope = np.add.reduceat(likely[ranked], start)
    found = np.cumsum(hope) - hope
    area = tie_neutral_area(found, start, hope, np.diff(start, append=points)).sum()
    return {
        "ap": float(average_precision(before, points)),
        "sr": float(correct.mean()),
        "matlab": float(mean_precision(before, points)),
        "neutral": float(area / points),
        "likely": float(likely.mean()),
        "ties": float((tied - 1).mean() / max(points - 1, 1)),
    }

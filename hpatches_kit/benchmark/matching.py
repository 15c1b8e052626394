"""Matching: find each point of the reference image in another image of its sequence."""

import numpy as np

from hpatches_kit.benchmark.average_precision import (
    average_precision,
    mean_precision,
    tie_neutral_area,
)
from hpatches_kit.benchmark.bootstrap import resampled_means
from hpatches_kit.benchmark.distances import check, nearest
from hpatches_kit.patches import VIEWS
from hpatches_kit.threads import side_by_side


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
    work = [(name, level, k) for name in lengths for level in "eht" for k in range(1, 6)]
    work.sort(key=lambda item: -lengths[item[0]])  # the longest first, so that cores end together

    def one_image(item):
        name, level, k = item
        here = descriptors.values[descriptors.start[name] :][: lengths[name]]
        views = [np.ascontiguousarray(here[:, v]) for v in (0, VIEWS.index(f"{level}{k}"))]
        return _scores(*views, distance)

    scored = dict(zip(work, side_by_side(one_image, work, "Matching", progress)))

    def mean(number, level):
        return float(np.mean([one[number] for item, one in scored.items() if item[1] == level]))

    def levels(number, overall):
        each = {level: mean(number, level) for level in "eht"}
        return {overall: float(np.mean(list(each.values()))), **each}

    sequences = {name: {level: {} for level in "eht"} for name in lengths}
    for name, level, k in sorted(work, key=lambda item: item[2]):
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


def _scores(reference, other, distance):
    """The numbers of one image, `(points, dim)` descriptors each."""
    points = len(reference)
    apart, rows, columns = nearest(reference, other, distance)
    first = columns[np.searchsorted(rows, np.arange(points))]
    correct = first == np.arange(points)
    tied = np.bincount(rows, minlength=points)
    likely = np.zeros(points)
    likely[rows[rows == columns]] = 1
    likely /= tied  # chance to be right when one of the nearest is picked blindly

    ranked = np.argsort(apart, kind="stable")  # at equal distance in the order of the reference
    right = np.flatnonzero(correct[ranked])
    before = right - np.arange(len(right))
    apart, expected = apart[ranked], likely[ranked]
    start = np.flatnonzero(np.diff(apart, prepend=-1))  # of each group of equal distance
    hope = np.add.reduceat(expected, start)
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

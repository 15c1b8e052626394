"""Matching: find each point of the reference image in another image of its sequence."""

import numpy as np

from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.bootstrap import resampled_means
from hpatches_kit.benchmark.exact_distances import check, nearest
from hpatches_kit.benchmark.precision_recall import (
    average_precision,
    mean_precision,
    tie_neutral_area,
)
from hpatches_kit.patches.views import VIEWS


def matching(descriptors, distance="L2", progress=True):
    """Match every reference patch to its nearest patch of each other image.

    All points count as positives, so AP is never larger than the success rate `sr`, the fraction of
    right matches. Means give every sequence and image the same weight.

    Returns `{"mean_ap": .., "e": .., "h": .., "t": .., "success_rate": {"mean": .., "e": ..},
    "sequences": {name: {"e": {"1": {"ap": .., "sr": ..}}}}}`, and `tie_neutral`, `matlab`, `ties`
    and `draws` as in `verification`; a tie is another patch at the smallest distance. Raises
    UserError for an unknown distance.
    """
    check(distance)
    lengths = descriptors.lengths
    images = [(level, k) for level in "eht" for k in range(1, 6)]
    columns = [VIEWS.index(f"{level}{k}") for level, k in images]

    def match_sequence(name):
        values = descriptors.values[descriptors.start[name] :][: lengths[name]]
        pools = values[:, columns].swapaxes(0, 1)
        matches = nearest(np.ascontiguousarray(values[:, 0]), pools, distance)
        return [_image_scores(*image) for image in zip(*matches)]

    longest_first = sorted(lengths, key=lambda name: -lengths[name])  # keeps all cores busy
    results = parallel_map(match_sequence, longest_first, "Matching", progress)
    scores = {
        (name, *image): image_scores
        for name, sequence_scores in zip(longest_first, results)
        for image, image_scores in zip(images, sequence_scores)
    }

    def level_means(key, mean_name):
        means = {}
        for level in "eht":
            values = [image[key] for (_, at_level, _), image in scores.items() if at_level == level]
            means[level] = float(np.mean(values))
        return {mean_name: float(np.mean(list(means.values()))), **means}

    sequences = {name: {level: {} for level in "eht"} for name in lengths}
    for (name, level, k), image in scores.items():
        sequences[name][level][str(k)] = {key: image[key] for key in ("ap", "sr")}
    sequence_ap = [
        np.mean([image["ap"] for images in levels.values() for image in images.values()])
        for levels in sequences.values()
    ]
    return {
        **level_means("ap", "mean_ap"),
        "success_rate": level_means("sr", "mean"),
        "sequences": sequences,
        "tie_neutral": {
            **level_means("tie_neutral_ap", "mean_ap"),
            "success_rate": level_means("tie_neutral_sr", "mean"),
        },
        "matlab": level_means("matlab_ap", "mean_ap"),
        "ties": float(np.mean([image["ties"] for image in scores.values()])),
        "draws": resampled_means(sequence_ap, np.ones(len(sequence_ap))),
    }


def _image_scores(distances, first, tied, own_is_nearest):
    """Scores of one image, from the four results of `nearest`, `(points,)` each."""
    points = len(distances)
    right = first == np.arange(points)
    chance = own_is_nearest / tied  # probability of a right match if ties are broken at random
    order = np.argsort(distances, kind="stable")  # ties keep the order of the reference points
    positions = np.flatnonzero(right[order])
    before = positions - np.arange(len(positions))
    start = np.flatnonzero(np.diff(distances[order], prepend=-1))  # of each group of ties
    positives = np.add.reduceat(chance[order], start)
    positives_before = np.cumsum(positives) - positives
    entries = np.diff(start, append=points)
    area = tie_neutral_area(positives_before, start, positives, entries).sum()
    return {
        "ap": float(average_precision(before, points)),
        "sr": float(right.mean()),
        "matlab_ap": float(mean_precision(before, points)),
        "tie_neutral_ap": float(area / points),
        "tie_neutral_sr": float(chance.mean()),
        "ties": float((tied - 1).mean() / max(points - 1, 1)),
    }

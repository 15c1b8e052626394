"""Matching: find each point of the reference image in another image of its sequence."""

import numpy as np

from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.bootstrap import resampled_means
from hpatches_kit.benchmark.categories import sequence_categories
from hpatches_kit.benchmark.distance_ratio import ratio_precision, second_nearest
from hpatches_kit.benchmark.exact_distances import check, nearest
from hpatches_kit.benchmark.precision_recall import tie_neutral_area
from hpatches_kit.benchmark.protocols import PYTHON
from hpatches_kit.patches.views import VIEWS


def matching(descriptors, distance="L2", progress=True, protocol=PYTHON):
    """Match every reference patch to its nearest patch of each other image.

    All points count as positives, so AP is never larger than the success rate `sr`, the fraction of
    right matches. Means give every sequence and image the same weight, unless the protocol averages
    categories of sequences.

    Returns `{"mean_ap": .., "e": .., "h": .., "t": .., "success_rate": {"mean": .., "e": ..},
    "sequences": {name: {"e": {"1": {"ap": .., "sr": ..}}}}}`, and `tie_neutral`, `ties` and `draws`
    as in `verification`; a tie is another patch at the smallest distance. A protocol may add:

    - `categories`: `{"illumination": {"sequences": .., "mean_ap": .., "e": ..}, "viewpoint": ..}`;
    - `ratio`: means of the AP of a ranking by the ratio of two distances, `ratio_ap` of each image.

    Raises UserError for an unknown distance, and for L1 if the protocol squares distances.
    """
    check(distance, protocol.squared_distances)
    lengths = descriptors.lengths
    images = [(level, k) for level in "eht" for k in range(1, 6)]
    columns = [VIEWS.index(f"{level}{k}") for level, k in images]

    def match_sequence(name):
        values = descriptors.values[descriptors.start[name] :][: lengths[name]]
        pools, queries = values[:, columns].swapaxes(0, 1), np.ascontiguousarray(values[:, 0])
        matches = nearest(queries, pools, distance)
        scored = [_image_scores(*image, protocol) for image in zip(*matches)]
        if protocol.ratio_ap:
            second = second_nearest(queries, pools, matches[1], distance)
            for image, smallest, first, other in zip(scored, *matches[:2], second):
                is_right = first == np.arange(len(first))
                image["ratio_ap"] = ratio_precision(smallest, other, is_right, protocol)
        return scored

    longest_first = sorted(lengths, key=lambda name: -lengths[name])  # keeps all cores busy
    results = parallel_map(match_sequence, longest_first, "Matching", progress)
    scores = {
        (name, *image): image_scores
        for name, sequence_scores in zip(longest_first, results)
        for image, image_scores in zip(images, sequence_scores)
    }

    categories = sequence_categories(lengths) if protocol.categories else {"all": list(lengths)}

    def category_means(key, mean_name, names):
        means = {}
        for level in "eht":
            values = [
                image[key]
                for (name, at_level, _), image in scores.items()
                if at_level == level and name in names
            ]
            means[level] = float(np.mean(values))
        return {mean_name: float(np.mean(list(means.values()))), **means}

    def level_means(key, mean_name):
        parts = [category_means(key, mean_name, set(names)) for names in categories.values()]
        return {field: float(np.mean([part[field] for part in parts])) for field in parts[0]}

    numbers = ("ap", "sr", "ratio_ap") if protocol.ratio_ap else ("ap", "sr")
    sequences = {name: {level: {} for level in "eht"} for name in lengths}
    for (name, level, k), image in scores.items():
        sequences[name][level][str(k)] = {key: image[key] for key in numbers}
    sequence_ap = np.array(
        [
            np.mean([image["ap"] for images in levels.values() for image in images.values()])
            for levels in sequences.values()
        ]
    )
    draws = [
        resampled_means(sequence_ap * in_category, in_category)
        for in_category in (np.isin(list(sequences), names) for names in categories.values())
    ]
    result = {
        **level_means("ap", "mean_ap"),
        "success_rate": level_means("sr", "mean"),
        "sequences": sequences,
        "tie_neutral": {
            **level_means("tie_neutral_ap", "mean_ap"),
            "success_rate": level_means("tie_neutral_sr", "mean"),
        },
        "ties": float(np.mean([image["ties"] for image in scores.values()])),
        "draws": np.mean(draws, axis=0),
    }
    if protocol.ratio_ap:
        result["ratio"] = level_means("ratio_ap", "mean_ap")
    if protocol.categories:
        result["categories"] = {
            category: {"sequences": len(names), **category_means("ap", "mean_ap", set(names))}
            for category, names in categories.items()
        }
    return result


def _image_scores(distances, first, tied, own_is_nearest, protocol):
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
    trapezoid = not protocol.precision_at_positives
    area = tie_neutral_area(positives_before, start, positives, entries, trapezoid)
    return {
        "ap": float(protocol.precision(before, points)),
        "sr": float(right.mean()),
        "tie_neutral_ap": float(area.sum() / points),
        "tie_neutral_sr": float(chance.mean()),
        "ties": float((tied - 1).mean() / max(points - 1, 1)),
    }

"""The HPatches benchmark in its simplest form. Read this file first.

A sequence has a reference image and five other images. Each of its points has 16 patches: `ref`,
and one per other image at the levels easy, hard and tough (`e1..e5`, `h1..h5`, `t1..t5`). A level
says how inaccurately a patch is placed. The benchmark asks three questions about descriptors
(Balntas et al., HPatches, CVPR 2017):

- verification: do two patches show the same point?
- matching: which patch of another image shows this point?
- retrieval: which patches of a large pool show this point?

Each task ranks its answers by descriptor distance. Right answers are the positives, wrong ones the
negatives. The score is the average precision (AP) of the ranking, 1 if all positives come first,
averaged over the ranked lists and over the three levels (`mean_ap`).

The functions below compute the numbers of the official Python code, one pair, image or query at a
time. The other modules compute them at least 15 times faster at full size. The tests compare both
with official numbers. What differs from a textbook:

- AP is the area under the precision-recall curve by the trapezoid rule. The MATLAB code, and with
  it the paper, uses the mean precision at the positives, and differs in eight more rules: see
  `plain_matlab.py`.
- At equal distance the list order decides, and the lists differ: verification lists negatives
  first, retrieval positives first, so equal descriptors have a retrieval mAP of 1.
- Verification rounds distances to float32, which creates ties. Matching and retrieval use float64.
- Verification never uses image 5, and "inter" negatives may come from the same sequence.
- Matching counts all points as positives, so a wrong match costs recall as well as precision.
- Retrieval gives small, easy pools the same weight as large ones.
"""

import numpy as np
from scipy.spatial.distance import cdist, cityblock, euclidean

from hpatches_kit.patches.views import VIEWS

PAIR_METRIC = {"L2": euclidean, "L1": cityblock}
MATRIX_METRIC = {"L2": "euclidean", "L1": "cityblock"}


def verification(descriptors, tasks, distance="L2"):
    """Rank pairs of patches by distance, at each level and for two lists of negative pairs.

    A positive pair is one point in two images; an intra negative is two points of one sequence; an
    inter negative is two points of any two sequences. `auc` is the area under the ROC curve of all
    pairs; `ap` is imbalanced: all negatives with the first 20% of the positives, five to one.
    """
    result = {level: {} for level in "eht"}
    for level in "eht":
        positive = pair_distances(descriptors, tasks.positive, level, distance)
        for kind in ("intra", "inter"):
            negative = pair_distances(descriptors, getattr(tasks, kind), level, distance)
            stacked = np.concatenate([negative, positive])
            is_positive = np.repeat([False, True], [len(negative), len(positive)])
            end = len(positive) + int(0.2 * len(positive))  # the lists have equal lengths
            ap = average_precision(stacked[:end], is_positive[:end])
            result[level][kind] = {"ap": ap, "auc": roc_auc(stacked, is_positive)}
    every_ap = [result[level][kind]["ap"] for level in "eht" for kind in ("intra", "inter")]
    return {"mean_ap": float(np.mean(every_ap)), **result}


def pair_distances(descriptors, pairs, level, distance):
    """Distance of each pair, rounded to float32, `(pairs,)`. Image 0 is `ref` at every level."""
    columns = [VIEWS.index(f"{level}{image}" if image else "ref") for image in range(6)]
    fields = zip(pairs.first, pairs.first_image, pairs.second, pairs.second_image)
    result = np.zeros(len(pairs))
    for k, (first, first_image, second, second_image) in enumerate(fields):
        one = descriptors.values[first, columns[first_image]]
        other = descriptors.values[second, columns[second_image]]
        result[k] = PAIR_METRIC[distance](one, other)
    return result


def matching(descriptors, distance="L2"):
    """Match each reference patch to the nearest patch of each other image of its sequence.

    A match is right when it shows the same point. The matches are ranked by distance; `sr` is the
    success rate, the fraction of right matches. Every sequence and image has the same weight.
    """
    sequences = {}
    for name, points in descriptors.lengths.items():
        values = descriptors.values[descriptors.start[name] :][:points]
        sequences[name] = {level: {} for level in "eht"}
        for level in "eht":
            for k in range(1, 6):
                image = values[:, VIEWS.index(f"{level}{k}")]
                distances = cdist(values[:, 0], image, MATRIX_METRIC[distance])
                nearest = np.argmin(distances, axis=1)  # the first at equal distance
                right = nearest == np.arange(points)
                ap = average_precision(distances[np.arange(points), nearest], right, points)
                sequences[name][level][str(k)] = {"ap": ap, "sr": float(right.mean())}
    means = {}
    for level in "eht":
        images = [image for levels in sequences.values() for image in levels[level].values()]
        means[level] = float(np.mean([image["ap"] for image in images]))
    return {"mean_ap": float(np.mean(list(means.values()))), **means, "sequences": sequences}


def retrieval(descriptors, tasks, distance="L2"):
    """Rank a pool of patches by their distance to a query, a reference patch.

    The list of a query has its five positives first (the same point in images 1 to 5 of the level),
    then the distractors: reference patches of other sequences. A pool of k is its first k entries.
    """
    values, sequence = descriptors.values, np.asarray(descriptors.sequence)
    queries = values[tasks.queries, 0]
    to_distractors = cdist(queries, values[tasks.distractors, 0], MATRIX_METRIC[distance])
    total = {level: dict.fromkeys(map(str, tasks.pools), 0.0) for level in "eht"}
    for k, row in enumerate(tasks.queries):
        foreign = to_distractors[k, sequence[tasks.distractors] != sequence[row]]
        for level in "eht":
            columns = [VIEWS.index(f"{level}{image}") for image in range(1, 6)]
            own = cdist(queries[k : k + 1], values[row, columns], MATRIX_METRIC[distance])[0]
            listed = np.concatenate([own, foreign])
            is_positive = np.arange(len(listed)) < 5
            for pool in tasks.pools:
                total[level][str(pool)] += average_precision(listed[:pool], is_positive[:pool])
    count = len(tasks.queries)
    means = {level: {k: ap / count for k, ap in pools.items()} for level, pools in total.items()}
    return {"mean_ap": float(np.mean([list(m.values()) for m in means.values()])), **means}


def average_precision(distances, is_positive, positives=None):
    """Area under the precision-recall curve of a list, sorted by distance, by the trapezoid rule.

    `positives` includes those missing from the list. The curve starts at precision 1, and drops to
    0 while only negatives have been ranked.
    """
    true, false = _cumulative_counts(distances, is_positive)
    recall = true / max(positives or is_positive.sum(), 1e-10)
    precision = np.maximum(true, 1e-10) / np.maximum(true + false, 1e-10)
    return float(np.trapezoid(precision, recall))


def roc_auc(distances, is_positive):
    """Area under the ROC curve of a list, sorted by distance, by the trapezoid rule."""
    true, false = _cumulative_counts(distances, is_positive)
    return float(np.trapezoid(true / max(true[-1], 1e-10), false / max(false[-1], 1e-10)))


def _cumulative_counts(distances, is_positive):
    """Positives and negatives among the nearest 0, 1, 2, ... entries; ties keep the list order."""
    ranked = is_positive[np.argsort(distances, kind="stable")]
    return np.append(0, np.cumsum(ranked)), np.append(0, np.cumsum(~ranked))


def draw_pairs(lengths, pairs, seed=42):
    """Draw verification pairs as the official generator does, from `{sequence: points}`.

    Returns the first patches, the second patches of the intra negatives, and those of the inter
    negatives, each a list of `(sequence, point)`. A positive pair is a first patch in two images.
    """
    random, names = np.random.RandomState(seed), list(lengths)
    sequences = [random.choice(names) for _ in range(pairs)]
    points = [random.choice(np.arange(lengths[name]), 2, replace=False) for name in sequences]
    for _ in sequences:
        random.choice(np.arange(5), 2, replace=False)  # the two images; 0 is `ref`
    other_sequences = [random.choice(names) for _ in range(pairs)]
    inter = [(name, random.randint(lengths[name])) for name in other_sequences]
    first = [(name, point) for name, (point, _) in zip(sequences, points)]
    intra = [(name, point) for name, (_, point) in zip(sequences, points)]
    return first, intra, inter


def differences(expected, result, tolerance=1e-9, path=""):
    """One sentence for each number of a nested dictionary that the result has differently.

    Args:
        expected, result: nested dictionaries; the result may hold more.
        tolerance: relative difference that counts as equal.
    """
    sentences = []
    for key, value in expected.items():
        if isinstance(value, dict):
            sentences += differences(value, result[key], tolerance, f"{path}/{key}")
        elif abs(value - result[key]) > tolerance * abs(value):
            sentences.append(f"{path}/{key}: {result[key]!r}, expected {value!r}")
    return sentences

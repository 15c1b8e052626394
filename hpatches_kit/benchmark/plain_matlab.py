"""The MATLAB evaluator of HPatches in its simplest form, to be read beside `plain.py`.

The authors' MATLAB code made the tables of the paper, the Python code most tables since. They share
the task lists and differ in nine rules; the settings of `Protocol` have their names. The functions
below follow `matlab/+bench` of github.com/hpatches/hpatches-benchmark: one pair, image or query at
a time.

Not followed, because they depend on MATLAB itself or on its nearest-neighbour library: the order in
which single-precision sums are added; squared distances of matching and retrieval in single
precision; the order of patches at exactly the same distance in the k-d tree.
"""

import numpy as np
from scipy.spatial.distance import cdist

from hpatches_kit.patches.views import VIEWS


def verification(descriptors, tasks):
    """`{level: {kind: {"ap": .., "auc": .., "balanced_ap": ..}}}`, and the mean of the `ap`."""
    result, every_ap = {}, []
    for level in "eht":
        positive = squared_distances(descriptors, tasks.positive, level)
        result[level] = {}
        for kind in ("intra", "inter"):
            negative = squared_distances(descriptors, getattr(tasks, kind), level)
            few = positive[: int(np.floor(len(negative) * 0.2))]
            numbers = {"auc": roc_auc(positive, negative)}
            for name, positives in (("ap", few), ("balanced_ap", positive)):
                labels = [1] * len(positives) + [-1] * len(negative)  # positives first
                numbers[name] = average_precision([*positives, *negative], labels)
            result[level][kind] = numbers
            every_ap.append(numbers["ap"])
    return {"mean_ap": float(np.mean(every_ap)), **result}


def squared_distances(descriptors, pairs, level):
    """Squared L2 distance of each pair, in single precision throughout."""
    columns = [VIEWS.index(f"{level}{image}" if image else "ref") for image in range(6)]
    result = []
    for first, image, second, other in zip(
        pairs.first, pairs.first_image, pairs.second, pairs.second_image
    ):
        one = descriptors.values[first, columns[image]]
        difference = one - descriptors.values[second, columns[other]]
        total = np.float32(0)
        for number in difference:
            total += number * number
        result.append(total)
    return result


def matching(descriptors):
    """Means of the images of each category, at each level, and their mean."""
    ap, ratio_ap = {}, {}
    for name, points in descriptors.lengths.items():
        values = descriptors.values[descriptors.start[name] :][:points]
        category = {"i_": "illumination", "v_": "viewpoint"}.get(name[:2], "other")
        for level in "eht":
            for k in range(1, 6):
                distances = cdist(values[:, 0], values[:, VIEWS.index(f"{level}{k}")])
                nearest, labels, ratios = [], [], []
                for point, row in enumerate(distances):
                    first, second = np.argsort(row, kind="stable")[:2]
                    nearest.append(row[first])
                    labels.append(1 if first == point else -1)
                    ratios.append(squared_ratio(row[second], row[first]))
                ap.setdefault((category, level), []).append(
                    average_precision(nearest, labels, points)
                )
                ratio_ap.setdefault((category, level), []).append(
                    ratio_average_precision(ratios, labels)
                )
    names = sorted({category for category, _ in ap})
    categories = {
        name: {level: float(np.mean(ap[name, level])) for level in "eht"} for name in names
    }
    means = {level: float(np.mean([categories[n][level] for n in names])) for level in "eht"}
    ratio = {level: float(np.mean([np.mean(ratio_ap[n, level]) for n in names])) for level in "eht"}
    return {
        "mean_ap": float(np.mean(list(means.values()))),
        **means,
        "categories": categories,
        "ratio": {"mean_ap": float(np.mean(list(ratio.values()))), **ratio},
    }


def squared_ratio(second, first):
    """Ratio of squared distances in single precision; NaN for 0 / 0, infinite for x / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.float32(second**2) / np.float32(first**2)


def ratio_average_precision(ratios, labels):
    """AP with the largest ratio first; NaN counts as larger than infinity, and only NaN gives 0."""
    if np.isnan(ratios).all():
        return 0.0
    order = sorted(range(len(ratios)), key=lambda k: (not np.isnan(ratios[k]), -ratios[k]))
    ranks = range(len(ratios))  # distances that rank the labels as they are
    return average_precision(ranks, [labels[k] for k in order], len(labels))


def retrieval(descriptors, tasks, distractors=2000):
    """mAP of one pool: the first distractors of the list, less those of the query's sequence."""
    values, sequence = descriptors.values, np.asarray(descriptors.sequence)
    taken = tasks.distractors[:distractors]
    precision = {level: [] for level in "eht"}
    for query in tasks.queries:
        to_distractors = cdist(values[query, :1], values[taken, 0])[0]
        for level in "eht":
            columns = [VIEWS.index(f"{level}{image}") for image in range(1, 6)]
            own = cdist(values[query, :1], values[query, columns])[0]
            ignored = sequence[taken] == sequence[query]
            labels = [1] * 5 + [0 if ignore else -1 for ignore in ignored]  # positives first
            precision[level].append(average_precision([*own, *to_distractors], labels))
    means = {level: float(np.mean(numbers)) for level, numbers in precision.items()}
    return {"mean_ap": float(np.mean(list(means.values()))), **means}


def average_precision(distances, labels, positives=None):
    """Mean precision at the positives, `.ap` of `vl_pr`: labels 1, -1, and 0 for ignored entries.

    Equal distances keep their order. `positives` counts those that are not retrieved, too.
    """
    true = false = 0
    total = 0.0
    for entry in np.argsort(distances, kind="stable"):
        true += labels[entry] > 0
        false += labels[entry] < 0
        if labels[entry] > 0:
            total += true / (true + false)
    return total / (positives or true)


def roc_auc(positive, negative):
    """Area under the ROC curve: the fraction of pairs in order; a tie counts as in order."""
    negative = np.sort(negative)
    closer = np.searchsorted(negative, positive, side="left")  # negatives before each positive
    return 1 - float(np.mean(closer)) / len(negative)

"""The official HPatches evaluation in the plainest words: one pair, one query, one curve at a time.

For checking and timing `hpatches_kit.benchmark`, not for use. Written from a description of what the
official Python code computes; it sorts where that sorts and loops where that loops.
"""

import numpy as np
from scipy.spatial.distance import cdist, cityblock, euclidean

from hpatches_kit.patches.views import VIEWS

PAIR = {"L2": euclidean, "L1": cityblock}
MATRIX = {"L2": "euclidean", "L1": "cityblock"}


def curve(distance, positive, positives=None):
    """True and false positives down the ranking, from 0; and how many of both there are."""
    distance, positive = np.asarray(distance, np.float64), np.asarray(positive)
    order = np.argsort(distance, kind="mergesort")
    true = np.concatenate([[0], np.cumsum(positive[order])])
    false = np.concatenate([[0], np.cumsum(~positive[order])])
    return true, false, positives or positive.sum(), (~positive).sum()


def average_precision(distance, positive, positives=None):
    true, false, p, _ = curve(distance, positive, positives)
    recall = true / max(p, 1e-10)
    precision = np.maximum(true, 1e-10) / np.maximum(true + false, 1e-10)
    return float(np.trapezoid(precision, recall))


def roc_area(distance, positive):
    true, false, p, n = curve(distance, positive)
    return float(np.trapezoid(true / max(p, 1e-10), false / max(n, 1e-10)))


def by_name(descriptors):
    """`{sequence: {view: (points, dim)}}`, as a folder of CSV files is read."""
    sequences = {}
    for name, length in descriptors.lengths.items():
        here = descriptors.values[descriptors.start[name] :][:length]
        sequences[name] = {view: here[:, k].copy() for k, view in enumerate(VIEWS)}
    return sequences


def rows(descriptors, pairs):
    """A list of pairs as its file has it: `(s1, t1, idx1, s2, t2, idx2)`."""
    index = np.concatenate([np.arange(length) for length in descriptors.lengths.values()])
    sides = ((pairs.first, pairs.first_image), (pairs.second, pairs.second_image))
    columns = [(descriptors.sequence[r], image, index[r]) for r, image in sides]
    return list(zip(*(column.tolist() for side in columns for column in side)))


def distances(sequences, pairs, distance):
    """`{level: (pairs,)}`, one pair at a time."""
    found = {level: np.zeros(len(pairs)) for level in "eht"}
    for k, (s1, t1, idx1, s2, t2, idx2) in enumerate(pairs):
        for level in "eht":
            one = sequences[s1][f"{level}{t1}" if t1 else "ref"][idx1]
            other = sequences[s2][f"{level}{t2}" if t2 else "ref"][idx2]
            found[level][k] = PAIR[distance](one, other)
    return found


def verification(descriptors, tasks, distance="L2"):
    sequences, found = by_name(descriptors), {}
    for kind in ("positive", "intra", "inter"):
        found[kind] = distances(sequences, rows(descriptors, getattr(tasks, kind)), distance)
    result = {level: {} for level in "eht"}
    for level in "eht":
        for kind in ("intra", "inter"):
            negative, positive = found[kind][level], found["positive"][level]
            stacked = np.concatenate([negative, positive])
            labels = np.repeat([False, True], [len(negative), len(positive)])
            few = len(positive) + int(0.2 * len(positive))
            ap = average_precision(stacked[:few], labels[:few])
            result[level][kind] = {"ap": ap, "auc": roc_area(stacked, labels)}
    every = [result[level][kind]["ap"] for level in "eht" for kind in ("intra", "inter")]
    return {"mean_ap": float(np.mean(every)), **result}


def matching(descriptors, distance="L2"):
    sequences = {}
    for name, length in descriptors.lengths.items():
        here = descriptors.values[descriptors.start[name] :][:length]
        sequences[name] = {level: {} for level in "eht"}
        for level in "eht":
            for k in range(1, 6):
                apart = cdist(here[:, 0], here[:, VIEWS.index(f"{level}{k}")], MATRIX[distance])
                nearest = np.argmin(apart, axis=1)
                correct = nearest == np.arange(length)
                ap = average_precision(apart[np.arange(length), nearest], correct, length)
                sequences[name][level][str(k)] = {"ap": ap, "sr": float(correct.mean())}
    means = {}
    for level in "eht":
        means[level] = float(
            np.mean([image["ap"] for one in sequences.values() for image in one[level].values()])
        )
    return {"mean_ap": float(np.mean(list(means.values()))), **means, "sequences": sequences}


def retrieval(descriptors, tasks, distance="L2"):
    values, sequence = descriptors.values, np.asarray(descriptors.sequence)
    query = values[tasks.queries, 0]
    apart = cdist(query, values[tasks.distractors, 0], MATRIX[distance])
    total = {level: dict.fromkeys(map(str, tasks.pools), 0.0) for level in "eht"}
    for i, row in enumerate(tasks.queries):
        foreign = apart[i, sequence[tasks.distractors] != sequence[row]]
        for level in "eht":
            views = [VIEWS.index(f"{level}{k}") for k in range(1, 6)]
            near = cdist(query[i : i + 1], values[row, views], MATRIX[distance])[0]
            listed = np.concatenate([near, foreign])
            labels = np.arange(len(listed)) < 5
            for size in tasks.pools:
                total[level][str(size)] += average_precision(listed[:size], labels[:size])
    means = {
        level: {size: value / len(tasks.queries) for size, value in sums.items()}
        for level, sums in total.items()
    }
    overall = float(np.mean([list(sizes.values()) for sizes in means.values()]))
    return {"mean_ap": overall, **means}


def draw_pairs(lengths, pairs, seed=42):
    """The official drawing of verification pairs: `(anchor, intra, inter)` as (sequence, point)."""
    random, names = np.random.RandomState(seed), list(lengths)
    first = [random.choice(names) for _ in range(pairs)]
    points = [random.choice(np.arange(lengths[name]), 2, replace=False) for name in first]
    for _ in first:
        random.choice(np.arange(5), 2, replace=False)
    other = [random.choice(names) for _ in range(pairs)]
    inter = [(name, random.randint(lengths[name])) for name in other]
    anchor = [(name, a) for name, (a, _) in zip(first, points)]
    return anchor, [(name, b) for name, (_, b) in zip(first, points)], inter


def differences(reference, fast, path=""):
    """Numbers of a nested result that the fast one has differently, as sentences."""
    found = []
    for key, value in reference.items():
        if isinstance(value, dict):
            found += differences(value, fast[key], f"{path}/{key}")
        elif abs(value - fast[key]) > 1e-9 * abs(value):
            found.append(f"{path}/{key}: {fast[key]!r}, reference {value!r}")
    return found

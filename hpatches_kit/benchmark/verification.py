"""Verification: do these two patches show the same point?"""

import numpy as np

from hpatches_kit.benchmark.average_precision import (
    average_precision,
    mean_precision,
    roc_auc,
    tie_neutral_area,
)
from hpatches_kit.benchmark.bootstrap import resampled_average_precision
from hpatches_kit.benchmark.distances import check
from hpatches_kit.patches import VIEWS
from hpatches_kit.threads import side_by_side

BLOCK = 1 << 12  # pairs at a time, so that a thread's work stays in the processor's cache
BINS = 500  # of distance, for the bootstrap


def verification(descriptors, tasks, distance="L2", progress=True):
    """Score verification on every level, against negatives of the same and of any sequence.

    Returns:
        `{"mean_ap": .., "e": {"intra": {"ap": .., "auc": ..}, "inter": ..}, "h": .., "t": ..}`: `ap`
        is imbalanced (all negatives, the first fifth of the positives), `auc` balanced, `mean_ap`
        the mean of the six `ap`, the single number that the course reports. Beside it the same
        numbers under `tie_neutral` and `matlab` (see `scores.py`); `ties`, the share of pairs of a
        positive and a negative at exactly equal distance; `spread`, the mean distance between
        patches of different points over the mean length of a descriptor; and `draws`, `mean_ap`
        over resampled sequences.
    """
    check(distance)
    sequences = len(descriptors.names)
    sequence = np.repeat(np.arange(sequences), list(descriptors.lengths.values()))
    apart = _distances(descriptors.values, tasks, distance, progress)

    def one_set(item):
        level, kind = item
        negative, positive = apart[level][kind], apart[level]["positive"]
        few = _imbalanced(negative, positive)
        of_pair = (getattr(tasks, kind).first, tasks.positive.first)
        of_few = (sequence[first[: len(some)]] for first, some in zip(of_pair, few))
        return *_scores(negative, positive), _resampled(*few, *of_few, sequences)

    work = [(level, kind) for level in "eht" for kind in ("intra", "inter")]
    scored = dict(zip(work, side_by_side(one_set, work, "Ranking", progress)))

    def variant(number):
        numbers = {item: scores[number] for item, scores in scored.items()}
        return {
            "mean_ap": float(np.mean([one["ap"] for one in numbers.values()])),
            **{level: {k: numbers[level, k] for k in ("intra", "inter")} for level in "eht"},
        }

    length = np.linalg.norm(descriptors.values[:, 0].astype(np.float64), axis=1).mean()
    strangers = np.mean([apart[level]["inter"].mean(dtype=np.float64) for level in "eht"])
    return {
        **variant(0),
        "tie_neutral": variant(1),
        "matlab": variant(2),
        "ties": float(np.mean([scores[3] for scores in scored.values()])),
        "spread": float(strangers / max(length, 1e-30)),
        "draws": np.mean([scores[4] for scores in scored.values()], axis=0),
    }


def _distances(values, tasks, distance, progress):
    """`{"e": {"positive": float32 (pairs,), "intra": .., "inter": ..}, "h": .., "t": ..}`."""
    flat = values.reshape(-1, values.shape[2])
    lists = {kind: getattr(tasks, kind) for kind in ("positive", "intra", "inter")}
    result, work = {}, []
    for level in "eht":
        columns = np.array([0, *(VIEWS.index(f"{level}{k}") for k in range(1, 6))])
        result[level] = {kind: np.empty(len(pairs), np.float32) for kind, pairs in lists.items()}
        longest = max(len(pairs) for pairs in lists.values())
        work += [(level, columns, start) for start in range(0, longest, BLOCK)]

    def one_block(item):
        level, columns, start = item
        block, first, of = slice(start, start + BLOCK), None, None
        for kind, pairs in lists.items():
            if of is None or not pairs.same_first(of):  # most lists share their first patches
                rows = pairs.first[block] * len(VIEWS) + columns[pairs.first_image[block]]
                first, of = flat[rows], pairs
            rows = pairs.second[block] * len(VIEWS) + columns[pairs.second_image[block]]
            result[level][kind][block] = pair_distances(first, flat[rows], distance)

    side_by_side(one_block, work, "Verification", progress)
    return result


def pair_distances(one, other, distance="L2"):
    """Distances of pairs of descriptors `(pairs, dim)`, `float32 (pairs,)`.

    As the official code has them: differences in single precision, summed in double (L2) or single
    (L1) precision, the result rounded to single. This rounding makes the ties that the official
    numbers contain.
    """
    difference = one - other
    if distance == "L1":
        return np.abs(difference).sum(axis=1)
    difference = difference.astype(np.float64)
    return np.sqrt(np.vecdot(difference, difference)).astype(np.float32)


def _imbalanced(negative, positive):
    """The official selection: negatives, then positives, and of both the first 1.2 times positives."""
    taken = len(positive) + int(0.2 * len(positive))
    negative = negative[:taken]
    return negative, positive[: taken - len(negative)]


def _scores(negative, positive):
    """Official, tie-neutral and MATLAB numbers of one set of negatives, and the share of ties."""
    few_negative, few_positive = _imbalanced(negative, positive)
    closer, tied, groups = _counts(np.sort(few_negative), np.sort(few_positive))
    neutral_ap = tie_neutral_area(*groups).sum() / len(few_positive)
    official = {"ap": average_precision(closer + tied)}  # at equal distance the negative is first
    matlab = {"ap": mean_precision(closer + tied)}
    closer, tied, _ = _counts(np.sort(negative), np.sort(positive))
    official["auc"] = roc_auc(closer + tied, len(negative))
    neutral = {"ap": neutral_ap, "auc": roc_auc(closer + tied / 2, len(negative))}
    numbers = [{k: float(v) for k, v in one.items()} for one in (official, neutral, matlab)]
    return *numbers, tied.mean() / len(negative)


def _counts(negative, positive):
    """Of sorted distances: negatives closer than each positive, and tied with it; tied groups."""
    closer = np.searchsorted(negative, positive, "left")
    tied = np.searchsorted(negative, positive, "right") - closer
    start = np.flatnonzero(np.diff(positive, prepend=-1))  # of each group of equal positives
    many = np.diff(start, append=len(positive))
    return closer, tied, (start, start + closer[start], many, many + tied[start])


def _resampled(negative, positive, negative_sequence, positive_sequence, sequences):
    """Average precision over resampled sequences, with distances rounded to bins."""
    pooled = np.sort(np.concatenate([negative, positive]))
    edges = np.unique(pooled[np.linspace(0, len(pooled) - 1, BINS).astype(int)])
    table = []
    for apart, sequence in ((positive, positive_sequence), (negative, negative_sequence)):
        place = sequence * len(edges) + np.searchsorted(edges, apart)
        table.append(np.bincount(place, minlength=sequences * len(edges)))
    return resampled_average_precision(*(t.reshape(sequences, -1) for t in table))

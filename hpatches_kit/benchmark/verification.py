"""Verification: do two patches show the same point?"""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.bootstrap import resampled_average_precision, sequence_numbers
from hpatches_kit.benchmark.exact_distances import (
    check,
    pair_distances,
    pair_distances_l1,
    squared_pair_distances,
)
from hpatches_kit.benchmark.precision_recall import roc_auc, tie_neutral_area
from hpatches_kit.benchmark.protocols import PYTHON
from hpatches_kit.patches.views import VIEWS

BLOCK = 1 << 14  # pairs that a thread computes at a time
BINS, EVERY = 150, 5  # the bootstrap bins distances, and uses every fifth pair of long lists


def verification(descriptors, tasks, distance="L2", progress=True, protocol=PYTHON):
    """Score verification at every level, with negatives of the same and of any sequence.

    Returns `{"mean_ap": .., "e": {"intra": {"ap": .., "auc": ..}, "inter": ..}, "h": .., "t": ..}`.
    `ap` is imbalanced (all negatives, the first fifth of the positives), `auc` is balanced, and
    `mean_ap` is the mean of the six `ap`. A protocol may add `balanced_ap`. Also:

    - `tie_neutral`: the same numbers in another variant, see `Scores`;
    - `ties`: fraction of all combinations of a positive and a negative that have equal distances;
    - `spread`: mean distance of the inter negatives, divided by the mean norm of a descriptor;
    - `draws`: `mean_ap` over resampled sequences, see `bootstrap.py`.

    Raises UserError when there are no pairs, when there are too few positive pairs for the negative
    ones, for an unknown distance, and for squared L1 distances.
    """
    check(distance, protocol.squared_distances)
    if not min(len(tasks.positive), len(tasks.intra), len(tasks.inter)):
        raise UserError("Verification has no pairs: it needs positive, intra and inter pairs.")
    sequence_count = len(descriptors.names)
    sequence = sequence_numbers(descriptors)
    squared = protocol.squared_distances
    distances = verification_distances(descriptors, tasks, distance, progress, squared)

    jobs = [(level, kind) for level in "eht" for kind in ("intra", "inter")]
    selections, unsorted = {}, {}
    for level, kind in jobs:
        balanced = distances[level][kind], distances[level]["positive"]
        selections[level, kind] = balanced, select_imbalanced(*balanced, protocol)
        for selection in selections[level, kind]:
            for name, part in zip((kind, "positive"), selection):
                unsorted[level, name, len(part)] = part  # both kinds share the sorted positives
    in_order = parallel_map(sort_distances, unsorted.values(), "Sorting", progress)
    ranked = dict(zip(unsorted, in_order))

    def score(job):
        level, kind = job
        names = (kind, "positive")
        ranked_balanced, ranked_imbalanced = (
            [ranked[level, name, len(part)] for name, part in zip(names, selection)]
            for selection in selections[job]
        )
        selected = selections[job][1]
        first_rows = [getattr(tasks, name).first for name in names]
        sequences = [sequence[rows[: len(part)]] for rows, part in zip(first_rows, selected)]
        scores = _scores(ranked_balanced, ranked_imbalanced, protocol)
        official_ap = scores["official"]["ap"]
        draws = _resampled(selected, sequences, ranked_imbalanced, sequence_count, official_ap)
        return {**scores, "draws": draws}

    results = dict(zip(jobs, parallel_map(score, jobs, "Ranking", progress)))

    def variant(name):
        levels = {
            level: {kind: results[level, kind][name] for kind in ("intra", "inter")}
            for level in "eht"
        }
        mean_ap = float(np.mean([result[name]["ap"] for result in results.values()]))
        return {"mean_ap": mean_ap, **levels}

    norm = np.linalg.norm(descriptors.values[:, 0], axis=1).mean(dtype=np.float64)
    inter = [distances[level]["inter"] for level in "eht"]
    inter = [np.sqrt(part) if squared else part for part in inter]
    inter = np.mean([part.mean(dtype=np.float64) for part in inter])
    return {
        **variant("official"),
        "tie_neutral": variant("tie_neutral"),
        "ties": float(np.mean([result["ties"] for result in results.values()])),
        "spread": float(inter / max(norm, 1e-30)),
        "draws": np.mean([result["draws"] for result in results.values()], axis=0),
    }


def verification_distances(descriptors, tasks, distance="L2", progress=True, squared=False):
    """Distances of all pairs: what verification ranks.

    `squared`: squared L2 distances in single precision, as in the MATLAB evaluator.

    Returns `{"e": {"positive": float32 (pairs,), "intra": .., "inter": ..}, "h": .., "t": ..}`, in
    the order of the task lists. Raises UserError for an unknown distance, and for squared L1.
    """
    check(distance, squared)
    measure = {"L2": pair_distances, "L1": pair_distances_l1}[distance]
    measure = squared_pair_distances if squared else measure
    lists = {kind: getattr(tasks, kind) for kind in ("positive", "intra", "inter")}
    # Pairs are sorted by their first point, so that its descriptors stay in the CPU cache. Numbers of
    # 16 bits, if they suffice, are sorted five times as fast.
    number = np.min_scalar_type(len(descriptors))
    orders = {}
    for kind, pairs in lists.items():  # usually all three lists share their first patches
        order = next((orders[other] for other in orders if lists[other].first is pairs.first), None)
        if order is None:
            order = np.argsort(pairs.first.astype(number), kind="stable")
        orders[kind] = order
    fields = {
        kind: [field[orders[kind]] for field in vars(pairs).values()]
        for kind, pairs in lists.items()
    }
    result = {
        level: {kind: np.empty(len(order), np.float32) for kind, order in orders.items()}
        for level in "eht"
    }

    def compute_block(job):
        level, block = job
        columns = np.array([0, *(VIEWS.index(f"{level}{k}") for k in range(1, 6))])
        for kind in lists:
            first, first_image, second, second_image = (field[block] for field in fields[kind])
            pairs = first, columns[first_image], second, columns[second_image]
            measure(descriptors.values, *pairs, orders[kind][block], result[level][kind])

    starts = range(0, max(map(len, orders.values())), BLOCK)
    jobs = [(level, slice(start, start + BLOCK)) for level in "eht" for start in starts]
    parallel_map(compute_block, jobs, "Verification", progress)
    return result


def select_imbalanced(negative, positive, protocol):
    """All negatives, and the positives that the imbalanced AP takes: a fifth as many.

    The Python evaluator stacks negatives and positives, and takes the first 1.2 times the number of
    positives. The MATLAB evaluator counts the negatives, which is the same for equal numbers.
    Raises UserError when that leaves no positives, or needs more than there are.
    """
    if protocol.imbalance_by_negatives:
        taken = int(0.2 * len(negative))
    else:
        taken = len(positive) + int(0.2 * len(positive)) - len(negative)
    if taken < 1 or protocol.imbalance_by_negatives and taken > len(positive):
        raise UserError(
            f"{len(negative)} negative and {len(positive)} positive pairs: expected equal numbers,"
            " 5 or more."
        )
    return negative, positive[:taken]


def _scores(balanced, imbalanced, protocol):
    """Official and tie-neutral numbers, and the fraction of ties, from sorted distances.

    `balanced` and `imbalanced` each have two arrays, of the negatives and of the positives.
    """
    counts, negatives = _counts(*balanced), len(balanced[0])
    closer, tied, _ = counts
    auc = roc_auc(_before(closer, tied, protocol), negatives)
    numbers = {
        "ap": _average_precisions(*_counts(*imbalanced), protocol),
        "auc": (auc, roc_auc(closer + tied / 2, negatives)),
    }
    if protocol.balanced_ap:
        numbers["balanced_ap"] = _average_precisions(*counts, protocol)
    official, tie_neutral = (
        {name: float(pair[k]) for name, pair in numbers.items()} for k in (0, 1)
    )
    return {"official": official, "tie_neutral": tie_neutral, "ties": tied.mean() / negatives}


def _before(closer, tied, protocol):
    """How many negatives rank before each positive, by the rule for equal distances."""
    return closer if protocol.positives_first else closer + tied


def _average_precisions(closer, tied, groups, protocol):
    """Official and tie-neutral AP, from the results of `_counts`."""
    neutral = tie_neutral_area(*groups, trapezoid=not protocol.precision_at_positives)
    return protocol.precision(_before(closer, tied, protocol)), neutral.sum() / len(closer)


def _counts(negative, positive):
    """Count, in sorted distances, the negatives closer than each positive, and those tied with it.

    Returns both, and the arguments of `tie_neutral_area` for each group of ties.
    """
    closer, tied = np.empty((2, len(positive)), np.int64)
    _merge(negative, positive, closer, tied)
    start = np.flatnonzero(np.diff(positive, prepend=-1))  # of each group of equal positives
    size = np.diff(start, append=len(positive))
    return closer, tied, (start, start + closer[start], size, size + tied[start])


def sort_distances(distances):
    """Sort non-negative float32 numbers by 11 bits at a time, five times faster than `np.sort`."""
    bits = distances.view(np.uint32)  # these integers have the same order as the numbers
    for shift in (0, 11, 22):
        unsorted, bits = bits, np.empty_like(bits)
        _sort_by_digit(unsorted, np.uint32(shift), np.zeros(2049, np.int64), bits)
    return bits.view(np.float32)


@compiled()
def _sort_by_digit(unsorted, shift, target, result):
    """Sort integers by 11 of their bits; equal ones keep their order. `target`: 2049 zeros."""
    digit = np.uint32(2047)
    for value in unsorted:
        target[(value >> shift & digit) + 1] += 1
    for k in range(1, len(target)):
        target[k] += target[k - 1]  # where the next number with each digit goes
    for value in unsorted:
        result[target[value >> shift & digit]] = value
        target[value >> shift & digit] += 1


@compiled()
def _merge(negative, positive, closer, tied):
    """Fill `closer` and `tied` from two sorted arrays."""
    start, stop = 0, 0  # of the negatives that are tied with the positive
    for i in range(len(positive)):
        while start < len(negative) and negative[start] < positive[i]:
            start += 1
        stop = start if stop < start else stop
        while stop < len(negative) and negative[stop] == positive[i]:
            stop += 1
        closer[i], tied[i] = start, stop - start


def _resampled(distances, sequences, ranked, sequence_count, official):
    """Average precision over resampled sequences, from binned distances.

    `distances`, their `sequences`, and the same distances `ranked` each have two arrays, for the
    negatives and for the positives; `official` is the average precision of the ranking itself.
    """
    edges = [part[np.linspace(0, len(part) - 1, BINS).astype(int)] for part in ranked]
    edges, counts = np.unique(np.concatenate(edges)), []
    used = slice(None, None, EVERY if len(distances[1]) > 10_000 else 1)
    for values, sequence in zip(distances, sequences):
        cell = sequence[used] * (len(edges) + 1) + np.searchsorted(edges, values[used])
        count = np.bincount(cell, minlength=sequence_count * (len(edges) + 1))
        counts.append(count.reshape(sequence_count, -1))
    negative, positive = counts
    return resampled_average_precision(positive, negative, official)

"""Task lists: the pairs of verification, and the queries and distractors of retrieval.

`draw_tasks` follows the official sampling rule for any patch set; small sets get shorter lists. The
constants below are the lengths of the lists and the sizes of the pools.
"""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from hpatches_kit._support.array_files import read_npz
from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.deadline import time_check
from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.legacy_shuffle import first_two

# The lengths of the published lists, the maximum for other sets.
PAIRS, QUERIES, DISTRACTORS = 1_000_000, 10_000, 20_000
PAIRS_PER_POINT = 25  # gives 1,000,000 for the smallest of the published splits, 49,101 points
POOLS = (100, 500, 1_000, 5_000, 10_000, 15_000, 20_000)
MOST_OF_ONE_PLACE = 0.9  # of the draws
CACHE_VERSION = 2  # of cached lists; raise it when the rule or the layout changes
PART = 20_000  # pairs between two looks at the time limit
SLOW = 100_000  # lists of this length or more are cached, because drawing them takes seconds


@dataclass
class PairList:
    """Pairs of patches: rows of points, and images, `(pairs,)` each.

    Image 0 is `ref`; images 1 to 5 are views 1 to 5 of the level that is scored.
    """

    first: np.ndarray
    first_image: np.ndarray
    second: np.ndarray
    second_image: np.ndarray

    def __len__(self):
        return len(self.first)


@dataclass
class Tasks:
    """Pairs, queries and distractors, as rows of one set of points.

    Attributes:
        positive, intra, inter: `PairList` of one point, of two points of one sequence, and of
            points of any two sequences.
        queries, distractors: rows whose `ref` patch is a query or a distractor, in order.
        pools: sizes of the retrieval pools, including the five positives.
        provenance: how the lists were made.
        points: number of points in the set.
    """

    positive: PairList
    intra: PairList
    inter: PairList
    queries: np.ndarray
    distractors: np.ndarray
    pools: tuple
    provenance: str
    points: int

    def save(self, folder, split, lengths):
        """Write the lists as CSV files with the names and the layout of the official ones.

        Lists drawn for HPatches equal the published files byte by byte. Empty lists are omitted.

        Args:
            folder: created if missing.
            split: the last part of the file names.
            lengths: `{sequence: points}`, in the order in which the tasks were drawn.
        """
        from hpatches_kit.benchmark.task_files import save_tasks

        save_tasks(self, folder, split, lengths)


def draw_tasks(points, pairs=None, queries=None, distractors=None, seed=42):
    """Draw task lists for a set of points by the official rule.

        tasks = hk.benchmark.draw_tasks(test)  # the same lists for all descriptors of `test`

    Args:
        points: `Descriptors`, a `PatchSet`, or `{sequence: points}`. The order of the sequences
            matters; the published lists use the order of the split.
        pairs: number of verification pairs; default: 25 per point, at most 1,000,000.
        queries: number of queries; default: a third of the points, at most 10,000.
        distractors: number of distractors; default: twice the queries, at most 20,000.
        seed: of NumPy's legacy random generator; the official lists use 42.

    Flat reference patches, as far as `points` names them, are neither queries nor distractors.

    There are three exceptions from the official rule, none of which occurs in HPatches: an inter
    negative that shows the same place as the first patch is drawn again; sequences with a single
    point have no pairs; without distractors from other sequences there are no queries.

    Lists with 100,000 pairs or more are cached in the data folder. Raises UserError when there are
    no points, or fewer than 5 pairs.
    """
    lengths = points if isinstance(points, dict) else points.lengths
    lengths = {name: int(length) for name, length in lengths.items()}
    total = sum(lengths.values())
    label = np.arange(total) if isinstance(points, dict) else points.label
    flat = np.zeros(total, bool) if isinstance(points, dict) else points.flat
    pairs = int(min(PAIRS, PAIRS_PER_POINT * total) if pairs is None else pairs)
    queries = int(min(QUERIES, max(total // 3, 1)) if queries is None else queries)
    distractors = int(min(DISTRACTORS, 2 * queries) if distractors is None else distractors)
    if min(lengths.values(), default=0) < 1:
        raise UserError(f"The sequences have {lengths} points: expected one or more in each.")
    if pairs < 5:
        raise UserError(f"{pairs} pairs: expected 5 or more, because a fifth of them is used.")
    count = np.array(list(lengths.values()))
    if not (count > 1).any():
        pairs = 0  # intra negatives need two points of one sequence
    start = np.cumsum(count) - count
    if pairs:
        _check_places(label, count)

    def draw_pairs():
        return _pairs(start, count, label, pairs, seed)

    key = [CACHE_VERSION, list(lengths.items()), pairs, int(seed)]
    first, intra, inter, first_image, second_image = (
        _cached(key, label, draw_pairs) if pairs >= SLOW else draw_pairs()
    )
    query_rows, distractor_rows = _retrieval(start, count, label, flat, queries, distractors, seed)
    provenance = (
        f"official sampling rule, seed {seed}: {pairs:,} pairs, {len(query_rows):,} queries,"
        f" {len(distractor_rows):,} distractors from {total:,} points"
    )
    largest = 5 + len(distractor_rows)  # five positives and all distractors
    pools = (*(k for k in POOLS if k < largest), *([largest] if largest < POOLS[-1] else []))
    pair_lists = (
        PairList(first, first_image, second, second_image) for second in (first, intra, inter)
    )
    return Tasks(*pair_lists, query_rows, distractor_rows, pools, provenance, total)


def _check_places(label, count):
    """Raise UserError if nearly all draws show one place: inter negatives would be drawn for hours."""
    chance = np.repeat(1 / (len(count) * count), count)  # of each point, in a draw
    labels, group = np.unique(label, return_inverse=True)
    share = np.bincount(group, chance)
    if len(label) > 1 and share.max() > MOST_OF_ONE_PLACE:
        place = labels[share.argmax()]
        raise UserError(
            f"{np.count_nonzero(label == place)} of {len(label)} points show the place {place}:"
            " expected different places, of which pairs can be drawn."
        )


def _pairs(start, count, label, pairs, seed):
    """Rows of the first, the intra and the inter patches, and both images, `(pairs,)` each."""
    if not pairs:
        return [np.array([], np.int32)] * 5
    rng = np.random.RandomState(seed)
    with_pairs = np.flatnonzero(count > 1)
    sequence = with_pairs[rng.choice(len(with_pairs), pairs)]
    points, check_time = [], time_check()
    for part in range(0, pairs, PART):
        check_time()
        points.append(first_two(rng, count[sequence[part : part + PART]]))
    images = _two_of_five(rng, pairs)
    first, intra = (start[sequence, None] + np.concatenate(points)).T
    inter = _draw_rows(rng, start, count, pairs)
    while len(same_place := np.flatnonzero((label[first] == label[inter]) & (first != inter))):
        inter[same_place] = _draw_rows(rng, start, count, len(same_place))
    return [rows.astype(np.int32) for rows in (first, intra, inter)] + list(images.T)


def _retrieval(start, count, label, flat, queries, distractors, seed):
    """Rows of queries and of distractors; no queries if none has distractors."""
    rng = np.random.RandomState(seed)
    query_rows = _draw_rows(rng, start, count, 4 * queries)
    distractor_rows = _draw_rows(rng, start, count, 10 * distractors)
    query_rows = _unique_in_order(query_rows[~flat[query_rows]])[:queries]
    distractor_rows = _unique_in_order(distractor_rows[~flat[distractor_rows]])
    distractor_rows = distractor_rows[~np.isin(distractor_rows, query_rows)][:distractors]
    sequence = np.repeat(np.arange(len(count)), count)
    sources = np.unique(sequence[distractor_rows])
    if not len(sources):
        query_rows = distractor_rows
    elif len(sources) == 1:  # queries of this sequence have no distractors from other sequences
        query_rows = query_rows[~np.isin(sequence[query_rows], sources)]
    return query_rows, distractor_rows if len(query_rows) else query_rows


def _two_of_five(rng, pairs):
    """The first two entries of a shuffle of 0..4, for all pairs at once, `int8 (pairs, 2)`."""
    swaps = rng.randint(0, np.tile([5, 4, 3, 2], pairs)).reshape(pairs, 4)
    images, rows = np.tile(np.arange(5, dtype=np.int8), (pairs, 1)), np.arange(pairs)
    for i, j in zip((4, 3, 2, 1), swaps.T):
        images[rows, j], images[rows, i] = images[rows, i], images[rows, j]
    return images[:, :2]


def _draw_rows(rng, start, count, draws):
    """Draw rows: first a sequence, then one of its points, each with equal probability."""
    sequence = rng.choice(len(count), draws)
    return start[sequence] + rng.randint(0, count[sequence])


def _unique_in_order(rows):
    return rows[np.sort(np.unique(rows, return_index=True)[1])]


def _cached(key, label, draw):
    """The arrays that `draw` returns, from the data folder if they were drawn before."""
    key = json.dumps([*key, hashlib.sha256(np.ascontiguousarray(label)).hexdigest()])
    names = ("first", "intra", "inter", "first_image", "second_image")
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    try:
        stored = read_npz(data_folder() / "tasks" / name, "a file of task lists", links=False)
        arrays = [stored[field] for field in names]
        if str(stored["key"]) == key and len({array.shape for array in arrays}) == 1:
            return arrays
    except (OSError, KeyError, UserError, RuntimeError):
        pass  # missing or damaged: the lists are drawn again
    arrays = draw()
    try:
        with atomic_file(data_folder() / "tasks" / name) as partial:
            np.savez(partial, key=key, **dict(zip(names, arrays)))
    except (OSError, UserError, RuntimeError):
        pass  # a data folder that cannot be written costs time, not results
    return arrays

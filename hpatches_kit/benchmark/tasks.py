"""Task lists: which pairs are verified, what is queried among which distractors.

The official sampling rule, for any data set, at sizes that fit it.
"""

import json
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np

from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.legacy_shuffle import first_two

# What the published lists hold; of a smaller data set, a share.
PAIRS, QUERIES, DISTRACTORS = 1_000_000, 10_000, 20_000
PAIRS_A_POINT = 25  # all 1,000,000 for the smallest of the published splits, 49,101 points
POOLS = (100, 500, 1_000, 5_000, 10_000, 15_000, 20_000)
LAYOUT = 1  # of kept lists; another number for another rule or another layout
SLOW = 100_000  # pairs from which drawing takes its time, and what is drawn is kept


@dataclass
class PairList:
    """Pairs of patches, each `(pairs,)`: rows of a set of points, and images.

    Image 0 is `ref`; 1 to 5 are the images of the level in question.
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
        positive: `PairList` of two patches of one point.
        intra: of patches of two points of one sequence.
        inter: of patches from any two sequences.
        queries: `(queries,)` rows whose `ref` patch is searched for.
        distractors: `(distractors,)` rows whose `ref` patch is a distractor, in order.
        pools: sizes of the retrieval pools, positives included.
        provenance: how the lists were made.
        points: how many points there are.
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
        """Write the lists as CSV files, named and laid out like the official ones; empty lists are not written.

        Lists drawn by the official rule come out byte for byte as published.

        Args:
            folder: created if missing.
            split: the last part of the file names.
            lengths: `{sequence: points}`, in the order in which the tasks were drawn.
        """
        from hpatches_kit.benchmark.task_files import save_tasks

        save_tasks(self, folder, split, lengths)


def draw_tasks(points, pairs=None, queries=None, distractors=None, seed=42):
    """Draw task lists for a set of points by the official rule.

    Args:
        points: `Descriptors`, a `PatchSet`, or `{sequence: points}`. The sequences, in this order,
            are the test set; for the published lists, in the order of the split.
        pairs: verification pairs; default: 25 a point, at most 1,000,000.
        queries: default: a third of the points, at most 10,000.
        distractors: default: twice as many as queries, at most 20,000.
        seed: of NumPy's legacy generator; the official lists have 42.

    Long lists are kept in the data folder and opened from there the next time.

    Three things are needed where the official rule knows only HPatches: a second patch that shows
    the same place in another sequence is drawn again, no pair is drawn from a sequence with a
    single point, and nothing is queried that has no distractors of other sequences. In HPatches
    none of it happens. Flat reference patches are neither queries nor distractors; without patches,
    none is known.

    Raises UserError when there is nothing to draw from.
    """
    lengths = points if isinstance(points, dict) else points.lengths
    lengths = {name: int(length) for name, length in lengths.items()}
    total = sum(lengths.values())
    label = np.arange(total) if isinstance(points, dict) else points.label
    flat = np.zeros(total, bool) if isinstance(points, dict) else points.flat
    pairs = int(min(PAIRS, PAIRS_A_POINT * total) if pairs is None else pairs)
    queries = int(min(QUERIES, max(total // 3, 1)) if queries is None else queries)
    distractors = int(min(DISTRACTORS, 2 * queries) if distractors is None else distractors)
    if min(lengths.values(), default=0) < 1:
        raise UserError(f"Sequences of {lengths} points: expected one or more in each.")
    if pairs < 5:
        raise UserError(f"{pairs} pairs: expected 5 or more, a fifth of them is used.")
    count = np.array(list(lengths.values()))
    if not (count > 1).any():
        pairs = 0  # a pair is of two points of a sequence
    start = np.cumsum(count) - count

    def draw_pairs():
        return _pairs(start, count, label, pairs, seed)

    asked = [LAYOUT, list(lengths.items()), pairs, int(seed)]
    lists = _kept(asked, label, draw_pairs) if pairs >= SLOW else draw_pairs()
    anchor, intra, inter, image, other_image = lists
    query_rows, distractor_rows = _retrieval(start, count, label, flat, queries, distractors, seed)
    provenance = (
        f"official sampling rule, seed {seed}: {pairs:,} pairs, {len(query_rows):,} queries,"
        f" {len(distractor_rows):,} distractors from {total:,} points"
    )
    whole = 5 + len(distractor_rows)  # five positives and all distractors
    pools = (*(k for k in POOLS if k < whole), *([whole] if whole < POOLS[-1] else []))
    seconds = (PairList(anchor, image, rows, other_image) for rows in (anchor, intra, inter))
    return Tasks(*seconds, query_rows, distractor_rows, pools, provenance, total)


def _pairs(start, count, label, pairs, seed):
    """Rows of anchor, intra and inter patches, and the two images, `(pairs,)` each."""
    if not pairs:
        return [np.array([], np.int32)] * 5
    rng = np.random.RandomState(seed)
    able = np.flatnonzero(count > 1)
    sequence = able[rng.choice(len(able), pairs)]
    two = first_two(rng, count[sequence])
    images = _two_of_five(rng, pairs)
    anchor, intra = (start[sequence, None] + two).T
    inter = _draw(rng, start, count, pairs)
    while len(again := np.flatnonzero((label[anchor] == label[inter]) & (anchor != inter))):
        inter[again] = _draw(rng, start, count, len(again))
    return [rows.astype(np.int32) for rows in (anchor, intra, inter)] + list(images.T)


def _retrieval(start, count, label, flat, queries, distractors, seed):
    """Rows of queries and of distractors; none where no query has distractors."""
    rng = np.random.RandomState(seed)
    query_rows = _draw(rng, start, count, 4 * queries)
    distractor_rows = _draw(rng, start, count, 10 * distractors)
    query_rows = _first_of_each(query_rows[~flat[query_rows]])[:queries]
    distractor_rows = _first_of_each(distractor_rows[~flat[distractor_rows]])
    distractor_rows = distractor_rows[~np.isin(distractor_rows, query_rows)][:distractors]
    sequence = np.repeat(np.arange(len(count)), count)
    others = np.unique(sequence[distractor_rows])
    if len(others) < 2:  # a query of the only sequence that has distractors has none
        query_rows = query_rows[~np.isin(sequence[query_rows], others)] if len(others) else others
    return query_rows, distractor_rows if len(query_rows) else query_rows


def _two_of_five(rng, pairs):
    """The first two of a shuffle of 0..4, for every pair at once, `int8 (pairs, 2)`."""
    swaps = rng.randint(0, np.tile([5, 4, 3, 2], pairs)).reshape(pairs, 4)
    images, every = np.tile(np.arange(5, dtype=np.int8), (pairs, 1)), np.arange(pairs)
    for i, j in zip((4, 3, 2, 1), swaps.T):
        images[every, j], images[every, i] = images[every, i], images[every, j]
    return images[:, :2]


def _draw(rng, start, count, draws):
    """Rows: a sequence first, then a point of it, each with equal chances."""
    sequence = rng.choice(len(count), draws)
    return start[sequence] + rng.randint(0, count[sequence])


def _first_of_each(rows):
    return rows[np.sort(np.unique(rows, return_index=True)[1])]


def _kept(asked, label, draw):
    """The arrays that `draw` returns; from the data folder when they were drawn before."""
    asked = json.dumps([*asked, zlib.crc32(np.ascontiguousarray(label))])
    names, name = ("anchor", "intra", "inter", "image", "other"), zlib.crc32(asked.encode())
    try:
        with np.load(data_folder() / "tasks" / f"{name:08x}.npz", allow_pickle=False) as stored:
            kept = [stored[field] for field in names]
            if str(stored["asked"]) == asked and len({array.shape for array in kept}) == 1:
                return kept
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile):
        pass  # not there, or damaged: drawn again
    drawn = draw()
    try:
        with atomic_file(data_folder() / "tasks" / f"{name:08x}.npz") as partial:
            np.savez(partial, asked=asked, **dict(zip(names, drawn)))
    except (OSError, RuntimeError):
        pass  # a data folder that cannot be written costs time, not results
    return drawn

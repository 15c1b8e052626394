"""Task lists: which pairs are verified, what is queried among which distractors.

The official sampling rule, for any data set, at sizes that fit it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# What the published lists hold; of a smaller data set, a share.
PAIRS, QUERIES, DISTRACTORS = 1_000_000, 10_000, 20_000
POOLS = (100, 500, 1_000, 5_000, 10_000, 15_000, 20_000)


@dataclass
class Tasks:
    """Pairs, queries and distractors, as rows of one set of `Descriptors`.

    Attributes:
        anchor: `(pairs,)` rows of the first patch of each pair.
        anchor_image, other_image: `(pairs,)` image of the first and second patch, 0 is `ref`,
            1 to 4 the image of the level in question.
        positive: `(pairs,)` rows of the matching second patch: the same point.
        intra: `(pairs,)` rows of a second patch from the same sequence that does not match.
        inter: `(pairs,)` rows of a second patch from any sequence.
        queries: `(queries,)` rows whose `ref` patch is searched for.
        distractors: `(distractors,)` rows whose `ref` patch is a distractor, in order.
        pools: sizes of the retrieval pools, positives included.
        about: how the lists came to be.
        points: how many points the descriptors have.
    """

    anchor: np.ndarray
    anchor_image: np.ndarray
    other_image: np.ndarray
    positive: np.ndarray
    intra: np.ndarray
    inter: np.ndarray
    queries: np.ndarray
    distractors: np.ndarray
    pools: tuple
    about: str
    points: int


def generate(descriptors, pairs=None, queries=None, distractors=None, seed=42):
    """Draw task lists for a set of descriptors by the official rule.

    Args:
        descriptors: their sequences, in order, are the test set.
        pairs: verification pairs; default: 20 a point, at most 1,000,000.
        queries: default: a third of the points, at most 10,000.
        distractors: default: twice as many as queries, at most 20,000.
        seed: of NumPy's legacy generator; the official lists have 42.

    Two things are needed where the official rule knows nothing of shared places: a second patch
    that shows the same place in another sequence is drawn again, and a query's own place is no
    distractor. In data without shared places, such as HPatches, neither ever happens.
    """
    points = len(descriptors)
    pairs = pairs or min(PAIRS, 20 * points)
    queries = queries or min(QUERIES, max(points // 3, 1))
    distractors = distractors or min(DISTRACTORS, 2 * queries)
    if pairs < 5:
        raise ValueError(f"{pairs} pairs: expected 5 or more, a fifth of them is used.")
    short = [name for name, length in descriptors.lengths.items() if length < 2]
    if short:
        raise ValueError(f"Sequence {short[0]!r} has one point: pairs need two or more.")
    rng = np.random.RandomState(seed)
    start = np.array([descriptors.start[name] for name in descriptors.names])
    length = np.array([descriptors.lengths[name] for name in descriptors.names])

    sequence = rng.choice(len(length), pairs)
    two = np.array([rng.permutation(n)[:2] for n in length[sequence]])
    images = np.array([rng.permutation(5)[:2] for _ in range(pairs)])
    anchor, intra = (start[sequence, None] + two).T
    inter = _draw(rng, start, length, pairs)
    label = descriptors.label
    while len(again := np.flatnonzero((label[anchor] == label[inter]) & (anchor != inter))):
        inter[again] = _draw(rng, start, length, len(again))

    rng = np.random.RandomState(seed)
    query_rows = _draw(rng, start, length, 4 * queries)
    distractor_rows = _draw(rng, start, length, 10 * distractors)
    query_rows = _first_of_each(query_rows[~descriptors.flat[query_rows]])[:queries]
    distractor_rows = _first_of_each(distractor_rows[~descriptors.flat[distractor_rows]])
    distractor_rows = distractor_rows[~np.isin(distractor_rows, query_rows)][:distractors]
    if not len(query_rows) or not len(distractor_rows):
        raise ValueError(f"{points} points are too few for queries and distractors.")
    about = (
        f"official sampling rule, seed {seed}: {pairs:,} pairs, {len(query_rows):,} queries,"
        f" {len(distractor_rows):,} distractors from {points:,} points"
    )
    whole = 5 + len(distractor_rows)  # five positives and all distractors
    pools = (*(k for k in POOLS if k < whole), *([whole] if whole < POOLS[-1] else []))
    return Tasks(
        anchor, *images.T, anchor, intra, inter, query_rows, distractor_rows, pools, about, points
    )


def read(folder, split, descriptors):
    """Read the official lists of a split: `verif_pos_split-a.csv` and so on.

    Raises FileNotFoundError for a missing list, ValueError for a sequence or row that the
    descriptors do not have.
    """
    lists = {}
    for task in (
        "verif_pos",
        "verif_neg_intra",
        "verif_neg_inter",
        "retr_queries",
        "retr_distractors",
    ):
        file = Path(folder) / f"{task}_split-{split}.csv"
        if not file.exists():
            raise FileNotFoundError(f"{file} is missing.")
        columns = np.loadtxt(file, str, delimiter=",", skiprows=1, ndmin=2).T
        lists[task] = [
            column if k in (0, 3) else column.astype(int) for k, column in enumerate(columns)
        ]
    s1, t1, index, s2, t2, other = lists["verif_pos"]
    anchor = descriptors.rows(s1, index)
    second = {
        k: descriptors.rows(*(lists[f"verif_{k}"][i] for i in (3, 5)))
        for k in ("pos", "neg_intra", "neg_inter")
    }
    return Tasks(
        anchor,
        t1,
        t2,
        second["pos"],
        second["neg_intra"],
        second["neg_inter"],
        descriptors.rows(*lists["retr_queries"]),
        descriptors.rows(*lists["retr_distractors"]),
        POOLS,
        f"lists of split {split}",
        len(descriptors),
    )


def _draw(rng, start, length, count):
    """Rows: a sequence first, then a point of it, each with equal chances."""
    sequence = rng.choice(len(length), count)
    return start[sequence] + np.array([rng.randint(n) for n in length[sequence]], int)


def _first_of_each(rows):
    return rows[np.sort(np.unique(rows, return_index=True)[1])]

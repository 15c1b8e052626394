"""The exercise of lesson 2 that finds near-duplicates, and its check."""

from functools import lru_cache

import numpy as np

from hpatches_kit.course.exercises.exercise import Wrong
from hpatches_kit.course.exercises.expectations import expect, expect_return
from hpatches_kit.patches.patch_set import PatchSet
from hpatches_kit.patches.views import VIEWS

TOLERANCE = 0.2
NEAR_DUPLICATES = {(0, 5), (0, 9), (5, 9), (2, 3)}  # of the points of the check


def near_duplicates(patches, tolerance):
    """Pairs of different places whose clean reference patches look alike.

    Each reference is brought to mean 0 and norm 1, so that brightness and contrast do not count.
    Two are near-duplicates if their Euclidean distance, 0 to 2, is below the tolerance.
    patches: a PatchSet. Returns a list of all such pairs (i, j), i < j, in any order; i and j are
    the numbers of points: the references are patches.clean[i, 0] and patches.clean[j, 0].
    """
    grey = patches.clean[:, 0].reshape(len(patches), -1).astype("float32")
    grey = grey - grey.mean(axis=1, keepdims=True)
    grey = grey / np.linalg.norm(grey, axis=1, keepdims=True)
    distance = np.sqrt(np.maximum(0, 2 - 2 * grey @ grey.T))
    other_place = patches.label[:, None] != patches.label[None, :]
    i, j = np.nonzero(np.triu((distance < tolerance) & other_place))
    return list(zip(i, j))


@lru_cache
def _toy_patches():
    """Ten points of nine places in two sequences; `NEAR_DUPLICATES` are theirs."""
    rng = np.random.default_rng(0)
    clean = rng.integers(150, 221, (10, len(VIEWS), 32, 32)).astype(float)
    reference = clean[:, 0]  # a view: assignments change `clean`
    reference[5] = 120 + 0.5 * reference[0]  # brighter, with half the contrast
    reference[6] = reference[1] + rng.normal(0, 1, (32, 32))  # the same place
    reference[3] = _at_distance(0.15, reference[2], reference[3])
    reference[7] = _at_distance(0.40, reference[4], reference[7])
    reference[8] = 255 - reference[0]
    reference[9] = _at_distance(0.15, reference[0], reference[9])
    clean[7, 1:], clean[8, 1] = clean[4, 1:], clean[4, 1]  # alike, but not the references
    label = [20, 21, 22, 23, 24, 25, 21, 27, 28, 29]  # no label is the row of a point
    sequence = ["v_toy_1"] * 5 + ["v_toy_2"] * 5
    return PatchSet({"clean": np.rint(clean).astype(np.uint8)}, sequence, label)


def _at_distance(distance, patch, other):
    """A patch at this distance from `patch`, both at mean 0 and norm 1; `other` is mixed in."""
    one, two = (array - array.mean() for array in (patch, other))
    one, norm = one / np.linalg.norm(one), np.linalg.norm(one)
    two = two - np.sum(one * two) * one
    two /= np.linalg.norm(two)
    cosine = 1 - distance**2 / 2
    return patch.mean() + norm * (cosine * one + np.sqrt(1 - cosine**2) * two)


def check_near_duplicates(near_duplicates):
    patches = _toy_patches()
    pairs = _read(near_duplicates(patches, TOLERANCE))
    for i, j in pairs:
        expect(i != j, f"point {i} is paired with itself: leave the diagonal out.")
        twice = pairs.count((i, j)) > 1 or ((j, i) in pairs)
        expect(not twice, f"points {i} and {j} are paired twice: keep each pair once, with i < j.")
        expect(i < j, f"the pair ({i}, {j}) has i > j: expected i < j.")
    for sentence, wrong_pairs in _known_mistakes().items():
        expect(set(pairs) != wrong_pairs, sentence)
    _check_single_pairs(set(pairs))
    expect(
        (4, 7) in _read(near_duplicates(patches, 0.5)),
        "points 4 and 7 have a distance of 0.40: at a tolerance of 0.5 they are near-duplicates. Use"
        " the argument `tolerance`.",
    )


def _read(answer):
    """The pairs as a list of tuples of integers."""
    expect_return(answer, "near_duplicates(...)")
    try:
        array = np.asarray(answer if hasattr(answer, "__array__") else list(answer), float)
    except (TypeError, ValueError) as error:
        raise Wrong(f"it returns a {type(answer).__name__}: expected a list of pairs.") from error
    expect(
        array.shape[1:] == (2,) or array.size == 0,
        f"it returns an array of shape {array.shape}: expected pairs (i, j).",
    )
    return [(int(i), int(j)) for i, j in array.reshape(-1, 2)]


def _check_single_pairs(pairs):
    expect(
        (1, 6) not in pairs,
        "points 1 and 6 have the same label: they show one place, so they are a positive pair,"
        " not near-duplicates. Compare labels, not sequences.",
    )
    expect(
        not {(0, 8), (5, 8), (8, 9)} & pairs,
        "points 5 and 8 are negatives of each other, dark where the other is bright: their distance"
        " is 2. Do not take absolute values of the similarity.",
    )
    expect(
        (4, 7) not in pairs,
        "points 4 and 7 have a distance of 0.40, above the tolerance of 0.2. Did you compare its"
        " square, 0.16? Take the root. Or did you divide by one norm of all patches? Each has its own"
        " (axis=1, keepdims=True).",
    )
    expect(
        pairs,
        "points 0 and 5 are missing, and all other pairs, too. Does each reference have norm 1, by"
        " itself (axis=1, keepdims=True)? Divided by its standard deviation, it has norm 32: divide by"
        " np.linalg.norm.",
    )
    expect(
        (0, 5) in pairs,
        "points 0 and 5 are missing: they differ only in brightness and contrast.",
    )
    expect(
        (2, 3) in pairs,
        "points 2 and 3 are missing: their distance is 0.15, and they are different places of one"
        " sequence. A sequence has many places.",
    )
    expect(
        pairs >= NEAR_DUPLICATES,
        "points 0, 5 and 9 are all alike: expected the pairs (0, 5), (0, 9) and (5, 9). A point may"
        " have several near-duplicates.",
    )
    more = sorted(pairs - NEAR_DUPLICATES)
    if more:
        (i, j), rows = more[0], _unit(_toy_patches().clean[:, 0])
        expect(max(more[0]) < len(rows), f"there is no point {j}: expected rows of the set.")
        distance = np.linalg.norm(rows[i] - rows[j])
        raise Wrong(f"points {i} and {j} look different: their distance is {distance:.2f}.")


@lru_cache
def _known_mistakes():
    """`{sentence: the pairs that this mistake finds}`."""
    clean = _toy_patches().clean.astype(float)
    grey = clean[:, 0].reshape(len(clean), -1)
    rows, label = _unit(grey), _toy_patches().label
    return {
        "the mean of each patch is not subtracted: all patches then look alike, since all grey"
        " levels are positive. Subtract it before you divide by the norm.": _closer(
            grey / np.linalg.norm(grey, axis=1, keepdims=True)
        ),
        "you subtract one mean of all patches: each patch has its own. Use axis=1 and"
        " keepdims=True.": _closer(
            (grey - grey.mean()) / np.linalg.norm(grey - grey.mean(), axis=1, keepdims=True)
        ),
        "you divide by the standard deviation: the norm is then 32, not 1, so 2 - 2 grey @ grey.T is"
        " not the squared distance. Divide by np.linalg.norm.": _of_different_places(
            2 - 2 * 1024 * rows @ rows.T < TOLERANCE**2
        ),
        "you compare all 16 views at once: compare the references, patches.clean[:, 0].": _closer(
            _unit(clean)
        ),
        "you compare the view e1: the reference is view 0, patches.clean[:, 0].": _closer(
            _unit(clean[:, 1])
        ),
        "you keep the pairs that are farther apart than the tolerance: near-duplicates are"
        " closer.": _of_different_places(~_is_closer(rows)),
        "it returns pairs of labels: expected the numbers of the points, the rows in the set.": {
            (label[i], label[j]) for i, j in NEAR_DUPLICATES
        },
    }


def _unit(patches):
    """Rows with mean 0 and norm 1, `(points, numbers)`."""
    rows = patches.reshape(len(patches), -1).astype(float)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _is_closer(rows):
    return np.linalg.norm(rows[:, None] - rows[None], axis=2) < TOLERANCE


def _closer(rows):
    return _of_different_places(_is_closer(rows))


def _of_different_places(mask):
    """The pairs `(i, j)` with i < j of different places, where the matrix is true."""
    label = _toy_patches().label
    return set(zip(*np.nonzero(np.triu(mask & (label[:, None] != label[None, :])))))

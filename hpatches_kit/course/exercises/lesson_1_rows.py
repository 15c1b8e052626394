"""What the rows of a batch of pairs show: the part of the check of `MyPairs` that reads batches."""

from functools import lru_cache

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Wrong
from hpatches_kit.course.exercises.expectations import expect, expect_array, expect_return
from hpatches_kit.patches.patch_set import PatchSet
from hpatches_kit.patches.views import VIEWS

PAIRS = 8
PLACES = 30  # more than there are pairs in an epoch, so that its places can all be different


@lru_cache
def toy_patches():
    """A `PatchSet` of random patches: 30 places, each with a point in each of three sequences."""
    rng = np.random.default_rng(0)
    clean, noisy = rng.integers(0, 256, (2, 3 * PLACES, len(VIEWS), 32, 32), dtype=np.uint8)
    sequence = np.repeat(["v_toy_1", "v_toy_2", "i_toy_1"], PLACES)
    label = np.tile(3 * np.arange(PLACES) + 1, 3)
    return PatchSet({"clean": clean, "noisy": noisy}, sequence, label)


@lru_cache
def _find_patch():
    """`{bytes of a patch: (kind, point, view)}` of the toy set."""
    patches = toy_patches()
    return {
        patches[kind][point, view].tobytes(): (kind, point, view)
        for kind in ("clean", "noisy")
        for point in range(len(patches))
        for view in range(len(VIEWS))
    }


def check_shapes(batch):
    expect_return(batch, "__getitem__(0)")
    expect(
        isinstance(batch, tuple) and len(batch) == 2,
        f"__getitem__ returns a {type(batch).__name__}: expected a tuple, `patches, labels`.",
    )
    patches, labels = batch
    shape, rows = tuple(np.shape(patches)), 2 * PAIRS
    expect(
        shape[:1] != (PAIRS,),
        f"the patches of {PAIRS} pairs have shape {shape}: expected {(rows, 32, 32, 1)}. Each patch"
        " has its own row: reshape (pairs, 2, 32, 32) to (2 * pairs, 32, 32, 1).",
    )
    expect(
        shape != (rows, 32, 32),
        f"patches have shape {shape}: the channel axis is missing. Add it with `[..., None]`.",
    )
    array = expect_array(patches, (rows, 32, 32, 1), "the array of patches")
    dtype = keras.backend.standardize_dtype(getattr(patches, "dtype", "float64"))
    expect(dtype == "float32", f'patches are {dtype}: expected float32, `.astype("float32")`.')
    expect(
        array.max() > 2,
        f"the largest grey level is {array.max():.2f}: expected grey levels 0..255, not scaled.",
    )
    expect(
        tuple(np.shape(labels)) != (PAIRS,),
        f"{PAIRS} labels for {rows} patches: expected one per patch. np.repeat(labels, 2)",
    )
    expect_array(labels, (rows,), "the array of labels")


def read_rows(batch):
    """The point and the view that each row shows, `[(point, view), ...]`; checks the labels."""
    check_shapes(batch)
    patches, labels = (keras.ops.convert_to_numpy(array) for array in batch)
    places, rows = toy_patches().label, []
    for number, patch in enumerate(patches):
        whole = np.rint(patch)
        found = _find_patch().get(whole.astype(np.uint8).tobytes())
        expect(
            found is not None and np.allclose(whole, patch, atol=1e-3),
            f"row {number} is not a patch of the set: were pixels mixed by a reshape or scaled?",
        )
        kind, point, view = found
        expect(kind == "clean", f"row {number} is a {kind} patch: expected a clean one.")
        rows.append((point, view))
    place = [places[point] for point, _ in rows]
    expect(
        place[0] == place[1] or place[:PAIRS] != place[PAIRS:],
        f"rows 0 and {PAIRS} show one place: the anchors are in the first half and the positives in"
        " the second. The two patches of a pair must be in rows 2k and 2k + 1.",
    )
    for k in range(0, len(rows), 2):
        expect(place[k] == place[k + 1], f"row {k + 1} shows another place than row {k}.")
        same = labels[k] == labels[k + 1]
        expect(same, f"rows {k} and {k + 1} show one place, but their labels differ.")
    _check_distinct_places(rows, place, labels)
    return rows


def _check_distinct_places(rows, place, labels):
    pair_of_place, pair_of_label = {}, {}
    for k in range(PAIRS):
        other = pair_of_place.setdefault(place[2 * k], k)
        if other != k:
            advice = (
                "Draw places without replacement."
                if rows[2 * other][0] == rows[2 * k][0]
                else f"Points {rows[2 * other][0]} and {rows[2 * k][0]} have one label, as two"
                " sequences show this place: draw labels, not points."
            )
            raise Wrong(
                f"pairs {other} and {k} show one place: it becomes its own negative. {advice}"
            )
        other = pair_of_label.setdefault(labels[2 * k].item(), k)
        expect(
            other == k,
            f"pairs {other} and {k} show different places, but their labels are equal: neither"
            " would be a negative of the other.",
        )


def check_pairs_of_batch(rows):
    for k in range(PAIRS):
        one, other = rows[2 * k], rows[2 * k + 1]
        expect(
            one != other,
            f"both rows of pair {k} show the view {VIEWS[one[1]]}: a pair of equal patches teaches"
            " nothing. Draw two views without replacement.",
        )

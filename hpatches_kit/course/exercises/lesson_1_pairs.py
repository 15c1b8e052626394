"""The exercise of lesson 1 in which a learner writes a generator of pairs, and its check."""

from functools import lru_cache

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Wrong
from hpatches_kit.course.exercises.expectations import expect, expect_array
from hpatches_kit.patches.patch_set import PatchSet
from hpatches_kit.patches.views import VIEWS

PAIRS, STEPS, SEEDS = 8, 3, (3, 4, 5)
PLACES = 30  # more than PAIRS * STEPS: an epoch may also be drawn without repeating a place
GENERATOR = "draw from a generator seeded by (seed, epoch, index)"


class MyPairs(keras.utils.PyDataset):
    """A batch: clean patches (2 * pairs, 32, 32, 1), float32, 0..255, and labels (2 * pairs,).
    Rows 2k and 2k + 1 show one place in two of 16 views, at random; each pair shows another place.
    """

    def __init__(self, patches, pairs, steps, seed):
        super().__init__()
        self.patches, self.pairs, self.steps, self.seed, self.epoch = patches, pairs, steps, seed, 0

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, self.epoch, index))
        labels, first_points = np.unique(self.patches.label, return_index=True)
        places = rng.choice(len(labels), self.pairs, replace=False)
        points, labels = first_points[places], labels[places]
        views = np.stack([rng.choice(16, 2, replace=False) for _ in range(self.pairs)])
        batch = self.patches.clean[points[:, None], views]
        return batch.reshape(-1, 32, 32, 1).astype("float32"), np.repeat(labels, 2)

    def on_epoch_end(self):
        self.epoch += 1


@lru_cache
def _toy_patches():
    """A `PatchSet` of random patches: 30 places, each with a point in each of three sequences."""
    rng = np.random.default_rng(0)
    clean, noisy = rng.integers(0, 256, (2, 3 * PLACES, len(VIEWS), 32, 32), dtype=np.uint8)
    sequence = np.repeat(["v_toy_1", "v_toy_2", "i_toy_1"], PLACES)
    label = np.tile(3 * np.arange(PLACES) + 1, 3)
    return PatchSet({"clean": clean, "noisy": noisy}, sequence, label)


@lru_cache
def _find_patch():
    """`{bytes of a patch: (kind, point, view)}` of the toy set."""
    patches = _toy_patches()
    return {
        patches[kind][point, view].tobytes(): (kind, point, view)
        for kind in ("clean", "noisy")
        for point in range(len(patches))
        for view in range(len(VIEWS))
    }


def check_pairs(my_pairs):
    is_dataset = isinstance(my_pairs, type) and issubclass(my_pairs, keras.utils.PyDataset)
    expect(
        is_dataset,
        "MyPairs is not a class that derives from keras.utils.PyDataset: `fit` needs one. Hand over"
        " the class itself, without calling it.",
    )
    state = np.random.get_state()
    try:
        _check_length(my_pairs(_toy_patches(), PAIRS, STEPS, SEEDS[0]))
        try:
            _check_batches(my_pairs, state)
        except NotImplementedError as error:
            sentence = "__len__ is right, but another method still raises NotImplementedError."
            raise Wrong(sentence) from error
    finally:
        np.random.set_state(state)


def _check_batches(my_pairs, state):
    _check_shapes(my_pairs(_toy_patches(), PAIRS, STEPS, SEEDS[0])[0])
    first = {seed: my_pairs(_toy_patches(), PAIRS, STEPS, seed) for seed in SEEDS}
    batches = {}  # {(seed, epoch, index): [(point, view) of each row]}
    for seed, dataset in first.items():
        for epoch in range(2):
            for index in range(STEPS):
                batches[seed, epoch, index] = _read_rows(dataset[index])
            _check_twice(dataset, epoch, batches, seed)
            dataset.on_epoch_end()
    for rows in batches.values():
        _check_pairs_of_batch(rows)
    _check_draws(batches)
    again = my_pairs(_toy_patches(), PAIRS, STEPS, SEEDS[0])
    _check_order(again, batches)
    unchanged = all(np.array_equal(a, b) for a, b in zip(state, np.random.get_state()))
    expect(
        unchanged,
        "it uses NumPy's global generator (`np.random.seed`, `np.random.choice`, ...), which all"
        " code shares: two worker threads would change each other's batches. Use"
        " np.random.default_rng((seed, epoch, index)).",
    )


def _check_length(dataset):
    length = dataset.__len__()
    expect(length is not None, "__len__ is None: is a `return` missing?")
    expect(
        length == STEPS,
        f"with {PAIRS} pairs and {STEPS} steps, __len__ is {length}: expected {STEPS}, the number"
        " of batches in an epoch.",
    )


def _check_shapes(batch):
    expect(batch is not None, "__getitem__ returns None: is a `return` missing?")
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


def _read_rows(batch):
    """The point and the view that each row shows, `[(point, view), ...]`; checks the labels."""
    _check_shapes(batch)
    patches, labels = (keras.ops.convert_to_numpy(array) for array in batch)
    places, rows = _toy_patches().label, []
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


def _check_pairs_of_batch(rows):
    for k in range(PAIRS):
        one, other = rows[2 * k], rows[2 * k + 1]
        expect(
            one != other,
            f"both rows of pair {k} show the view {VIEWS[one[1]]}: a pair of equal patches teaches"
            " nothing. Draw two views without replacement.",
        )


def _check_draws(batches):
    """Batches, epochs and seeds differ; every view occurs."""
    for seed in SEEDS:
        expect(
            batches[seed, 0, 0] != batches[seed, 0, 1],
            f"batches 0 and 1 of an epoch are equal: {GENERATOR}.",
        )
        expect(
            any(batches[seed, 0, k] != batches[seed, 1, k] for k in range(STEPS)),
            "the second epoch has the same batches: implement on_epoch_end, and let the draw depend"
            " on the epoch.",
        )
        expect(
            batches[seed, 1, 0] != batches[seed, 0, 1],
            "batch 1 of the first epoch comes again as batch 0 of the second: a sum such as"
            " epoch + index is equal for both. Seed the generator with a tuple.",
        )
    expect(
        batches[3, 0, 0] != batches[4, 0, 0],
        "seeds 3 and 4 give the same batches: the draw must depend on the seed.",
    )
    expect(
        batches[3, 0, 1] != batches[4, 0, 0],
        "batch 1 with seed 3 is batch 0 with seed 4: a sum such as seed + index is equal for both."
        " Seed the generator with a tuple.",
    )
    seen = {view for rows in batches.values() for _, view in rows}
    for view, name in enumerate(VIEWS):
        rows = 2 * PAIRS * len(batches)
        expect(
            view in seen, f"the view {name} never occurs in {rows} rows: draw from all 16 views."
        )


def _check_twice(dataset, epoch, batches, seed):
    """A batch that is asked for again is the same."""
    for index in reversed(range(STEPS)):
        same = _read_rows(dataset[index]) == batches[seed, epoch, index]
        expect(same, f"batch {index} differs when it is asked for twice: {GENERATOR}.")


def _check_order(dataset, batches):
    """Another object with the same seed gives the same batches, in whatever order."""
    for epoch in range(2):
        for index in (2, 0, 1):
            expect(
                _read_rows(dataset[index]) == batches[SEEDS[0], epoch, index],
                f"with the same seed, batch {index} of epoch {epoch + 1} differs in a second object,"
                f" which is asked for its batches in another order: {GENERATOR}.",
            )
        dataset.on_epoch_end()

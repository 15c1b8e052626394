"""The exercise of lesson 1 in which a learner writes a generator of pairs, and its check."""

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Wrong
from hpatches_kit.course.exercises.expectations import expect, expect_return
from hpatches_kit.course.exercises.lesson_1_rows import (
    PAIRS,
    check_pairs_of_batch,
    check_shapes,
    read_rows,
    toy_patches,
)
from hpatches_kit.patches.views import VIEWS

STEPS, SEEDS = 3, (3, 4, 5)
GENERATOR = "draw from a generator seeded by (seed, epoch, index)"


class MyPairs(keras.utils.PyDataset):
    """A batch: clean patches (2 * pairs, 32, 32, 1), float32, 0..255, and labels (2 * pairs,).
    Rows 2k and 2k + 1 are two of the 16 views of a point, at random; each pair is another place.
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


def check_pairs(my_pairs):
    is_dataset = isinstance(my_pairs, type) and issubclass(my_pairs, keras.utils.PyDataset)
    expect(
        is_dataset,
        "MyPairs is not a class that derives from keras.utils.PyDataset: `fit` needs one. Hand over"
        " the class itself, without calling it.",
    )
    _check_length(my_pairs(toy_patches(), PAIRS, STEPS, SEEDS[0]))
    try:
        _check_batches(my_pairs)
    except NotImplementedError as error:
        sentence = "__len__ is right, but another method still raises NotImplementedError."
        raise Wrong(sentence) from error


def _check_batches(my_pairs):
    state = np.random.get_state()
    check_shapes(my_pairs(toy_patches(), PAIRS, STEPS, SEEDS[0])[0])
    first = {seed: my_pairs(toy_patches(), PAIRS, STEPS, seed) for seed in SEEDS}
    batches = {}  # {(seed, epoch, index): [(point, view) of each row]}
    for seed, dataset in first.items():
        for epoch in range(2):
            for index in range(STEPS):
                batches[seed, epoch, index] = read_rows(dataset[index])
            _check_twice(dataset, epoch, batches, seed)
            dataset.on_epoch_end()
    for rows in batches.values():
        check_pairs_of_batch(rows)
    _check_draws(batches)
    again = my_pairs(toy_patches(), PAIRS, STEPS, SEEDS[0])
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
    expect_return(length, "__len__")
    expect(
        length == STEPS,
        f"with {PAIRS} pairs and {STEPS} steps, __len__ is {length}: expected {STEPS}, the number"
        " of batches in an epoch.",
    )


def _check_draws(batches):
    """All batches differ; places and views are drawn for each; every view occurs."""
    first = {}
    for key, rows in batches.items():
        other = first.setdefault(tuple(rows), key)
        expect(other == key, _same_batches(other, key))
    label = toy_patches().label
    starts = {
        frozenset(label[point] for point, _ in rows) for (*_, k), rows in batches.items() if not k
    }
    expect(
        len(starts) > 1,
        "the first batch has the same places in each epoch and for each seed: draw the places, too.",
    )
    views = [[view for _, view in rows] for rows in batches.values()]
    expect(
        any(views_of_batch[:2] * PAIRS != views_of_batch for views_of_batch in views),
        "all pairs of a batch show the same two views: draw two views for each pair.",
    )
    for view, name in enumerate(VIEWS):
        expect(
            any(view in views_of_batch for views_of_batch in views),
            f"the view {name} never occurs in {2 * PAIRS * len(views)} rows: draw from all 16 views.",
        )
    _check_both_views(views)


def _check_both_views(views):
    """Both views of a pair are drawn, and one does not follow from the other."""
    first, second = (np.concatenate([batch[k::2] for batch in views]) for k in (0, 1))
    for drawn, which in ((first, "first"), (second, "second")):
        shown = [VIEWS[view] for view in np.unique(drawn)]
        expect(
            len(shown) > len(VIEWS) // 2,
            f"the {which} patch of each pair always shows {' or '.join(shown)}: draw both views from"
            " all 16.",
        )
    expect(
        len(np.unique(np.abs(first - second))) > 3,
        "the second view of each pair follows from the first, such as the next one: draw both.",
    )


def _same_batches(first, second):
    """A sentence about two equal batches, each given as (seed, epoch, index)."""
    names = "seed", "epoch", "index"
    different = [name for name, a, b in zip(names, first, second) if a != b]
    if different == ["index"]:
        return f"batches {first[2]} and {second[2]} of an epoch are equal: {GENERATOR}."
    if different == ["epoch"]:
        return (
            "the second epoch has the same batches: implement on_epoch_end, and let the draw depend"
            " on the epoch."
        )
    if different == ["seed"]:
        return (
            f"seeds {first[0]} and {second[0]} give the same batches: the draw must depend on the"
            " seed."
        )
    one, other = (f"seed {s}, epoch {epoch + 1}, batch {k}" for s, epoch, k in (first, second))
    return (
        f"the batches of {one} and of {other} are equal: a sum such as {' + '.join(different)} is"
        " equal for both. Seed the generator with a tuple."
    )


def _check_twice(dataset, epoch, batches, seed):
    """A batch that is asked for again is the same."""
    for index in reversed(range(STEPS)):
        same = read_rows(dataset[index]) == batches[seed, epoch, index]
        expect(same, f"batch {index} differs when it is asked for twice: {GENERATOR}.")


def _check_order(dataset, batches):
    """Another object with the same seed gives the same batches, in whatever order."""
    for epoch in range(2):
        for index in (2, 0, 1):
            expect(
                read_rows(dataset[index]) == batches[SEEDS[0], epoch, index],
                f"with the same seed, batch {index} of epoch {epoch + 1} differs in a second object,"
                f" which is asked for its batches in another order: {GENERATOR}.",
            )
        dataset.on_epoch_end()

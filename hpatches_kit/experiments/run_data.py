"""The patches of a run: for training, for validation, and for the scores of descriptors."""

from itertools import combinations

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.datasets.loading import load
from hpatches_kit.patches.sides import SIDES
from hpatches_kit.patches.views import VIEWS

SIDES_VERSION = 2  # raise it when runs use other sides or samples: it is part of the key of a run
SEQUENCE_DRAW = 1  # second part of the seed that draws report B's sequences, the same for all rows


def load_sides(data, progress=True):
    """Load patches, and return `(train, validation, test)` of their first split.

    Raises UserError for an empty side, and for sides that share photographs or places: scores would
    be too high.
    """
    sides = load(data, progress=progress).split()
    for name, side in zip(SIDES, sides):
        if not len(side):
            raise UserError(
                f"The {name} side of {data} is empty: a run needs a training, a validation and a"
                " test side. Choose other data."
            )
    for (first, first_set), (second, second_set) in combinations(zip(SIDES, sides), 2):
        if shared := first_set.shared(second_set):
            raise UserError(
                f"The {first} and {second} sides of {data} share {shared}: scores would be too"
                " high. Split the patches by photograph. Sequences v_NAME_1, i_NAME_2 and so on"
                " count as one photograph: rename them if they show different ones."
            )
    return sides


def check_not_shared(patches, name, data):
    """Raise UserError if patches share photographs or places with the first two sides of `data`.

    Networks are trained on those sides and chosen by them. `name` is that of `patches`, for the
    message.
    """
    for side in load_sides(data, progress=False)[:2]:
        if shared := side.shared(patches):
            raise UserError(f"{name} shares {shared} with {data}: choose other sequences.")


def draw_sequences(run, train_set, validation_set):
    """Draw the random sequences of report B: several to train on, one to validate on.

    Draws again until they hold the patches of an epoch, or as many as the largest sequences hold.
    """
    if len(train_set.names) < run.row.sequences:
        raise UserError(
            f"{run.row.name} is trained on {run.row.sequences} sequences, but {run.data} has"
            f" {len(train_set.names)} to train on. Choose other data, or set the row's sequences=."
        )
    rng = np.random.default_rng((run.seed, SEQUENCE_DRAW))
    per_epoch = (run.scale.denoiser_patches or 0) / (run.scale.epochs or 1)
    largest = sorted(train_set.lengths.values())[-run.row.sequences :]
    needed = min(per_epoch, sum(largest) * len(VIEWS))
    while True:
        names = rng.choice(train_set.names, run.row.sequences, replace=False)
        chosen = train_set.select(sorted(names))
        if len(chosen) * len(VIEWS) >= needed:
            return chosen, validation_set.select(rng.choice(validation_set.names))


def sample_points(patches, points, seed):
    """Draw points to train or validate on; all of them if `points` is None or too large."""
    return patches.sample_sparse_points(min(points or len(patches), len(patches)), seed)


def sample_test_sequences(test_set, scale):
    """Draw the test sequences of a `Scale`, the same for all rows and seeds, or return all."""
    count = min(scale.test_sequences or len(test_set.names), len(test_set.names))
    return test_set.sample(count, seed=0)

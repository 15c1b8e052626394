"""Batches for a descriptor: views of places, of which no two have the same label.

What is in a batch is decided here, what to do with it by the loss.
"""

import numpy as np

from hpatches_kit.augment import MOST_JITTER, SYMMETRIES, flip_and_turn, random_changes, warp
from hpatches_kit.batches.base import Batches, check_least
from hpatches_kit.denoise import choose
from hpatches_kit.patches import PATCH_SIZE, VIEWS, shape_of


class _Places(Batches):
    """Draws places so that no two of a batch have the same label, and views of each place."""

    def __init__(self, data, places, batches, patches, denoiser, jitter, fresh_noise, **kwargs):
        if not 0 <= jitter <= MOST_JITTER:
            raise ValueError(f"{jitter=}: expected 0 (none) to {MOST_JITTER:.0f}; 1 is modest.")
        if fresh_noise and patches != "noisy":
            kind = patches or ("clean" if denoiser is None else "denoised")
            raise ValueError(f"fresh_noise=True is for patches='noisy', these are {kind!r}.")
        # Fresh noise is added to clean patches; the noisy ones of the data need not be there.
        data, self.patches = choose(data, "clean" if fresh_noise else patches, denoiser)
        if shape_of(self.patches)[1] != PATCH_SIZE:
            raise ValueError(
                f"Batches have patches of {PATCH_SIZE} pixels, {self.patches} are larger."
            )
        # Points sorted by label: the views of a place, 16 or a multiple, stand in one run.
        order = np.argsort(data.label, kind="stable")
        self.numbers = data.rows[order] * len(VIEWS)  # of the first view of each point
        self.labels, self.first, count = np.unique(
            data.label[order], return_index=True, return_counts=True
        )
        self.slots = count * len(VIEWS)
        if len(self.labels) < places:
            raise ValueError(
                f"A batch wants {places} distinct places, the data has {len(self.labels)}."
            )
        self.jitter = jitter
        super().__init__(data, batches, fresh_noise=fresh_noise, **kwargs)

    def two_views(self, places, rng):
        """For each place two different patches of it, as numbers `(n, 2)` into its run of views."""
        slots = self.slots[places]
        one = rng.integers(slots)
        other = (one + 1 + rng.integers(slots - 1)) % slots
        return np.stack([one, other], 1)

    def numbers_and_labels(self, places, slots):
        """The patches at these slots of these places, both of one shape: `(batches, n)` each."""
        numbers = self.numbers[self.first[places] + slots // len(VIEWS)] + slots % len(VIEWS)
        labels = self.labels[places].astype(np.int32)
        return numbers.reshape(self.batches, -1), labels.reshape(self.batches, -1)

    def make(self, index):
        numbers, labels = (drawn[index] for drawn in self.drawn())
        patches = self.gather(self.patches, numbers)
        if self.augment or self.jitter:
            patches = self.change(patches, self.rng(index))
        if self.fresh_noise:
            patches = self.add_fresh_noise(patches, numbers, index)
        return patches[..., None], labels

    def change(self, patches, rng):
        """Flip and turn, rows that show one place alike, and jitter."""
        if self.augment:
            symmetries = rng.integers(SYMMETRIES, size=(len(patches) // len(self.alike), 2))
            patches = flip_and_turn(patches, symmetries[:, self.alike].ravel())
        if self.jitter:
            patches = warp(patches, random_changes(len(patches), self.jitter, rng))
        return patches


class Pairs(_Places):
    """Two views of each of many places, for a loss that finds negatives inside the batch.

    Args:
        data: a `PatchSet`.
        pairs: places in a batch, all different.
        batches: batches an epoch (report A: 100 of 128 pairs).
        patches: `"clean"`, `"noisy"` or `"denoised"`; default: `"denoised"` with a denoiser, else
            `"clean"`.
        denoiser: makes the denoised patches once, here; not needed where `data` has them already.
        seed: decides places and views.
        redraw: new batches every epoch; `False` keeps them, for validation.
        augment: flip and turn by one of the 8 symmetries of the square, drawn evenly for each place
            and shared by its two patches.
        jitter: turn, zoom and shift each patch a little on its own; 1 is up to 5 degrees, 5 % and
            1 pixel. Pixels are mixed, which weakens noise unless it is fresh.
        fresh_noise: with `patches="noisy"`: noise drawn anew for every batch and added last, to the
            clean patches of `data`, instead of its noisy ones.

    A batch is `(patches, labels)`: `uint8 (2 * pairs, 32, 32, 1)`, grey levels 0..255, rows 2k and
    2k + 1 showing one place, and `int32 (2 * pairs,)`. In an epoch no place comes again before there
    are too few others left for a batch.
    """

    alike = [0, 0]  # which of two symmetries each patch of a place has

    def __init__(
        self,
        data,
        pairs=128,
        batches=100,
        patches=None,
        denoiser=None,
        seed=0,
        redraw=True,
        augment=False,
        jitter=0.0,
        fresh_noise=False,
        **kwargs,
    ):
        check_least(2, pairs=pairs)  # the other pairs are the negatives
        self.pairs = pairs
        options = {"seed": seed, "redraw": redraw, "augment": augment, **kwargs}
        super().__init__(data, pairs, batches, patches, denoiser, jitter, fresh_noise, **options)

    def draw(self, rng):
        count = len(self.labels)
        lap = min(self.batches, count // self.pairs)  # batches before a place comes again
        laps = -(-self.batches // lap)
        places = [rng.choice(count, lap * self.pairs, replace=False) for _ in range(laps)]
        places = np.concatenate(places)[: self.batches * self.pairs]
        return self.numbers_and_labels(np.stack([places, places], 1), self.two_views(places, rng))


class Triplets(_Places):
    """Anchor, positive and negative, for the baseline triplet loss.

    Args:
        data, patches, denoiser, seed, redraw, jitter, fresh_noise: as for `Pairs`.
        triplets: triplets in a batch.
        batches: batches an epoch (the reports: 2,000 of 50 triplets, 200 for validation).
        augment: as for `Pairs`; the negative has a symmetry of its own.

    A batch is `(patches, labels)`: `uint8 (3 * triplets, 32, 32, 1)`, grey levels 0..255, rows 3k and
    3k + 1 showing one place, row 3k + 2 another, and `int32 (3 * triplets,)`.
    """

    alike = [0, 0, 1]

    def __init__(
        self,
        data,
        triplets=50,
        batches=2000,
        patches=None,
        denoiser=None,
        seed=0,
        redraw=True,
        augment=False,
        jitter=0.0,
        fresh_noise=False,
        **kwargs,
    ):
        check_least(1, triplets=triplets)
        self.triplets = triplets
        options = {"seed": seed, "redraw": redraw, "augment": augment, **kwargs}
        super().__init__(data, 2, batches, patches, denoiser, jitter, fresh_noise, **options)

    def draw(self, rng):
        count, size = len(self.labels), self.batches * self.triplets
        places = rng.integers(count, size=size)
        others = (places + 1 + rng.integers(count - 1, size=size)) % count
        slots = np.column_stack([self.two_views(places, rng), rng.integers(self.slots[others])])
        return self.numbers_and_labels(np.column_stack([places, places, others]), slots)

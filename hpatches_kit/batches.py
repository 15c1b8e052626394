"""Batches for `fit`: each is one gather from the array, drawn by (seed, epoch, index).

What is in a batch is decided here, what to do with it by the loss.
"""

import keras
import numpy as np

from hpatches_kit.denoise import choose
from hpatches_kit.patches import PATCH_SIZE, VIEWS


class Batches(keras.utils.PyDataset):
    """What the three kinds of batches share: data, seed and the count of epochs.

    The same (seed, epoch, index) gives the same batch, whichever worker makes it.
    """

    def __init__(self, data, batches, seed=0, redraw=True, **kwargs):
        super().__init__(**kwargs)
        if batches < 1:
            raise ValueError(f"{batches} batches an epoch: expected 1 or more.")
        self.data, self.batches, self.seed, self.redraw, self.epoch = data, batches, seed, redraw, 0

    def __len__(self):
        return self.batches

    def on_epoch_end(self):
        if self.redraw:
            self.epoch += 1

    def rng(self, index):
        """The random generator of one batch."""
        return np.random.default_rng((self.seed, self.epoch, index))

    def gather(self, kind, points, views):
        """Patches `uint8 (n, 32, 32, 1)` of the given points (rows of this set) and views."""
        flat = self.data.base(kind).reshape(-1, PATCH_SIZE, PATCH_SIZE, 1)
        return flat[self.data.rows[points] * len(VIEWS) + views]


class NoisyClean(Batches):
    """Noisy patches and their clean versions, for a denoiser.

    Args:
        data: a `PatchSet`.
        batch_size: patches in a batch.
        batches: batches an epoch; default: every patch once.
        views: names of the views to use; default: all 16.
        seed: decides the order.
        redraw: a new order every epoch; `False` keeps the batches, for validation.

    A batch is `(noisy, clean)`, each `uint8 (batch_size, 32, 32, 1)`, grey levels 0..255.
    """

    def __init__(
        self, data, batch_size=50, batches=None, views=VIEWS, seed=0, redraw=True, **kwargs
    ):
        unknown = set(views) - set(VIEWS)
        if unknown:
            raise ValueError(f"Unknown views {sorted(unknown)}: expected some of {VIEWS}.")
        self.views = np.array([VIEWS.index(view) for view in views])
        whole = len(data) * len(self.views) // batch_size
        if whole < (batches or 1):
            raise ValueError(
                f"{len(data) * len(self.views)} patches fill {whole} batches of {batch_size},"
                f" {batches or 1} wanted."
            )
        self.batch_size, self._order = batch_size, (None, None)
        super().__init__(data, batches or whole, seed, redraw, **kwargs)

    def __getitem__(self, index):
        epoch, order = self._order
        if epoch != self.epoch:
            patches = len(self.data) * len(self.views)
            order = np.random.default_rng((self.seed, self.epoch)).permutation(patches)
            self._order = self.epoch, order  # one assignment: safe with several threads
        chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
        points, views = chosen // len(self.views), self.views[chosen % len(self.views)]
        return self.gather("noisy", points, views), self.gather("clean", points, views)


class _Places(Batches):
    """Draws places so that no two of a batch have the same label, and views of each place."""

    def __init__(self, data, patches, denoiser, places, batches, seed, redraw, **kwargs):
        data, self.patches = choose(data, patches, denoiser)
        # Points sorted by label: the views of a place, 16 or a multiple, stand in one run.
        self.order = np.argsort(data.label, kind="stable")
        self.labels, self.first, count = np.unique(
            data.label[self.order], return_index=True, return_counts=True
        )
        self.slots = count * len(VIEWS)
        if len(self.labels) < places:
            raise ValueError(
                f"A batch wants {places} distinct places, the data has {len(self.labels)}."
            )
        super().__init__(data, batches, seed, redraw, **kwargs)

    def two_views(self, places, rng):
        """For each place two different patches of it, as numbers `(n, 2)` into its run of views."""
        slots = self.slots[places]
        one = rng.integers(slots)
        other = (one + 1 + rng.integers(slots - 1)) % slots
        return np.stack([one, other], 1)

    def take(self, places, slots):
        """The patches at these slots of these places, both of one shape, and their labels."""
        places, slots = np.broadcast_to(places, slots.shape).ravel(), slots.ravel()
        points = self.order[self.first[places] + slots // len(VIEWS)]
        return (
            self.gather(self.patches, points, slots % len(VIEWS)),
            self.labels[places].astype(np.int32),
        )


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

    A batch is `(patches, labels)`: `uint8 (2 * pairs, 32, 32, 1)`, rows 2k and 2k + 1 showing one
    place, and `int32 (2 * pairs,)`.
    """

    def __init__(
        self,
        data,
        pairs=128,
        batches=100,
        patches=None,
        denoiser=None,
        seed=0,
        redraw=True,
        **kwargs,
    ):
        self.pairs = pairs
        super().__init__(data, patches, denoiser, pairs, batches, seed, redraw, **kwargs)

    def __getitem__(self, index):
        rng = self.rng(index)
        places = rng.choice(len(self.labels), self.pairs, replace=False)
        return self.take(places[:, None], self.two_views(places, rng))


class Triplets(_Places):
    """Anchor, positive and negative, for the baseline triplet loss.

    Args:
        data, patches, denoiser, seed, redraw: as for `Pairs`.
        triplets: triplets in a batch.
        batches: batches an epoch (the reports: 2,000 of 50 triplets, 200 for validation).

    A batch is `(patches, labels)`: `uint8 (3 * triplets, 32, 32, 1)`, rows 3k and 3k + 1 showing one
    place, row 3k + 2 another, and `int32 (3 * triplets,)`.
    """

    def __init__(
        self,
        data,
        triplets=50,
        batches=2000,
        patches=None,
        denoiser=None,
        seed=0,
        redraw=True,
        **kwargs,
    ):
        self.triplets = triplets
        super().__init__(data, patches, denoiser, 2, batches, seed, redraw, **kwargs)

    def __getitem__(self, index):
        rng = self.rng(index)
        places = rng.integers(len(self.labels), size=self.triplets)
        others = (places + 1 + rng.integers(len(self.labels) - 1, size=self.triplets)) % len(
            self.labels
        )
        slots = np.column_stack([self.two_views(places, rng), rng.integers(self.slots[others])])
        return self.take(np.column_stack([places, places, others]), slots)

"""Base class of all batches: draw a whole epoch once, then gather each batch from the array.

Patches stay `uint8` until they reach the device: a quarter of the memory of float32.
"""

import keras
import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.noise import VIEW_SIGMA, add_noise
from hpatches_kit.patches.views import PATCH_SIZE, VIEWS

FRESH_NOISE = 1  # separates the random numbers of fresh noise from those of augmentation


def check_at_least(minimum, **counts):
    """Raise UserError for a count below the minimum."""
    for name, count in counts.items():
        if count < minimum:
            raise UserError(f"{name}={count}: expected {minimum} or more.")


class Batches(keras.utils.PyDataset):
    """Seed, epoch and access to patches for `NoisyClean`, `Pairs` and `Triplets`.

    A subclass defines `draw_epoch(rng)` and `make_batch(index)`. A batch depends only on the seed,
    the epoch and the index, not on the worker that makes it.
    """

    def __init__(self, patches, steps, seed, redraw, augment, fresh_noise, **kwargs):
        super().__init__(**kwargs)
        check_at_least(1, steps=steps)
        check_at_least(0, seed=seed)
        self.patches, self.steps, self.seed = patches, steps, seed
        self.redraw, self.epoch = redraw, 0
        self.augment, self.fresh_noise = augment, fresh_noise
        self._cached_draw = None, None  # an epoch, and what `draw_epoch` returned for it

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        if not 0 <= index < len(self):  # IndexError also ends a `for` loop over the batches
            raise IndexError(f"No batch {index}: an epoch has batches 0 to {len(self) - 1}.")
        return self.make_batch(index)

    def begin(self, epoch):
        """Set the epoch, counted from 0. With `redraw=False` the batches stay the same."""
        if self.redraw:
            self.epoch = epoch

    def on_epoch_end(self):
        self.begin(self.epoch + 1)

    def epoch_draw(self):
        """What `draw_epoch` returned for this epoch; the first call draws it."""
        epoch, draw = self._cached_draw
        if epoch != self.epoch:
            epoch = self.epoch
            draw = self.draw_epoch(self.rng())
            self._cached_draw = epoch, draw  # one assignment: safe with several threads
        return draw

    def seed_sequence(self, *key):
        """Seed of the epoch, of a batch (key: index), or of its noise (key: index, FRESH_NOISE)."""
        return np.random.SeedSequence((self.seed, self.epoch), spawn_key=key)

    def rng(self, *key):
        return np.random.default_rng(self.seed_sequence(*key))

    def gather(self, kind, indices):
        """Patches `uint8 (n, 32, 32)` by index: view v of row r has index `16 * r + v`."""
        base = np.asarray(self.patches.base(kind))  # indexing an np.memmap is slower
        return base.reshape(-1, PATCH_SIZE, PATCH_SIZE).take(indices, axis=0)

    def add_fresh_noise(self, clean, indices, index):
        """Add the noise of batch number `index`; its sigma depends on the view of each patch."""
        sigma = VIEW_SIGMA[indices % len(VIEWS)]
        return add_noise(clean, sigma, self.seed_sequence(index, FRESH_NOISE))

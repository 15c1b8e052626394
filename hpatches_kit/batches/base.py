"""What all batches share: an epoch is drawn at once, each batch is then one gather from the array.

Patches stay bytes until they are on the device: a quarter of what float32 would take in memory and
on the way.
"""

import keras
import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.noise import VIEW_SIGMA, add_noise
from hpatches_kit.patches.views import PATCH_SIZE, VIEWS

NOISE = 1  # stands beside the index of a batch in the seed of its fresh noise


def check_least(least, **counts):
    """UserError for a count that is smaller."""
    for name, count in counts.items():
        if count < least:
            raise UserError(f"{name}={count}: expected {least} or more.")


class Batches(keras.utils.PyDataset):
    """What the three kinds of batches share: data, seed and the count of epochs.

    The same (seed, epoch, index) gives the same batch, whichever worker makes it.
    """

    def __init__(self, patches, steps, seed, redraw, augment, fresh_noise, **kwargs):
        super().__init__(**kwargs)
        check_least(1, steps=steps)
        check_least(0, seed=seed)
        self.patches, self.steps, self.seed = patches, steps, seed
        self.redraw, self.epoch = redraw, 0
        self.augment, self.fresh_noise = augment, fresh_noise
        self._drawn = None, None

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        if not 0 <= index < len(self):  # which also ends a `for` loop over the batches
            raise IndexError(f"Batch {index} of an epoch of {len(self)}.")
        return self.make(index)

    def begin(self, epoch):
        """Go to an epoch, by its number from 0; batches that are not redrawn stay."""
        if self.redraw:
            self.epoch = epoch

    def on_epoch_end(self):
        self.begin(self.epoch + 1)

    def drawn(self):
        """What `draw` chose for this epoch; drawn when it is first asked for."""
        epoch, drawn = self._drawn
        if epoch != self.epoch:
            epoch = self.epoch
            drawn = self.draw(self.rng())
            self._drawn = epoch, drawn  # one assignment: safe with several threads
        return drawn

    def make_seed(self, *key):
        """Seeds of an epoch, as many as there are keys: `()`, `(index,)`, `(index, NOISE)`."""
        return np.random.SeedSequence((self.seed, self.epoch), spawn_key=key)

    def rng(self, *key):
        return np.random.default_rng(self.make_seed(*key))

    def gather(self, kind, numbers):
        """Patches `uint8 (n, 32, 32)` by number: 16 for each row of the array, and the view."""
        base = np.asarray(self.patches.base(kind))  # a plain array: a np.memmap is slower to index
        return base.reshape(-1, PATCH_SIZE, PATCH_SIZE).take(numbers, axis=0)

    def add_fresh_noise(self, clean, numbers, index):
        """Noise as strong as the views of these patches have it, of this batch alone."""
        return add_noise(clean, VIEW_SIGMA[numbers % len(VIEWS)], self.make_seed(index, NOISE))

"""Batches for `fit`: an epoch is drawn at once, each batch is then one gather from the array.

What is in a batch is decided here, what to do with it by the loss. Patches stay bytes until they are
on the device: a quarter of what float32 would take in memory and on the way.
"""

import keras
import numpy as np

from hpatches_kit.augment import MOST_JITTER, SYMMETRIES, flip_and_turn, random_changes, warp
from hpatches_kit.denoise import choose
from hpatches_kit.noise import VIEW_SIGMA, add_noise
from hpatches_kit.patches import PATCH_SIZE, VIEWS

NOISE = 1  # stands beside the index of a batch in the seed of its fresh noise


class Batches(keras.utils.PyDataset):
    """What the three kinds of batches share: data, seed and the count of epochs.

    The same (seed, epoch, index) gives the same batch, whichever worker makes it.
    """

    def __init__(self, data, batches, seed, redraw, augment, fresh_noise, **kwargs):
        super().__init__(**kwargs)
        if batches < 1:
            raise ValueError(f"{batches} batches an epoch: expected 1 or more.")
        self.data, self.batches, self.seed, self.redraw, self.epoch = data, batches, seed, redraw, 0
        self.augment, self.fresh_noise = augment, fresh_noise
        self._drawn = None, None

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        if not 0 <= index < len(self):  # which also ends a `for` loop over the batches
            raise IndexError(f"Batch {index} of an epoch of {len(self)}.")
        return self.make(index)

    def on_epoch_end(self):
        if self.redraw:
            self.epoch += 1

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
        base = np.asarray(self.data.base(kind))  # a plain array: a np.memmap is slower to index
        return base.reshape(-1, PATCH_SIZE, PATCH_SIZE).take(numbers, axis=0)

    def add_fresh_noise(self, clean, numbers, index):
        """Noise as strong as the views of these patches have it, of this batch alone."""
        return add_noise(clean, VIEW_SIGMA[numbers % len(VIEWS)], self.make_seed(index, NOISE))


class NoisyClean(Batches):
    """Noisy patches and their clean versions, for a denoiser.

    Args:
        data: a `PatchSet`.
        batch_size: patches in a batch.
        batches: batches an epoch; default: every patch once.
        views: names of the views to use; default: all 16.
        seed: decides the order.
        redraw: a new order every epoch; `False` keeps the batches, for validation.
        augment: flip and turn each patch by one of the 8 symmetries of the square, drawn evenly;
            noisy and clean alike.
        fresh_noise: noise drawn anew for every batch, instead of the noisy patches of `data`.

    A batch is `(noisy, clean)`, each `uint8 (batch_size, 32, 32, 1)`, grey levels 0..255.
    """

    def __init__(
        self,
        data,
        batch_size=50,
        batches=None,
        views=VIEWS,
        seed=0,
        redraw=True,
        augment=False,
        fresh_noise=False,
        **kwargs,
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
        self.kinds = ("clean",) if fresh_noise else ("noisy", "clean")
        for kind in self.kinds:
            data.base(kind)  # says what is there when this is not
        self.batch_size = batch_size
        super().__init__(data, batches or whole, seed, redraw, augment, fresh_noise, **kwargs)

    def draw(self, rng):
        """Numbers of patches `(batches, batch_size)`, none of them twice."""
        shape = self.batches, self.batch_size
        chosen = rng.choice(len(self.data) * len(self.views), shape, replace=False)
        points, views = np.divmod(chosen, len(self.views))
        return self.data.rows[points] * len(VIEWS) + self.views[views]

    def make(self, index):
        numbers = self.drawn()[index]
        pair = [self.gather(kind, numbers) for kind in self.kinds]
        if self.augment:
            symmetries = self.rng(index).integers(SYMMETRIES, size=len(numbers))
            pair = [flip_and_turn(patches, symmetries) for patches in pair]
        if self.fresh_noise:
            pair.insert(0, self.add_fresh_noise(pair[0], numbers, index))
        return tuple(patches[..., None] for patches in pair)


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
        self.triplets = triplets
        options = {"seed": seed, "redraw": redraw, "augment": augment, **kwargs}
        super().__init__(data, 2, batches, patches, denoiser, jitter, fresh_noise, **options)

    def draw(self, rng):
        count, size = len(self.labels), self.batches * self.triplets
        places = rng.integers(count, size=size)
        others = (places + 1 + rng.integers(count - 1, size=size)) % count
        slots = np.column_stack([self.two_views(places, rng), rng.integers(self.slots[others])])
        return self.numbers_and_labels(np.column_stack([places, places, others]), slots)

"""Batches for a descriptor: views of places, of which no two have the same label.

What is in a batch is decided here, what to do with it by the loss.
"""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.batches.base import Batches
from hpatches_kit.datasets.denoised import select_kind
from hpatches_kit.patches.augmentation import (
    FLIPS_AND_ROTATIONS,
    MAX_JITTER,
    flip_and_rotate,
    random_affine,
    warp,
)
from hpatches_kit.patches.views import PATCH_SIZE, VIEWS, patch_shape


class _Places(Batches):
    """Draws places so that no two of a batch have the same label, and views of each place."""

    def __init__(self, patches, places, steps, kind, denoiser, jitter, fresh_noise, **kwargs):
        if not 0 <= jitter <= MAX_JITTER:
            raise UserError(f"{jitter=}: expected 0 (none) to {MAX_JITTER:.0f}; 1 is modest.")
        if fresh_noise and kind != "noisy":
            used = kind or ("clean" if denoiser is None else "denoised")
            raise UserError(f"fresh_noise=True is for kind='noisy', these are {used!r}.")
        # Fresh noise is added to clean patches; the noisy ones of the data need not be there.
        patches, self.kind = select_kind(patches, "clean" if fresh_noise else kind, denoiser)
        if patch_shape(self.kind)[1] != PATCH_SIZE:
            raise UserError(f"Batches have patches of {PATCH_SIZE} pixels, {self.kind} are larger.")
        # Points sorted by label: the views of a place, 16 or a multiple, stand in one run.
        order = np.argsort(patches.label, kind="stable")
        self.numbers = patches.rows[order] * len(VIEWS)  # of the first view of each point
        self.labels, self.first, count = np.unique(
            patches.label[order], return_index=True, return_counts=True
        )
        self.slots = count * len(VIEWS)
        if len(self.labels) < places:
            raise UserError(
                f"A batch wants {places} distinct places, the patch set has {len(self.labels)}."
            )
        self.jitter = jitter
        super().__init__(patches, steps, fresh_noise=fresh_noise, **kwargs)

    def two_views(self, places, rng):
        """For each place two different patches of it, as numbers `(n, 2)` into its run of views."""
        slots = self.slots[places]
        one = rng.integers(slots)
        other = (one + 1 + rng.integers(slots - 1)) % slots
        return np.stack([one, other], 1)

    def numbers_and_labels(self, places, slots):
        """The patches at these slots of these places, both of one shape: `(steps, n)` each."""
        numbers = self.numbers[self.first[places] + slots // len(VIEWS)] + slots % len(VIEWS)
        labels = self.labels[places].astype(np.int32)
        return numbers.reshape(self.steps, -1), labels.reshape(self.steps, -1)

    def make(self, index):
        numbers, labels = (drawn[index] for drawn in self.drawn())
        patches = self.gather(self.kind, numbers)
        if self.augment or self.jitter:
            patches = self.change(patches, self.rng(index))
        if self.fresh_noise:
            patches = self.add_fresh_noise(patches, numbers, index)
        return patches[..., None], labels

    def change(self, patches, rng):
        """Flip and turn, rows that show one place alike, and jitter."""
        if self.augment:
            symmetries = rng.integers(
                FLIPS_AND_ROTATIONS, size=(len(patches) // len(self.alike), 2)
            )
            patches = flip_and_rotate(patches, symmetries[:, self.alike].ravel())
        if self.jitter:
            patches = warp(patches, random_affine(len(patches), self.jitter, rng))
        return patches

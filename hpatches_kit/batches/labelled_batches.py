"""Base class of `Pairs` and `Triplets`."""

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


class LabelledBatches(Batches):
    """Patches of places, with labels. A place has 16 patches for each point that shows it.

    A subclass sets `flip_of_row`: which of two random flips and rotations each row of a pair or
    triplet gets.
    """

    def __init__(self, patches, places, steps, kind, denoiser, jitter, fresh_noise, **kwargs):
        if not 0 <= jitter <= MAX_JITTER:
            raise UserError(f"{jitter=}: expected 0 (none) to {MAX_JITTER:.0f}; 1 is moderate.")
        if fresh_noise and kind != "noisy":
            actual = kind or ("clean" if denoiser is None else "denoised")
            raise UserError(f"fresh_noise=True needs kind='noisy', not {actual!r}.")
        # Fresh noise is added to clean patches, so the patch set needs no noisy ones.
        patches, self.kind = select_kind(patches, "clean" if fresh_noise else kind, denoiser)
        size = patch_shape(self.kind)[1]
        if size != PATCH_SIZE:
            raise UserError(f"{self.kind!r} patches are {size}x{size} pixels: expected 32x32.")
        # Sorted by label, the patches of a place are contiguous.
        order = np.argsort(patches.label, kind="stable")
        self.first_views = patches.rows[order] * len(VIEWS)  # index of each point's first view
        self.labels, self.first_point, points = np.unique(
            patches.label[order], return_index=True, return_counts=True
        )
        self.patches_per_place = points * len(VIEWS)
        if len(self.labels) < places:
            raise UserError(
                f"A batch needs {places} different places, the patch set has {len(self.labels)}."
            )
        self.jitter = jitter
        super().__init__(patches, steps, fresh_noise=fresh_noise, **kwargs)

    def two_views(self, places, rng):
        """Draw two different patches of each place: positions `(n, 2)` among its patches."""
        available = self.patches_per_place[places]
        first = rng.integers(available)
        second = (first + 1 + rng.integers(available - 1)) % available
        return np.stack([first, second], 1)

    def indices_and_labels(self, places, positions):
        """Indices and labels, `(steps, rows)`, of the patches at these positions of the places."""
        points, views = np.divmod(positions, len(VIEWS))
        indices = self.first_views[self.first_point[places] + points] + views
        labels = self.labels[places].astype(np.int32)
        return indices.reshape(self.steps, -1), labels.reshape(self.steps, -1)

    def make_batch(self, index):
        indices, labels = (values[index] for values in self.epoch_draw())
        patches = self.gather(self.kind, indices)
        if self.augment or self.jitter:
            patches = self.transform(patches, self.rng(index))
        if self.fresh_noise:
            patches = self.add_fresh_noise(patches, indices, index)
        return patches[..., None], labels

    def transform(self, patches, rng):
        """Apply flips and rotations, the same to all rows of a place, then jitter."""
        if self.augment:
            groups = len(patches) // len(self.flip_of_row)
            flips = rng.integers(FLIPS_AND_ROTATIONS, size=(groups, 2))
            patches = flip_and_rotate(patches, flips[:, self.flip_of_row].ravel())
        if self.jitter:
            patches = warp(patches, random_affine(len(patches), self.jitter, rng))
        return patches

"""Batches for a denoiser."""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.batches.base import Batches, check_at_least
from hpatches_kit.patches.augmentation import FLIPS_AND_ROTATIONS, flip_and_rotate
from hpatches_kit.patches.noise import VIEW_SIGMA
from hpatches_kit.patches.views import VIEWS


class NoisyClean(Batches):
    """Noisy patches and their clean versions, for a denoiser.

    A batch is `(noisy, clean)`, each `uint8 (batch_size, 32, 32, 1)`, grey levels 0..255. With
    `sigma` it is `((noisy, sigma), clean)`. No patch appears twice in an epoch.

    Args:
        patches: a `PatchSet`.
        batch_size: patches per batch.
        steps: batches per epoch. Default: as many as the patches fill.
        views: names of the views to use.
        seed: of the order, the augmentation and the fresh noise.
        redraw: draw a new order every epoch. Use `False` for validation.
        augment: apply a random flip and rotation (one of 8) to each patch, the same to its noisy
            and its clean version.
        fresh_noise: add new noise to the clean patches in every batch instead of using the noisy
            patches of `patches`.
        sigma: also return the standard deviation of the noise of each patch, in grey levels at
            65 px, `float32 (batch_size, 1)`: for networks with `noise_map`.

    Raises UserError for unknown views, numbers that are too small, a kind that `patches` lacks, or
    too few patches.
    """

    def __init__(
        self,
        patches,
        batch_size=50,
        steps=None,
        views=VIEWS,
        seed=0,
        redraw=True,
        augment=False,
        fresh_noise=False,
        sigma=False,
        **kwargs,
    ):
        check_at_least(1, batch_size=batch_size)
        if unknown := set(views) - set(VIEWS):
            raise UserError(f"Unknown views {sorted(unknown)}: expected some of {VIEWS}.")
        self.views = np.array([VIEWS.index(view) for view in views])
        available = len(patches) * len(self.views)
        full_batches = available // batch_size
        if full_batches < (steps or 1):
            raise UserError(
                f"{available} patches fill {full_batches} batches of {batch_size}: expected"
                f" {steps or 1} or more. Use a smaller batch_size or fewer steps."
            )
        self.kinds = ("clean",) if fresh_noise else ("noisy", "clean")
        for kind in self.kinds:
            patches.base(kind)  # raises UserError if the patch set lacks this kind
        self.batch_size, self.sigma = batch_size, sigma
        super().__init__(
            patches, steps or full_batches, seed, redraw, augment, fresh_noise, **kwargs
        )

    def draw_epoch(self, rng):
        """Indices of patches `(steps, batch_size)`, all different."""
        shape = self.steps, self.batch_size
        chosen = rng.choice(len(self.patches) * len(self.views), shape, replace=False)
        points, views = np.divmod(chosen, len(self.views))
        return self.patches.rows[points] * len(VIEWS) + self.views[views]

    def make_batch(self, index):
        indices = self.epoch_draw()[index]
        batch = [self.gather(kind, indices) for kind in self.kinds]
        if self.augment:
            transforms = self.rng(index).integers(FLIPS_AND_ROTATIONS, size=len(indices))
            batch = [flip_and_rotate(patches, transforms) for patches in batch]
        if self.fresh_noise:
            batch.insert(0, self.add_fresh_noise(batch[0], indices, index))
        noisy, clean = (patches[..., None] for patches in batch)
        if self.sigma:
            return (noisy, VIEW_SIGMA[indices % len(VIEWS), None].astype(np.float32)), clean
        return noisy, clean

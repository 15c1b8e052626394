"""Batches for a denoiser."""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.batches.base import Batches, check_least
from hpatches_kit.patches.augmentation import FLIPS_AND_ROTATIONS, flip_and_rotate
from hpatches_kit.patches.views import VIEWS


class NoisyClean(Batches):
    """Noisy patches and their clean versions, for a denoiser.

    Args:
        patches: a `PatchSet`.
        batch_size: patches in a batch.
        steps: batches per epoch; default: every patch once.
        views: names of the views to use; default: all 16.
        seed: decides the order.
        redraw: a new order every epoch; `False` keeps the batches, for validation.
        augment: flip and turn each patch by one of the 8 symmetries of the square, drawn evenly;
            noisy and clean alike.
        fresh_noise: noise drawn anew for every batch, instead of the noisy patches of `patches`.

    A batch is `(noisy, clean)`, each `uint8 (batch_size, 32, 32, 1)`, grey levels 0..255.
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
        **kwargs,
    ):
        check_least(1, batch_size=batch_size)
        unknown = set(views) - set(VIEWS)
        if unknown:
            raise UserError(f"Unknown views {sorted(unknown)}: expected some of {VIEWS}.")
        self.views = np.array([VIEWS.index(view) for view in views])
        whole = len(patches) * len(self.views) // batch_size
        if whole < (steps or 1):
            raise UserError(
                f"{len(patches) * len(self.views)} patches fill {whole} batches of {batch_size},"
                f" {steps or 1} wanted."
            )
        self.kinds = ("clean",) if fresh_noise else ("noisy", "clean")
        for kind in self.kinds:
            patches.base(kind)  # says what is there when this is not
        self.batch_size = batch_size
        super().__init__(patches, steps or whole, seed, redraw, augment, fresh_noise, **kwargs)

    def draw(self, rng):
        """Numbers of patches `(steps, batch_size)`, none of them twice."""
        shape = self.steps, self.batch_size
        chosen = rng.choice(len(self.patches) * len(self.views), shape, replace=False)
        points, views = np.divmod(chosen, len(self.views))
        return self.patches.rows[points] * len(VIEWS) + self.views[views]

    def make(self, index):
        numbers = self.drawn()[index]
        pair = [self.gather(kind, numbers) for kind in self.kinds]
        if self.augment:
            symmetries = self.rng(index).integers(FLIPS_AND_ROTATIONS, size=len(numbers))
            pair = [flip_and_rotate(patches, symmetries) for patches in pair]
        if self.fresh_noise:
            pair.insert(0, self.add_fresh_noise(pair[0], numbers, index))
        return tuple(patches[..., None] for patches in pair)

"""batches.pairs."""

import numpy as np

from hpatches_kit.batches.base import check_least
from hpatches_kit.batches.places import _Places


class Pairs(_Places):
    """Two views of each of many places, for a loss that finds negatives inside the batch.

    Args:
        patches: a `PatchSet`.
        pairs: places in a batch, all different.
        steps: batches per epoch (report A: 100 of 128 pairs).
        kind: `"clean"`, `"noisy"` or `"denoised"`; default: `"denoised"` with a denoiser, else
            `"clean"`.
        denoiser: makes the denoised patches once, here; not needed where `patches` has them already.
        seed: decides places and views.
        redraw: new batches every epoch; `False` keeps them, for validation.
        augment: flip and turn by one of the 8 symmetries of the square, drawn evenly for each place
            and shared by its two patches.
        jitter: turn, zoom and shift each patch a little on its own; 1 is up to 5 degrees, 5 % and
            1 pixel. Pixels are mixed, which weakens noise unless it is fresh.
        fresh_noise: with `kind="noisy"`: noise drawn anew for every batch and added last, to the
            clean patches of `patches`, instead of its noisy ones.

    A batch is `(patches, labels)`: `uint8 (2 * pairs, 32, 32, 1)`, grey levels 0..255, rows 2k and
    2k + 1 showing one place, and `int32 (2 * pairs,)`. In an epoch no place comes again before there
    are too few others left for a batch.
    """

    alike = [0, 0]  # which of two symmetries each patch of a place has

    def __init__(
        self,
        patches,
        pairs=128,
        steps=100,
        kind=None,
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
        super().__init__(patches, pairs, steps, kind, denoiser, jitter, fresh_noise, **options)

    def draw(self, rng):
        count = len(self.labels)
        lap = min(self.steps, count // self.pairs)  # batches before a place comes again
        laps = -(-self.steps // lap)
        places = [rng.choice(count, lap * self.pairs, replace=False) for _ in range(laps)]
        places = np.concatenate(places)[: self.steps * self.pairs]
        return self.numbers_and_labels(np.stack([places, places], 1), self.two_views(places, rng))

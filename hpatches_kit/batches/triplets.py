"""batches.triplets."""

import numpy as np

from hpatches_kit.batches.base import check_least
from hpatches_kit.batches.places import _Places


class Triplets(_Places):
    """Anchor, positive and negative, for the baseline triplet loss.

    Args:
        patches, kind, denoiser, seed, redraw, jitter, fresh_noise: as for `Pairs`.
        triplets: triplets in a batch.
        steps: batches per epoch (the reports: 2,000 of 50 triplets, 200 for validation).
        augment: as for `Pairs`; the negative has a symmetry of its own.

    A batch is `(patches, labels)`: `uint8 (3 * triplets, 32, 32, 1)`, grey levels 0..255, rows 3k and
    3k + 1 showing one place, row 3k + 2 another, and `int32 (3 * triplets,)`.
    """

    alike = [0, 0, 1]

    def __init__(
        self,
        patches,
        triplets=50,
        steps=2000,
        kind=None,
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
        super().__init__(patches, 2, steps, kind, denoiser, jitter, fresh_noise, **options)

    def draw(self, rng):
        count, size = len(self.labels), self.steps * self.triplets
        places = rng.integers(count, size=size)
        others = (places + 1 + rng.integers(count - 1, size=size)) % count
        slots = np.column_stack([self.two_views(places, rng), rng.integers(self.slots[others])])
        return self.numbers_and_labels(np.column_stack([places, places, others]), slots)

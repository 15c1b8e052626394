"""Batches of triplets."""

import numpy as np

from hpatches_kit.batches.base import check_at_least
from hpatches_kit.batches.labelled_batches import LabelledBatches


class Triplets(LabelledBatches):
    """Anchor, positive and negative, for the baseline triplet loss.

    A batch is `(patches, labels)`: `uint8 (3 * triplets, 32, 32, 1)`, grey levels 0..255, and
    `int32 (3 * triplets,)`. Rows 3k and 3k + 1 show one place, row 3k + 2 shows another.

    Args:
        patches, kind, denoiser, seed, redraw, jitter, fresh_noise, photometric, noise, noise_share:
            as for `Pairs`.
        triplets: triplets per batch.
        steps: batches per epoch (the reports: 2,000 batches of 50 triplets; 200 for validation).
        augment: as for `Pairs`; the negative gets its own flip and rotation.

    Raises UserError for fewer than two places, and otherwise as `Pairs`.
    """

    flip_of_row = [0, 0, 1]

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
        photometric=0.0,
        noise=None,
        noise_share=0.5,
        **kwargs,
    ):
        check_at_least(1, triplets=triplets)
        self.triplets = triplets
        options = {"seed": seed, "redraw": redraw, "augment": augment, **kwargs}
        options |= {"photometric": photometric, "noise": noise, "noise_share": noise_share}
        super().__init__(patches, 2, steps, kind, denoiser, jitter, fresh_noise, **options)

    def draw_epoch(self, rng):
        count, size = len(self.labels), self.steps * self.triplets
        places = rng.integers(count, size=size)
        others = (places + 1 + rng.integers(count - 1, size=size)) % count
        pairs = self.two_views(places, rng)
        negatives = rng.integers(self.patches_per_place[others])
        positions = np.column_stack([pairs, negatives])
        return self.indices_and_labels(np.column_stack([places, places, others]), positions)

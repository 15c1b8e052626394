"""Batches of pairs."""

import numpy as np

from hpatches_kit.batches.base import check_at_least
from hpatches_kit.batches.labelled_batches import LabelledBatches


class Pairs(LabelledBatches):
    """Pairs of patches of one place, for a loss that finds the negatives in the batch.

    A batch is `(patches, labels)`: `uint8 (2 * pairs, 32, 32, 1)`, grey levels 0..255, and
    `int32 (2 * pairs,)`. Rows 2k and 2k + 1 show one place. In an epoch, places are drawn without
    replacement until fewer than a batch remain.

    Args:
        patches: a `PatchSet`.
        pairs: pairs per batch, each of another place.
        steps: batches per epoch (report A: 100 batches of 128 pairs).
        kind: `"clean"`, `"noisy"` or `"denoised"`. Default: `"denoised"` with a denoiser, else
            `"clean"`.
        denoiser: computes the denoised patches in this call. Not needed if `patches` has them.
        seed: of places, views, augmentation and noise.
        redraw: draw new batches every epoch. Use `False` for validation.
        augment: apply a random flip and rotation (one of 8) to each place, the same to its two
            patches.
        jitter: strength of the geometric noise of each patch; 1 is a rotation of up to 5 degrees, a
            zoom of up to 5 % and a shift of up to 1 pixel. It also weakens the photometric noise,
            except the noise of `fresh_noise` and `noise`, which is added afterwards.
        fresh_noise: with `kind="noisy"`: add new noise to the clean patches in every batch instead
            of using the noisy patches of `patches`.
        photometric: strength of random gain, gamma and Gaussian blur, independent for each patch.
            At 1, gain and gamma are each between 0.74 and 1.35, and the standard deviation of the
            blur is up to 0.7 pixels. It is applied after jitter and weakens the same noise.
        noise: `(low, high)`: with `kind="clean"`, add Gaussian noise to a random share of the
            patches. The standard deviation is drawn for each patch, uniformly between low and high,
            in grey levels at 65 pixels as for `hk.patches.add_noise`. Default: no noise.
        noise_share: probability with which each patch gets this noise.

    Raises UserError for numbers that are too small, a jitter outside 0..5, a photometric strength
    outside 0..3, noise outside 0..100, a share outside 0..1, a kind that `patches` lacks, noise or
    fresh noise for a wrong kind, or fewer places than pairs.
    """

    flip_of_row = [0, 0]

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
        photometric=0.0,
        noise=None,
        noise_share=0.5,
        **kwargs,
    ):
        check_at_least(2, pairs=pairs)  # a lone pair has no negatives
        self.pairs = pairs
        options = {"seed": seed, "redraw": redraw, "augment": augment, **kwargs}
        options |= {"photometric": photometric, "noise": noise, "noise_share": noise_share}
        super().__init__(patches, pairs, steps, kind, denoiser, jitter, fresh_noise, **options)

    def draw_epoch(self, rng):
        count = len(self.labels)
        steps_per_pass = min(self.steps, count // self.pairs)  # batches before a place repeats
        passes = -(-self.steps // steps_per_pass)
        size = steps_per_pass * self.pairs
        places = [rng.choice(count, size, replace=False) for _ in range(passes)]
        places = np.concatenate(places)[: self.steps * self.pairs]
        positions = self.two_views(places, rng)
        return self.indices_and_labels(np.stack([places, places], 1), positions)

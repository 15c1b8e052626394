"""Base class of `Pairs` and `Triplets`."""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.batches.base import FRESH_NOISE, Batches
from hpatches_kit.datasets.denoised import select_kind
from hpatches_kit.patches.augmentation import (
    FLIPS_AND_ROTATIONS,
    MAX_JITTER,
    flip_and_rotate,
    random_affine,
    warp,
)
from hpatches_kit.patches.noise import add_noise
from hpatches_kit.patches.photometric import MAX_STRENGTH, change_photometry, random_photometry
from hpatches_kit.patches.views import PATCH_SIZE, VIEWS, patch_shape

# Like FRESH_NOISE, which is 1, they separate random numbers: an option does not change the others.
PHOTOMETRIC, NOISE = 2, 3
MAX_SIGMA = 100.0  # of the noise, in grey levels


def check_strengths(**strengths):
    """Raise UserError for a strength, given as `(strength, maximum)`, outside 0 to its maximum."""
    for name, (strength, maximum) in strengths.items():
        if not 0 <= strength <= maximum:
            raise UserError(
                f"{name}={strength}: expected 0 (none) to {maximum:.0f}; 1 is moderate."
            )


def check_noise(noise, noise_share, kind):
    """Raise UserError for noise that is not a range, a wrong share, or a kind other than clean."""
    if not 0 <= noise_share <= 1:
        raise UserError(f"{noise_share=}: expected 0 (no patch) to 1 (every patch).")
    if noise is None:
        return
    try:
        low, high = noise
        valid = bool(0 <= low <= high <= MAX_SIGMA)
    except (TypeError, ValueError):  # not two numbers
        valid = False
    if not valid:
        raise UserError(
            f"{noise=}: expected two standard deviations, 0 <= low <= high <= {MAX_SIGMA:.0f}."
        )
    if kind != "clean":
        raise UserError(
            f"{noise=} needs kind='clean', not {kind!r}. Use clean patches, without denoiser= and"
            " fresh_noise=, or leave out noise=."
        )


class LabelledBatches(Batches):
    """Patches of places, with labels. A place has 16 patches for each point that shows it.

    A subclass sets `flip_of_row`: which of two random flips and rotations each row of a pair or
    triplet gets.
    """

    def __init__(
        self,
        patches,
        places,
        steps,
        kind,
        denoiser,
        jitter,
        fresh_noise,
        photometric,
        noise,
        noise_share,
        **kwargs,
    ):
        check_strengths(jitter=(jitter, MAX_JITTER), photometric=(photometric, MAX_STRENGTH))
        actual = kind or ("clean" if denoiser is None else "denoised")
        if fresh_noise and actual != "noisy":
            raise UserError(f"fresh_noise=True needs kind='noisy', not {actual!r}.")
        check_noise(noise, noise_share, actual)
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
        self.jitter, self.photometric = jitter, photometric
        self.noise, self.noise_share = noise, noise_share
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
        if self.photometric:
            rng = self.rng(index, PHOTOMETRIC)
            changes = random_photometry(len(patches), self.photometric, rng)
            patches = change_photometry(patches, changes)
        # Noise comes last, as in a camera: jitter and blur average pixels, which would weaken it.
        if self.fresh_noise:
            patches = self.add_fresh_noise(patches, indices, index)
        if self.noise is not None:
            patches = self.add_random_noise(patches, index)
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

    def add_random_noise(self, patches, index):
        """Add noise to a random share of the patches, each with its own standard deviation."""
        rng = self.rng(index, NOISE)
        noisy = np.flatnonzero(rng.random(len(patches)) < self.noise_share)
        sigma = rng.uniform(*self.noise, len(patches))[noisy]
        patches[noisy] = add_noise(patches[noisy], sigma, self.seed_sequence(index, FRESH_NOISE))
        return patches

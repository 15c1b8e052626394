"""Batches for `fit`: `NoisyClean` for denoisers, `Pairs` and `Triplets` for descriptors."""

from hpatches_kit.batches.noisy_clean import NoisyClean
from hpatches_kit.batches.places import Pairs, Triplets

__all__ = ["NoisyClean", "Pairs", "Triplets"]

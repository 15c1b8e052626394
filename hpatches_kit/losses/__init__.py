"""Losses. Those of descriptors read a batch as `batches` lays it out: `loss(labels, descriptors)`."""

from hpatches_kit.losses.denoising import StructureAndError
from hpatches_kit.losses.hybrid import HybridSimilarity
from hpatches_kit.losses.mining import HardMining, RandomNegatives
from hpatches_kit.losses.second_order import SecondOrderSimilarity
from hpatches_kit.losses.triplet import Triplet

__all__ = [
    "HardMining",
    "HybridSimilarity",
    "RandomNegatives",
    "SecondOrderSimilarity",
    "StructureAndError",
    "Triplet",
]

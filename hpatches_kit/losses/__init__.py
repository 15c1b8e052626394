"""Losses for `compile`, named after their papers.

In: labels and descriptors of a batch, or clean and denoised patches. Out: one loss per pair,
triplet or patch.
"""

import keras  # noqa: F401  first: importing Keras imports the modules here, to register them
import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

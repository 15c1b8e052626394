"""Metrics for `compile`, and the quality of denoised patches by noise level.

In: clean and denoised patches, or labels and descriptors of a batch. Out: numbers.
"""

import keras  # noqa: F401  first: importing Keras imports the modules here, to register them
import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

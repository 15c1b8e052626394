"""Batches for `fit`.

In: a `PatchSet`. Out: a `keras.utils.PyDataset`, which chooses the patches of every batch.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Batches for `fit`.

In: a `PatchSet`. Out: a `keras.utils.PyDataset` that decides what is in a batch; the loss decides what to do with it.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Descriptors: a model or a hand-crafted baseline describes patches; whitening; files.

In: a `PatchSet` and a model or function. Out: `Descriptors`, `float32 (points, 16, dim)`, in
memory, in CSV folders, zips or `.npz` files.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Patch sets by name: built-in photographs, your own photographs, HPatches and N-HPatches.

In: a name, a path, photographs or a denoiser. Out: a `PatchSet` with its splits.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

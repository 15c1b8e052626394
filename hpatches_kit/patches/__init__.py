"""Patches: 16 views of each point, in one array per kind (clean, noisy, denoised, original).

In: image sequences and keypoints. Out: a `PatchSet`, in memory or memory-mapped from a folder, with
noise, augmentation and classical denoisers for its patches.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

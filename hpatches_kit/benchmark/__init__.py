"""The HPatches benchmark: verification, matching and retrieval (Balntas et al., CVPR 2017).

In: `Descriptors` and task lists. Out: `Scores`. The three tasks never see a model and need no
Keras. Read `plain.py` first: it is the whole protocol in its simplest form. `image_pairs` scores
models and functions on whole images instead, with the steps of `image_matching/`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Match two images: keypoints, descriptors, nearest neighbours, homography or fundamental matrix.

In: two pictures and a descriptor: a network, a baseline or any function of patches. Out: an
`ImageMatches`. Networks are loaded, and Keras imported, when the first image is described.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Photographs and image sequences: read from files, built in, or made from one photograph.

In: image files, or a single photograph. Out: grey images, keypoints, and `ImageSequence` objects,
whose homographies map the pixels of image 1 to the other images.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

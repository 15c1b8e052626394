"""Find copies of the built-in photographs, which everybody has.

Images are compared as thumbnails, which finds copies that were resized, compressed, made brighter or
darker, mirrored or rotated by a right angle. Crops are not found.
"""

from functools import cache

import numpy as np
from PIL import Image

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.sequences import ImageSequence

SIDE = 32  # of a thumbnail, in pixels
# Distances are those of `near_duplicates`: Euclidean, at zero mean and unit norm, 0 to 2. JPEGs of
# quality 30 at half the size are at 0.16 or less, different built-in photographs at 0.94 or more.
COPY = 0.3


def copied_photograph(source, names):
    """Return the built-in photograph that an image copies, or None.

    Args:
        source: `(height, width)`, grey levels, or an `ImageSequence`, whose images are compared.
        names: of the built-in photographs that are compared, a list.
    """
    thumbnails = np.concatenate([_builtin_thumbnails(name) for name in names])
    for image in source.images if isinstance(source, ImageSequence) else [source]:
        distance = distances(_orientations(image)[:1], thumbnails)[0]
        if distance.min() < COPY:
            return names[distance.argmin() // 8]
    return None


def distances(images, others):
    """Distances `(n, m)` of images `(n, side, side)` and `(m, side, side)` at zero mean, unit norm."""
    first, second = _normalised(images), _normalised(others)
    return np.sqrt(np.maximum(2 - 2 * first @ second.T, 0))


@cache
def _builtin_thumbnails(name):
    return _orientations(photograph(name))


def _orientations(image):
    """The thumbnail of an image in its eight orientations, `(8, SIDE, SIDE)`."""
    grey = Image.fromarray(np.asarray(image, np.float32))
    thumbnail = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))
    rotated = [np.rot90(thumbnail, k) for k in range(4)]
    return np.stack([*rotated, *(image.T for image in rotated)])


def _normalised(images):
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)

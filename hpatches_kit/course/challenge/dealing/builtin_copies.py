"""Find copies of the built-in photographs, which everybody has.

Images are compared as thumbnails, which finds copies that were renamed, resized, compressed, made
brighter or darker, mirrored or rotated by a right angle. Crops are not found. Saved patch sets hold
no images: their patches are compared with those of the built-in photograph of the same name.
"""

from functools import cache

import numpy as np
from PIL import Image

from hpatches_kit.datasets.builtin import SCENES, TEXTURES
from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.keypoints import detect_keypoints
from hpatches_kit.images.sequences import ImageSequence
from hpatches_kit.patches.extraction import regions, sample
from hpatches_kit.patches.noise import resize
from hpatches_kit.patches.overlap import photograph_of

NAMES = [*(name for side in SCENES.values() for name in side), *TEXTURES]
SIDE = 32  # of a thumbnail, in pixels
# Distances are those of `near_duplicates`: Euclidean, at zero mean and unit norm, 0 to 2. A JPEG of
# quality 30 at half the size is at 0.05, two different built-in photographs are at 0.6 or more.
COPY = 0.3
# In a copy, half of the patches or more are closer than 0.1 to one of the photograph, which is cut
# around the same keypoint; of another photograph, fewer than one in a hundred.
SAME_PATCH = 0.1
SHARED = 0.2  # of the patches
PATCHES = 200  # compared per photograph


def copied_image(source):
    """Return the name of the built-in photograph that an image or image sequence copies, or None.

    `source` is `(height, width)`, grey levels, or an `ImageSequence`.
    """
    images = source.images if isinstance(source, ImageSequence) else [source]
    for image in images:
        distance = _distances(_orientations(image)[:1], _builtin_thumbnails())[0]
        if distance.min() < COPY:
            return NAMES[distance.argmin() // 8]
    return None


def copied_sequence(patches):
    """Return a sequence of a `PatchSet` that shows the built-in photograph in its name, or None."""
    for name in patches.names:
        if (owner := photograph_of(name)) in NAMES:
            references = patches.select(name).clean[:PATCHES, 0]
            image = photograph(owner)
            own = resize(sample(image, regions(detect_keypoints(image))))
            distance = _distances(_normalised(references), _normalised(own)).min(axis=1)
            if (distance < SAME_PATCH).mean() > SHARED:
                return name
    return None


@cache
def _builtin_thumbnails():
    return np.concatenate([_orientations(photograph(name)) for name in NAMES])


def _orientations(image):
    """The thumbnail of an image in its eight orientations, normalised, `(8, pixels)`."""
    grey = Image.fromarray(np.asarray(image, np.float32))
    thumbnail = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))
    turned = [np.rot90(thumbnail, k) for k in range(4)]
    return _normalised(np.stack([*turned, *(other.T for other in turned)]))


def _normalised(patches):
    """Patches `(n, side, side)` as rows of zero mean and unit norm."""
    flat = patches.reshape(len(patches), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _distances(rows, others):
    return np.sqrt(np.maximum(2 - 2 * rows @ others.T, 0))

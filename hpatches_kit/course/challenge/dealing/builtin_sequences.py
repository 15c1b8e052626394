"""Find sequences of built-in photographs in a saved patch set, which holds patches but no images."""

from hpatches_kit.datasets.builtin import SCENES, TEXTURES
from hpatches_kit.datasets.builtin_copies import distances
from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.keypoints import detect_keypoints
from hpatches_kit.patches.extraction import regions, sample
from hpatches_kit.patches.noise import resize
from hpatches_kit.patches.overlap import photograph_of

BUILTIN_PHOTOGRAPHS = [*(name for side in SCENES.values() for name in side), *TEXTURES]
# In a copy, half of the patches or more are closer than 0.1 to one of the photograph, which is cut
# around the same keypoint; of another photograph, fewer than one in a hundred.
SAME_PATCH = 0.1
SHARED = 0.2  # of the patches
PATCHES = 200  # compared per photograph


def copied_sequence(patches):
    """Return a sequence of a `PatchSet` that shows the built-in photograph in its name, or None."""
    for name in patches.names:
        if (owner := photograph_of(name)) in BUILTIN_PHOTOGRAPHS:
            image = photograph(owner)
            cut = resize(sample(image, regions(detect_keypoints(image))))
            nearest = distances(patches.select(name).clean[:PATCHES, 0], cut).min(axis=1)
            if (nearest < SAME_PATCH).mean() > SHARED:
                return name
    return None

"""The built-in patch sets: virtual sequences of the photographs of `images/builtin.py`.

They are split by photograph into three sides: training, validation and test.
"""

from dataclasses import asdict, dataclass
from functools import partial

from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches.scenes import Scene, extract_scenes, virtual_names

# data/README.md lists sources and licences.
SCENES = {
    "train": "astronaut clock coins flower microscope retina rocket text".split(),
    "validation": ["coffee", "hopper"],
    "test": ["camera", "chelsea", "china"],
}
# These have thousands of similar keypoints, or hardly any, so they contribute fewer points.
TEXTURES = ["brick", "cell", "grass", "gravel", "hubble"]  # for training only
VERSION = 3  # raise it when the patches change, so that caches are built again
FEWEST_POINTS = 300  # per sequence of validation and test


@dataclass
class BuiltinSize:
    """How many virtual sequences a photograph gives, and how many points a sequence has."""

    viewpoint: int  # virtual sequences per photograph for training
    lighting: int
    points: int  # at most, per sequence for training
    texture_points: int  # at most, per sequence of a texture
    test_sequences: int  # of each kind per photograph for validation and test
    test_points: int  # at most, per sequence for validation and test
    seed: int = 0


BUILTIN = {
    "mini": BuiltinSize(2, 2, points=150, texture_points=50, test_sequences=1, test_points=300),
    "photos": BuiltinSize(6, 4, points=260, texture_points=80, test_sequences=2, test_points=1000),
}


def build(size, progress=True, originals=False):
    """Cut patches from every photograph; returns a `PatchSet` with the split `"photographs"`.

    `size` is a `BuiltinSize`; for the other arguments see `extract_scenes`.
    """
    scenes, split = [], {side: [] for side in SCENES}
    for side, photographs in SCENES.items():
        for name in photographs + (TEXTURES if side == "train" else []):
            if side == "train":
                names = virtual_names(name, size.viewpoint, size.lighting)
                points = size.texture_points if name in TEXTURES else size.points
                fewest = 0
            else:
                names = virtual_names(name, size.test_sequences, size.test_sequences)
                points, fewest = size.test_points, FEWEST_POINTS
            seed = (size.seed, len(scenes))
            read = partial(photograph, name)
            scenes.append(Scene(name, read, names, points, seed, fewest_points=fewest))
            split[side] += names
    return extract_scenes(scenes, {"photographs": split}, progress, originals)


def provenance(name, originals=False):
    """Everything that the patches depend on; stored with the patch set."""
    optional = {"originals": True} if originals else {}
    return {"name": name, "version": VERSION, "size": asdict(BUILTIN[name]), **optional}

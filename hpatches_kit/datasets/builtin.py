"""The built-in patch sets: virtual sequences of the photographs of `images/builtin.py`.

They are split by photograph: a network never trains on a photograph of the test side.
"""

from dataclasses import asdict, dataclass
from functools import partial

from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches.scenes import Scene, extract_scenes, virtual_names

# data/README.md lists sources and licences.
SCENES = {
    "train": ["astronaut", "coins", "flower", "microscope", "retina", "rocket", "text"],
    "test": ["camera", "chelsea", "china", "coffee"],
}
# A texture has thousands of similar keypoints, so it contributes fewer points than a scene.
TEXTURES = {"train": ["brick", "grass", "gravel", "hubble"], "test": []}
VERSION = 2  # raise it when the patches change, so that caches are built again


@dataclass
class BuiltinSize:
    viewpoint: int  # virtual sequences per photograph
    lighting: int
    points: int  # at most, per sequence of a scene
    texture_points: int  # at most, per sequence of a texture
    seed: int = 0


BUILTIN = {
    "mini": BuiltinSize(viewpoint=2, lighting=2, points=150, texture_points=50),
    "photos": BuiltinSize(viewpoint=6, lighting=4, points=260, texture_points=80),
}


def build(size, progress=True, originals=False):
    """Cut patches from every photograph; returns a `PatchSet` with the split `"photographs"`.

    `size` is a `BuiltinSize`; for the other arguments see `extract_scenes`.
    """
    scenes, split = [], {"train": [], "test": []}
    for side in split:
        for name in SCENES[side] + TEXTURES[side]:
            names = virtual_names(name, size.viewpoint, size.lighting)
            points = size.texture_points if name in TEXTURES[side] else size.points
            seed = (size.seed, len(scenes))
            scenes.append(Scene(name, partial(photograph, name), names, points, seed))
            split[side] += names
    return extract_scenes(scenes, {"photographs": split}, progress, originals)


def provenance(name, originals=False):
    """Everything that the patches depend on; stored with the patch set."""
    optional = {"originals": True} if originals else {}
    return {"name": name, "version": VERSION, "size": asdict(BUILTIN[name]), **optional}

"""The built-in data: patches of the photographs that scikit-image and scikit-learn install.

Nothing is downloaded. Each photograph gives several virtual sequences (see `sequences/virtual.py`).
Train and test are split by photograph: no test scene was ever trained on.
"""

from dataclasses import asdict, dataclass
from functools import partial

from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches.scenes import Scene, extract_scenes, virtual_names

# Sources and licences stand in data/README.md.
SCENES = {
    "train": ["astronaut", "coins", "flower", "microscope", "retina", "rocket", "text"],
    "test": ["camera", "chelsea", "china", "coffee"],
}
# A lawn has thousands of points, all alike, and so has a sky full of stars: these give fewer.
TEXTURES = {"train": ["brick", "grass", "gravel", "hubble"], "test": []}
VERSION = 2  # raise it when the patches change, so that caches are built again


@dataclass
class Recipe:
    """How much data is made of each photograph."""

    viewpoint: int  # sequences per photograph
    lighting: int
    points: int  # at most, per sequence of a scene
    texture_points: int
    seed: int = 0


RECIPES = {
    "mini": Recipe(viewpoint=2, lighting=2, points=150, texture_points=50),
    "photos": Recipe(viewpoint=6, lighting=4, points=260, texture_points=80),
}


def build(recipe, progress=True, originals=False):
    """Make the patches of every photograph, `PatchSet` with the split `"photographs"`.

    Args:
        recipe: a `Recipe`.
        progress: show a bar, one step a sequence.
        originals: also keep the 65 px patches.
    """
    scenes, split = [], {"train": [], "test": []}
    for side in split:
        for name in SCENES[side] + TEXTURES[side]:
            names = virtual_names(name, recipe.viewpoint, recipe.lighting)
            points = recipe.texture_points if name in TEXTURES[side] else recipe.points
            seed = (recipe.seed, len(scenes))
            scenes.append(Scene(name, partial(photograph, name), names, points, seed))
            split[side] += names
    return extract_scenes(scenes, {"photographs": split}, progress, originals)


def provenance(name, originals=False):
    """What the cache of a built-in data set must have been made with."""
    more = {"originals": True} if originals else {}
    return {"name": name, "version": VERSION, "recipe": asdict(RECIPES[name]), **more}

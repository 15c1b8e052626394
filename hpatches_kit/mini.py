"""The built-in data: patches of the photographs that scikit-image and scikit-learn install.

Nothing is downloaded. Each photograph gives several virtual sequences (see `virtual.py`); the
keypoints are detected once per photograph, so a place has one label in all of them. Train and
test are split by photograph: no test scene was ever trained on.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
import skimage.data
from skimage.color import rgb2gray
from skimage.transform import downscale_local_mean
from sklearn.datasets import load_sample_image
from tqdm import tqdm

from hpatches_kit.detect import detect
from hpatches_kit.noise import noisy_and_clean
from hpatches_kit.patches import PatchSet
from hpatches_kit.sequences import extract
from hpatches_kit.virtual import lighting_sequence, viewpoint_sequence

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


def photograph(name):
    """A built-in photograph as `float32 (height, width)`, grey levels 0..255, by its short name."""
    if name in ("china", "flower"):
        image = load_sample_image(f"{name}.jpg")
    else:
        renamed = {"hubble": "hubble_deep_field", "microscope": "immunohistochemistry"}
        image = getattr(skimage.data, renamed.get(name, name))()
    grey = rgb2gray(image) * 255 if image.ndim == 3 else image
    if max(grey.shape) > 1000:  # the finest pixels of a very large photograph hold only noise
        grey = downscale_local_mean(grey, (2, 2))
    return np.asarray(grey, np.float32)


def build(recipe, progress=True):
    """Make the patches of every photograph, `PatchSet` with the split `"photographs"`.

    Args:
        recipe: a `Recipe`.
        progress: show a bar, one step a sequence.
    """
    jobs = []
    split = {"train": [], "test": []}
    for side in split:
        for name in SCENES[side] + TEXTURES[side]:
            names = [f"v_{name}_{i + 1}" for i in range(recipe.viewpoint)]
            names += [f"i_{name}_{i + 1}" for i in range(recipe.lighting)]
            split[side] += names
            jobs.append(
                (name, names, recipe.texture_points if name in TEXTURES[side] else recipe.points)
            )
    total = sum(len(names) for _, names, _ in jobs)
    with tqdm(total=total, desc="Building patches", unit="sequence", disable=not progress) as bar:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            done = list(
                pool.map(lambda k: _patches_of(*jobs[k], (recipe.seed, k), bar), range(len(jobs)))
            )
    label, places = [], 0
    for _, _, place in done:
        label.append(place + places)
        places += place.max(initial=-1) + 1
    noisy, clean = (np.concatenate([photo[0][i] for photo in done]) for i in (0, 1))
    sequence = np.concatenate([photo[1] for photo in done])
    return PatchSet(
        {"clean": clean, "noisy": noisy}, sequence, np.concatenate(label), {"photographs": split}
    )


def _patches_of(name, names, count, seed, bar):
    """One photograph: `((noisy, clean), sequence names, place of each point)`."""
    image = photograph(name)
    seeds = iter(np.random.SeedSequence(seed).spawn(1 + 2 * len(names)))
    points = detect(image, next(seeds))
    pairs, sequences, places = [], [], []
    for sequence_name in names:
        make = viewpoint_sequence if sequence_name.startswith("v_") else lighting_sequence
        sequence_seed, noise_seed = next(seeds).spawn(2), next(seeds)
        sequence = make(sequence_name, image, sequence_seed[0])
        patches, kept = extract(sequence, points, count, sequence_seed[1])
        pairs.append(noisy_and_clean(patches, noise_seed))
        sequences += [sequence_name] * len(kept)
        # The place of a point is its row among the photograph's keypoints: the same in every sequence.
        places.append((points[None] == kept[:, None]).all(2).argmax(1))
        bar.update()
    both = [np.concatenate([pair[i] for pair in pairs]) for i in (0, 1)]
    return both, np.array(sequences), np.concatenate(places)


def about(name):
    """What the cache of a built-in data set must have been made with."""
    return {"name": name, "version": VERSION, "recipe": asdict(RECIPES[name])}

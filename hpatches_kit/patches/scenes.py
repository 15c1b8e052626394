"""Scenes become noisy and clean patches, side by side on all cores.

A scene is a photograph, looked at in several virtual sequences, or one real sequence. Keypoints are
detected once per scene, so a place has one label in all sequences of its scene.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import TemporaryFile

import numpy as np
from tqdm import tqdm

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.processor import cores
from hpatches_kit.images.keypoints import detect_keypoints
from hpatches_kit.images.sequences import ImageSequence
from hpatches_kit.images.virtual_sequences import lighting_sequence, viewpoint_sequence
from hpatches_kit.patches.extraction import extract
from hpatches_kit.patches.noise import noisy_and_clean
from hpatches_kit.patches.patch_set import PatchSet
from hpatches_kit.patches.views import ORIGINAL, patch_shape

WHY = "Is it blank, blurred, very small, or do the homographies lead out of the images?"
VIRTUAL = {"v": viewpoint_sequence, "i": lighting_sequence}


@dataclass
class Scene:
    """What patches are cut from.

    Attributes:
        name: of the photograph or the real sequence.
        read: called without arguments, gives a photograph `(height, width)`, grey levels 0..255,
            or an `ImageSequence`.
        sequences: names of the virtual sequences of a photograph, `v_...` and `i_...`, or the one
            name of a real sequence.
        points: at most, in each of its sequences.
        seed: a tuple of integers, which decides all that is random.
        file: where it comes from, for messages.
    """

    name: str
    read: Callable
    sequences: list
    points: int
    seed: tuple
    file: str = ""


def virtual_names(name, viewpoint, lighting):
    """Names of a photograph's sequences: `v_<name>_1`, `v_<name>_2`, ..., `i_<name>_1`, ..."""
    return [
        f"{kind}_{name}_{i + 1}"
        for kind, count in (("v", viewpoint), ("i", lighting))
        for i in range(count)
    ]


def extract_scenes(scenes, splits=None, progress=True, originals=False):
    """Cut the patches of many scenes.

    The patches are kept in files without a name in the folder for temporary files, since they may
    be larger than memory: 32 KB a point.

    Args:
        scenes: list of `Scene`, no two with the same sequence.
        splits: of the `PatchSet`; or a function that makes them from the scenes that gave points.
        progress: show a bar, one step a sequence.
        originals: also keep the 65 px patches, as `patches["original"]`.

    Returns:
        A `PatchSet` of clean and noisy patches.

    A scene without a usable point is named in a printed line; UserError when there is no other.
    """
    kinds = ("noisy", "clean", *[ORIGINAL] * originals)
    files = {kind: TemporaryFile() for kind in kinds}
    sequence, label, used, empty, places = [], [], [], [], 0
    total = sum(len(scene.sequences) for scene in scenes)
    bar = tqdm(total=total, desc="Building patches", unit="sequence", disable=not progress)
    with bar, ThreadPoolExecutor(cores()) as pool:
        try:
            done = pool.map(lambda scene: _patches_of(scene, bar, originals), scenes)
            for scene, (blocks, names, place) in zip(scenes, done):
                (used if names else empty).append(scene)
                for block in blocks:  # a sequence of it, in every kind
                    for kind, patches in zip(kinds, block):
                        files[kind].write(np.ascontiguousarray(patches))
                sequence += names
                label.append(place + places)
                places += place.max(initial=-1) + 1
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for scene in empty:
        print(f"Skipped: {scene.file or scene.name} has no usable point. {WHY}")
    if not used:
        raise UserError(f"No usable point in any of {len(scenes)} photographs or sequences. {WHY}")
    arrays = {}
    for kind, file in files.items():
        file.flush()
        arrays[kind] = np.memmap(file, np.uint8, "r", shape=(len(sequence), *patch_shape(kind)))
    return PatchSet(
        arrays, sequence, np.concatenate(label), splits(used) if callable(splits) else splits
    )


def _patches_of(scene, bar, originals):
    """One scene: `([(noisy, clean, original), ...], sequence and place of each point)`."""
    seen = scene.read()
    real = isinstance(seen, ImageSequence)
    image = seen.images[0] if real else seen
    seeds = iter(np.random.SeedSequence(scene.seed).spawn(1 + 2 * len(scene.sequences)))
    try:
        points = detect_keypoints(image, next(seeds))
    except ValueError:  # too small for keypoints
        points = np.empty((0, 4))
    blocks, names, places = [], [], [np.empty(0, int)]
    for name in scene.sequences:
        sequence_seed, noise_seed = next(seeds).spawn(2), next(seeds)
        if len(points):
            sequence = seen if real else VIRTUAL[name[0]](name, image, sequence_seed[0])
            patches, kept = extract(sequence, points, scene.points, sequence_seed[1])
            block = noisy_and_clean(patches, noise_seed)
            blocks.append((*block, patches) if originals else block)
            names += [name] * len(kept)
            # The place of a point is its row among the keypoints: the same in every sequence.
            places.append((points[None] == kept[:, None]).all(2).argmax(1))
        bar.update()
    return blocks, names, np.concatenate(places)

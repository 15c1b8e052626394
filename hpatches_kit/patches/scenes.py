"""Scenes: photographs or real sequences, from which noisy and clean patches are cut.

A photograph is shown by several virtual sequences. Keypoints are detected once per scene, so points
of one place have the same label in all its sequences.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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

REASONS = "It may be blank, blurred or very small, or the homographies may leave the images."
VIRTUAL = {"v": viewpoint_sequence, "i": lighting_sequence}


@dataclass
class Scene:
    """A photograph or a real sequence, from which patches are cut.

    Attributes:
        name: of the photograph or the real sequence.
        read: function without arguments; returns the photograph `(height, width)`, grey levels
            0..255, or the `ImageSequence`.
        sequences: names of the virtual sequences of a photograph, `v_...` and `i_...`, or `[name]`
            of a real sequence.
        points: greatest number of points per sequence.
        seed: tuple of integers, for all random choices.
        file: path of the scene, for messages.
        fewest_points: a sequence with fewer points is an error.
    """

    name: str
    read: Callable
    sequences: list
    points: int
    seed: tuple
    file: str = ""
    fewest_points: int = 0


def virtual_names(name, viewpoint, lighting):
    """Return the names of the virtual sequences: `v_<name>_1`, `v_<name>_2`, ..., `i_<name>_1`, ...

    `viewpoint` and `lighting` are the numbers of sequences.
    """
    counts = {"v": viewpoint, "i": lighting}
    return [f"{letter}_{name}_{i + 1}" for letter in counts for i in range(counts[letter])]


def extract_scenes(scenes, splits=None, progress=True, originals=False):
    """Cut the clean and noisy patches of scenes, and return them as a `PatchSet`.

    The patches are stored in unnamed temporary files, since they may be larger than memory: 32 KB
    per point, and 66 KB more with originals.

    Args:
        scenes: list of `Scene`; all names of sequences differ.
        splits: of the `PatchSet`, or a function from the scenes that have points to the splits.
        progress: show a bar, one step per sequence.
        originals: also keep the 65 px patches, as `patches["original"]`.

    Prints the names of scenes without a usable point. Raises UserError if no scene has one, or if a
    sequence has fewer points than its scene's `fewest_points`.
    """
    kinds = ("noisy", "clean", *[ORIGINAL] * originals)
    files = {kind: TemporaryFile() for kind in kinds}
    sequence, labels, used, empty, places = [], [], [], [], 0
    total = sum(len(scene.sequences) for scene in scenes)
    bar = tqdm(total=total, desc="Building patches", unit="sequence", disable=not progress)
    with bar, ThreadPoolExecutor(cores()) as pool:
        try:
            results = pool.map(lambda scene: _extract_scene(scene, bar, originals), scenes)
            for scene, (blocks, names, label) in zip(scenes, results):
                (used if names else empty).append(scene)
                for block in blocks:  # one per sequence, with patches of every kind
                    for kind, patches in zip(kinds, block):
                        files[kind].write(np.ascontiguousarray(patches))
                sequence += names
                labels.append(label + places)
                places += label.max(initial=-1) + 1
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for scene in empty:
        print(f"Skipped: {scene.file or scene.name} has no usable point. {REASONS}")
    if not used:
        raise UserError(
            f"No usable point in any of {len(scenes)} photographs or sequences. {REASONS}"
        )
    arrays = {}
    for kind, file in files.items():
        file.flush()
        arrays[kind] = np.memmap(file, np.uint8, "r", shape=(len(sequence), *patch_shape(kind)))
    splits = splits(used) if callable(splits) else splits
    return PatchSet(arrays, sequence, np.concatenate(labels), splits)


def have_points(scenes):
    """Whether any of the scenes has a usable point; stops at the first one."""
    # The first sequence of a scene is the same without the others, and usually enough.
    shortened = [replace(scene, sequences=scene.sequences[:1]) for scene in scenes]
    bar = tqdm(disable=True)
    return any(len(_extract_scene(scene, bar)[2]) for scene in [*shortened, *scenes])


def _check_points(scene, name, points):
    if points < scene.fewest_points:
        raise UserError(
            f"{scene.file or scene.name} gives {points} points in the sequence {name}: expected"
            f" {scene.fewest_points} or more. Use a larger photograph, or one with more"
            " detail, or ask for fewer points."
        )


def _extract_scene(scene, bar, originals=False):
    """Return `(blocks, names, labels)`: `[(noisy, clean, original), ...]`, one value per point."""
    source = scene.read()
    image = source.images[0] if isinstance(source, ImageSequence) else source
    detection_seed, sequence_seeds = _seeds(scene)
    try:
        points = detect_keypoints(image, detection_seed)
    except UserError:  # the image is too small
        points = np.empty((0, 4))
    blocks, names, labels = [], [], [np.empty(0, int)]
    for name, (view_seed, jitter_seed, noise_seed) in zip(scene.sequences, sequence_seeds):
        if not len(points):
            _check_points(scene, name, 0)
        else:
            patches, kept = extract(
                _sequence(source, name, view_seed), points, scene.points, jitter_seed
            )
            _check_points(scene, name, len(kept))
            block = noisy_and_clean(patches, noise_seed)
            blocks.append((*block, patches) if originals else block)
            names += [name] * len(kept)
            # The label of a point is its row among the keypoints: the same in every sequence.
            labels.append((points[None] == kept[:, None]).all(2).argmax(1))
        bar.update()
    return blocks, names, np.concatenate(labels)


def scene_sequences(scene):
    """List the image sequences of a scene, those from which its patches are cut."""
    source, (_, sequence_seeds) = scene.read(), _seeds(scene)
    return [
        _sequence(source, name, view_seed)
        for name, (view_seed, *_) in zip(scene.sequences, sequence_seeds)
    ]


def _sequence(source, name, seed):
    return source if isinstance(source, ImageSequence) else VIRTUAL[name[0]](name, source, seed)


def _seeds(scene):
    """Return the seed of the keypoints, and those of views, jitter and noise of each sequence."""
    seeds = np.random.SeedSequence(scene.seed).spawn(1 + 2 * len(scene.sequences))
    pairs = zip(seeds[1::2], seeds[2::2])
    return seeds[0], [(*sequence.spawn(2), noise) for sequence, noise in pairs]

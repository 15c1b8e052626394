"""Your own photographs, single ones and sequences, become patches to train and score on."""

import re
import unicodedata
import zlib
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np

from hpatches_kit._support.checksums import checksum
from hpatches_kit._support.errors import UserError
from hpatches_kit.images.reading import check_image_file, is_image_file, read_grey
from hpatches_kit.images.sequences import homography_files, read_sequence, sequence_files
from hpatches_kit.patches.scenes import Scene, extract_scenes, virtual_names

LONGEST = 1000  # pixels: the finest pixels of a larger photograph hold little but noise
LONGEST_OF_SEQUENCE = 1600  # which most sequences of HPatches are below
PASSED_OVER = ("__MACOSX",)  # what an archive from a Mac leaves behind


def from_photographs(photos, viewpoint=2, lighting=2, points=500, seed=0, test=0.25, progress=True):
    """Cut patches from photographs and image sequences of your own.

    Args:
        photos: a folder, or a list of folders, image files and sequences. Images directly in a
            folder are single photographs, each of which gives virtual sequences. Its subfolders
            with `1.jpg`, `2.jpg`, `H_1_2` and so on (up to `6.jpg`, `H_1_6`) are image sequences.
        viewpoint: virtual viewpoint sequences of each photograph, `v_<name>_1` and so on.
        lighting: virtual lighting sequences of each photograph, `i_<name>_1` and so on.
        points: at most, in each sequence. A point takes 32 KB of disk.
        seed: decides viewpoints, lights, points, noise and the split.
        test: share of the photographs and sequence folders on the test side of the split; 0 for
            no split.
        progress: show a bar, one step a sequence.

    Returns:
        A `PatchSet` of clean and noisy patches, kept in temporary files until `patches.save(folder)`. Its
        split `"photographs"` has no photograph on both sides; one photograph alone comes without.

    Raises FileNotFoundError and UserError for files that cannot be used, naming each, before
    the work begins if the start of the file shows it. Photographs without a usable point are named
    and skipped; UserError when no other is left.
    """
    if points < 1 or min(viewpoint, lighting) < 0:
        raise UserError(
            f"{points=}, {viewpoint=}, {lighting=}: expected 1 point, 0 sequences or more."
        )
    if not 0 <= test < 1:
        raise UserError(f"{test=}: expected a share from 0 up to, but less than, 1.")
    if seed < 0:
        raise UserError(f"{seed=}: expected 0 or more.")
    scenes = find_scenes(photos, viewpoint, lighting, points, seed)
    return extract_scenes(scenes, partial(split, test=test, seed=seed), progress)


def find_scenes(photos, viewpoint=2, lighting=2, points=500, seed=0):
    """The list of `Scene` that `from_photographs` cuts patches from; arguments and errors as there."""
    photos = [photos] if isinstance(photos, str | PathLike) else photos
    pictures, folders = [], []
    for path in (Path(path).expanduser() for path in photos):
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing.")
        if not path.is_dir():
            pictures.append(path)
        elif homography_files(path):
            folders.append(path)
        else:
            inside = sorted(path.iterdir())
            pictures += filter(is_image_file, inside)
            folders += filter(_is_sequence, inside)
    if not pictures and not folders:
        raise UserError(f"No photographs and no sequences in {', '.join(map(str, photos))}.")
    if pictures and not viewpoint + lighting:
        raise UserError(f"{pictures[0]} would give no sequence: {viewpoint=}, {lighting=}.")
    folders = without_repeats(folders)
    of_sequences = [file for folder in folders for file, _ in sequence_files(folder)]
    for file in (*pictures, *of_sequences):
        check_image_file(file)
    pictures = without_copies(without_repeats(pictures), of_sequences)
    return name_scenes(pictures, folders, viewpoint, lighting, points, seed)


def without_copies(pictures, others=()):
    """The pictures without copies of each other and of `others`: one could land in train, one in test.

    Copies have the same bytes; each is named in a printed line.
    """
    seen, kept = {checksum(file): file for file in others}, []
    for file in pictures:
        first = seen.setdefault(checksum(file), file)
        if first == file:
            kept.append(file)
        else:
            print(f"Skipped: {file} is a copy of {first}.")
    return kept


def without_repeats(paths):
    """The paths without those that lead to a place where one before them led."""
    first = {}
    for path in paths:
        first.setdefault(path.resolve(), path)
    return list(first.values())


def name_scenes(pictures, folders, viewpoint, lighting, points, seed):
    """Scenes whose sequences have different names, in upper and lower case, too.

    Sequences keep the name of their folder; a second photograph of the same name gets a number.
    The seed of a scene hangs on its name, so new photographs beside it leave its patches as they are.
    """
    scenes, taken = [], {}
    for folder in folders:
        name = folder.resolve().name
        if name.casefold() in taken:
            other = taken[name.casefold()]
            raise UserError(f"Two sequences are called {name}, {other} and {folder}: rename one.")
        taken[name.casefold()] = folder
        read = partial(read_sequence, folder, LONGEST_OF_SEQUENCE)
        scenes.append(Scene(name, read, [name], points, (seed, _number(name)), str(folder)))
    for file in pictures:
        name, count = safe_name(file.stem), 1
        while taken.keys() & {n.casefold() for n in virtual_names(name, viewpoint, lighting)}:
            count += 1
            name = f"{safe_name(file.stem)}-{count}"
        names = virtual_names(name, viewpoint, lighting)
        taken |= dict.fromkeys([n.casefold() for n in names], file)
        read = partial(read_grey, file, LONGEST)
        scenes.append(Scene(name, read, names, points, (seed, _number(name)), str(file)))
    return scenes


def safe_name(stem):
    """The name of a file as part of a sequence's name: letters, digits, `-` and `_` stay.

    Anything else becomes one `-`: `"my wall (2)"` is `"my-wall-2"`.
    """
    # One letter, one character: some systems store an accent as a character of its own.
    return re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", stem)).strip("-") or "photograph"


def split(scenes, test=0.25, seed=0):
    """`{"photographs": {"train": names, "test": names}}` with every scene on one side only.

    About the share `test` of the scenes, and at least one, is on the test side. One scene alone, or
    no share, gives no split: `{}`.
    """
    if len(scenes) < 2 or not test:
        return {}
    count = min(max(1, round(test * len(scenes))), len(scenes) - 1)
    chosen = set(np.random.default_rng(seed).permutation(len(scenes))[:count].tolist())
    sides = {"train": [], "test": []}
    for k, scene in enumerate(scenes):
        sides["test" if k in chosen else "train"] += scene.sequences
    return {"photographs": sides}


def _is_sequence(folder):
    """Whether a folder is a sequence; one with pictures but no homography is named and skipped."""
    if not folder.is_dir() or folder.name.startswith(".") or folder.name in PASSED_OVER:
        return False
    if homography_files(folder):
        return True
    if any(map(is_image_file, folder.iterdir())):
        print(f"Skipped: the folder {folder} holds pictures but no H_1_2, so it is no sequence.")
    return False


def _number(name):
    return zlib.crc32(name.encode())

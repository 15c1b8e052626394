"""Patches from your own photographs and image sequences, for training and for the benchmark."""

import hashlib
import json
import re
import unicodedata
import zlib
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np

from hpatches_kit._support.archives import is_hidden
from hpatches_kit._support.checksums import digest
from hpatches_kit._support.errors import UserError
from hpatches_kit.images.reading import check_image_file, is_image_file, read_grey
from hpatches_kit.images.sequences import homography_files, read_sequence, sequence_files
from hpatches_kit.patches.scenes import Scene, extract_scenes, virtual_names
from hpatches_kit.patches.sides import SIDES

# Longer side in pixels. Larger images are reduced, because their finest detail is mostly noise.
LONGEST = 1000
LONGEST_OF_SEQUENCE = 1600  # larger than most images of HPatches


def from_photographs(
    photos,
    viewpoint=2,
    lighting=2,
    points=500,
    seed=0,
    validation=0.15,
    test=0.25,
    fewest_points=0,
    progress=True,
):
    """Cut patches from your own photographs and image sequences.

        patches = hk.datasets.from_photographs("PHOTOS").save("FOLDER")
        train, validation, test = patches.split()

    Args:
        photos: a folder, or a list of folders, image files and sequences. Image files directly in a
            folder are single photographs; each gives virtual sequences. Its subfolders with
            `1.jpg`, `2.jpg`, `H_1_2` and so on (up to `6.jpg`, `H_1_6`) are image sequences.
        viewpoint: virtual viewpoint sequences per photograph, named `v_<name>_1` and so on.
        lighting: virtual lighting sequences per photograph, named `i_<name>_1` and so on.
        points: greatest number of points per sequence. A point takes 32 KB of disk.
        seed: of viewpoints, lighting, points, noise and the split.
        validation: fraction of the photographs and sequences on the validation side.
        test: fraction on the test side; 0 for no split.
        fewest_points: smallest number of points per sequence; a photograph or sequence with fewer is
            an error. Scores are only compared at equal numbers of points.
        progress: show a bar, one step per sequence.

    Returns a `PatchSet` of clean and noisy patches, in temporary files until it is saved, with the
    split `"photographs"` (see `split`); fewer than three photographs and sequences have no split.
    Copies of photographs, and photographs without usable points, are skipped with a message.

    Raises FileNotFoundError and UserError for files that cannot be used, before the work starts if
    the beginning of the file shows it; UserError for arguments out of range, also before the work
    starts, and if no photograph has a usable point, or one has fewer than `fewest_points`.
    """
    if points < 1 or min(viewpoint, lighting) < 0:
        raise UserError(
            f"{points=}, {viewpoint=}, {lighting=}: expected at least 1 point and 0 sequences."
        )
    has_split = 0 < validation and 0 < test and validation + test < 1
    if not has_split and not (test == 0 and 0 <= validation < 1):
        raise UserError(
            f"{validation=}, {test=}: expected fractions greater than 0 with a sum less than 1, or"
            " test=0 for no split."
        )
    if seed < 0:
        raise UserError(f"{seed=}: expected 0 or more.")
    if not 0 <= fewest_points <= points:
        raise UserError(f"{fewest_points=}: expected 0 to {points}, the greatest number of points.")
    scenes = find_scenes(photos, viewpoint, lighting, points, seed)
    scenes = [replace(scene, fewest_points=fewest_points) for scene in scenes]
    splits = partial(split, validation=validation, test=test, seed=seed)
    return extract_scenes(scenes, splits, progress)


def find_scenes(photos, viewpoint=2, lighting=2, points=500, seed=0, taken=None):
    """List the scenes (`Scene`) of `from_photographs`; the arguments and errors are the same.

    `taken` is a dictionary from sequence names in lower case to what has them; no scene of the list
    gets one of these names.
    """
    files, folders, ignored = _files_and_sequences(photos)
    for folder in ignored:
        print(f"Skipped: {_why_ignored(folder)}")
    if files and not viewpoint + lighting:
        raise UserError(
            f"{files[0]} would give no sequence: {viewpoint=}, {lighting=}. Expected 1 or more of"
            " either."
        )
    sequence_images = [file for folder in folders for file, _ in sequence_files(folder)]
    for file in (*files, *sequence_images):
        check_image_file(file)
    files = without_copies(files, sequence_images)
    return name_scenes(files, folders, viewpoint, lighting, points, seed, taken)


def fingerprint(photos):
    """Hash the names and contents of the files of `from_photographs`: 64 hexadecimal digits.

    The folder of the photographs does not matter, the order of a list does. Raises FileNotFoundError
    and UserError for missing files.
    """
    files, folders, _ = _files_and_sequences(photos)
    names = {file: file.name for file in files}
    for folder in folders:
        images = [file for file, _ in sequence_files(folder)]
        for file in (*images, *homography_files(folder).values()):
            names[file] = f"{folder.resolve().name}/{file.name}"
    listing = [(name, digest(file)) for file, name in names.items()]
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()


def list_paths(photos):
    """Return a list of paths; `photos` is one path, or several."""
    photos = [photos] if isinstance(photos, str | PathLike) else photos
    return [Path(path).expanduser() for path in photos]


def without_copies(files, others=()):
    """Return the files without copies of each other and of `others`; prints the skipped ones.

    A copy of a photograph of the training side could be on the test side.
    """
    first_of_digest, kept = {digest(file): file for file in others}, []
    for file in files:
        first = first_of_digest.setdefault(digest(file), file)
        if first == file:
            kept.append(file)
        else:
            print(f"Skipped: {file} is a copy of {first}.")
    return kept


def without_repeats(paths):
    """Return the paths without those that resolve to the same path as an earlier one."""
    first = {}
    for path in paths:
        first.setdefault(path.resolve(), path)
    return list(first.values())


def name_scenes(files, folders, viewpoint, lighting, points, seed, taken=None):
    """Make scenes with different sequence names, even on disks that ignore upper and lower case.

    A sequence has the name of its folder. A second photograph with the same name gets a number. The
    seed of a scene depends on its name: another photograph does not change its patches. For `taken`
    see `find_scenes`.
    """
    scenes, taken = [], dict(taken or {})
    for folder in folders:
        name = folder.resolve().name
        if name.casefold() in taken:
            other = taken[name.casefold()]
            raise UserError(f"Two sequences are called {name}, {other} and {folder}: rename one.")
        taken[name.casefold()] = folder
        read = partial(read_sequence, folder, LONGEST_OF_SEQUENCE)
        scenes.append(Scene(name, read, [name], points, _scene_seed(seed, name), str(folder)))
    for file in files:
        name, count = safe_name(file.stem), 1
        while taken.keys() & {n.casefold() for n in virtual_names(name, viewpoint, lighting)}:
            count += 1
            name = f"{safe_name(file.stem)}-{count}"
        names = virtual_names(name, viewpoint, lighting)
        taken |= dict.fromkeys([n.casefold() for n in names], file)
        read = partial(read_grey, file, LONGEST)
        scenes.append(Scene(name, read, names, points, _scene_seed(seed, name), str(file)))
    return scenes


def safe_name(stem):
    """Replace each run of characters other than letters, digits, `-` and `_` by one `-`."""
    # NFC: some systems store an accent as a separate character, which `\w` does not match.
    return re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", stem)).strip("-") or "photograph"


def split(scenes, validation=0.15, test=0.25, seed=0):
    """Return `{"photographs": {"train": names, "validation": names, "test": names}}`.

    Every scene is on one side only. The validation and test sides have these fractions of the
    scenes, rounded; each side has at least one scene. Fewer than three scenes, or `test=0`, give no
    split: `{}`.
    """
    if len(scenes) < len(SIDES) or not test:
        return {}
    test_count = min(max(1, round(test * len(scenes))), len(scenes) - 2)
    validation_count = min(max(1, round(validation * len(scenes))), len(scenes) - 1 - test_count)
    order = np.random.default_rng(seed).permutation(len(scenes)).tolist()
    for_test = order[:test_count]
    for_validation = order[test_count : test_count + validation_count]
    sides = {side: [] for side in SIDES}
    for k, scene in enumerate(scenes):
        side = "test" if k in for_test else "validation" if k in for_validation else "train"
        sides[side] += scene.sequences
    return {"photographs": sides}


def _files_and_sequences(photos):
    """Return image files, folders of sequences, and ignored folders of images, each path once."""
    photos = list_paths(photos)
    files, folders, ignored = [], [], []
    for path in photos:
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing.")
        if not path.is_dir():
            files.append(path)
        elif homography_files(path):
            folders.append(path)
        else:
            children = sorted(path.iterdir())
            files += filter(is_image_file, children)
            subfolders = [f for f in children if f.is_dir() and not is_hidden(Path(f.name))]
            folders += filter(homography_files, subfolders)
            others = (folder for folder in subfolders if not homography_files(folder))
            ignored += [f for f in others if any(map(is_image_file, f.iterdir()))]
    if not files and not folders:
        listed = ", ".join(map(str, photos)) or "an empty list"
        reasons = [f" But {_why_ignored(folder)}" for folder in ignored[:1]]
        raise UserError(
            f"No photographs and no sequences in {listed}: expected image files, or folders with"
            f" 1.jpg, 2.jpg and H_1_2.{''.join(reasons)}"
        )
    return without_repeats(files), without_repeats(folders), ignored


def _why_ignored(folder):
    return (
        f"the folder {folder} has images but no homography H_1_2, which an image sequence needs. To"
        " use them as photographs, pass the folder itself."
    )


def _scene_seed(seed, name):
    return seed, zlib.crc32(name.encode())

"""The release formats: folders of PNG strips, as HPatches (65 px) and N-HPatches (32 px) have them.

One folder a sequence, one strip a view (`ref.png`, `e1.png` .. `t5.png`), patches stacked from top
to bottom, the same number in all 16. N-HPatches has a strip `<view>_noise.png` beside each.
"""

import json
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from hpatches_kit.files import whole_folder
from hpatches_kit.noise import SOURCE_SIZE, noisy_and_clean
from hpatches_kit.patches import PATCH_SIZE, VIEWS, PatchSet
from hpatches_kit.splits import SPLITS

EXTRA = "places.json"  # what strips cannot hold: labels of places, splits of other data sets


def open_strip(file):
    """Read a strip of any width as `uint8 (height, width)`.

    Raises FileNotFoundError when it is missing, ValueError when it cannot be read.
    """
    file = Path(file)
    if not file.exists():
        raise FileNotFoundError(
            f"{file} is missing: a sequence needs the views {', '.join(VIEWS)}."
        )
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("L"))
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{file} cannot be read as an image: {error}") from error


def read_strip(file, size):
    """Read one strip as `uint8 (points, size, size)`.

    Raises as `open_strip` does, and ValueError when its width or height does not fit; each names
    the file.
    """
    strip = open_strip(file)
    height, width = strip.shape
    if width != size or height % size or not height:
        raise ValueError(
            f"{file} is {width} pixels wide and {height} high:"
            f" expected {size} wide and a multiple of {size} high."
        )
    return strip.reshape(-1, size, size)


def read_strips(folder, size, suffix=""):
    """Read the 16 strips of a sequence, `uint8 (points, 16, size, size)`.

    Args:
        folder: of one sequence.
        size: width of a strip, 65 for HPatches, 32 for N-HPatches.
        suffix: `"_noise"` for the noisy strips of N-HPatches.

    Raises as `read_strip` does, and ValueError when the strips differ in length.
    """
    strips = []
    for view in VIEWS:
        file = Path(folder) / f"{view}{suffix}.png"
        strips.append(read_strip(file, size))
        if len(strips[-1]) != len(strips[0]):
            raise ValueError(
                f"{file} holds {len(strips[-1])} patches, {VIEWS[0]}{suffix}.png holds"
                f" {len(strips[0])}: expected the same number in all strips."
            )
    return np.stack(strips, axis=1)


def write_strips(folder, patches, suffix=""):
    """Write `uint8 (points, 16, size, size)` as 16 strips; the folder is made when missing."""
    patches = np.asarray(patches)
    if patches.dtype != np.uint8 or patches.ndim != 4 or patches.shape[1] != len(VIEWS):
        raise ValueError(
            f"Patches are {patches.dtype} {patches.shape}: expected uint8 (points, 16, size, size)."
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    for column, view in enumerate(VIEWS):
        strip = patches[:, column].reshape(-1, patches.shape[-1])
        Image.fromarray(strip).save(Path(folder) / f"{view}{suffix}.png")


def read(folder, seed=0, progress=True):
    """Read a folder of sequences in either layout as a `PatchSet`.

    N-HPatches (32 px strips with `_noise`) is read as it is. HPatches (65 px strips) gets its
    noise from `noise.py`; each sequence has a seed of its own, so a part of the release gets the
    same patches as the whole.

    Args:
        folder: holds one folder a sequence.
        seed: of the noise.
        progress: show a bar, one step a sequence.
    """
    folder = Path(folder)
    names = sorted(
        child.name
        for child in folder.glob("*")
        if any((child / f"{v}.png").exists() for v in VIEWS)
    )
    if not names:
        raise FileNotFoundError(f"{folder} holds no sequence: expected folders with a ref.png.")
    both, sequence = [], []
    for name in tqdm(names, desc="Reading strips", unit="sequence", disable=not progress):
        if open_strip(folder / name / "ref.png").shape[1] == SOURCE_SIZE:
            source = read_strips(folder / name, SOURCE_SIZE)
            noisy, clean = noisy_and_clean(source, (seed, zlib.crc32(name.encode())))
        else:
            clean = read_strips(folder / name, PATCH_SIZE)
            noisy = read_strips(folder / name, PATCH_SIZE, "_noise")
            if len(noisy) != len(clean):
                raise ValueError(
                    f"{folder / name}: {len(noisy)} noisy and {len(clean)} clean patches."
                )
        both.append((noisy, clean))
        sequence += [name] * len(clean)
    noisy, clean = (np.concatenate([pair[i] for pair in both]) for i in (0, 1))
    label, splits = _read_extra(folder / EXTRA, names, sequence)
    return PatchSet({"clean": clean, "noisy": noisy}, sequence, label, splits)


def _read_extra(file, names, sequence):
    """Labels and splits that `write` kept; for HPatches itself no labels and the official splits."""
    if not file.exists():
        here = {split: s for split, s in SPLITS.items() if set(names) & set(s["test"] + s["train"])}
        return None, here
    try:
        extra = json.loads(file.read_text())
        label = [place for name in names for place in extra["label"][name]]
        splits = extra["splits"]
    except (ValueError, KeyError) as error:
        raise ValueError(f"{file} does not fit the sequences beside it: {error!r}.") from error
    if len(label) != len(sequence):
        raise ValueError(f"{file} has {len(label)} labels for {len(sequence)} points.")
    return label, splits


def write(patches, folder):
    """Write a `PatchSet` in the N-HPatches layout; the folder appears whole or not at all.

    Labels and splits, which strips cannot hold, go into a `places.json` beside the sequences.
    """
    with whole_folder(folder, ("*.png", EXTRA)) as partial:
        for name in patches.names:
            here = patches.select(name)
            write_strips(partial / name, here.clean)
            write_strips(partial / name, here.noisy, "_noise")
        label = {name: patches.select(name).label.tolist() for name in patches.names}
        (partial / EXTRA).write_text(json.dumps({"splits": patches.splits, "label": label}))

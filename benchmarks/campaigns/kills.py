"""Kill processes at random times: nothing is lost, and what is resumed ends with the same bytes."""

import os
import random
import shutil
import signal
import time

import numpy as np

from campaigns.formats import _of_patches, _strips, patches
from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.locks import locked
from hpatches_kit._support.resumable_arrays import ResumableArrays
from hpatches_kit.datasets.hpatches import convert_release
from hpatches_kit.patches.storage import open_patch_set

TEXTS = [f"{k}\n" * 20_000 for k in range(10)]


def write_texts(folder):
    """Replace one file again and again."""
    for _ in range(20):
        for text in TEXTS:
            write_text(folder / "a.txt", text)


def check_texts(folder):
    return (folder / "a.txt").read_text() in TEXTS if (folder / "a.txt").exists() else True


def save_patches(folder):
    """Replace a patch set again and again."""
    for _ in range(30):
        patches().save(folder / "set")


def check_patches(folder):
    try:
        opened = open_patch_set(folder / "set")
    except FileNotFoundError:  # killed before the first set was complete
        return not (folder / "was-complete").exists()
    (folder / "was-complete").touch()
    return _of_patches(opened) == _of_patches(patches())


def fill_arrays(folder):
    """Fill resumable arrays, one row at a time."""
    with locked(folder / "arrays"):
        arrays = ResumableArrays(folder / "arrays", 200, {"x": (500,)}, {"seed": 0})
        for row in arrays.missing():
            arrays.put([row], x=np.full((1, 500), row % 251, np.uint8))


def check_arrays(folder):
    fill_arrays(folder)
    array = ResumableArrays(folder / "arrays", 200, {"x": (500,)}, {"seed": 0}).arrays()["x"]
    is_right = bool((array == np.arange(200)[:, None] % 251).all())
    shutil.rmtree(folder / "arrays")
    return is_right


def convert(folder):
    """Convert strips to a patch set."""
    if not (folder / "release").exists():
        shutil.rmtree(folder / "new", ignore_errors=True)
        (folder / "new").mkdir()
        _strips(folder / "new")
        os.replace(folder / "new" / "release", folder / "release")
    with locked(folder / "arrays"):
        convert_release(folder / "release", folder / "arrays", progress=False)


def check_conversion(folder):
    convert(folder)
    resumed = _of_patches(open_patch_set(folder / "arrays"))
    shutil.rmtree(folder / "arrays")
    convert(folder)
    return resumed == _of_patches(open_patch_set(folder / "arrays"))


WORK = {
    "replacing a file": (write_texts, check_texts),
    "saving a patch set": (save_patches, check_patches),
    "filling arrays": (fill_arrays, check_arrays),
    "converting strips": (convert, check_conversion),
}


def run(folder, kills=20, seed=0, seconds=0.5):
    """Kill each kind of work at random times; returns `{label: (outcome, text)}`."""
    rng, outcomes = random.Random(seed), {}
    for name, (work, check) in WORK.items():
        place = folder / name.replace(" ", "-")
        place.mkdir(parents=True)
        for k in range(kills):
            child = os.fork()
            if not child:
                try:
                    work(place)
                finally:
                    os._exit(0)
            time.sleep(rng.uniform(0, seconds))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            try:
                outcome = ("equal", "") if check(place) else ("changed", "lost or half written")
            except Exception as error:
                outcome = "traceback", repr(error)
            outcomes[f"{name}, kill {k}"] = outcome
    return outcomes

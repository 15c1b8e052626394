"""Work that is interrupted, or done twice at once: functions that begin it, and that read its result.

Both are functions of a folder, and are called in new processes. The result is a text, its hash. Work
that was interrupted is continued before its result is read.
"""

import os

import numpy as np

from campaigns.formats import descriptors, hash_of, hash_of_patches, patches, write_release
from hpatches_kit._support import transfer
from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.downloads import download
from hpatches_kit._support.locks import locked
from hpatches_kit._support.resumable_arrays import ResumableArrays
from hpatches_kit.datasets.hpatches import convert_release
from hpatches_kit.descriptors import load
from hpatches_kit.patches.storage import open_patch_set

TEXTS = [f"{k}\n" * 20_000 for k in range(10)]
SHAPES, ROWS = {"x": (500,)}, 200


def write_texts(place):
    """Replace one file again and again."""
    for _ in range(5):
        for text in TEXTS:
            write_text(place / "a.txt", text)


def read_texts(place):
    """The file has one of its contents, and one more writer leaves nothing else."""
    if (place / "a.txt").exists() and (place / "a.txt").read_text() not in TEXTS:
        return "half a file"
    write_text(place / "a.txt", TEXTS[0])
    return _names(place)


def save_patches(place):
    """Replace a patch set again and again."""
    for k in range(10):
        patches(k % 2).save(place / "set")


def read_patches(place):
    """The patch set is one of those that were saved, and one more writer leaves nothing else."""
    try:
        read = hash_of_patches(open_patch_set(place / "set"))
    except FileNotFoundError:
        read = hash_of_patches(patches(0))  # killed before the first one was complete
    if read not in map(hash_of_patches, (patches(0), patches(1))):
        return "another patch set"
    patches().save(place / "set")
    return _names(place)


def save_descriptors(place):
    """Replace a descriptor file again and again."""
    for _ in range(40):
        descriptors().save(place / "set.npz")


def read_descriptors(place):
    save_descriptors(place)
    return hash_of(load(place / "set.npz").values) + _names(place)


def download_file(place):
    """Download a file from the server of `lying_server.mirror`."""
    transfer.CHUNK, transfer.WAIT = 5000, 0.001
    return download("https://example.org/x.bin", place / "x.bin", progress=False)


def read_download(place):
    return hash_of(download_file(place).read_bytes()) + _names(place)


def fill_arrays(place):
    """Fill resumable arrays, one row at a time."""
    with locked(place / "arrays"):
        arrays = ResumableArrays(place / "arrays", ROWS, SHAPES, {"seed": 0})
        for row in arrays.missing():
            arrays.put([row], x=np.full((1, 500), row % 251, np.uint8))


def read_arrays(place):
    fill_arrays(place)
    return hash_of(ResumableArrays(place / "arrays", ROWS, SHAPES, {"seed": 0}).arrays()["x"])


def convert(place):
    """Convert strips to a patch set."""
    with locked(place / "release"):
        if not (place / "release").exists():
            write_release(place / ".new")
            os.replace(place / ".new" / "release", place / "release")
    with locked(place / "arrays"):
        convert_release(place / "release", place / "arrays", progress=False)


def read_conversion(place):
    convert(place)
    return hash_of_patches(open_patch_set(place / "arrays"))


def _names(place):
    """What is in a folder, except locks and the results themselves."""
    return str(sorted(path.name for path in place.iterdir() if not path.name.endswith(".lock")))


WORK = {
    "replacing a file": (write_texts, read_texts),
    "saving a patch set": (save_patches, read_patches),
    "saving descriptors": (save_descriptors, read_descriptors),
    "download": (download_file, read_download),
    "filling arrays": (fill_arrays, read_arrays),
    "conversion": (convert, read_conversion),
}

"""Make a fake HPatches release of its size and shape, for measurements at scale.

    python benchmarks/fake_release.py --share 0.1 --out fake.zip

The 116 sequences have their real names and numbers of points, or a fraction of the points, and 16
strips of 65x65 patches each, cut from the built-in photographs at random positions. Views of a
point differ by a few pixels and in brightness, the more the higher the level. Do not train on it.
The whole release (`--share 1`) takes a few minutes and 6 GB.
"""

import argparse
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from skimage.transform import downscale_local_mean
from tqdm import tqdm

from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.datasets.builtin import SCENES, TEXTURES
from hpatches_kit.datasets.splits import SEQUENCE_LENGTHS
from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches.views import SOURCE_SIZE, VIEWS

SHIFT = {"r": 0, "e": 1, "h": 3, "t": 5}  # largest shift between views of a point, in pixels
LIGHT = {"r": 0, "e": 5, "h": 15, "t": 25}  # largest change of brightness, in grey levels


def make(file, share, seed=0, progress=True):
    """Write the zip atomically; return the number of points."""
    names = [*(name for side in SCENES.values() for name in side), *TEXTURES]
    images = [photograph(name) for name in names]
    images += [downscale_local_mean(image, (2, 2)) for image in images if min(image.shape) > 300]
    windows = [sliding_window_view(image.astype(np.uint8), (SOURCE_SIZE,) * 2) for image in images]
    lengths = {name: max(2, round(length * share)) for name, length in SEQUENCE_LENGTHS.items()}
    bar = tqdm(lengths, "Making a release", unit="sequence", disable=not progress)
    with atomic_file(file) as partial, zipfile.ZipFile(partial, "w") as archive:
        for k, name in enumerate(bar):
            rng = np.random.default_rng((seed, k))
            window = windows[rng.integers(len(windows))]
            margin = max(SHIFT.values())
            y, x = (rng.integers(margin, n - margin, lengths[name]) for n in window.shape[:2])
            jobs = [(view, rng.spawn(1)[0]) for view in VIEWS]
            strips = parallel_map(lambda job: _strip(window, y, x, *job), jobs, "", False)  # noqa: B023
            for view, strip in zip(VIEWS, strips):
                archive.writestr(f"hpatches-release/{name}/{view}.png", strip)
    return sum(lengths.values())


def _strip(window, y, x, view, rng):
    """The patches of one view of a sequence, below each other, encoded as PNG."""
    shift, light = SHIFT[view[0]], LIGHT[view[0]]
    dy, dx = rng.integers(-shift, shift + 1, (2, len(y)))
    patches = window[y + dy, x + dx].astype(np.int16)
    patches += rng.integers(-light, light + 1, (len(y), 1, 1), np.int16)
    strip = np.clip(patches, 0, 255).astype(np.uint8).reshape(-1, SOURCE_SIZE)
    stream = BytesIO()
    Image.fromarray(strip).save(stream, "png", compress_level=1)
    return stream.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--share", type=float, default=0.01, help="fraction of the points; default: 0.01"
    )
    parser.add_argument("--out", type=Path, required=True, help="the zip to write")
    options = parser.parse_args()
    points = make(options.out, options.share)
    print(f"{options.out}: {points:,} points, {options.out.stat().st_size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()

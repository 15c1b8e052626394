"""Data by name or by path: `load("mini")`, `load("hpatches")`, `load("my/patches")`."""

import re
from pathlib import Path

from tqdm import tqdm

from hpatches_kit import hpatches, mini
from hpatches_kit.fetch import fetch
from hpatches_kit.files import check_room, data_home, in_units, whole_folder
from hpatches_kit.patches import ORIGINAL
from hpatches_kit.safe_zip import open_zip
from hpatches_kit.storage import META, cached, open_folder, save
from hpatches_kit.strips import open_source

RELEASES = ("hpatches", "n-hpatches")
SEQUENCE_FILE = re.compile(r"[1-6]\.(ppm|png|jpg)|H_1_[2-6]")


def load(name, folder=None, source=None, seed=0, originals=False, progress=True):
    """Open a data set; the first time it is built and cached, later it opens at once.

    Args:
        name: one of

            - `"mini"`: built-in photographs, over 7,000 points, nothing to download;
            - `"photos"`: the same photographs, over 20,000 points;
            - `"hpatches"`: the HPatches release with the noise of the coursework, 157,000 points;
              4.2 GB are downloaded once, and its arrays take 5.1 GB;
            - `"n-hpatches"`: the same, or the course's own zip where `source` names it;
            - a path: a folder of patches that was saved, or a folder or zip of strips in the HPatches
              or N-HPatches layout.
        folder: where what is built is kept. Default: `data/` of a checkout, or the user's cache
            folder, or `$HPATCHES_KIT_DATA`.
        source: folder or zip of the release that is on this computer already: no network is used.
        seed: of the noise that HPatches gets.
        originals: also keep the 65 px patches of HPatches, as `patches["original"]`: 10.6 GB more.
        progress: show bars.

    Returns:
        A `PatchSet`; `load("mini").split()` gives train and test.
    """
    home, path = Path(folder) if folder else data_home(), Path(name).expanduser()
    if name in mini.RECIPES:
        place, about = home / name, mini.about(name)
        return cached(
            place, lambda: save(mini.build(mini.RECIPES[name], progress), place, **about), **about
        )
    if name in RELEASES:
        if source is None and not (home / name).exists():
            name = "hpatches"  # which has the same noise
        return _release(name, home, source, seed, originals, progress)
    if (path / META).exists():
        return open_folder(path)
    if path.exists():
        with open_source(path) as strips:
            name = f"{path.stem}-{strips.fingerprint}"
        return _release(name, home, path, seed, originals, progress)
    raise ValueError(
        f"Unknown data set {str(name)!r}: expected {', '.join(map(repr, [*mini.RECIPES, *RELEASES]))}"
        " or the path of a folder or zip with patches."
    )


def _release(name, home, source, seed, originals, progress):
    """Open the arrays of a release, or make them of a source, by default the one on the network."""
    about = {"version": hpatches.VERSION, "seed": seed, "originals": originals}
    if source is not None:
        with open_source(source) as strips:
            about["fingerprint"] = strips.fingerprint
    variant = [f"seed-{seed}"] * bool(seed) + [ORIGINAL] * originals
    place = home / "-".join([name, *variant])

    def build():
        where = source or fetch("hpatches", home / "downloads", progress)
        hpatches.convert(where, place, seed, originals, progress)
        if source is None:
            size = in_units(where.stat().st_size)
            print(f"{where} ({size}) is no longer needed; it may be deleted.")

    return cached(place, build, **about)


def image_sequences(folder=None, source=None, progress=True):
    """Path of the folder with the image sequences that HPatches was cut from; see `hk.sequences`.

    The first time they are downloaded, 1.3 GB, and unpacked.

    Args:
        folder: where they are kept. Default: as for `load`.
        source: zip of the release that is on this computer already: no network is used.
        progress: show bars.

    Raises ValueError for a zip without sequences, and as `fetch` and `open_zip` do.
    """
    home = Path(folder) if folder else data_home()
    place = home / "hpatches-sequences"
    if place.is_dir():
        return place
    source = (
        Path(source).expanduser() if source else fetch("sequences", home / "downloads", progress)
    )
    with open_zip(source) as (files, read):
        wanted = [
            path for path in files if len(path.parts) > 1 and SEQUENCE_FILE.fullmatch(path.name)
        ]
        if not wanted:
            raise ValueError(f"{source} holds no image sequence: expected 1.ppm and H_1_2.")
        with whole_folder(place, ["*"]) as partial:
            check_room(partial, sum(files[path][0] for path in wanted), "Unpacking")
            for path in tqdm(wanted, "Unpacking", unit="file", disable=not progress, delay=2):
                target = partial / path.parent.name / path.name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(read(path))
    return place

"""Data by name or by path: `load("mini")`, `load("hpatches")`, `load("my/patches")`."""

import re
from contextlib import suppress
from functools import partial
from pathlib import Path

from tqdm import tqdm

from hpatches_kit import hpatches, mini
from hpatches_kit.fetch import fetch
from hpatches_kit.files import (
    check_room,
    clear_leftovers,
    data_home,
    in_units,
    locked,
    whole_folder,
)
from hpatches_kit.patches import ORIGINAL, SOURCE_SIZE
from hpatches_kit.safe_zip import open_zip
from hpatches_kit.splits import NAMES
from hpatches_kit.storage import META, cached, open_folder, save
from hpatches_kit.strips import open_source

RELEASES = ("hpatches", "n-hpatches")
KNOWN = (*mini.RECIPES, *RELEASES)  # by name
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
        source: folder or zip of the release that is on this computer already: no network is used. Of
            a part of the release a set of its own is made; `load(name)` stays the whole.
        seed: of the noise that HPatches gets.
        originals: also keep the 65 px patches, as `patches["original"]`: twice the room of all
            others, 10.6 GB more of HPatches.
        progress: show bars.

    Returns:
        A `PatchSet`; `load("mini").split()` gives train and test.
    """
    home, path = Path(folder).expanduser() if folder else data_home(), Path(name).expanduser()
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"{seed=}: expected a whole number, 0 or more.")
    options = {"seed": seed, "originals": originals}
    if name in mini.RECIPES:
        place, about = _place(home, name, 0, originals), mini.about(name, originals)

        def build():
            save(mini.build(mini.RECIPES[name], progress, originals), place, **about)

        return cached(place, build, **about)
    if name in RELEASES and source is not None:
        return _convert(name, home, Path(source).expanduser(), progress, **options)
    if name == "n-hpatches" and (own := _place(home, name, **options)).exists():
        return open_folder(own)  # the course's, which cannot be made again from HPatches
    if name in RELEASES:
        return _download(home, progress, **options)
    if (path / META).exists():
        return open_folder(path)
    if path.exists():
        return _convert(path.resolve().stem, home, path, progress, **options)
    raise ValueError(
        f"Unknown data set {str(name)!r}: expected {', '.join(map(repr, KNOWN))}"
        " or the path of a folder or zip with patches."
    )


def _place(home, name, seed, originals):
    return home / "-".join([name, *[f"seed-{seed}"] * bool(seed), *[ORIGINAL] * originals])


def _download(home, progress, **options):
    """HPatches as it was made before, or from the network."""
    place = _place(home, "hpatches", **options)

    def build():
        file = fetch("hpatches", home / "downloads", progress)
        patches = hpatches.convert(file, place, progress=progress, **options)
        if missing := len(set(NAMES) - set(patches.names)):
            print(f"{file} lacks {missing} of the {len(NAMES)} sequences of HPatches.")
        if progress:
            size = in_units(file.stat().st_size)
            print(f"{file} ({size}) is no longer needed; it may be deleted.")

    return cached(place, build, version=hpatches.VERSION, **options)


def _convert(name, home, source, progress, **options):
    """A folder or zip that is here already.

    All of a release gets its plain name, by what it is and not by what it was called: the course's
    noise must not stand where the kit's own is expected. Anything else gets the name of its
    content, too, so that a part is not taken for the whole.
    """
    if name in RELEASES and not source.exists():  # it may be deleted when it has been converted
        about = {"source": source.name, "version": hpatches.VERSION, **options}
        for release in RELEASES:
            with suppress(FileNotFoundError, ValueError):
                return open_folder(_place(home, release, **options), **about)
    with open_source(source) as strips:
        about = {"version": hpatches.VERSION, "fingerprint": strips.fingerprint, **options}
        if name in RELEASES:
            width, _ = strips.size(next(iter(strips.folders)))
            name = "hpatches" if width == SOURCE_SIZE else "n-hpatches"
        if name not in RELEASES or set(strips.folders) != set(NAMES):
            name = f"{name}-{strips.fingerprint}"
    place = _place(home, name, **options)
    build = partial(hpatches.convert, source, place, progress=progress, **options)
    return cached(place, build, **about)


def image_sequences(folder=None, source=None, progress=True):
    """Path of the folder with the image sequences that HPatches was cut from; see `hk.sequences`.

    The first time they are downloaded, 1.3 GB, and unpacked; what is there already stays.

    Args:
        folder: where they are kept. Default: as for `load`.
        source: zip of the release that is on this computer already: no network is used.
        progress: show bars.

    Raises ValueError for a zip without sequences, and as `fetch` and `open_zip` do.
    """
    home = Path(folder).expanduser() if folder else data_home()
    place = home / "hpatches-sequences"
    if place.is_dir():
        return place
    with locked(place):
        clear_leftovers(place)
        if not place.is_dir():  # another process may have unpacked it meanwhile
            _unpack(home, place, source, progress)
    return place


def _unpack(home, place, source, progress):
    source = (
        Path(source).expanduser() if source else fetch("sequences", home / "downloads", progress)
    )
    if source.is_dir():
        raise ValueError(f"{source} is a folder: its sequences can be read where they are.")
    with open_zip(source) as (files, read):
        wanted = [
            path for path in files if len(path.parts) > 1 and SEQUENCE_FILE.fullmatch(path.name)
        ]
        if not wanted:
            raise ValueError(f"{source} holds no image sequence: expected 1.ppm and H_1_2.")
        folders = {path.parent for path in wanted}
        if len({folder.name for folder in folders}) < len(folders):
            raise ValueError(f"{source} holds two sequences of one name.")
        with whole_folder(place, ["*"]) as unpacked:
            check_room(unpacked, sum(files[path][0] for path in wanted), "Unpacking")
            for path in tqdm(wanted, "Unpacking", unit="file", disable=not progress, delay=2):
                target = unpacked / path.parent.name / path.name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(read(path))

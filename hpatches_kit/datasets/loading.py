"""Data by name or by path: `load("mini")`, `load("hpatches")`, `load("my/patches")`."""

from contextlib import suppress
from functools import partial
from pathlib import Path

from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_bytes
from hpatches_kit.datasets import builtin, hpatches
from hpatches_kit.datasets.releases import download_release
from hpatches_kit.datasets.splits import SEQUENCE_NAMES
from hpatches_kit.datasets.strips import open_strips
from hpatches_kit.patches.storage import (
    METADATA_FILE,
    open_or_build,
    open_patch_set,
)
from hpatches_kit.patches.views import ORIGINAL, SOURCE_SIZE

RELEASES = ("hpatches", "n-hpatches")
KNOWN = (*builtin.RECIPES, *RELEASES)  # by name


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
    home, path = Path(folder).expanduser() if folder else data_folder(), Path(name).expanduser()
    if not isinstance(seed, int) or seed < 0:
        raise UserError(f"{seed=}: expected a whole number, 0 or more.")
    options = {"seed": seed, "originals": originals}
    if name in builtin.RECIPES:
        place, about = _place(home, name, 0, originals), builtin.provenance(name, originals)

        def build():
            builtin.build(builtin.RECIPES[name], progress, originals).save(place, **about)

        return open_or_build(place, build, **about)
    if name in RELEASES and source is not None:
        return _convert(name, home, Path(source).expanduser(), progress, **options)
    if name == "n-hpatches" and (own := _place(home, name, **options)).exists():
        return open_patch_set(own)  # the course's, which cannot be made again from HPatches
    if name in RELEASES:
        return _download(home, progress, **options)
    if (path / METADATA_FILE).exists():
        return open_patch_set(path)
    if path.exists():
        return _convert(path.resolve().stem, home, path, progress, **options)
    raise UserError(
        f"Unknown data set {str(name)!r}: expected {', '.join(map(repr, KNOWN))}"
        " or the path of a folder or zip with patches."
    )


def _place(home, name, seed, originals):
    return home / "-".join([name, *[f"seed-{seed}"] * bool(seed), *[ORIGINAL] * originals])


def _download(home, progress, **options):
    """HPatches as it was made before, or from the network."""
    place = _place(home, "hpatches", **options)

    def build():
        file = download_release("hpatches", home / "downloads", progress)
        patches = hpatches.convert_release(file, place, progress=progress, **options)
        if missing := len(set(SEQUENCE_NAMES) - set(patches.names)):
            print(f"{file} lacks {missing} of the {len(SEQUENCE_NAMES)} sequences of HPatches.")
        if progress:
            size = format_bytes(file.stat().st_size)
            print(f"{file} ({size}) is no longer needed; it may be deleted.")

    return open_or_build(place, build, version=hpatches.VERSION, **options)


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
                return open_patch_set(_place(home, release, **options), **about)
    with open_strips(source) as strips:
        about = {"version": hpatches.VERSION, "fingerprint": strips.fingerprint, **options}
        if name in RELEASES:
            width, _ = strips.size(next(iter(strips.folders)))
            name = "hpatches" if width == SOURCE_SIZE else "n-hpatches"
        if name not in RELEASES or set(strips.folders) != set(SEQUENCE_NAMES):
            name = f"{name}-{strips.fingerprint}"
    place = _place(home, name, **options)
    build = partial(hpatches.convert_release, source, place, progress=progress, **options)
    return open_or_build(place, build, **about)

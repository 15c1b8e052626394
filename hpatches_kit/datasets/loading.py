"""Load a patch set by name or path."""

import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path

from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.options import check_whole_number
from hpatches_kit._support.units import format_bytes
from hpatches_kit.datasets import builtin, hpatches
from hpatches_kit.datasets.own_photographs import fingerprint, list_paths
from hpatches_kit.datasets.releases import download_release
from hpatches_kit.datasets.splits import SEQUENCE_NAMES, with_validation_side
from hpatches_kit.datasets.strips import open_strips
from hpatches_kit.patches.noise import SIGMA
from hpatches_kit.patches.storage import is_patch_set, open_or_build, open_patch_set
from hpatches_kit.patches.views import ORIGINAL, SOURCE_SIZE

RELEASES = ("hpatches", "n-hpatches")
KNOWN = (*builtin.BUILTIN, *RELEASES)


def load(name, folder=None, source=None, seed=None, originals=False, extra=None, progress=True):
    """Load a patch set by name or path. The first call builds it; later calls open it from disk.

        patches = hk.load("mini")
        patches.clean  # uint8 (points, 16, 32, 32): 16 views of each point, grey levels 0..255
        patches.noisy  # the same patches with noise
        train, validation, test = patches.split()

    The arrays are memory-mapped: patches are read from disk when they are used.

    Args:
        name: one of

            - `"mini"`: built-in photographs, over 8,000 points, no download;
            - `"photos"`: more sequences of the same photographs, over 35,000 points;
            - `"hpatches"`: HPatches with the noise of the coursework, 157,000 points; downloads
              4.2 GB once and stores 5.1 GB;
            - `"n-hpatches"`: N-HPatches, the noisy release of the course, if you have loaded it
              once with `source`; otherwise the same as `"hpatches"`, with a warning;
            - the path of a saved patch set (`patches.save(path)`);
            - the path of a folder or zip with strips, the files of HPatches and N-HPatches.
        folder: of patch sets and downloads. Default: `$HPATCHES_KIT_DATA` if it is set, else
            `data/` in a checkout of the kit, else `hpatches_kit` in the user's cache folder.
        source: for `"hpatches"` and `"n-hpatches"`: a folder or zip of the release that you already
            have, instead of the download. A part of the release is stored as a separate patch set.
        seed: of the noise that HPatches gets; default 0. Each seed is stored as a separate patch
            set. Other patch sets have their noise already and take no seed.
        originals: also keep the 65 px patches, as `patches["original"]`: 10.6 GB more for HPatches.
        extra: for `"mini"` and `"photos"`: a folder of your own photographs and image sequences, or
            a list, as for `from_photographs`. They are added to the training side; the validation
            and test sides stay the same. Copies of built-in photographs are skipped with a message,
            also resized or compressed ones; crops are not found. The result is stored as a separate
            patch set; changed files give another one.
        progress: show progress bars.

    Returns a `PatchSet`. Saved patch sets keep their own splits; `"mini"` and `"photos"` have the
    split `"photographs"`, and HPatches has the official splits, such as `patches.split("a")`, with
    a part of each training side for validation (see `datasets/splits.py`).
    Raises UserError for an unknown name, an argument that the patch set does not take, damaged
    files, or extra photographs that cannot be used, FileNotFoundError for a missing source or extra
    photograph, ConnectionError if the download fails, OSError if the disk is full.
    """
    patches = _load(name, folder, source, seed, originals, extra, progress)
    # Sets that a development version of 0.2 converted have splits without a validation side.
    patches.splits = with_validation_side(patches.splits)
    return patches


def _load(name, folder, source, seed, originals, extra, progress):
    home, path = Path(folder).expanduser() if folder else data_folder(), Path(name).expanduser()
    if seed is not None:
        check_whole_number("seed", seed, 0)
    if extra is not None and name not in builtin.BUILTIN:
        raise UserError(
            f"{str(name)!r} takes no extra photographs: extra= is for"
            f" {' and '.join(map(repr, builtin.BUILTIN))}."
        )
    options = {"seed": seed or 0, "originals": originals}
    if name in builtin.BUILTIN:
        _refuse_source_and_seed(f"The built-in patch set {name!r}", source, seed)
        return _load_builtin(name, home, originals, extra, progress)
    if name in RELEASES and source is not None:
        return _convert(name, home, Path(source).expanduser(), progress, **options)
    if name == "n-hpatches" and (from_course := _folder_of(home, name, **options)).exists():
        return open_patch_set(from_course)  # it cannot be built from HPatches
    if name in RELEASES:
        if name == "n-hpatches":
            _warn_of_noise_made_here(home)  # before the progress bars
        return _download(home, progress, **options)
    if is_patch_set(path):
        _refuse_source_and_seed(f"{path}, a saved patch set,", source, seed)
        return _open_saved(path, originals)
    if path.exists():
        if source is not None:
            raise UserError(
                f"source={str(source)!r} is for 'hpatches' and 'n-hpatches'; {str(path)!r} is"
                " itself a source. Leave source= out."
            )
        return _convert(path.resolve().stem, home, path, progress, **options)
    raise UserError(
        f"Unknown patch set {str(name)!r}: expected {', '.join(map(repr, KNOWN))}"
        " or the path of a folder or zip with patches."
    )


def _warn_of_noise_made_here(home):
    warnings.warn(
        "These are not the course's own files of N-HPatches: the kit makes the noisy patches from"
        f" HPatches itself, with Gaussian noise of standard deviation {SIGMA['ref']} (ref),"
        f" {SIGMA['e']} (easy), {SIGMA['h']} (hard) and {SIGMA['t']} (tough) grey levels at 65 px,"
        " see hpatches_kit/patches/noise.py. If you have the zip of the course, load it once, from"
        " any place: hk.load('n-hpatches', source='PATH'), or hpatches data hpatches --source PATH."
        f" Later calls open it from {home / 'n-hpatches'}.",
        stacklevel=4,  # the caller of `load`
    )


def _refuse_source_and_seed(subject, source, seed):
    if source is not None or seed is not None:
        raise UserError(
            f"{subject} takes neither source= nor seed=, because its patches and their noise are"
            " fixed. Leave them out, or load 'hpatches'."
        )


def _load_builtin(name, home, originals, extra, progress):
    extra = None if extra is None else list_paths(extra)  # a list can be read twice
    content = None if extra is None else fingerprint(extra)
    stored_name = f"{name}-extra-{content[:16]}" if content else name
    folder = _folder_of(home, stored_name, 0, originals)
    provenance = builtin.provenance(name, originals, content)

    def build():
        size = builtin.BUILTIN[name]
        builtin.build(size, progress, originals, extra).save(folder, **provenance)

    return open_or_build(folder, build, **provenance)


def _open_saved(path, originals):
    patches = open_patch_set(path)
    if originals and ORIGINAL not in patches.arrays:
        raise UserError(
            f"{path} is a saved patch set without 65 px patches. Leave originals= out, or build the"
            " set again with originals=True and save it."
        )
    return patches


def _folder_of(home, name, seed, originals):
    return home / "-".join([name, *[f"seed-{seed}"] * bool(seed), *[ORIGINAL] * originals])


def _download(home, progress, **options):
    folder = _folder_of(home, "hpatches", **options)

    def build():
        file = download_release("hpatches", home / "downloads", progress)
        patches = hpatches.convert_release(file, folder, progress=progress, **options)
        if missing := len(set(SEQUENCE_NAMES) - set(patches.names)):
            print(f"{file} lacks {missing} of the {len(SEQUENCE_NAMES)} sequences of HPatches.")
        if progress:
            size = format_bytes(file.stat().st_size)
            print(f"{file} ({size}) is no longer needed. You may delete it.")

    return open_or_build(folder, build, version=hpatches.VERSION, **options)


def _convert(name, home, source, progress, **options):
    """Convert a folder or zip of strips, or open the patch set of an earlier call.

    A complete release is stored as `hpatches` (65 px strips) or `n-hpatches` (32 px strips): the
    noise of the kit and that of the course stay separate. Every other name includes a fingerprint,
    which separates a part from the whole release.
    """
    if name in RELEASES and not source.exists():  # the source may be deleted after the conversion
        provenance = {"source": source.name, "version": hpatches.VERSION, **options}
        for release in RELEASES:
            with suppress(FileNotFoundError, UserError):
                return open_patch_set(_folder_of(home, release, **options), **provenance)
    with open_strips(source) as strips:
        fingerprint = strips.fingerprint
        provenance = {"version": hpatches.VERSION, "fingerprint": fingerprint, **options}
        if name in RELEASES:
            width, _ = strips.size(next(iter(strips.folders)))
            name = "hpatches" if width == SOURCE_SIZE else "n-hpatches"
        if name not in RELEASES or set(strips.folders) != set(SEQUENCE_NAMES):
            name = f"{name}-{fingerprint}"
    folder = _folder_of(home, name, **options)
    build = partial(hpatches.convert_release, source, folder, progress=progress, **options)
    return open_or_build(folder, build, **provenance)

"""HPatches and N-HPatches, from their strips to mapped arrays, and back."""

import json
import zlib

import numpy as np

from hpatches_kit._support.atomic import atomic_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.resumable_arrays import DONE, PLAN, ResumableArrays
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.datasets.splits import SPLITS
from hpatches_kit.datasets.strips import EXTRA, NOISE, open_strips, write_strips
from hpatches_kit.patches.noise import VIEW_SIGMA, add_noise, resize, view_seed
from hpatches_kit.patches.storage import FILE_PATTERNS, open_patch_set, write_metadata
from hpatches_kit.patches.views import ORIGINAL, SOURCE_SIZE, VIEWS, is_flat, patch_shape

VERSION = 1  # of what is made from strips; raise it when the patches change


def convert_release(source, folder, seed=0, originals=False, progress=True):
    """Turn a folder or zip of strips into a patch set on disk.

    A sequence at a time on each core, so memory stays small. When it is interrupted, the next call
    goes on with the sequences that are missing. One process at a time: `storage.cached` sees to it.

    N-HPatches (32 px strips with `_noise`) is taken as it is. HPatches (65 px strips) gets its noise
    from `noise.py`; each strip has a seed of its own, so a part of the release gets the same patches
    as the whole.

    Args:
        source: folder or zip; the sequences may lie a few folders deep in it.
        folder: where the arrays go; appears whole or not at all.
        seed: of the noise.
        originals: also keep the 65 px patches, which take twice the room of all others.
        progress: show a bar, one step a sequence.

    Returns:
        A `PatchSet` with the official splits, or those that `write` kept.

    Raises FileNotFoundError and ValueError as `open_strips` and `Strips` do, FileExistsError when
    the folder holds files of any other kind, OSError when the disk is full.
    """
    with open_strips(source) as strips:
        sizes = {name: strips.size(name) for name in strips.folders}
        widths = sorted({width for width, _ in sizes.values()})
        if len(widths) > 1 or (originals and widths != [SOURCE_SIZE]):
            raise UserError(
                f"{source} has strips of {' and '.join(map(str, widths))} pixels: expected one width"
                + (f", {SOURCE_SIZE} to keep the originals." if originals else ".")
            )
        for name in strips.folders:  # before hours of work, not after
            for view in VIEWS:
                strips.file(name, view)
                strips.file(name, view, "" if widths == [SOURCE_SIZE] else NOISE)
        lengths = {name: points for name, (_, points) in sizes.items()}
        label, splits = _extra(strips, lengths)
        what = provenance(strips, seed, originals)
        with atomic_folder(folder, FILE_PATTERNS, resume=True) as partial:
            if not _is_complete(partial, what):
                shapes = {kind: patch_shape(kind) for kind in _kinds(originals)} | {"flat": ()}
                filling = ResumableArrays(partial, sum(lengths.values()), shapes, what)
                _fill(filling, strips, lengths, seed, originals, progress)
                write_metadata(partial, lengths, splits, what, label=label)
            for file in (PLAN, DONE):
                (partial / file).unlink(missing_ok=True)
    return open_patch_set(folder)


def provenance(strips, seed=0, originals=False):
    """What a folder of arrays must have been made with."""
    made_from = {"source": strips.where.name, "fingerprint": strips.fingerprint}
    return {"version": VERSION, "seed": seed, "originals": originals, **made_from}


def _is_complete(partial, what):
    """Whether a process was killed when nothing but a new name was missing."""
    try:
        return bool(open_patch_set(partial, **what))
    except (FileNotFoundError, ValueError):
        return False


def _kinds(originals):
    return ["clean", "noisy", *([ORIGINAL] if originals else [])]


def _fill(filling, strips, lengths, seed, originals, progress):
    """Convert the sequences that are not there yet."""
    stop = dict(zip(lengths, np.cumsum(list(lengths.values())).tolist()))
    rows = {name: np.arange(stop[name] - length, stop[name]) for name, length in lengths.items()}
    todo = [name for name in lengths if len(filling.missing(rows[name]))]
    filling.check_disk_space(sum(lengths[name] for name in todo), f"Converting {strips.where.name}")
    if progress and len(todo) < len(lengths):
        print(f"Going on: {len(lengths) - len(todo)} of {len(lengths)} sequences are there.")

    def fill(name):
        filling.put(rows[name], **_read_sequence(strips, name, lengths[name], seed, originals))

    parallel_map(fill, todo, "Converting", progress, unit="sequence")


def _read_sequence(strips, name, points, seed, originals):
    """`{array: block}` of one sequence; one 65 px strip is held at a time, unless they are kept."""
    blocks = {kind: np.empty((points, *patch_shape(kind)), np.uint8) for kind in _kinds(originals)}
    own_seed = np.random.SeedSequence((seed, zlib.crc32(name.encode())))
    for column, view in enumerate(VIEWS):
        strip = strips.strip(name, view)
        if strip.shape[-1] == SOURCE_SIZE:
            blocks["clean"][:, column] = resize(strip)
            noisy = add_noise(strip, VIEW_SIGMA[column], view_seed(own_seed, column))
            if originals:
                blocks[ORIGINAL][:, column] = strip
        else:
            blocks["clean"][:, column], noisy = strip, strips.strip(name, view, NOISE)
        blocks["noisy"][:, column] = noisy
        if view == "ref":
            blocks["flat"] = is_flat(strip)
    return blocks


def _extra(strips, lengths):
    """Labels and splits that `write` kept; for HPatches itself no labels and the official splits."""
    text = strips.extra()
    if text is None:
        here = {
            split: sides
            for split, sides in SPLITS.items()
            if set(lengths) & {*sides["test"], *sides["train"]}
        }
        return np.arange(sum(lengths.values())), here
    try:
        extra = json.loads(text)
        labels, splits = [extra["label"][name] for name in lengths], extra["splits"]
    except (ValueError, KeyError) as error:
        raise UserError(
            f"{strips.where}: {EXTRA} does not fit the sequences beside it: {error!r}."
        ) from error
    for name, label in zip(lengths, labels):
        if len(label) != lengths[name]:
            raise UserError(
                f"{strips.where}: {EXTRA} has {len(label)} labels for {lengths[name]} points of {name}."
            )
    return np.concatenate(labels), splits


def write_release(patches, folder):
    """Write a `PatchSet` in the N-HPatches layout; the folder appears whole or not at all.

    Labels and splits, which strips cannot hold, go into a `places.json` beside the sequences.
    """
    with atomic_folder(folder, ("*.png", EXTRA)) as partial:
        for name in patches.names:
            here = patches.select(name)
            write_strips(partial / name, here.clean)
            write_strips(partial / name, here.noisy, NOISE)
        label = {name: patches.select(name).label.tolist() for name in patches.names}
        (partial / EXTRA).write_text(json.dumps({"splits": patches.splits, "label": label}))

"""HPatches and N-HPatches: convert strips to a patch set on disk, and a patch set to strips."""

import json
import zlib

import numpy as np

from hpatches_kit._support.atomic import atomic_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import parse_json
from hpatches_kit._support.resumable_arrays import DONE, PLAN, ResumableArrays
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.datasets.splits import SPLITS
from hpatches_kit.datasets.strips import EXTRA, NOISE, open_strips, write_strips
from hpatches_kit.patches.noise import VIEW_SIGMA, add_noise, resize, view_seed
from hpatches_kit.patches.sides import check_splits
from hpatches_kit.patches.storage import FILE_PATTERNS, open_patch_set, write_metadata
from hpatches_kit.patches.views import ORIGINAL, SOURCE_SIZE, VIEWS, is_flat, patch_shape

VERSION = 1  # raise it when the patches change, so that caches are built again


def convert_release(source, folder, seed=0, originals=False, progress=True):
    """Convert a folder or zip of strips to a patch set on disk.

    N-HPatches (32 px strips with `_noise` strips) is stored unchanged. HPatches (65 px strips) is
    resized and gets the noise of `patches/noise.py`. The noise of a strip depends only on `seed`,
    the sequence name and the view: a part of the release gets the same patches as the whole.

    After an interruption, the next call converts the missing sequences. The caller must hold the
    lock of `folder`, as `storage.open_or_build` does.

    Args:
        source: folder or zip with strips, see `open_strips`.
        folder: of the patch set, written atomically.
        seed: of the noise; 0 or more.
        originals: also keep the 65 px patches.
        progress: show a bar, one step per sequence.

    Returns a `PatchSet` with the official splits, or the labels and splits that `write_release`
    stored. Raises FileNotFoundError and UserError as `open_strips` and `Strips` do, UserError for
    strips of different widths or that do not fit `seed` or `originals`, FileExistsError if the
    folder contains other files, OSError if the disk is full.
    """
    with open_strips(source) as strips:
        sizes = {name: strips.size(name) for name in strips.folders}
        lengths = {name: points for name, (_, points) in sizes.items()}
        width = _common_width(source, {width for width, _ in sizes.values()}, seed, originals)
        for name in strips.folders:  # checked before hours of work
            for view in VIEWS:
                strips.file(name, view)
                strips.file(name, view, "" if width == SOURCE_SIZE else NOISE)
        labels, splits = _labels_and_splits(strips, lengths)
        made_with = provenance(strips, seed, originals)
        with atomic_folder(folder, FILE_PATTERNS, resume=True) as partial:
            if not _is_complete(partial, made_with):
                shapes = {kind: patch_shape(kind) for kind in _kinds(originals)} | {"flat": ()}
                arrays = ResumableArrays(partial, sum(lengths.values()), shapes, made_with)
                _fill(arrays, strips, lengths, seed, originals, progress)
                write_metadata(partial, lengths, splits, made_with, label=labels)
            for file in (PLAN, DONE):
                (partial / file).unlink(missing_ok=True)
    return open_patch_set(folder)


def provenance(strips, seed=0, originals=False):
    """Everything that the patches depend on; stored with the patch set."""
    made_from = {"source": strips.where.name, "fingerprint": strips.fingerprint}
    return {"version": VERSION, "seed": seed, "originals": originals, **made_from}


def _common_width(source, widths, seed, originals):
    """The width of all strips in pixels; UserError if it does not fit the options."""
    if len(widths) > 1 or (originals and widths != {SOURCE_SIZE}):
        raise UserError(
            f"{source} has strips of {' and '.join(map(str, sorted(widths)))} pixels: expected one"
            " width" + (f", {SOURCE_SIZE} to keep the originals." if originals else ".")
        )
    (width,) = widths
    if seed and width != SOURCE_SIZE:
        raise UserError(
            f"{source} has strips of {width} pixels, which have their noise already: {seed=} would"
            f" have no effect. Leave it out, or use a source with strips of {SOURCE_SIZE} pixels."
        )
    return width


def _is_complete(partial, made_with):
    """Whether a folder is complete, because a process was killed just before the final rename."""
    try:
        return bool(open_patch_set(partial, **made_with))
    except (FileNotFoundError, UserError):
        return False


def _kinds(originals):
    return ["clean", "noisy", *([ORIGINAL] if originals else [])]


def _fill(arrays, strips, lengths, seed, originals, progress):
    stops = np.cumsum(list(lengths.values()))
    rows = {name: np.arange(stop - lengths[name], stop) for name, stop in zip(lengths, stops)}
    todo = [name for name in lengths if len(arrays.missing(rows[name]))]
    arrays.check_disk_space(sum(lengths[name] for name in todo), f"Converting {strips.where.name}")
    if progress and len(todo) < len(lengths):
        done = len(lengths) - len(todo)
        print(f"Resuming: {done} of {len(lengths)} sequences are already converted.")

    def convert_sequence(name):
        arrays.put(rows[name], **_read_sequence(strips, name, lengths[name], seed, originals))

    parallel_map(convert_sequence, todo, "Converting", progress, unit="sequence")


def _read_sequence(strips, name, points, seed, originals):
    blocks = {kind: np.empty((points, *patch_shape(kind)), np.uint8) for kind in _kinds(originals)}
    sequence_seed = np.random.SeedSequence((seed, zlib.crc32(name.encode())))
    for column, view in enumerate(VIEWS):
        strip = strips.strip(name, view)
        if strip.shape[-1] == SOURCE_SIZE:
            blocks["clean"][:, column] = resize(strip)
            noisy = add_noise(strip, VIEW_SIGMA[column], view_seed(sequence_seed, column))
            if originals:
                blocks[ORIGINAL][:, column] = strip
        else:
            blocks["clean"][:, column], noisy = strip, strips.strip(name, view, NOISE)
        blocks["noisy"][:, column] = noisy
        if view == "ref":
            blocks["flat"] = is_flat(strip)
    return blocks


def _labels_and_splits(strips, lengths):
    """The stored labels and splits, else one place per point and the official splits."""
    text = strips.extra()
    if text is None:
        splits = {
            name: split
            for name, split in SPLITS.items()
            if set(lengths) & set().union(*split.values())
        }
        return np.arange(sum(lengths.values())), splits
    where = f"{strips.where}: {EXTRA}"
    extra = parse_json(text, where, "a file of labels", {"label": dict, "splits": dict})
    check_splits(extra["splits"], where)
    labels = []
    for name, points in lengths.items():
        numbers = extra["label"].get(name)
        if not isinstance(numbers, list) or not all(map(_is_label, numbers)):
            raise UserError(f"{where} does not fit the sequences beside it: no labels of {name}.")
        if len(numbers) != points:
            raise UserError(f"{where} has {len(numbers)} labels for {points} points of {name}.")
        labels.append(numbers)
    return np.concatenate(labels), extra["splits"]


def _is_label(value):
    return type(value) is int and abs(value) < 1 << 62


def write_release(patches, folder):
    """Write a `PatchSet` to a folder in the N-HPatches layout, atomically.

    `places.json` beside the sequences contains the labels and splits.
    """
    with atomic_folder(folder, ("*.png", EXTRA)) as partial:
        for name in patches.names:
            sequence = patches.select(name)
            write_strips(partial / name, sequence.clean)
            write_strips(partial / name, sequence.noisy, NOISE)
        labels = {name: patches.select(name).label.tolist() for name in patches.names}
        (partial / EXTRA).write_text(json.dumps({"splits": patches.splits, "label": labels}))

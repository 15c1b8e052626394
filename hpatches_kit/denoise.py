"""Denoised patches: what the denoiser makes of the noisy ones, as grey levels again.

They are made once for each denoiser and kept on disk, so that "denoised" is a word in a call, as
"clean" and "noisy" are.
"""

import hashlib
import os
import shutil

import numpy as np
from tqdm import tqdm

from hpatches_kit.files import data_home, locked
from hpatches_kit.filling import PLAN, Filling
from hpatches_kit.patches import PATCH_SIZE, shape_of

KEPT = 4  # denoised sets on disk, each up to 2.6 GB of HPatches; the least recently used goes


def predict(model, data, kind, batch_size=256, what="Predicting", rows=None):
    """Run a model over patches block by block, with a progress bar.

    All batches have one size, the last is filled up, so that the same patch gives the same numbers
    wherever a run begins, and the model is compiled for one size.

    Args:
        model: a `keras.Model` or any function of `uint8 (batch, 32, 32, 1)`.
        data: a `PatchSet`.
        kind: which of its patches, grey levels 0..255.
        batch_size: patches at a time.
        what: text of the bar.
        rows: rows of the whole arrays to use; default: those of `data`.

    Yields:
        `(rows, outputs)`: for a few points at a time, their rows and one output for each patch.
    """
    base, rows = data.base(kind), data.rows if rows is None else rows
    if not len(rows):
        raise ValueError(f"{data} is empty: there is nothing to predict.")
    check_input(model, kind)
    total = len(rows) * base.shape[1]
    with tqdm(total=total, desc=what, unit="patch", unit_scale=True, delay=1) as bar:
        for start in range(0, len(rows), batch_size):  # 16 batches
            here = rows[start : start + batch_size]
            patches = base[here].reshape(-1, *base.shape[2:], 1)
            yield here, _predict(model, patches, batch_size)
            bar.update(len(patches))


def check_input(model, kind):
    """ValueError for a model of patches of another size: JAX would run it and return nonsense."""
    given = (*shape_of(kind)[1:], 1)
    takes = tuple(getattr(model, "input_shape", (None, *given))[1:])
    if any(side not in (None, other) for side, other in zip(takes, given)):
        raise ValueError(f"{model.name} takes {takes}: {kind} patches are {given}.")


def _predict(model, patches, batch_size):
    if not hasattr(model, "predict"):
        return np.asarray(model(patches))
    filled = patches
    if len(patches) % batch_size:
        whole = -(-len(patches) // batch_size) * batch_size
        filled = np.resize(patches, (whole, *patches.shape[1:]))  # repeats them
    return model.predict(filled, batch_size=batch_size, verbose=0)[: len(patches)]


def denoise(denoiser, patches, batch_size=256):
    """Add the kind `"denoised"` to a `PatchSet`.

    The output of the denoiser is clipped to 0..255 and rounded, as in the coursework: the descriptor
    network sees images, not the denoiser's raw numbers.

    What a `keras.Model` makes of patches that are on disk is kept in `denoised/` among the data, under
    the denoiser's fingerprint, the last four sets of it. A run that was interrupted goes on where
    it stopped. Of all others the result is in memory.

    Args:
        denoiser: a `keras.Model`, or any function, from noisy to clean patches `(batch, 32, 32, 1)`.
        patches: a `PatchSet` with noisy patches.
        batch_size: patches at a time.
    """
    if not (patches.fingerprint and hasattr(denoiser, "get_weights")):
        blocks = [block for _, block in _denoised(denoiser, patches, batch_size)]
        return patches.add("denoised", np.concatenate(blocks))
    check_input(denoiser, "noisy")
    about = {"patches": patches.fingerprint, "denoiser": fingerprint(denoiser)}
    folder = data_home().resolve() / "denoised" / "-".join(about.values())
    with locked(folder):
        shapes = {"denoised": shape_of("denoised")}
        filling = Filling(folder, len(patches.base("noisy")), shapes, about)
        os.utime(folder / PLAN)  # used just now
        rows = filling.missing(patches.rows)
        filling.check_room(len(rows), "Denoising")
        if len(rows):
            for here, block in _denoised(denoiser, patches, batch_size, rows):
                filling.put(here, denoised=block)
    _forget_old(folder.parent)
    return patches.add_base("denoised", filling.arrays()["denoised"])


def _denoised(denoiser, patches, batch_size, rows=None):
    """`(rows, uint8 (rows, 16, 32, 32))` for a few points at a time."""
    for here, block in predict(denoiser, patches, "noisy", batch_size, "Denoising", rows):
        if block.shape[1:] != (PATCH_SIZE, PATCH_SIZE, 1) or not np.isfinite(block).all():
            raise ValueError(
                f"The denoiser returned {block.shape}, finite: {bool(np.isfinite(block).all())}."
                " Expected finite (batch, 32, 32, 1); if training diverged, lower the learning rate."
            )
        grey = np.clip(np.rint(block), 0, 255).astype(np.uint8)
        yield here, grey.reshape(-1, *shape_of("denoised"))


def fingerprint(model):
    """Sixteen letters that name what a `keras.Model` computes.

    Of its weights, and of what it makes of one patch, which also tells apart models that have the same
    weights in another arrangement.
    """
    digest = hashlib.sha256()
    probe = np.random.default_rng(0).integers(0, 256, (1, PATCH_SIZE, PATCH_SIZE, 1), np.uint8)
    made = model.predict(probe, verbose=0)
    for array in [*model.get_weights(), np.rint(np.clip(np.nan_to_num(made), 0, 255))]:
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def _forget_old(folder):
    """Keep the denoised sets that were used last, and those that somebody is just making."""
    used = sorted(folder.glob(f"*/{PLAN}"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in used[KEPT:]:
        with locked(file.parent, wait=False) as held:
            if held:
                shutil.rmtree(file.parent, ignore_errors=True)


def choose(data, kind=None, denoiser=None):
    """Settle which patches to use: `(data, kind)`.

    Without a kind, these are the denoised patches where there is a denoiser, else the clean ones.
    A denoiser always makes its own patches, also where `data` has those of another.
    """
    kind = kind or ("clean" if denoiser is None else "denoised")
    if kind == "denoised" and denoiser is not None:
        data = denoise(denoiser, data)
    elif kind == "denoised" and "denoised" not in data.arrays:
        raise ValueError("Denoised patches need a denoiser=, or data from hk.denoise.")
    data.base(kind)  # says what is there when this is not
    return data, kind

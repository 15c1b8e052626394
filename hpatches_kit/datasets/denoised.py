"""Denoised patches: what the denoiser makes of the noisy ones, as grey levels again.

They are made once for each denoiser and kept on disk, so that "denoised" is a word in a call, as
"clean" and "noisy" are.
"""

import hashlib
import os
import shutil

import numpy as np

from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit._support.resumable_arrays import PLAN, ResumableArrays
from hpatches_kit.patches.prediction import check_input_shape, predict_blocks
from hpatches_kit.patches.views import PATCH_SIZE, patch_shape

KEPT = 4  # denoised sets on disk, each up to 2.6 GB of HPatches; the least recently used goes


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
    check_input_shape(denoiser, "noisy")
    about = {"patches": patches.fingerprint, "denoiser": model_fingerprint(denoiser)}
    folder = data_folder().resolve() / "denoised" / "-".join(about.values())
    with locked(folder):
        shapes = {"denoised": patch_shape("denoised")}
        filling = ResumableArrays(folder, len(patches.base("noisy")), shapes, about)
        os.utime(folder / PLAN)  # used just now
        rows = filling.missing(patches.rows)
        filling.check_disk_space(len(rows), "Denoising")
        if len(rows):
            for here, block in _denoised(denoiser, patches, batch_size, rows):
                filling.put(here, denoised=block)
    _forget_old(folder.parent)
    return patches.add_base("denoised", filling.arrays()["denoised"])


def _denoised(denoiser, patches, batch_size, rows=None):
    """`(rows, uint8 (rows, 16, 32, 32))` for a few points at a time."""
    for here, block in predict_blocks(denoiser, patches, "noisy", batch_size, "Denoising", rows):
        if block.shape[1:] != (PATCH_SIZE, PATCH_SIZE, 1) or not np.isfinite(block).all():
            raise UserError(
                f"The denoiser returned {block.shape}, finite: {bool(np.isfinite(block).all())}."
                " Expected finite (batch, 32, 32, 1); if training diverged, lower the learning rate."
            )
        grey = np.clip(np.rint(block), 0, 255).astype(np.uint8)
        yield here, grey.reshape(-1, *patch_shape("denoised"))


def model_fingerprint(model):
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


def select_kind(patches, kind=None, denoiser=None):
    """Settle which patches to use: `(patches, kind)`.

    Without a kind, these are the denoised patches where there is a denoiser, else the clean ones.
    A denoiser always makes its own patches, also where `patches` has those of another.
    """
    kind = kind or ("clean" if denoiser is None else "denoised")
    if kind == "denoised" and denoiser is not None:
        patches = denoise(denoiser, patches)
    elif kind == "denoised" and "denoised" not in patches.arrays:
        raise UserError("Denoised patches need a denoiser=, or a patch set from hk.denoise.")
    patches.base(kind)  # says what is there when this is not
    return patches, kind

"""Denoised patches: the output of a denoiser for the noisy patches, cached on disk."""

import hashlib
import os
import shutil
import time
from contextlib import suppress

import numpy as np

from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit._support.resumable_arrays import PLAN, ResumableArrays, open_complete
from hpatches_kit.patches.prediction import check_input_shape, predict_blocks, takes_sigma
from hpatches_kit.patches.views import PATCH_SIZE, patch_shape

AHEAD = 60.0  # seconds that clocks of machines with a shared folder may differ
KEPT = 4  # cached sets on disk, up to 2.6 GB each; the least recently used ones are deleted


def denoise(denoiser, patches, batch_size=256, *, cache=True):
    """Add the kind `"denoised"` to a `PatchSet`, and return the new set.

    The output of the denoiser is clipped to 0..255 and rounded to `uint8`. The starter code of the
    coursework truncates instead: its patches are half a grey level darker on average.

    For a `keras.Model` and patches on disk, the result is cached in `denoised/` in the data folder;
    the four sets used last are kept. After an interruption, the next call resumes. In every other
    case the result is in memory.

        train, validation, test = hk.load("mini").split()
        train = hk.denoise(unet, train)
        train["denoised"]  # uint8 (points, 16, 32, 32)

    Args:
        denoiser: a `keras.Model`, or any function, from noisy to clean patches, both
            `(batch, 32, 32, 1)` with grey levels 0..255. A model with a second input, such as
            `hk.models.unet(noise_map=True)`, gets the sigma of each view in N-HPatches as well.
        patches: a `PatchSet` with noisy patches.
        batch_size: patches per batch.
        cache: `False` keeps the result in memory.

    Raises UserError if the denoiser takes or returns another shape, or returns values that are not
    finite.
    """
    if not (cache and patches.fingerprint and hasattr(denoiser, "get_weights")):
        blocks = [block for _, block in _denoise_blocks(denoiser, patches, batch_size)]
        return patches.add("denoised", np.concatenate(blocks))
    check_input_shape(denoiser, "noisy")
    provenance = {"patches": patches.fingerprint, "denoiser": model_fingerprint(denoiser)}
    folder = data_folder().resolve() / "denoised" / "-".join(provenance.values())
    points, shapes = len(patches.base("noisy")), {"denoised": patch_shape("denoised")}
    if arrays := open_complete(folder, points, shapes, provenance, patches.rows):
        with suppress(OSError):  # the folder may not be writable
            os.utime(folder / PLAN)
        return patches.add_base("denoised", arrays["denoised"])
    with locked(folder):
        cache = ResumableArrays(folder, points, shapes, provenance)
        os.utime(folder / PLAN)  # marks the set as recently used
        missing = cache.missing(patches.rows)
        cache.check_disk_space(len(missing), "Denoising")
        if len(missing):
            for rows, block in _denoise_blocks(denoiser, patches, batch_size, missing):
                cache.put(rows, denoised=block)
        denoised = cache.arrays()["denoised"]
    _delete_least_recently_used(folder)
    return patches.add_base("denoised", denoised)


def _denoise_blocks(denoiser, patches, batch_size, rows=None):
    """Yield `(rows, uint8 (rows, 16, 32, 32))` for a few points at a time."""
    predictions = predict_blocks(denoiser, patches, "noisy", batch_size, "Denoising", rows)
    for block_rows, output in predictions:
        finite = bool(np.isfinite(output).all())
        if output.shape[1:] != (PATCH_SIZE, PATCH_SIZE, 1) or not finite:
            raise UserError(
                f"The denoiser returned {output.shape}, finite: {finite}. Expected finite"
                " (batch, 32, 32, 1); if training diverged, lower the learning rate."
            )
        grey = np.clip(np.rint(output), 0, 255).astype(np.uint8)
        yield block_rows, grey.reshape(-1, *patch_shape("denoised"))


def model_fingerprint(model):
    """Return 16 hexadecimal digits, a hash of the weights of a `keras.Model` and of an output.

    The output differs between architectures with the same weights.
    """
    digest = hashlib.sha256()
    probe = np.random.default_rng(0).integers(0, 256, (1, PATCH_SIZE, PATCH_SIZE, 1), np.uint8)
    inputs = [probe, np.full(1, 25, np.float32)] if takes_sigma(model) else probe
    output = model.predict(inputs, verbose=0)
    for array in [*model.get_weights(), np.rint(np.clip(np.nan_to_num(output), 0, 255))]:
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def _delete_least_recently_used(used):
    """Keep the `KEPT` sets used last, the folder `used` and every set that is being written."""
    plans = [plan for plan in used.parent.glob(f"*/{PLAN}") if plan.parent != used]
    for plan in sorted(plans, key=_time_of_use, reverse=True)[KEPT - 1 :]:
        with locked(plan.parent, wait=False) as held:
            if held:
                shutil.rmtree(plan.parent, ignore_errors=True)


def _time_of_use(plan):
    try:
        if plan.stat().st_mtime > time.time() + AHEAD:  # the clock was wrong: from now on it is not
            os.utime(plan)
        return plan.stat().st_mtime
    except OSError:  # another process has just deleted the set, or it is not writable
        return 0.0


def select_kind(patches, kind=None, denoiser=None):
    """Return `(patches, kind)`, with the denoised patches of `denoiser` if there is one.

    Default of `kind`: `"denoised"` with a denoiser, else `"clean"`. Raises UserError if `patches`
    lacks the kind.
    """
    kind = kind or ("clean" if denoiser is None else "denoised")
    if kind == "denoised" and denoiser is not None:
        patches = denoise(denoiser, patches)
    elif kind == "denoised" and "denoised" not in patches.arrays:
        raise UserError("Denoised patches need a denoiser=, or a patch set from hk.denoise.")
    patches.base(kind)  # raises UserError if the patch set lacks this kind
    return patches, kind

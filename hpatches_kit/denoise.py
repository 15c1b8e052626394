"""Denoised patches: what the denoiser makes of the noisy ones, as grey levels again."""

import numpy as np
from tqdm import tqdm

from hpatches_kit.patches import PATCH_SIZE


def predict(model, patches, batch_size=256, what="Predicting"):
    """Run a model over patches block by block, with a progress bar.

    Args:
        model: a `keras.Model` or any function of `uint8 (batch, 32, 32, 1)`.
        patches: `uint8 (..., 32, 32)`, grey levels 0..255; may be memory-mapped.
        batch_size: patches at a time.
        what: text of the bar.

    Yields:
        One array of outputs for each block of patches, in order.
    """
    if patches.dtype != np.uint8 or patches.shape[-2:] != (PATCH_SIZE, PATCH_SIZE):
        raise ValueError(
            f"Patches are {patches.dtype} {patches.shape}:"
            f" expected uint8 (..., {PATCH_SIZE}, {PATCH_SIZE}), grey levels 0..255."
        )
    if not patches.size:
        raise ValueError(f"Patches of shape {patches.shape}: there is nothing to predict.")
    wanted = (PATCH_SIZE, PATCH_SIZE, 1)
    takes = tuple(getattr(model, "input_shape", (None, *wanted))[1:])
    if any(side not in (None, other) for side, other in zip(takes, wanted)):
        # JAX would run it and return nonsense.
        raise ValueError(f"{model.name} takes {takes}: expected {wanted}.")
    flat = patches.reshape(-1, PATCH_SIZE, PATCH_SIZE, 1)
    block = 16 * batch_size
    with tqdm(total=len(flat), desc=what, unit="patch", unit_scale=True, delay=1) as bar:
        for start in range(0, len(flat), block):
            batch = flat[start : start + block]
            if hasattr(model, "predict"):
                yield model.predict(batch, batch_size=batch_size, verbose=0)
            else:
                yield np.asarray(model(batch))
            bar.update(len(batch))


def denoise(denoiser, patches, batch_size=256):
    """Add the kind `"denoised"` to a `PatchSet`.

    The output of the denoiser is clipped to 0..255 and rounded, as in the coursework: the descriptor
    network sees images, not the denoiser's raw numbers.

    Args:
        denoiser: a `keras.Model` from noisy to clean patches `(batch, 32, 32, 1)`.
        patches: a `PatchSet` with noisy patches.
        batch_size: patches at a time.
    """
    noisy, blocks = patches.noisy, []
    for block in predict(denoiser, noisy, batch_size, "Denoising"):
        if block.shape[1:] != (PATCH_SIZE, PATCH_SIZE, 1) or not np.isfinite(block).all():
            raise ValueError(
                f"The denoiser returned {block.shape}, finite: {bool(np.isfinite(block).all())}."
                " Expected finite (batch, 32, 32, 1); if training diverged, lower the learning rate."
            )
        blocks.append(np.clip(np.rint(block), 0, 255).astype(np.uint8))
    return patches.add("denoised", np.concatenate(blocks).reshape(noisy.shape))


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

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
    expected = getattr(model, "input_shape", (None, PATCH_SIZE, PATCH_SIZE, 1))
    if tuple(expected[1:]) != (PATCH_SIZE, PATCH_SIZE, 1):  # JAX would run it and return nonsense
        raise ValueError(
            f"{model.name} takes {expected[1:]}: expected ({PATCH_SIZE}, {PATCH_SIZE}, 1)."
        )
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
    blocks = [
        np.clip(np.rint(block), 0, 255).astype(np.uint8)
        for block in predict(denoiser, patches.noisy, batch_size, "Denoising")
    ]
    return patches.add("denoised", np.concatenate(blocks).reshape(patches.noisy.shape))

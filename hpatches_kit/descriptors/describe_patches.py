"""Describe patches: run a network or a baseline on all views of all points."""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.datasets.denoised import select_kind
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.patches.prediction import predict_blocks
from hpatches_kit.patches.views import VIEWS


def describe(model, patches, kind=None, denoiser=None, name=None, batch_size=512):
    """Describe every view of every point: `Descriptors`, `float32 (points, 16, dim)`.

        test_descriptors = hk.describe(hk.baselines.rootsift, test)

    Args:
        model: a `keras.Model` or any function, such as those of `hk.baselines`, from patches
            `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors `(batch, dim)`.
        patches: a `PatchSet`.
        kind: `"clean"`, `"noisy"`, `"denoised"` or `"original"`; default: `"denoised"` with a
            denoiser, else `"clean"`.
        denoiser: makes the denoised patches; not needed when `patches` already has them.
        name: for tables and figures; default: the name of the model.
        batch_size: patches per call of the model.

    Raises UserError when the model takes patches of another size, and when it does not return one
    vector per patch.
    """
    patches, kind = select_kind(patches, kind, denoiser)
    values, stop = None, 0
    for rows, block in predict_blocks(model, patches, kind, batch_size, "Describing"):
        if block.ndim != 2:
            raise UserError(f"The model returns {block.shape}: expected (batch, dim) descriptors.")
        if values is None:
            values = np.empty((len(patches), len(VIEWS), block.shape[1]), np.float32)
        start, stop = stop, stop + len(rows)
        values[start:stop] = block.reshape(len(rows), len(VIEWS), -1)
    name = name or getattr(model, "name", None) or getattr(model, "__name__", "descriptor")
    return Descriptors(values, patches.sequence, patches.label, patches.flat, name, kind)

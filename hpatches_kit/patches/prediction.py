"""Predictions of a model for the patches of a set, with a progress bar."""

import numpy as np
from tqdm import tqdm

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.noise import VIEW_SIGMA
from hpatches_kit.patches.views import patch_shape


def predict_blocks(model, patches, kind, batch_size=256, what="Predicting", rows=None):
    """Run a model on the patches of a few points at a time.

    The last batch is padded to the size of the others: the model is compiled for one size, and the
    output for a patch does not depend on the size of its batch.

    Args:
        model: a `keras.Model`, or a function of `uint8 (batch, 32, 32, 1)`. A model with two
            inputs also gets the sigma of the noise of each patch, 0 if `kind` is not `"noisy"`.
        patches: a `PatchSet`.
        kind: which of its patches to use, grey levels 0..255.
        batch_size: patches per batch.
        what: title of the progress bar.
        rows: rows of the base array to use. Default: those of `patches`.

    Yields `(rows, outputs)`: the rows of up to `batch_size` points, and an output for each of their
    patches, in the order of points and then views. Raises UserError for an empty set, and for a
    model that takes patches of another size.
    """
    base, rows = patches.base(kind), patches.rows if rows is None else rows
    if not len(rows):
        raise UserError(f"{patches} is empty: there is nothing to predict.")
    check_input_shape(model, kind)
    total = len(rows) * base.shape[1]
    with tqdm(total=total, desc=what, unit="patch", unit_scale=True, delay=1) as bar:
        for start in range(0, len(rows), batch_size):  # 16 batches, because a point has 16 patches
            block_rows = rows[start : start + batch_size]
            block = base[block_rows].reshape(-1, *base.shape[2:], 1)
            inputs = [block]
            if takes_sigma(model):
                sigma = VIEW_SIGMA if kind == "noisy" else np.zeros(base.shape[1])
                inputs.append(np.tile(sigma, len(block_rows)).astype(np.float32))
            yield block_rows, predict(model, inputs, batch_size)
            bar.update(len(block))


def takes_sigma(model):
    """Whether a model has two inputs: patches, and the sigma of the noise of each."""
    return len(getattr(model, "inputs", ())) == 2


def check_input_shape(model, kind):
    """Raise UserError for a model of patches of another size: JAX would return wrong numbers."""
    shape = (*patch_shape(kind)[1:], 1)
    input_shape = getattr(model, "input_shape", (None, *shape))
    input_shape = tuple(input_shape[0] if takes_sigma(model) else input_shape)[1:]
    if any(expected not in (None, size) for expected, size in zip(input_shape, shape)):
        raise UserError(
            f"{model.name} takes {input_shape}: {kind} patches are {shape}."
            " Use a model for patches of this size."
        )


def predict(model, inputs, batch_size=256):
    """Run a model, or a function, on a list of its inputs, each with one row per patch.

    Batches are padded as by `predict_blocks`; a function gets all rows at once.
    """
    if not hasattr(model, "predict"):
        return np.asarray(model(*inputs))
    count = len(inputs[0])
    length = -(-count // batch_size) * batch_size
    padded = [np.resize(array, (length, *array.shape[1:])) for array in inputs]  # repeats them
    inputs = padded if len(padded) > 1 else padded[0]
    return model.predict(inputs, batch_size=batch_size, verbose=0)[:count]

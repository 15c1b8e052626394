"""patches.prediction."""

import numpy as np
from tqdm import tqdm

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.views import patch_shape


def predict_blocks(model, patches, kind, batch_size=256, what="Predicting", rows=None):
    """Run a model over patches block by block, with a progress bar.

    All batches have one size, the last is filled up, so that the same patch gives the same numbers
    wherever a run begins, and the model is compiled for one size.

    Args:
        model: a `keras.Model` or any function of `uint8 (batch, 32, 32, 1)`.
        patches: a `PatchSet`.
        kind: which of its patches, grey levels 0..255.
        batch_size: patches at a time.
        what: text of the bar.
        rows: rows of the whole arrays to use; default: those of `patches`.

    Yields:
        `(rows, outputs)`: for a few points at a time, their rows and one output for each patch.
    """
    base, rows = patches.base(kind), patches.rows if rows is None else rows
    if not len(rows):
        raise UserError(f"{patches} is empty: there is nothing to predict.")
    check_input_shape(model, kind)
    total = len(rows) * base.shape[1]
    with tqdm(total=total, desc=what, unit="patch", unit_scale=True, delay=1) as bar:
        for start in range(0, len(rows), batch_size):  # 16 batches
            here = rows[start : start + batch_size]
            block = base[here].reshape(-1, *base.shape[2:], 1)
            yield here, _predict(model, block, batch_size)
            bar.update(len(block))


def check_input_shape(model, kind):
    """UserError for a model of patches of another size: JAX would run it and return nonsense."""
    given = (*patch_shape(kind)[1:], 1)
    takes = tuple(getattr(model, "input_shape", (None, *given))[1:])
    if any(side not in (None, other) for side, other in zip(takes, given)):
        raise UserError(f"{model.name} takes {takes}: {kind} patches are {given}.")


def _predict(model, patches, batch_size):
    if not hasattr(model, "predict"):
        return np.asarray(model(patches))
    filled = patches
    if len(patches) % batch_size:
        whole = -(-len(patches) // batch_size) * batch_size
        filled = np.resize(patches, (whole, *patches.shape[1:]))  # repeats them
    return model.predict(filled, batch_size=batch_size, verbose=0)[: len(patches)]

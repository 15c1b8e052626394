"""The trained networks in the folders of complete runs: weights, and the row that builds the network.

A `.keras` file can run code when it is loaded, so nothing is written as one. Folders of earlier
versions hold one; it is loaded if it was written on this machine.
"""

import re
import warnings
from contextlib import contextmanager
from dataclasses import replace

import keras
import numpy as np

from hpatches_kit import models
from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.errors import UserError
from hpatches_kit.experiments.records import MODEL, RECORD, check_unchanged, run_folder
from hpatches_kit.experiments.remote_results import OLD_MODEL, is_copy
from hpatches_kit.models.pretrained import read_weights, set_weights


def save_trained(model, folder):
    """Write the weights of a trained model to the folder of its run, atomically."""
    arrays = {str(k): array for k, array in enumerate(model.get_weights())}
    for key, array in arrays.items():
        if array.dtype.kind == "V":  # NumPy files do not store bfloat16
            arrays[key] = array.astype(np.float32)
    with atomic_file(folder / MODEL) as file:
        np.savez(file, **arrays)


def load_trained(run, root):
    """Load the trained network of a complete run: a `keras.Model`, not compiled.

    The network is built from the row, then gets its weights. Raises UserError for weights that are
    damaged, are not finite, do not fit the row, or have changed since the run was complete.
    """
    folder = run_folder(root, run.folder)
    if not (folder / MODEL).exists() and (folder / OLD_MODEL).exists():
        return _load_old(folder / OLD_MODEL, root)
    check_unchanged(run, root, MODEL)
    weights = read_weights(folder / MODEL, links=False)
    with dtype_policy(run.policy):
        model = _build_trained(run.row)
    set_weights(model, weights, folder / MODEL)
    return model


def load_denoiser(run, root):
    """Load the denoiser of a descriptor's run; None for a row without one."""
    return load_trained(replace(run, row=run.row.denoiser), root) if run.row.denoiser else None


def has_model(run, root):
    """Whether a run is complete and its trained network is still in its folder."""
    folder = run_folder(root, run.folder)
    return (folder / RECORD).exists() and any(
        (folder / name).exists() for name in (MODEL, OLD_MODEL)
    )


def build_network(row):
    """Build the network of a row, with new weights."""
    return getattr(models, row.network)(**row.network_options)


def _build_trained(row):
    """Build what `training.train` saves: with the denoiser before it, and PCA after it."""
    model = build_network(row)
    if getattr(row, "end_to_end", False):
        model = models.end_to_end(build_network(row.denoiser), model)
    if getattr(row, "reduced_dim", None):
        examples = np.eye(model.output_shape[-1])  # any: the weights replace what PCA learns
        model = models.reduced(model, examples, row.reduced_dim)
    return model


@contextmanager
def dtype_policy(policy):
    """Set Keras's dtype policy inside a `with` block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _load_old(file, root):
    if is_copy(root):
        raise UserError(f"{file} comes from an address and may run code: delete it to train again.")
    if safe_mode_leaks(keras.__version__):
        warnings.warn(
            f"Keras {keras.__version__} can run code that somebody has hidden in a .keras file, in"
            f" spite of its safe mode. Continue only if {file} is yours; see docs/reliability.md.",
            stacklevel=3,
        )
    return keras.models.load_model(file, compile=False)


def safe_mode_leaks(version):
    """Whether `load_model` of this version of Keras is known to run code from a `.keras` file.

    The latest known way was closed in 3.13.2 (CVE-2026-1462); see `docs/reliability.md`.
    """
    return tuple(map(int, re.findall(r"\d+", version)[:3])) < (3, 13, 2)

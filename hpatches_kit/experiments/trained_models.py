"""The trained models in the folders of complete runs."""

from dataclasses import replace

import keras

from hpatches_kit.experiments.records import MODEL, RECORD


def load_trained(run, root):
    """Load the model of a complete run."""
    return keras.models.load_model(root / run.folder / MODEL, compile=False)


def load_denoiser(run, root):
    """Load the denoiser of a descriptor's run; None for a row without one."""
    return load_trained(replace(run, row=run.row.denoiser), root) if run.row.denoiser else None


def has_model(run, root):
    """Whether a run is complete and its model is still in its folder."""
    return all((root / run.folder / file).exists() for file in (RECORD, MODEL))

"""What becomes of a model between its training and its scores."""

import numpy as np

from hpatches_kit.experiments.distillation import student_of
from hpatches_kit.models.reduced import reduced

EXAMPLES = 4_096  # descriptors of training patches that a PCA learns from


def finish(model, row, batches):
    """Return a trained model without its teacher, and reduced by PCA where the row says so.

    Args:
        model: after `fit`.
        row: a `Denoiser` or a `Descriptor`.
        batches: those of the training; the PCA learns from their patches, changed as in training.
    """
    if getattr(row, "teacher", None):
        model = student_of(model)
    if getattr(row, "reduced_dim", None):
        count = min(-(-EXAMPLES // len(batches[0][0])), len(batches))
        patches = np.concatenate([batches[k][0] for k in range(count)])
        model = reduced(model, model.predict(patches, verbose=0), row.reduced_dim)
    return model

"""Steps between training and scoring: remove the teacher, finish averages, reduce the dimension."""

import numpy as np

from hpatches_kit.experiments.distillation import student_of
from hpatches_kit.models.reduced import reduced

EXAMPLES = 4_096  # descriptors of training patches that a PCA learns from
STATISTICS_STEPS = 50  # batches for the statistics of batch normalisation, with momentum 0.9


def finish(model, row, batches):
    """Return a trained model without its teacher, ready to be scored.

    With averaged weights, the means and variances of batch normalisation are computed anew, because
    `fit` keeps those of the last weights. With `reduced_dim`, PCA reduces the descriptor.

    Args:
        model: after `fit`.
        row: a `Denoiser` or a `Descriptor`.
        batches: those of the training, of which the ones of the first epoch are used.
    """
    batches.begin(0)  # after an interruption, the same batches as without it
    if getattr(row, "ema_momentum", None):
        for k in range(STATISTICS_STEPS):
            model(batches[k % len(batches)][0], training=True)
    if getattr(row, "teacher", None):
        model = student_of(model)
    if getattr(row, "reduced_dim", None):
        count = min(-(-EXAMPLES // len(batches[0][0])), len(batches))
        patches = np.concatenate([batches[k][0] for k in range(count)])
        model = reduced(model, model.predict(patches, verbose=0), row.reduced_dim)
    return model

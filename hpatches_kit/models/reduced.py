"""A descriptor network with fewer dimensions, by PCA."""

import keras
import numpy as np
from keras import layers

from hpatches_kit._support.errors import UserError
from hpatches_kit.models.l2net import unit_norm
from hpatches_kit.patches.views import PATCH_SIZE


def reduced(descriptor, examples, dim=128, name=None):
    """Reduce the dimension of a trained descriptor network by principal component analysis (PCA).

    The descriptors are centred, projected on their first principal components, and scaled to unit
    norm.

        l2net = hk.models.l2net(dim=256)  # and train it
        some = hk.describe(l2net, train.sample_sparse_points(50, seed=0))
        small = hk.models.reduced(l2net, some.values.reshape(-1, 256))

    Args:
        descriptor: a `keras.Model` from `(batch, 32, 32, 1)` to `(batch, n)`.
        examples: descriptors of training patches `(count, n)`, more than `dim`.
        dim: dimension of the new descriptor.
        name: of the model. Default: that of `descriptor`.

    Returns a `keras.Model` from `(batch, 32, 32, 1)`, grey levels 0..255, to descriptors `(batch,
    dim)` of unit norm. Raises UserError for examples of another dimension, or too few, and for a
    `dim` that is not smaller than n.
    """
    examples, size = np.asarray(examples, np.float64), descriptor.output_shape[-1]
    if examples.ndim != 2 or examples.shape[1] != size:
        raise UserError(f"The examples have shape {examples.shape}: expected (count, {size}).")
    if not 1 <= dim < size:
        raise UserError(f"{dim=}: expected 1 to {size - 1}, less than the descriptor has.")
    if len(examples) <= dim:
        raise UserError(f"{len(examples)} examples: expected more than {dim=}.")
    mean = examples.mean(axis=0)
    components = np.linalg.svd(examples - mean, full_matrices=False)[2][:dim].T
    layer = layers.Dense(dim, dtype="float32", name="principal_components")
    patch = keras.Input((PATCH_SIZE, PATCH_SIZE, 1), name="patch")
    model = keras.Model(patch, unit_norm(layer(descriptor(patch))), name=name or descriptor.name)
    layer.set_weights([components, -mean @ components])
    return model

"""Arrays, layers and kernels of Keras models, and losses without their mean."""

import keras
import numpy as np

EAST, NORTH, WEST = np.array([[1, 0], [0, 1], [-1, 0]], "float32")
ZEROS = {"kernel_initializer": "zeros"}  # the fastest, for tests that need no weights


def as_array(tensor):
    """A tensor of any precision as float64."""
    tensor = keras.ops.cast(tensor, "float32")
    return np.asarray(keras.ops.convert_to_numpy(tensor), "float64")


def unreduced(loss):
    """The same loss, with one value for each pair or triplet."""
    return type(loss).from_config({**loss.get_config(), "reduction": None})


def outputs(model, patches, training=False):
    return keras.ops.convert_to_numpy(model(patches, training=training))


def layers_of(model, layer_class):
    return [layer for layer in model.layers if isinstance(layer, layer_class)]


def kernels_of(model):
    """Kernels as arrays, by the names of their layers."""
    return {
        layer.name: keras.ops.convert_to_numpy(layer.kernel)
        for layer in model.layers
        if hasattr(layer, "kernel")
    }


def is_orthogonal(kernel):
    """Whether the columns (one per filter), or else the rows, of a kernel are orthonormal."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype("float64")
    matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    return np.allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-3)

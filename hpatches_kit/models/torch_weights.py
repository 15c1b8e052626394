"""The weights of a network of `torch_networks` under the names and in the shapes of PyTorch."""

from typing import NamedTuple

import numpy as np
from keras import layers, ops

from hpatches_kit.models.hynet import FilterResponseNormalization

# PyTorch counts the batches of training, and HardTFeat.pth also holds filters of SIFT: both are
# not used to describe patches.
IGNORED = ("num_batches_tracked", "SIFT")


class TorchWeight(NamedTuple):
    """A weight: its name and shape in PyTorch, and where it is in Keras."""

    name: str
    shape: tuple
    layer: layers.Layer
    attribute: str

    def get(self):
        """Return the weight as PyTorch has it, `float32` of `shape`."""
        array = np.asarray(ops.convert_to_numpy(getattr(self.layer, self.attribute)), np.float32)
        # Kernels are (height, width, inputs, outputs) in Keras, (outputs, inputs, ...) in PyTorch.
        return (array.transpose(3, 2, 0, 1) if array.ndim == 4 else array).reshape(self.shape)

    def set(self, array):
        """Set the weight to a float32 array of `shape`."""
        if self.attribute == "epsilon":
            self.layer.epsilon = abs(float(array[0]))  # PyTorch code also uses its absolute value
            return
        variable = getattr(self.layer, self.attribute)
        if len(variable.shape) == 4:
            height, width, inputs, outputs = variable.shape
            array = array.reshape(outputs, inputs, height, width).transpose(2, 3, 1, 0)
        variable.assign(array.reshape(variable.shape))


def torch_weights(model):
    """Return `{name: TorchWeight}` of a network of `torch_networks`, in the order of its layers."""
    weights = (weight for layer in model.layers for weight in _of_layer(layer))
    return {weight.name: weight for weight in weights}


def _of_layer(layer):
    module = layer.name.replace("_", ".")
    if isinstance(layer, layers.Conv2D):
        height, width, inputs, outputs = layer.kernel.shape
        shape = (outputs, inputs, height, width)
        if module == "descr.0":  # TFeat's last layer is dense, over channels, rows and columns
            shape = (outputs, inputs * height * width)
        yield TorchWeight(f"{module}.weight", shape, layer, "kernel")
        if layer.use_bias:
            yield TorchWeight(f"{module}.bias", (outputs,), layer, "bias")
    elif isinstance(layer, layers.BatchNormalization):
        shape = tuple(layer.moving_mean.shape)
        if layer.scale and layer.center:
            yield TorchWeight(f"{module}.weight", shape, layer, "gamma")
            yield TorchWeight(f"{module}.bias", shape, layer, "beta")
        yield TorchWeight(f"{module}.running_mean", shape, layer, "moving_mean")
        yield TorchWeight(f"{module}.running_var", shape, layer, "moving_variance")
    elif isinstance(layer, FilterResponseNormalization):
        shape = (1, *layer.gamma.shape, 1, 1)
        parent, index = module.split(".")
        yield TorchWeight(f"{module}.weight", shape, layer, "gamma")
        yield TorchWeight(f"{module}.bias", shape, layer, "beta")
        yield TorchWeight(f"{module}.eps", (1,), layer, "epsilon")
        # In PyTorch, the threshold is a module of its own.
        yield TorchWeight(f"{parent}.{int(index) + 1}.tau", shape, layer, "tau")

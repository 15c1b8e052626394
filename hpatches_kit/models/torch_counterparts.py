"""The networks of this package in the arithmetic of PyTorch code.

Keras pads the image of a stride-2 convolution with a kernel of 3 below and at the right, and reads
pixels 2i, 2i + 1 and 2i + 2; PyTorch code reads 2i - 1, 2i and 2i + 1. Counted from the other end of
an image with an even number of pixels, these are the same. So a network in PyTorch whose kernels
are rotated by 180 degrees describes rotated patches as the network in Keras describes patches.
"""

from functools import cache

import numpy as np
from keras import layers, ops

from hpatches_kit._support.errors import UserError
from hpatches_kit.models import torch_networks
from hpatches_kit.models.hynet import FilterResponseNormalization, hynet
from hpatches_kit.models.l2net import l2net
from hpatches_kit.models.tfeat import tfeat
from hpatches_kit.patches.views import PATCH_SIZE

HARDNET = {"standardise": True, "affine": False, "final_batch_norm": True}


def torch_counterpart(model):
    """Return a network of `torch_networks` with the weights of a model.

    Returns `(network, needs_rotation)`: whether the network expects patches that are rotated by 180
    degrees. The network is the model itself if `torch_networks` built it. Raises UserError for a
    model that has no counterpart.
    """
    plan = _plan(model)
    if plan in _plans_of_torch_networks():
        return model, False
    name = next((name for name, plans in _plans().items() if plan in plans), None)
    if name is None:
        raise UserError(
            f"{model.name} has no counterpart in PyTorch: expected a network of from_torch, of"
            " l2net(standardise=True, affine=False, final_batch_norm=True), hynet() or tfeat()."
        )
    network, needs_rotation = getattr(torch_networks, name)(), name != "tfeat"
    for source, target in zip(_with_weights(model), _with_weights(network), strict=True):
        _copy(source, target, needs_rotation)
    if network.name == "hardnet":  # whose patches are divided by a larger standard deviation
        kernel = _with_weights(network)[0].kernel
        kernel.assign(kernel * (PATCH_SIZE**2 / (PATCH_SIZE**2 - 1)) ** 0.5)
    return network, needs_rotation


def _with_weights(model):
    return [layer for layer in model.layers if layer.weights]


@cache
def _plans_of_torch_networks():
    return [_plan(build()) for build in torch_networks.BUILDERS]


@cache
def _plans():
    """Plans of networks of this package, by the name of their counterpart."""
    return {
        "hardnet": [_plan(l2net(**HARDNET))],
        "hynet": [_plan(hynet())],
        "tfeat": [_plan(tfeat()), _plan(tfeat(normalise=False))],
    }


def _plan(model):
    """What decides the arithmetic of a model: layers, shapes, strides, padding and activations."""
    return [
        (
            type(layer),
            [tuple(weight.shape) for weight in layer.weights],
            getattr(layer, "strides", None),
            getattr(layer, "padding", None),
            getattr(getattr(layer, "activation", None), "__name__", None),
        )
        for layer in model.layers
        if not isinstance(layer, layers.Dropout)
    ]


def _copy(source, target, rotate):
    if isinstance(source, (layers.Conv2D, layers.Dense)):
        kernel = ops.convert_to_numpy(source.kernel).reshape(target.kernel.shape)
        target.kernel.assign(np.ascontiguousarray(kernel[::-1, ::-1]) if rotate else kernel)
        if target.use_bias:
            target.bias.assign(source.bias)
    elif isinstance(source, layers.BatchNormalization):
        target.moving_mean.assign(source.moving_mean)
        target.moving_variance.assign(source.moving_variance + (source.epsilon - target.epsilon))
    elif isinstance(source, FilterResponseNormalization):
        target.set_weights(source.get_weights())
        target.epsilon = source.epsilon

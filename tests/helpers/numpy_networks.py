"""The published networks in NumPy, from their PyTorch code, with random weights to run them."""

import numpy as np

CHANNELS = [1, 32, 32, 64, 64, 128, 128]
STRIDES = [1, 1, 2, 1, 2, 1]
DENSE_INPUTS = 64 * 8 * 8


def shapes(network):
    """Names and shapes of the weights of a network in PyTorch."""
    return {
        "hardnet": lambda: _l2net_shapes("features", 0),
        "hardnetps": _hardnetps_shapes,
        "sosnet": lambda: _l2net_shapes("layers", 1),
        "hynet": _hynet_shapes,
        "tfeat": lambda: _tfeat_shapes(
            "features.1", "features.4", "descr.0", dense=(128, DENSE_INPUTS)
        ),
        "hardtfeat": lambda: _tfeat_shapes(
            "features.0", "features.3", "classifier.1", dense=(128, 64, 8, 8)
        ),
    }[network]()


def random_state(network, seed=0):
    """Random weights with which descriptors of different patches differ: `{name: float32 array}`."""
    rng = np.random.default_rng(seed)

    def draw(name, shape):
        if name.endswith("running_var"):
            return rng.uniform(0.5, 2, shape)
        if name.endswith("eps"):
            return np.full(shape, 1e-6)
        if name.endswith("weight") and (len(shape) == 1 or shape[0] == 1):  # a scale
            return rng.uniform(0.5, 2, shape)
        if name.endswith("weight"):
            gain = 1 if "feat" in network else 2  # tanh, ReLU
            return rng.normal(0, np.sqrt(gain / np.prod(shape[1:])), shape)
        return rng.normal(0, 0.3, shape)

    return {n: draw(n, shape).astype("float32") for n, shape in shapes(network).items()}


def describe(network, state, patches):
    """Descriptors `(batch, 128)` of patches `(batch, 32, 32)` in the range that the code expects."""
    x = patches.astype("float64")[:, None]
    if network == "hynet":
        return _hynet(state, x)
    unbiased = network in ("hardnet", "hardnetps", "hardtfeat")
    x = x - x.mean(axis=(2, 3), keepdims=True)
    if unbiased:
        x = x / (x.std(axis=(2, 3), keepdims=True, ddof=1) + 1e-6)
    else:
        x = x / np.sqrt(x.var(axis=(2, 3), keepdims=True) + 1e-5)
    networks = {"hardnetps": _hardnetps, "tfeat": _tfeat, "hardtfeat": _tfeat}
    return networks.get(network, _l2net)(state, x)


def _l2net_shapes(module, first):
    result, index = {}, first
    for inputs, outputs in zip(CHANNELS, [*CHANNELS[1:], None]):
        size = 3
        if outputs is None:
            index, outputs, size = index + 1, 128, 8  # after the dropout
        result[f"{module}.{index}.weight"] = (outputs, inputs, size, size)
        for statistic in ("mean", "var"):
            result[f"{module}.{index + 1}.running_{statistic}"] = (outputs,)
        index += 3
    return result


def _hardnetps_shapes():
    result = {}
    for k, (inputs, outputs) in enumerate(zip(CHANNELS, CHANNELS[1:])):
        result[f"features.{3 * k}.weight"] = (outputs, inputs, 3, 3)
        result[f"features.{3 * k}.bias"] = (outputs,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            result[f"features.{3 * k + 1}.{name}"] = (outputs,)
    return {**result, "features.18.weight": (128, 128, 8, 8), "features.18.bias": (128,)}


def _hynet_shapes():
    result = {}

    def response_norm(module, index, channels):
        for name in ("weight", "bias"):
            result[f"{module}.{index}.{name}"] = (1, channels, 1, 1)
        result[f"{module}.{index}.eps"] = (1,)
        result[f"{module}.{index + 1}.tau"] = (1, channels, 1, 1)

    response_norm("layer1", 0, 1)
    for k, (inputs, outputs) in enumerate(zip(CHANNELS, CHANNELS[1:]), start=1):
        first = 2 if k == 1 else 0
        result[f"layer{k}.{first}.weight"] = (outputs, inputs, 3, 3)
        result[f"layer{k}.{first}.bias"] = (outputs,)
        response_norm(f"layer{k}", first + 1, outputs)
    result["layer7.1.weight"] = (128, 128, 8, 8)
    result["layer7.2.running_mean"] = result["layer7.2.running_var"] = (128,)
    return result


def _tfeat_shapes(*modules, dense):
    kernels = (32, 1, 7, 7), (64, 32, 6, 6), dense
    named = zip(modules, kernels)
    return {
        f"{module}.{name}": shape
        for module, kernel in named
        for name, shape in (("weight", kernel), ("bias", kernel[:1]))
    }


def _l2net(state, x):
    kernels = [array for name, array in state.items() if name.endswith("weight")]
    means = [array for name, array in state.items() if name.endswith("mean")]
    variances = [array for name, array in state.items() if name.endswith("var")]
    for kernel, mean, variance, stride in zip(kernels, means, variances, [*STRIDES, 1]):
        x = convolve(x, kernel, stride=stride, padding=1 if kernel.shape[2] == 3 else 0)
        x = (x - mean[:, None, None]) / np.sqrt(variance[:, None, None] + 1e-5)
        x = x if kernel.shape[2] == 8 else np.maximum(x, 0)
    return unit(x)


def _hardnetps(state, x):
    for k, stride in enumerate(STRIDES):
        kernel, bias = (state[f"features.{3 * k}.{name}"] for name in ("weight", "bias"))
        x = convolve(x, kernel, bias, stride, 1)
        names = ("weight", "bias", "running_mean", "running_var")
        scale, shift, mean, variance = (
            state[f"features.{3 * k + 1}.{name}"][:, None, None] for name in names
        )
        x = np.maximum(scale * (x - mean) / np.sqrt(variance + 1e-5) + shift, 0)
    return unit(convolve(x, state["features.18.weight"], state["features.18.bias"]))


def _hynet(state, x):
    def response_norm(x, module, index):
        scale, bias, epsilon = (state[f"{module}.{index}.{n}"] for n in ("weight", "bias", "eps"))
        x = x / np.sqrt((x**2).mean(axis=(2, 3), keepdims=True) + epsilon)
        return np.maximum(scale * x + bias, state[f"{module}.{index + 1}.tau"])

    x = response_norm(x, "layer1", 0)
    for k, stride in enumerate(STRIDES, start=1):
        module, first = f"layer{k}", 2 if k == 1 else 0
        kernel, bias = (state[f"{module}.{first}.{name}"] for name in ("weight", "bias"))
        x = response_norm(convolve(x, kernel, bias, stride, 1), module, first + 1)
    x = convolve(x, state["layer7.1.weight"])
    mean, variance = (state[f"layer7.2.running_{name}"] for name in ("mean", "var"))
    return unit((x - mean[:, None, None]) / np.sqrt(variance[:, None, None] + 1e-5))


def _tfeat(state, x):
    first, first_bias, second, second_bias, dense, dense_bias = state.values()
    x = np.tanh(convolve(x, first, first_bias))
    x = x.reshape(len(x), 32, 13, 2, 13, 2).max(axis=(3, 5))
    x = np.tanh(convolve(x, second, second_bias)).reshape(len(x), -1)
    x = np.tanh(x @ dense.reshape(128, -1).T.astype("float64") + dense_bias)
    return unit(x) if dense.ndim == 4 else x


def convolve(x, kernel, bias=None, stride=1, padding=0):
    """Convolution as in PyTorch: `(batch, inputs, h, w)` -> `(batch, outputs, h', w')`."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    result = np.einsum("nihwkl,oikl->nohw", windows, kernel.astype("float64"), optimize=True)
    return result if bias is None else result + bias[:, None, None]


def unit(x):
    x = x.reshape(len(x), -1)
    return x / np.linalg.norm(x, axis=1, keepdims=True)

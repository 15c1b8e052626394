"""The settings that the two student reports vary, under the names that they use.

Optimisers are Keras configurations, so that each model gets its own optimiser:

    model.compile(keras.optimizers.get(hk.experiments.DENOISER_OPTIMIZERS["Nadam"]), "mae")

Where a report gives no learning rate, it used the default of Keras in 2019: 0.002 for Adamax and
Nadam, 1.0 for Adadelta, 0.001 for the others. (Today all defaults are 0.001.)
"""


def _optimizer(class_name, **config):
    return {"class_name": class_name, "config": config}


ADAPTIVE = {
    "RMSProp": _optimizer("rmsprop", learning_rate=1e-3),
    "Adamax": _optimizer("adamax", learning_rate=2e-3),
    "Adadelta": _optimizer("adadelta", learning_rate=1.0),
    "Adam": _optimizer("adam", learning_rate=1e-3),
    "Nadam": _optimizer("nadam", learning_rate=2e-3),
}
# The loss of a denoiser is in grey levels, 0..255, so its gradients are large: SGD needs a small
# learning rate.
DENOISER_OPTIMIZERS = {
    "SGD": _optimizer("sgd", learning_rate=1e-5, momentum=0.9, nesterov=True),
    **ADAPTIVE,
}
DESCRIPTOR_OPTIMIZERS = {"SGD": _optimizer("sgd", learning_rate=0.1), **ADAPTIVE}

INITIALIZERS = {
    "He normal": "he_normal",
    "LeCun uniform": "lecun_uniform",
    "Xavier normal": "glorot_normal",
    "Xavier uniform": "glorot_uniform",
    "Orthogonal": "orthogonal",
}
BATCH_SIZES = (32, 50, 128, 512, 2048)
PERCENTILES = (0, 2, 5, 10, 15)

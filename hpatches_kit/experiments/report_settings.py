"""The settings that the two student reports vary, by the names they use.

Optimisers stand as Keras configurations, so that each call makes a fresh one:

    model.compile(keras.optimizers.get(hk.experiments.DENOISER_OPTIMIZERS["Nadam"]), "mae")

Where a report gives no rate, it used Keras's default of 2019, and two of those differ from today's:
Adamax and Nadam had 0.002, Adadelta 1.0. (Today all have 0.001.)
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
# Grey levels are 0..255, and so are the gradients of their weights: hence the small rate.
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

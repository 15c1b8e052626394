"""Train a descriptor on one and on four virtual devices, and save weights and losses of both.

    python tests/helpers/several_devices.py FOLDER        # writes 1.npz and 4.npz; needs JAX

`test_distribution.py` calls it in a new process, because JAX counts its devices at import.
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from toy_data import toy_patches  # noqa: E402

import hpatches_kit as hk  # noqa: E402


def train(file):
    keras.utils.set_random_seed(0)
    data = toy_patches({"v_one": 30, "i_two": 30})
    model = hk.models.tfeat()
    loss = hk.losses.HardNegativeTriplet(1.0, "minimum")
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=hk.metrics.diagnostics(loss))
    history = model.fit(hk.batches.Pairs(data, 16, 5, "noisy"), epochs=2, verbose=0).history
    weights = {f"weights_{k}": weight for k, weight in enumerate(model.get_weights())}
    devices = {device for weight in model.weights for device in weight.value.devices()}
    np.savez(file, devices=len(devices), **weights, **history)


folder = Path(sys.argv[1])
device_names = keras.distribution.list_devices()
assert len(device_names) == 4, device_names
train(folder / "1.npz")
keras.distribution.set_distribution(keras.distribution.DataParallel(devices=device_names))
train(folder / "4.npz")

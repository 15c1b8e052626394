"""Train a descriptor on virtual devices, and save its weights and losses.

    python tests/helpers/several_devices.py DEVICES OUT.npz        # needs JAX

`test_distribution.py` calls it in a new process, because JAX counts its devices at import.
"""

import os
import sys

devices, out = int(sys.argv[1]), sys.argv[2]
os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from toy_data import toy_patches  # noqa: E402

import hpatches_kit as hk  # noqa: E402

device_names = keras.distribution.list_devices()
assert len(device_names) == devices, device_names
if devices > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=device_names))
keras.utils.set_random_seed(0)
data = toy_patches({"v_one": 30, "i_two": 30})
model = hk.models.tfeat()
loss = hk.losses.HardNegativeTriplet(1.0, "minimum")
model.compile(keras.optimizers.Adam(1e-3), loss, metrics=hk.metrics.diagnostics(loss))
history = model.fit(hk.batches.Pairs(data, 16, 5, "noisy"), epochs=2, verbose=0).history
weights = {f"weights_{k}": weight for k, weight in enumerate(model.get_weights())}
np.savez(out, **weights, **{key: np.array(values) for key, values in history.items()})

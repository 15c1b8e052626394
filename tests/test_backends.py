"""On every installed backend, numbers agree with NumPy and networks learn."""

import importlib.util
import json
import os

import numpy as np
import pytest
from processes import run_python
from toy_data import toy_patches

CODE = """
import json, os, sys
import keras, numpy as np
sys.path.insert(0, "tests/helpers")
from toy_data import toy_patches
import hpatches_kit as hk

assert keras.backend.backend() == os.environ["KERAS_BACKEND"]
patches = toy_patches({"v_one": 8, "v_two": 8})
labels, rows = np.repeat(np.arange(8), 2), np.random.default_rng(0).normal(size=(16, 128))
rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("float32")
clean, noisy = (kind[0][..., None].astype("float32") for kind in (patches.clean, patches.noisy))
numbers = {
    "hard negatives, averaged": float(hk.losses.HardNegativeTriplet()(labels, rows)),
    "hard negatives, minimum": float(hk.losses.HardNegativeTriplet(1.0, "minimum")(labels, rows)),
    "triplets": float(hk.losses.TripletMargin()(np.arange(15), rows[:15])),
    "psnr": float(keras.ops.mean(hk.metrics.psnr(clean, noisy))),
}
pretrained = hk.models.pretrained("noisy-descriptor").predict(noisy, verbose=0)
numbers["pretrained"] = float(np.abs(pretrained[:, ::2]).sum())
keras.utils.set_random_seed(0)
unet = hk.models.unet("shallow")
unet.compile(keras.optimizers.Adam(1e-3), "mae", metrics=[hk.metrics.psnr])
psnr = unet.fit(hk.batches.NoisyClean(patches, 32), epochs=6, verbose=0).history["psnr"]
l2net = hk.models.l2net(dropout=0)
l2net.compile("adam", hk.losses.HardNegativeTriplet(1.0, "minimum"))
pairs = hk.batches.Pairs(patches, 12, 6, kind="denoised", denoiser=unet)
loss = l2net.fit(pairs, epochs=3, verbose=0).history["loss"]
scores = hk.benchmark.evaluate(hk.describe(l2net, pairs.patches, "denoised"))
print("Backend:", hk.environment())
print(json.dumps([numbers, psnr, loss, scores["matching"]["mean_ap"]]))
"""


def expected_numbers():
    """The same numbers in NumPy; that of the pretrained network as TensorFlow gave it."""
    patches = toy_patches({"v_one": 8, "v_two": 8})
    rows = np.random.default_rng(0).normal(size=(16, 128))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    distances = np.linalg.norm(rows[::2, None] - rows[None, 1::2], axis=2)
    positive = np.diagonal(distances).copy()
    np.fill_diagonal(distances, np.inf)
    row, column = distances.min(axis=1), distances.min(axis=0)
    anchor, other, negative = rows[:15:3], rows[1:15:3], rows[2:15:3]
    near, far = ((anchor - row) ** 2 for row in (other, negative))
    error = (1.0 * patches.clean[0] - patches.noisy[0]) ** 2
    return {
        "hard negatives, averaged": np.maximum(0, 0.01 + positive - (row + column) / 2).mean(),
        "hard negatives, minimum": np.maximum(0, 1 + positive - np.minimum(row, column)).mean(),
        "triplets": np.maximum(0, 1 + near.mean(axis=1) - far.mean(axis=1)).mean(),
        "psnr": (10 * np.log10(255**2 / error.mean(axis=(1, 2)))).mean(),
        "pretrained": 70.4801,
    }


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_numbers_agree_with_numpy_and_both_networks_learn(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    printed = run_python(CODE, env={**os.environ, "KERAS_BACKEND": backend})
    report, text = printed.strip().splitlines()[-2:]
    assert f"on {backend} " in report and "CPU core" in report
    numbers, psnr, loss, matching = json.loads(text)
    for name, value in expected_numbers().items():
        assert numbers[name] == pytest.approx(value, rel=1e-4), name
    assert psnr[-1] > psnr[0] + 1 and loss[-1] < 0.9 * loss[0] and matching > 0.5

"""The parts that use Keras give the same on every backend that is installed."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

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
numbers = {
    "mining": float(hk.losses.HardNegativeTriplet()(labels, rows)),
    "hardnet": float(hk.losses.HardNegativeTriplet(1.0, "minimum")(labels, rows)),
    "triplet": float(hk.losses.TripletMargin()(np.arange(15), rows[:15])),
    "psnr": float(keras.ops.mean(hk.metrics.psnr(patches.clean[..., None][0], patches.noisy[..., None][0]))),
}
ready = hk.models.pretrained("noisy-descriptor").predict(patches.noisy[0][..., None], verbose=0)
numbers["pretrained"] = float(np.abs(ready[:, ::2]).sum())
keras.utils.set_random_seed(0)
unet = hk.models.unet("shallow")
unet.compile(keras.optimizers.Adam(1e-3), "mae", metrics=[hk.metrics.psnr])
psnr = unet.fit(hk.batches.NoisyClean(patches, 32), epochs=6, verbose=0).history["psnr"]
l2net = hk.models.l2net(dropout=0)
l2net.compile("adam", hk.losses.HardNegativeTriplet(1.0, "minimum"))
pairs = hk.batches.Pairs(patches, 12, 6, kind="denoised", denoiser=unet)
loss = l2net.fit(pairs, epochs=3, verbose=0).history["loss"]
scores = hk.benchmark.evaluate(hk.describe(l2net, patches.add("denoised", pairs.patches["denoised"]), "denoised"))
hk.environment()
print("Backend:", hk.environment())  # twice: the name stays a function
print(json.dumps([numbers, psnr, loss, scores["matching"]["mean_ap"]]))
"""


def run(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    report, numbers = done.stdout.strip().splitlines()[-2:]
    assert f"on {backend} " in report and "CPU cores" in report
    return json.loads(numbers)


@pytest.fixture(scope="module")
def on_tensorflow():
    return run("tensorflow")


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_losses_agree_and_both_networks_learn(backend, on_tensorflow):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    numbers, psnr, loss, matching = on_tensorflow if backend == "tensorflow" else run(backend)
    for name, value in on_tensorflow[0].items():
        assert numbers[name] == pytest.approx(value, rel=1e-4), name
    assert psnr[-1] > psnr[0] + 1 and loss[-1] < 0.9 * loss[0] and matching > 0.5

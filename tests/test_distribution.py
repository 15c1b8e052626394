"""One training over several devices: `keras.distribution.DataParallel`, on JAX."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk

SCRIPT = Path(__file__).parent / "helpers" / "several_devices.py"


def trained_on(devices, folder):
    out = folder / f"{devices}.npz"
    clean = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    subprocess.run([sys.executable, SCRIPT, str(devices), out], check=True, env=clean)
    return np.load(out)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("devices")
    return {devices: trained_on(devices, folder) for devices in (1, 4)}


def test_four_devices_end_with_the_weights_of_one(runs):
    one, four = runs[1], runs[4]
    assert set(one.files) == set(four.files)
    for key in (key for key in one.files if key.startswith("weights")):
        np.testing.assert_allclose(four[key], one[key], atol=2e-5, err_msg=key)


def test_mining_sees_the_whole_batch_on_four_devices(runs):
    for key in ("loss", "positive_distance", "hardest_negative_distance"):
        np.testing.assert_allclose(runs[4][key], runs[1][key], rtol=1e-4)


def test_a_quarter_of_the_batch_would_have_easier_negatives():
    """What the two tests above could not miss: mining within each device's part alone."""
    patches, labels = hk.batches.Pairs(toy_patches({"v_one": 30, "i_two": 30}), 16, 1, "noisy")[0]
    rows = np.asarray(hk.models.tfeat()(patches.astype("float32")))
    loss = hk.losses.HardNegativeTriplet(1.0, "minimum")
    whole = float(loss(labels, rows))
    parts = np.mean([float(loss(labels[k : k + 8], rows[k : k + 8])) for k in range(0, 32, 8)])
    assert parts < whole - 0.01

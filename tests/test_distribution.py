"""One training over several devices: `keras.distribution.DataParallel`, on JAX."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).parent / "helpers" / "several_devices.py"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Weights and losses of the same training on one and on four virtual devices."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("devices")
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    subprocess.run([sys.executable, SCRIPT, folder], check=True, env=environment)
    return {count: np.load(folder / f"{count}.npz") for count in (1, 4)}


def test_four_devices_end_with_the_weights_of_one(runs):
    assert set(runs[1].files) == set(runs[4].files)
    assert [runs[count]["devices"] for count in (1, 4)] == [1, 4]
    for key in (key for key in runs[1].files if key.startswith("weights")):
        np.testing.assert_allclose(runs[4][key], runs[1][key], atol=2e-5, err_msg=key)


def test_mining_uses_the_whole_batch_on_four_devices(runs):
    for key in ("loss", "positive_distance", "hardest_negative_distance"):
        np.testing.assert_allclose(runs[4][key], runs[1][key], rtol=1e-4)


def test_mining_within_a_quarter_of_the_batch_would_give_another_loss():
    """The tests above would notice that each device mines only its part of the batch."""
    patches, labels = hk.batches.Pairs(toy_patches({"v_one": 30, "i_two": 30}), 16, 1, "noisy")[0]
    rows = np.asarray(hk.models.tfeat()(patches.astype("float32")))
    loss = hk.losses.HardNegativeTriplet(1.0, "minimum")
    complete = float(loss(labels, rows))
    parts = np.mean([float(loss(labels[k : k + 8], rows[k : k + 8])) for k in range(0, 32, 8)])
    assert parts < complete - 0.01

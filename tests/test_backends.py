"""On every installed backend, numbers agree with NumPy and networks learn."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from backend_numbers import measure
from toy_data import toy_patches

SCRIPT = Path(__file__).parent / "helpers" / "backend_numbers.py"


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
        "pretrained": 73.2945,
    }


def assert_numbers_agree_and_networks_learn(backend, measured):
    environment, numbers, psnr, loss, matching = measured
    assert f"on {backend} " in environment and "CPU core" in environment
    for name, value in expected_numbers().items():
        assert numbers[name] == pytest.approx(value, rel=1e-4), name
    assert psnr[-1] > psnr[0] + 1 and loss[-1] < 0.9 * loss[0] and matching > 0.5


@pytest.mark.slow
def test_numbers_agree_with_numpy_and_both_networks_learn():
    """On this backend: `make test` runs this file on TensorFlow and on JAX."""
    backend = os.environ.get("KERAS_BACKEND") or keras.backend.backend()
    assert_numbers_agree_and_networks_learn(backend, measure())


@pytest.mark.slow
@pytest.mark.one_backend
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_numbers_agree_with_numpy_and_both_networks_learn_on_torch():
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    process = subprocess.run(
        [sys.executable, SCRIPT], capture_output=True, text=True, env=environment
    )
    assert process.returncode == 0, process.stderr
    measured = json.loads(process.stdout.strip().splitlines()[-1])
    assert_numbers_agree_and_networks_learn("torch", measured)

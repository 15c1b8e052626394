"""A training leaves the session of its caller as it was."""

import random

import keras
import numpy as np
import pytest
from keras.src.backend import distribution_lib
from keras.src.backend.common import global_state
from tiny_rows import TFEAT, TINY, UNET

from hpatches_kit import experiments
from hpatches_kit.experiments import Run, engines
from hpatches_kit.experiments.isolation import isolated_session


def seed_session(seed):
    """Seed Python, NumPy and Keras, also its global generator, which Keras 3.10 does not reset."""
    global_state.set_global_attribute("global_seed_generator", None)
    keras.utils.set_random_seed(seed)


def next_random_numbers():
    """The next number of each of the three global random states."""
    drawn = random.random(), np.random.rand(), keras.random.normal((2,))
    return *drawn[:2], *keras.ops.convert_to_numpy(drawn[2]).tolist()


def train_row(data, root):
    assert np.isfinite(experiments.run(TFEAT, root, data, TINY, progress=False)["seconds"])


def train_run(data, root):
    assert engines.train_run(Run(UNET, data, TINY, 0), root, progress=False) == "done"


@pytest.mark.parametrize("train", [train_row, train_run])
def test_the_callers_random_numbers_continue_after_a_training(train, data, tmp_path):
    seed_session(7)
    next_random_numbers()
    expected = next_random_numbers()
    seed_session(7)
    next_random_numbers()
    train(data, tmp_path)
    assert next_random_numbers() == expected


@pytest.mark.parametrize("train", [train_row, train_run])
def test_the_callers_policy_model_and_layer_names_survive_a_training(train, data, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    row = np.ones((4, 2), "float32")
    before = model.predict(row, verbose=0)
    taken = keras.layers.Dense(1).name
    keras.config.set_dtype_policy("mixed_bfloat16")
    devices = None
    if hasattr(distribution_lib, "num_processes"):  # missing with TensorFlow in Keras 3.10
        devices = keras.distribution.DataParallel(devices=["cpu:0"])
    keras.distribution.set_distribution(devices)
    try:
        train(data, tmp_path)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert keras.distribution.distribution() is devices
    finally:
        keras.config.set_dtype_policy("float32")
        keras.distribution.set_distribution(None)
    assert keras.layers.Dense(1).name == f"dense_{int(taken.removeprefix('dense_')) + 1}"
    np.testing.assert_array_equal(model.predict(row, verbose=0), before)
    model.fit(row, before, verbose=0)


def test_an_isolated_session_is_seeded_as_keras_seeds_one():
    seed_session(3)
    expected = next_random_numbers()
    seed_session(4)
    with isolated_session(3, "float16"):
        assert next_random_numbers() == expected
        layer = keras.layers.Dense(1)
    assert layer.name == "dense" and layer.dtype_policy.name == "float16"


def test_a_session_is_restored_after_an_error():
    seed_session(5)
    expected = next_random_numbers()
    seed_session(5)
    with pytest.raises(KeyboardInterrupt), isolated_session(0, "float16"):
        raise KeyboardInterrupt
    assert next_random_numbers() == expected
    assert keras.config.dtype_policy().name == "float32"

"""Data and settings that several tests share."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from toy_data import toy_patches
from web_server import FaultyServer

import hpatches_kit as hk

# The same examples each time, in every process, and nothing kept on disk. Files of `tmp_path` are
# written again for each example.
settings.register_profile(
    "kit",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("kit")


def pytest_collection_modifyitems(items):
    """Notebooks first: they take longest, and two workers should end together."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")


@pytest.fixture
def patches():
    return toy_patches(
        {"v_one": 7, "i_two": 5, "v_three": 8},
        splits={"thirds": {"train": ["v_one"], "validation": ["i_two"], "test": ["v_three"]}},
    )


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder of patches with its own split, to train rows on."""
    sides = {
        "train": ["v_one", "i_two", "v_three"],
        "validation": ["i_four", "v_five"],
        "test": ["v_six", "i_seven", "v_eight"],
    }
    lengths = {name: 20 for names in sides.values() for name in names}
    folder = tmp_path_factory.mktemp("data") / "toy"
    toy_patches(lengths, splits={"own": sides}).save(folder)
    return str(folder)


@pytest.fixture(scope="session")
def mini():
    return hk.load("mini")


@pytest.fixture(scope="session")
def descriptors():
    """Random descriptors of 60 points in three sequences, closer to their own point than to others."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (60, 1, 8)) + rng.normal(0, 0.7, (60, 16, 8))
    values /= np.linalg.norm(values, axis=2, keepdims=True)
    return hk.Descriptors(values, np.repeat(["v_a", "i_b", "v_c"], [25, 20, 15]), name="random")


@pytest.fixture
def server():
    with FaultyServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.stopping.set()
        server.shutdown()


@pytest.fixture
def set_free_space(monkeypatch):
    """A function that sets the free bytes that every disk reports."""

    def set_bytes(free):
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr("hpatches_kit._support.disk.shutil.disk_usage", lambda _: usage)

    return set_bytes


@pytest.fixture(scope="module")
def eager():
    """TensorFlow runs models without compiling them, which takes longer than a few steps."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def set_precision():
    """A function that sets the precision of new layers, which is float32 again after the test."""
    import keras

    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")

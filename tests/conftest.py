"""Data that several tests share."""

import threading

import numpy as np
import pytest
from toy_data import toy_patches
from web_server import Server

import hpatches_kit as hk


def pytest_collection_modifyitems(items):
    """Notebooks first: they take longest, and two workers should end together."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")


@pytest.fixture
def patches():
    return toy_patches(
        {"v_one": 7, "i_two": 5, "v_three": 8},
        splits={"halves": {"train": ["v_one", "i_two"], "test": ["v_three"]}},
    )


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder of patches with a split of its own, for rows to be trained on."""
    lengths = {"v_one": 20, "i_two": 20, "v_three": 20, "i_four": 20, "v_five": 20}
    splits = {"own": {"train": ["v_one", "i_two", "v_three"], "test": ["i_four", "v_five"]}}
    folder = tmp_path_factory.mktemp("data") / "toy"
    toy_patches(lengths, splits=splits).save(folder)
    return str(folder)


@pytest.fixture(scope="session")
def mini():
    return hk.load("mini")


@pytest.fixture
def descriptors():
    """Random descriptors of 60 points in three sequences, closer to their own point than to others."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (60, 1, 8)) + rng.normal(0, 0.7, (60, 16, 8))
    values /= np.linalg.norm(values, axis=2, keepdims=True)
    return hk.Descriptors(values, np.repeat(["v_a", "i_b", "v_c"], [25, 20, 15]), name="random")


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()

"""Runs that several tests share, trained without compiling the networks."""

import os
import shutil
from pathlib import Path

import pytest

from hpatches_kit import experiments
from hpatches_kit.experiments import engines


@pytest.fixture(autouse=True, scope="module")
def without_compiling(eager):
    """Tiny runs take a few steps, which `test_reproduce.py` and the notebooks also compile."""


@pytest.fixture
def without_figures(monkeypatch):
    """Runs draw no figures, which takes longer than training; `test_figures.py` tests those."""
    monkeypatch.setattr(engines, "missing_figures", lambda run, root: [])


@pytest.fixture(scope="session")
def train_once(tmp_path_factory):
    """A function that trains a run and all that it needs, or copies them if they were trained before.

    The processes of the tests share the folder from which runs are copied.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "runs"

    def train_once(run, root):
        runs = experiments.training_order([run])
        assert experiments.train_runs(runs, folder, progress=False) == {}
        for part in runs:
            target = Path(root) / part.folder
            if not target.exists():
                shutil.copytree(folder / part.folder, target)

    return train_once

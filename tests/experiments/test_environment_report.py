"""The environment report."""

import os

import pytest

import hpatches_kit as hk
from hpatches_kit.experiments.environment_report import hardware


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinities")
def test_the_report_counts_the_cores_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 2, 5})
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert " 3 CPU cores." in hk.environment(advice=False)
    assert hardware()["cores"] == 3


def test_the_report_names_versions_and_backend():
    line = hk.environment()
    assert line.startswith(f"hpatches_kit {hk.__version__}, Keras ")
    assert "\n" not in line and "Python 3." in line

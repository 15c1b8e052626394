"""The number of cores that a process may use."""

import os
import subprocess
import sys

import pytest

from hpatches_kit._support import processor


@pytest.fixture
def quota(tmp_path, monkeypatch):
    """The file with the CPU quota, on a machine with 8 cores; it does not exist yet."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(processor, "QUOTA", tmp_path / "cpu.max")
    return tmp_path / "cpu.max"


def test_only_the_cores_that_the_process_may_use_are_counted(quota, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert processor.cores() == 8


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", 8),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("10000 100000\n", 1),
        ("1600000 100000\n", 8),
        ("", 8),
    ],
)
def test_the_cpu_quota_of_a_container_is_respected(quota, text, cores):
    quota.write_text(text)
    assert processor.cores() == cores


@pytest.mark.parametrize("setting", ["TF_CPU_ALLOCATOR_USE_BFC", "TF_ENABLE_ONEDNN_OPTS"])
def test_tensorflow_gets_the_faster_settings_unless_the_user_decided(setting, monkeypatch):
    monkeypatch.delenv(setting, raising=False)
    processor.speed_up_tensorflow()
    assert os.environ[setting] == "1"
    monkeypatch.setenv(setting, "0")
    processor.speed_up_tensorflow()
    assert os.environ[setting] == "0"


@pytest.mark.parametrize("module", ["cli.main", "experiments.pretraining"])
def test_the_settings_are_made_before_tensorflow_is_imported(module):
    code = f"import sys, hpatches_kit.{module}; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

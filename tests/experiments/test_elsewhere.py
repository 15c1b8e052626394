"""benchmarks/elsewhere.py: networks of the tables on other patches than those of their own data."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_rows import FLAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit.experiments import Run, run

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import elsewhere  # noqa: E402


@pytest.mark.parametrize("patches", ["noisy", "denoised"])
def test_a_network_has_the_scores_of_its_run_on_the_patches_of_its_run(patches, data, tmp_path):
    row = replace(FLAT, kind=patches, denoiser=UNET)
    record = run(row, tmp_path, data, TINY, progress=False)
    test = hk.load(data).split()[1].sample(TINY.test_points, 0)
    assert elsewhere.scores_of(Run(row, data, TINY, 0), tmp_path, test) == record["scores"]


def test_networks_that_are_not_there_are_named(data, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["elsewhere.py", data, "--results", str(tmp_path)])
    with pytest.raises(SystemExit, match="networks are missing in .*: a-improved-clean, seed 0"):
        elsewhere.main()

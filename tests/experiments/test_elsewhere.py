"""benchmarks/elsewhere.py: the recipe's networks scored on other patches."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_rows import TFEAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit.experiments import Run, run

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import elsewhere  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["noisy", "denoised"])
def test_on_the_test_set_of_its_run_a_network_gets_the_scores_of_its_run(kind, data, tmp_path):
    row = replace(TFEAT, kind=kind, denoiser=UNET)
    record = run(row, tmp_path, data, TINY, progress=False)
    test_set = hk.load(data).split()[2].sample(TINY.test_sequences)
    assert elsewhere.score(Run(row, data, TINY, 0), tmp_path, test_set) == record["scores"]


def test_missing_networks_are_named(data, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["elsewhere.py", data, "--results", str(tmp_path)])
    with pytest.raises(SystemExit, match="networks are missing in .*: a-improved-clean, seed 0"):
        elsewhere.main()

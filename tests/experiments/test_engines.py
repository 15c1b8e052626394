"""Many runs: one after another, by several processes, on a Ray cluster."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest
from tiny_rows import DENOISED_TFEAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit._support.locks import locked
from hpatches_kit.experiments import Run, engines
from hpatches_kit.experiments.records import record_of

pytestmark = pytest.mark.slow

NO_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


@pytest.mark.parametrize("engine", ["local", pytest.param("ray", marks=NO_RAY)])
def test_a_failed_run_is_reported_and_the_others_are_trained(data, tmp_path, engine):
    bad = replace(UNET, name="bad", network_options={"preset": "none such"})
    rows = replace(DENOISED_TFEAT, denoiser=bad), UNET
    runs = experiments.training_order(Run(row, data, TINY, 0) for row in rows)
    outcomes = {}
    failed = experiments.train_runs(
        runs,
        tmp_path,
        engine,
        lambda run, outcome: outcomes.update({run.row.name: outcome}),
        progress=False,
    )
    assert set(outcomes) == {"bad", "tiny-tfeat", "tiny-unet"}
    assert "none such" in outcomes["bad"]
    assert outcomes["tiny-tfeat"] == "needs bad, seed 0, which has no trained model"
    assert outcomes["tiny-unet"] == "done"
    assert failed == {run.folder: outcomes[run.row.name] for run in runs[:2]}


def test_a_row_that_fails_raises_with_the_reason(data, tmp_path):
    bad = replace(UNET, name="bad", network_options={"preset": "none such"})
    with pytest.raises(RuntimeError, match="bad/.*none such"):
        experiments.run(bad, tmp_path, data, TINY, progress=False)


def test_a_run_that_diverges_is_not_complete(data, tmp_path):
    run = Run(replace(UNET, optimizer="SGD", learning_rate=1e30, loss="mse"), data, TINY, 0)
    assert "not finite" in engines.train_run(run, tmp_path, progress=False)
    assert record_of(run, tmp_path) is None


def test_two_processes_share_the_work_and_train_each_run_once(data, tmp_path):
    script = (
        "import sys, tensorflow, test_engines as t\n"
        "from hpatches_kit.experiments import engines, train_runs\n"
        "tensorflow.config.run_functions_eagerly(True)\n"
        "runs = [t.Run(t.UNET, sys.argv[1], t.TINY, seed) for seed in range(2)]\n"
        "engines.train = lambda *a, f=engines.train, **k: print('BEGINS', a[0]) or f(*a, **k)\n"
        "assert train_runs(runs, sys.argv[2], progress=False) == {}"
    )
    command = [sys.executable, "-c", script, data, str(tmp_path)]
    options = {"cwd": os.path.dirname(__file__), "stdout": subprocess.PIPE, "text": True}
    options["env"] = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [subprocess.Popen(command, **options) for _ in range(2)]
    printed = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(text.count("BEGINS") for text in printed) == 2
    assert len(list(tmp_path.rglob("run.json"))) == 2


def test_a_run_is_trained_on_a_file_system_without_locks(data, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    run = Run(UNET, data, TINY, 0)
    assert engines.train_run(run, tmp_path, wait=False, progress=False) == "done"


def test_a_complete_run_no_longer_needs_other_runs(data, tmp_path, train_once):
    run = Run(DENOISED_TFEAT, data, TINY, 0)
    assert experiments.missing_runs([run], tmp_path) == [run.needs[0], run]
    train_once(run, tmp_path)
    shutil.rmtree(tmp_path / run.needs[0].folder)
    assert experiments.missing_runs([run], tmp_path) == []


def test_a_needed_run_without_a_model_is_trained_again(data, tmp_path, train_once):
    run = Run(DENOISED_TFEAT, data, TINY, 0)
    need = run.needs[0]
    train_once(run, tmp_path)
    before = hk.callbacks.read_log(tmp_path / need.folder).loss.tolist()
    (tmp_path / need.folder / "weights.npz").unlink()
    assert experiments.missing_runs([need, run], tmp_path) == []  # tables need only the numbers
    shutil.rmtree(tmp_path / run.folder)
    assert experiments.missing_runs([need, run], tmp_path) == [need, run]
    assert experiments.train_runs([need, run], tmp_path, progress=False) == {}
    after = hk.callbacks.read_log(tmp_path / need.folder).loss.tolist()
    assert after == pytest.approx(before, rel=1e-4)


@pytest.mark.parametrize("locked_part", ["the run", "a run it needs"])
def test_a_run_that_another_process_trains_is_left_to_it(locked_part, data, tmp_path, train_once):
    run = Run(DENOISED_TFEAT, data, TINY, 0)
    need = run.needs[0]
    train_once(need, tmp_path)
    with locked(tmp_path / (run if locked_part == "the run" else need).folder):
        assert engines.train_run(run, tmp_path, wait=False, progress=False) == "busy"
    assert engines.train_run(run, tmp_path, wait=False, progress=False) == "done"


def test_runs_that_another_process_trains_come_last(tmp_path, monkeypatch, capsys):
    outcomes = iter(["busy", "done", "busy", "busy", "done"])
    monkeypatch.setattr(engines, "train_run", lambda *args, **options: next(outcomes))
    monkeypatch.setattr(engines, "PATIENCE", 0)
    first, second = (Run(UNET, "mini", TINY, seed) for seed in (0, 1))
    ended = []
    report = lambda run, outcome: ended.append(run)  # noqa: E731
    assert experiments.train_runs([first, second], tmp_path, report=report) == {}
    assert ended == [second, first]
    printed = capsys.readouterr().out
    assert printed.count("Waiting for another process that trains tiny-unet, seed 0.") == 1


def test_an_unknown_engine_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="Unknown engine 'steam': expected one of local, ray"):
        experiments.train_runs([], tmp_path, "steam")

"""Many runs: one after another, side by side, on a cluster, at an address."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_rows import FLAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit._support.locks import locked
from hpatches_kit.experiments import Run, engines
from hpatches_kit.experiments.remote_results import UploadRun, local_folder, upload_run
from hpatches_kit.experiments.training import load_trained, record_of

NO_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


@pytest.mark.parametrize("engine", ["local", pytest.param("ray", marks=NO_RAY)])
def test_a_run_that_fails_is_told_and_the_others_go_on(data, tmp_path, engine):
    bad = replace(UNET, name="bad", network_options={"preset": "none such"})
    runs = [Run(row, data, TINY, 0) for row in (replace(FLAT, denoiser=bad, kind="denoised"), UNET)]
    told = {}
    failed = experiments.ENGINES[engine](
        experiments.in_order(runs),
        tmp_path,
        lambda run, end: told.update({run.row.name: end}),
        False,
    )
    assert set(told) == {"bad", "tiny-tfeat", "tiny-unet"}
    assert "none such" in told["bad"] and "bad, seed 0, which failed" in told["tiny-tfeat"]
    assert told["tiny-unet"] == "done" and len(failed) == 2


def test_a_run_that_diverges_says_so(data, tmp_path):
    run = Run(replace(UNET, optimizer="SGD", learning_rate=1e30, loss="mse"), data, TINY, 0)
    assert "no number" in engines.train_run(run, tmp_path, progress=False)
    assert record_of(run, tmp_path) is None


def test_two_processes_share_the_work_and_train_each_run_once(data, tmp_path):
    script = (
        "import sys, test_engines as t; from hpatches_kit.experiments import engines, in_order\n"
        "runs = [t.Run(t.UNET, sys.argv[1], t.TINY, seed) for seed in range(3)]\n"
        "engines.train = lambda *a, f=engines.train, **k: print('BEGINS', a[0]) or f(*a, **k)\n"
        "assert engines.local(in_order(runs), sys.argv[2], print, False) == {}"
    )
    call = [sys.executable, "-c", script, data, str(tmp_path)]
    where = {"cwd": os.path.dirname(__file__), "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(call, **where) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(text.count("BEGINS") for text in said) == 3
    assert len(list(tmp_path.rglob("run.json"))) == 3


def test_a_run_is_trained_where_files_cannot_be_locked(data, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    assert (
        engines.train_run(Run(UNET, data, TINY, 0), tmp_path, wait=False, progress=False) == "done"
    )


def test_training_leaves_policy_and_devices_of_the_session_alone(data, tmp_path):
    run, devices = Run(UNET, data, TINY, 0), keras.distribution.DataParallel(devices=["cpu:0"])
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.distribution.set_distribution(devices)
    try:
        assert (
            engines.train_run(run, tmp_path, progress=False) == "done"
        )  # there is nothing to train
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert keras.distribution.distribution() is devices
    finally:
        keras.config.set_dtype_policy("float32")
        keras.distribution.set_distribution(None)


def test_a_complete_run_does_not_want_its_needs_any_more(data, tmp_path):
    run = Run(replace(FLAT, kind="denoised", denoiser=UNET), data, TINY, 0)
    assert experiments.missing_runs([run], tmp_path) == [run.needs[0], run]
    assert engines.local(experiments.missing_runs([run], tmp_path), tmp_path, print, False) == {}
    shutil.rmtree(tmp_path / run.needs[0].folder)
    assert experiments.missing_runs([run], tmp_path) == []


def test_a_need_of_which_only_the_numbers_were_kept_is_trained_again(data, tmp_path):
    run = Run(replace(FLAT, kind="denoised", denoiser=UNET), data, TINY, 0)
    need = run.needs[0]
    assert engines.local(experiments.missing_runs([run], tmp_path), tmp_path, print, False) == {}
    before = hk.callbacks.read_log(tmp_path / need.folder).loss.tolist()
    (tmp_path / need.folder / "model.keras").unlink()
    assert experiments.missing_runs([need, run], tmp_path) == []  # numbers are all that tables want
    shutil.rmtree(tmp_path / run.folder)
    assert experiments.missing_runs([need, run], tmp_path) == [need, run]
    assert engines.local([need, run], tmp_path, print, False) == {}
    assert hk.callbacks.read_log(tmp_path / need.folder).loss.tolist() == pytest.approx(
        before, rel=1e-4
    )


def test_a_run_that_another_process_is_at_is_left_to_it(data, tmp_path):
    run = Run(UNET, data, TINY, 0)
    with locked(tmp_path / run.folder):
        assert engines.train_run(run, tmp_path, wait=False, progress=False) == "busy"
    assert engines.train_run(run, tmp_path, wait=False, progress=False) == "done"


@pytest.fixture
def address(tmp_path):
    pytest.importorskip("fsspec")
    return f"file://{tmp_path}/shared"


def on_machine(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / name))


def test_results_at_an_address_are_there_for_another_machine(data, tmp_path, monkeypatch, address):
    first, second = Run(UNET, data, TINY, 0), Run(UNET, data, TINY, 1)
    on_machine("one", tmp_path, monkeypatch)
    assert engines.train_run(first, address, progress=False) == "done"
    on_machine("two", tmp_path, monkeypatch)
    assert experiments.missing_runs([first, second], address) == [second]
    here = local_folder(address) / first.folder
    assert {file.name for file in here.iterdir()} == {"run.json", "log.csv"}  # without the model
    assert len(hk.callbacks.read_log(here)) == 2
    cleaned = Run(replace(FLAT, kind="denoised", denoiser=UNET), data, TINY, 0)
    assert engines.train_run(cleaned, address, progress=False) == "done"  # which brings the model
    assert (here / "model.keras").exists()


def test_a_run_goes_on_on_another_machine(data, tmp_path, monkeypatch, address):
    run = Run(UNET, data, TINY, 0)
    on_machine("one", tmp_path, monkeypatch)

    def killed(self, epoch, logs=None):
        upload_run(self.root, self.folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(UploadRun, "on_epoch_end", killed)
        engines.train_run(run, address, progress=False)
    on_machine("two", tmp_path, monkeypatch)
    assert engines.train_run(run, address, progress=False) == "done"
    assert engines.train_run(run, tmp_path / "whole", progress=False) == "done"
    here, whole = load_trained(run, local_folder(address)), load_trained(run, tmp_path / "whole")
    assert all(np.array_equal(a, b) for a, b in zip(here.get_weights(), whole.get_weights()))
    on_machine("one", tmp_path, monkeypatch)  # comes back with its first epoch
    assert experiments.missing_runs([run], address) == []
    assert len(hk.callbacks.read_log(local_folder(address) / run.folder)) == 2


def test_an_epoch_more_here_than_at_the_address_is_not_lost(data, tmp_path, monkeypatch, address):
    run = Run(UNET, data, TINY, 0)
    on_machine("one", tmp_path, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr("hpatches_kit.experiments.store._open", refuse_address)
        with pytest.warns(UserWarning, match="Epoch 1 is not at file:"):
            engines.train(run, local_folder(address), False, [UploadRun(address, run.folder)])
    assert experiments.missing_runs([run], address) == [run]  # complete here, and not there
    before = (local_folder(address) / run.folder / "model.keras").stat().st_mtime_ns
    assert engines.train_run(run, address, progress=False) == "done"
    assert (local_folder(address) / run.folder / "model.keras").stat().st_mtime_ns == before
    assert experiments.missing_runs([run], address) == []


def refuse_address(root):
    raise RuntimeError("no network")  # what each kind of address raises is its own


def test_half_of_a_file_is_never_at_the_address(data, tmp_path, monkeypatch, address):
    run = Run(UNET, data, TINY, 0)
    on_machine("one", tmp_path, monkeypatch)
    assert engines.train_run(run, address, progress=False) == "done"
    whole = {file: file.read_bytes() for file in (tmp_path / "shared").rglob("*.*")}
    assert {file.suffix for file in whole} == {".zip", ".json"}

    def cut(self, path, content, **options):
        Path(path).write_bytes(content[: len(content) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("fsspec.implementations.local.LocalFileSystem.pipe_file", cut)
        upload_run(address, run.folder)
    assert all(file.read_bytes() == content for file, content in whole.items())


def test_a_run_that_diverges_at_once_leaves_nothing_at_the_address(
    data, tmp_path, monkeypatch, address
):
    run = Run(replace(UNET, optimizer="SGD", learning_rate=1e30, loss="mse"), data, TINY, 0)
    on_machine("one", tmp_path, monkeypatch)
    for _ in range(2):
        assert "no number in epoch 1" in engines.train_run(run, address, progress=False)
    assert not list((tmp_path / "shared").rglob("*.zip"))

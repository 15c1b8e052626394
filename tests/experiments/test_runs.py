"""A run in its folder: begun, cut off, gone on with, and what it leaves."""

import json
import os
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from tiny_rows import FLAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import Run, engines
from hpatches_kit.experiments.training import load_trained, record_of, train


def test_a_run_is_kept_under_its_settings(data, tmp_path):
    (tmp_path / "toy").mkdir()
    run = Run(UNET, data, TINY, 0)
    assert run.folder.startswith("tiny-unet/toy-tiny-seed0-")
    changed = [
        replace(run, row=replace(UNET, learning_rate=0.1)),
        replace(run, scale=replace(TINY, validation_patches=100)),
        replace(run, policy="mixed_bfloat16"),
        replace(run, data=str(tmp_path / "toy")),
        replace(run, seed=1),
    ]
    assert len({run.folder, *(other.folder for other in changed)}) == 6
    same = [
        replace(run, row=replace(UNET)),
        replace(run, scale=replace(TINY, test_points=99)),  # which no denoiser sees
        replace(run, data=os.path.relpath(data)),
    ]
    assert {other.folder for other in same} == {run.folder}


def test_a_setting_that_is_new_leaves_old_runs_where_they_are(data):
    """What is as it always was is no part of a run's name."""
    assert set(Run(UNET, data, TINY, 0).settings["row"]) == {"name", "network_options", "optimizer"}


def test_a_run_changes_with_what_it_needs(data):
    cleaned = replace(FLAT, kind="denoised", denoiser=UNET)
    other = replace(cleaned, denoiser=replace(UNET, learning_rate=0.1))
    runs = [Run(row, data, TINY, 0) for row in (cleaned, other)]
    assert runs[0].folder != runs[1].folder
    assert [need.row for need in runs[1].needs] == [other.denoiser]


def test_needs_come_first_and_every_run_once():
    runs = experiments.runs_of_tables(["A-table-2", "A-table-1"], "mini", "smoke", 2)
    ordered = experiments.in_order([*runs, *runs])
    folders = [run.folder for run in ordered]
    assert len(folders) == len(set(folders))
    for run in ordered:
        for need in run.needs:
            assert folders.index(need.folder) < folders.index(run.folder)


def test_a_run_leaves_all_that_a_table_needs_and_is_not_trained_again(data, tmp_path):
    run = Run(UNET, data, TINY, 0)
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    folder = tmp_path / run.folder
    files = {"curves.png", "log.csv", "model.keras", "run.json", "settings.json"}
    assert {file.name for file in folder.iterdir()} == files
    record = record_of(run, tmp_path)
    assert record["settings"]["row"]["optimizer"] == "Adam"
    assert "CPU cores" in record["made with"] and record["seconds"] > 0
    model = load_trained(run, tmp_path)
    assert model.count_params() == record["parameters"]
    before = (folder / "model.keras").stat().st_mtime_ns
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    assert (folder / "model.keras").stat().st_mtime_ns == before


def test_a_deleted_run_comes_back_with_the_same_numbers(data, tmp_path):
    run = Run(replace(FLAT, kind="denoised", denoiser=UNET), data, TINY, 3)
    logs = []
    for place in ("once", "again"):
        assert engines.local(experiments.in_order([run]), tmp_path / place, print, False) == {}
        logs.append(hk.callbacks.read_log(tmp_path / place / run.folder).drop(columns="seconds"))
    pd.testing.assert_frame_equal(*logs)
    assert np.isfinite(logs[0].to_numpy()).all()
    first, again = (record_of(run, tmp_path / place)["scores"] for place in ("once", "again"))
    assert first == again and set(first) == {"verification", "matching", "retrieval"}


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run that nothing cut off: its weights and its scores."""
    run, root = Run(replace(FLAT, kind="noisy"), data, TINY, 0), tmp_path_factory.mktemp("whole")
    assert engines.train_run(run, root, progress=False) == "done"
    return run, load_trained(run, root).get_weights(), record_of(run, root)["scores"]


PLACES = {  # where a run is cut off, and how many of its epochs are then kept
    "the second epoch": ("Bar.on_epoch_begin", 1),
    "scoring": ("benchmark.evaluate", 2),
    "drawing the curves": ("curves", 2),
    "keeping the record": ("write_text", 2),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_run_that_was_cut_off_goes_on(place, whole, tmp_path, monkeypatch):
    run, weights, scores = whole
    name, epochs = PLACES[place]

    def cut(*args, **kwargs):
        if place != "the second epoch" or args[1] == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(f"hpatches_kit.experiments.training.{name}", cut)
        engines.train_run(run, tmp_path, progress=False)
    assert record_of(run, tmp_path) is None
    assert len(hk.callbacks.read_log(tmp_path / run.folder)) == epochs
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    assert record_of(run, tmp_path)["scores"] == scores
    for one, other in zip(load_trained(run, tmp_path).get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_was_written_half_is_written_again(whole, tmp_path, monkeypatch):
    run, weights, _ = whole

    def cut(self, file, **options):
        if Path(file).name == "model.keras":
            Path(file).write_bytes(b"half a model")
            raise KeyboardInterrupt
        save(self, file, **options)

    save = keras.Model.save
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(keras.Model, "save", cut)
        engines.train_run(run, tmp_path, progress=False)
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    for one, other in zip(load_trained(run, tmp_path).get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_training_end_to_end_begins_with_the_denoiser_and_changes_it(data, tmp_path):
    through = replace(FLAT, denoiser=UNET, end_to_end=True)
    runs = [Run(through, data, TINY, 0)]
    runs.append(
        Run(replace(through, name="still", optimizer="SGD", learning_rate=1e-9), data, TINY, 0)
    )
    assert engines.local(experiments.in_order(runs), tmp_path, print, False) == {}
    chain, still = (load_trained(run, tmp_path).get_weights()[0] for run in runs)
    unet = load_trained(runs[0].needs[0], tmp_path).get_weights()[0]
    np.testing.assert_allclose(still, unet, atol=1e-6)
    assert np.abs(chain - unet).max() > 1e-4


@pytest.mark.parametrize("chain", [{}, {"denoiser": UNET, "through": True}])
def test_fine_tuning_begins_with_the_weights_of_the_other_run(chain, data, tmp_path):
    first = replace(FLAT, kind="clean")
    tuned = replace(
        FLAT, name="tuned", init_from=first, optimizer="SGD", learning_rate=1e-9, **chain
    )
    run = Run(tuned, data, TINY, 0)
    assert engines.local(experiments.in_order([run]), tmp_path, print, False) == {}
    here, there = (load_trained(r, tmp_path).get_weights() for r in (run, run.needs[-1]))
    assert np.allclose(here[-len(there)], there[0], atol=1e-6)  # those of the descriptor come last
    assert record_of(run, tmp_path)["scores"]


def test_random_sequences_are_drawn_by_the_seed(data, tmp_path):
    row = replace(UNET, sequences=2, patches=None, validation_patches=None)
    scale, drawn = replace(TINY, denoiser_patches=None, validation_patches=None), []
    for seed, other in ((0, row), (1, row), (2, row), (0, replace(row, learning_rate=1e-9))):
        run = Run(other, data, scale, seed)
        train(run, tmp_path, progress=False)
        about = json.loads((tmp_path / run.folder / "settings.json").read_text())["batches"]
        assert about["batches"] == 2 * 20 * 16 // 50 and "2 sequences" in about["data"]
        drawn.append(about["first batch"])
    assert len(set(drawn)) == 3 and drawn[3] == drawn[0]  # the same for all rows of one seed


def test_the_rate_falls_along_a_cosine_when_asked(data, tmp_path):
    run = Run(replace(UNET, learning_rate=0.5, cosine_decay=True), data, TINY, 0)
    train(run, tmp_path, progress=False)
    settings = json.loads((tmp_path / run.folder / "settings.json").read_text())
    rate = settings["optimizer"]["config"]["learning_rate"]
    assert rate["class_name"] == "CosineDecay"
    assert rate["config"]["initial_learning_rate"] == 0.5 and rate["config"]["decay_steps"] == 4


def test_a_loss_of_the_kit_can_be_named_for_a_denoiser(data, tmp_path):
    run = Run(replace(UNET, loss="SSIMAndMAE"), data, TINY, 0)
    train(run, tmp_path, progress=False)
    assert np.isfinite(hk.callbacks.read_log(tmp_path / run.folder).loss).all()


def test_fewer_sequences_than_a_row_wants_are_named(data, tmp_path):
    run = Run(replace(UNET, sequences=4), data, TINY, 0)
    with pytest.raises(ValueError, match="tiny-unet is trained on 4 sequences, .*toy has 3"):
        train(run, tmp_path, progress=False)


def test_a_folder_of_results_may_be_in_the_home_of_the_user(data, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run = Run(UNET, data, TINY, 0)
    assert engines.train_run(run, "~/results", progress=False) == "done"
    assert record_of(run, tmp_path / "results")["hardware"]["packages"]["numpy"] == np.__version__
    assert experiments.missing_runs([run], "~/results") == []

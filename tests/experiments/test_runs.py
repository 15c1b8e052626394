"""A run in its folder: trained, interrupted, resumed, complete."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tiny_rows import DENOISED_TFEAT, TFEAT, TINY, UNET
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import Run, engines
from hpatches_kit.experiments.records import record_of
from hpatches_kit.experiments.tables.table import Table
from hpatches_kit.experiments.trained_models import load_trained
from hpatches_kit.experiments.training import train

pytestmark = pytest.mark.slow
TIMES = ["seconds", "core_seconds"]


def test_the_folder_of_a_run_depends_on_its_settings(data, tmp_path):
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
        replace(run, scale=replace(TINY, test_sequences=9)),  # for descriptors only
        replace(run, data=os.path.relpath(data)),
    ]
    assert {other.folder for other in same} == {run.folder}


@pytest.mark.parametrize(
    "data_name, version",
    [
        ("mini", "datasets.builtin.VERSION"),
        ("photos", "datasets.builtin.VERSION"),
        ("hpatches", "datasets.hpatches.VERSION"),
        ("n-hpatches", "datasets.hpatches.VERSION"),
        ("mini", "benchmark.task_names.PROTOCOL_VERSION"),
        ("hpatches", "benchmark.task_names.PROTOCOL_VERSION"),
        ("photos", "experiments.runs.SIDES_VERSION"),
    ],
)
def test_a_new_version_of_data_or_protocol_gives_a_new_folder(data_name, version, monkeypatch):
    before = Run(DENOISED_TFEAT, data_name, TINY, 0)
    folders = before.folder, before.needs[0].folder
    monkeypatch.setattr(f"hpatches_kit.{version}", 99)
    after = Run(DENOISED_TFEAT, data_name, TINY, 0)
    assert after.folder != folders[0] and after.needs[0].folder != folders[1]
    assert 99 in after.settings.values()


def test_other_patches_in_the_same_place_give_a_new_folder(tmp_path):
    place = tmp_path / "patches"
    folders = []
    for seed in (0, 0, 1):
        toy_patches({"v_one": 20, "i_two": 20}, seed=seed).save(place)
        folders.append(Run(UNET, str(place), TINY, 0).folder)
    assert folders[0] == folders[1] != folders[2]


def test_a_setting_that_has_its_default_does_not_change_the_folder(data):
    """So a new setting leaves the folders of old runs as they are."""
    assert set(Run(UNET, data, TINY, 0).settings["row"]) == {"name", "network_options", "optimizer"}


def test_the_folder_of_a_run_depends_on_the_runs_it_needs(data):
    other = replace(DENOISED_TFEAT, denoiser=replace(UNET, learning_rate=0.1))
    runs = [Run(row, data, TINY, 0) for row in (DENOISED_TFEAT, other)]
    assert runs[0].folder != runs[1].folder
    assert [need.row for need in runs[1].needs] == [other.denoiser]


def test_in_training_order_every_run_comes_once_and_after_its_needs():
    runs = experiments.runs_of_tables(["A-table-2", "A-table-1"], "mini", "smoke", 2)
    ordered = experiments.training_order([*runs, *runs])
    folders = [run.folder for run in ordered]
    assert len(folders) == len(set(folders))
    for run in ordered:
        for need in run.needs:
            assert folders.index(need.folder) < folders.index(run.folder)


def test_a_complete_run_holds_its_files_and_is_not_trained_again(data, tmp_path, train_once):
    run = Run(UNET, data, TINY, 0)
    train_once(run, tmp_path)
    folder = tmp_path / run.folder
    files = {"log.csv", "weights.npz", "run.json", "settings.json"}
    files |= {"curves.png", "network.png", "patches.png"}
    assert {file.name for file in folder.iterdir()} == files
    record = record_of(run, tmp_path)
    assert record["settings"]["row"]["optimizer"] == "Adam"
    assert "CPU cores" in record["environment"] and record["seconds"] > 0
    assert load_trained(run, tmp_path).count_params() == record["parameters"]
    before = (folder / "weights.npz").stat().st_mtime_ns
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    assert (folder / "weights.npz").stat().st_mtime_ns == before


def test_training_again_gives_the_same_numbers(data, tmp_path, train_once):
    run = Run(DENOISED_TFEAT, data, TINY, 0)
    train_once(run, tmp_path / "first")
    assert experiments.train_runs([*run.needs, run], tmp_path / "second", progress=False) == {}
    logs = [
        hk.callbacks.read_log(tmp_path / root / run.folder).drop(columns=TIMES)
        for root in ("first", "second")
    ]
    pd.testing.assert_frame_equal(*logs)
    assert np.isfinite(logs[0].to_numpy()).all()
    first, second = (record_of(run, tmp_path / root)["scores"] for root in ("first", "second"))
    assert first == second and set(first) == {"verification", "matching", "retrieval"}


def test_a_descriptor_is_scored_on_real_sequences_without_training_it_again(
    data, tmp_path, train_once
):
    run, real = Run(DENOISED_TFEAT, data, TINY, 0), tmp_path / "real"
    toy_patches({"v_real": 20, "i_real": 20, "i_other": 20}, seed=9).save(real)
    train_once(run, tmp_path)
    model = tmp_path / run.folder / "weights.npz"
    trained, scores = model.stat().st_mtime_ns, record_of(run, tmp_path)["scores"]
    assert experiments.missing_runs([run], tmp_path) == []
    assert experiments.missing_runs([run], tmp_path, str(real)) == [run]
    experiments.train_runs([run], tmp_path, progress=False, real=str(real))
    record = record_of(run, tmp_path)
    assert model.stat().st_mtime_ns == trained and record["scores"] == scores
    denoiser = load_trained(run.needs[0], tmp_path)
    descriptors = hk.describe(load_trained(run, tmp_path), hk.load(str(real)), denoiser=denoiser)
    expected = hk.benchmark.evaluate(descriptors, progress=False)
    assert record["real"]["scores"] == pytest.approx(expected.by_task, abs=1e-6)
    assert record["real"]["sequences"] == ["v_real", "i_real", "i_other"]
    toy_patches({"v_new": 20, "i_new": 20}, seed=8).save(tmp_path / "new")
    assert experiments.missing_runs([run], tmp_path, str(tmp_path / "new")) == [run]
    assert len(record["real"]["draws"]["matching"]) == len(record["draws"]["matching"]) == 100
    assert experiments.missing_runs([run], tmp_path, str(real)) == []


def test_a_table_can_show_the_errors_of_the_denoiser_and_what_training_costs(
    data, tmp_path, monkeypatch, train_once
):
    columns = {"U-Net MAE": ("denoiser val_mae", 1), "Seconds": ("core_seconds", 1)}
    table = Table("a test", columns, {"one": DENOISED_TFEAT}, {})
    monkeypatch.setitem(experiments.TABLES, "X", table)
    run = Run(DENOISED_TFEAT, data, TINY, 0)
    train_once(run, tmp_path)
    error, seconds = experiments.numbers(["X"], tmp_path, data, TINY, 1).value
    log = hk.callbacks.read_log(tmp_path / run.needs[0].folder)
    assert error == log.val_mae.iloc[-1]
    assert seconds == record_of(run, tmp_path)["core_seconds"] > 0


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory, train_once):
    """An uninterrupted run: the run, its weights and its scores."""
    run, root = Run(TFEAT, data, TINY, 0), tmp_path_factory.mktemp("uninterrupted")
    train_once(run, root)
    return run, load_trained(run, root).get_weights(), record_of(run, root)["scores"]


INTERRUPTIONS = {  # moment: the function that is interrupted, and the epochs that are then saved
    "in the second epoch": ("training.EpochBar.on_epoch_begin", 1),
    "while scoring": ("scoring.benchmark.evaluate", 2),
    "while writing the record": ("training.write_text", 2),
}


@pytest.mark.parametrize("moment", INTERRUPTIONS)
def test_an_interrupted_run_resumes_and_ends_the_same(moment, uninterrupted, tmp_path, monkeypatch):
    run, weights, scores = uninterrupted
    name, epochs = INTERRUPTIONS[moment]

    def interrupt(*args, **kwargs):
        if moment != "in the second epoch" or args[1] == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(f"hpatches_kit.experiments.{name}", interrupt)
        engines.train_run(run, tmp_path, progress=False)
    assert record_of(run, tmp_path) is None
    assert len(hk.callbacks.read_log(tmp_path / run.folder)) == epochs
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    assert record_of(run, tmp_path)["scores"] == scores
    for resumed, expected in zip(load_trained(run, tmp_path).get_weights(), weights, strict=True):
        np.testing.assert_array_equal(resumed, expected)


def test_half_a_model_file_is_written_again(uninterrupted, tmp_path, monkeypatch):
    run, weights, _ = uninterrupted

    def write_half(model, folder):
        (folder / "weights.npz").write_bytes(b"half a model")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("hpatches_kit.experiments.training.save_trained", write_half)
        engines.train_run(run, tmp_path, progress=False)
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    for resumed, expected in zip(load_trained(run, tmp_path).get_weights(), weights, strict=True):
        np.testing.assert_array_equal(resumed, expected)


def test_end_to_end_training_starts_from_the_denoiser_and_changes_it(data, tmp_path, train_once):
    trained = replace(TFEAT, denoiser=UNET, end_to_end=True)
    hardly = replace(trained, name="hardly", optimizer="SGD", learning_rate=1e-9)
    runs = [Run(row, data, TINY, 0) for row in (trained, hardly)]
    for run in runs:
        train_once(run, tmp_path)
    trained, hardly = (load_trained(run, tmp_path).get_weights()[0] for run in runs)
    unet = load_trained(runs[0].needs[0], tmp_path).get_weights()[0]
    np.testing.assert_allclose(hardly, unet, atol=1e-6)
    assert np.abs(trained - unet).max() > 1e-4


@pytest.mark.parametrize("options", [{}, {"denoiser": UNET, "end_to_end": True}])
def test_fine_tuning_starts_from_the_weights_of_the_other_run(options, data, tmp_path, train_once):
    first = replace(TFEAT, kind="clean")
    hardly = {"optimizer": "SGD", "learning_rate": 1e-9}
    run = Run(replace(TFEAT, name="tuned", init_from=first, **hardly, **options), data, TINY, 0)
    train_once(run, tmp_path)
    tuned, initial = (load_trained(r, tmp_path).get_weights() for r in (run, run.needs[-1]))
    # The weights of the descriptor come last.
    assert np.allclose(tuned[-len(initial)], initial[0], atol=1e-6)
    assert record_of(run, tmp_path)["scores"]


def test_random_sequences_depend_on_the_seed_alone(data, tmp_path):
    row = replace(UNET, sequences=2, patches_per_epoch=None, validation_patches=None)
    scale = replace(TINY, epochs=1, denoiser_patches=None, validation_patches=None)
    first_batches = []
    for seed, other in ((0, row), (1, row), (2, row), (0, replace(row, learning_rate=1e-9))):
        run = Run(other, data, scale, seed)
        train(run, tmp_path, progress=False)
        batches = json.loads((tmp_path / run.folder / "settings.json").read_text())["batches"]
        assert batches["steps"] == 2 * 20 * 16 // 50 and "2 sequences" in batches["patches"]
        first_batches.append(batches["first batch"])
    assert len(set(first_batches)) == 3 and first_batches[3] == first_batches[0]


def test_cosine_decay_spans_the_whole_training(data, tmp_path):
    run = Run(replace(UNET, learning_rate=0.5, cosine_decay=True), data, TINY, 0)
    train(run, tmp_path, progress=False)
    settings = json.loads((tmp_path / run.folder / "settings.json").read_text())
    schedule = settings["optimizer"]["config"]["learning_rate"]
    assert schedule["class_name"] == "CosineDecay"
    assert schedule["config"]["initial_learning_rate"] == 0.5
    assert schedule["config"]["decay_steps"] == 4


def test_a_denoiser_can_use_a_loss_of_the_kit(data, tmp_path):
    run = Run(replace(UNET, loss="SSIMAndMAE"), data, TINY, 0)
    train(run, tmp_path, progress=False)
    assert np.isfinite(hk.callbacks.read_log(tmp_path / run.folder).loss).all()


def test_too_few_sequences_are_an_error(data, tmp_path):
    run = Run(replace(UNET, sequences=4), data, TINY, 0)
    with pytest.raises(ValueError, match="tiny-unet is trained on 4 sequences, .*toy has 3"):
        train(run, tmp_path, progress=False)


def test_a_folder_of_results_may_start_with_a_tilde(data, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    run = Run(UNET, data, TINY, 0)
    assert engines.train_run(run, "~/results", progress=False) == "done"
    assert record_of(run, tmp_path / "results")["hardware"]["packages"]["numpy"] == np.__version__
    assert experiments.missing_runs([run], "~/results") == []

"""The reports' tables as data, and as runs that are resumed, kept and compared."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import toy_patches

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.__main__ import main
from hpatches_kit.experiments import TABLES, Denoiser, Descriptor, Run, Scale, Table, engines
from hpatches_kit.experiments.store import Keep, copy_of, keep
from hpatches_kit.experiments.table import Claim
from hpatches_kit.experiments.training import record_of, train, trained
from hpatches_kit.files import locked

TINY = Scale(
    "tiny",
    epochs=2,
    denoiser_patches=200,
    descriptor_patches=96,
    validation=50,
    train_points=20,
    test_points=12,
    narrow=64,
)
NET = {"encoder": (2, 2), "decoder": (2,), "residual": True}
UNET = Denoiser("tiny-unet", network_options=NET, optimizer="Adam")
HARDNET = {"margin": 1.0, "negative": "minimum"}
FLAT = Descriptor("tiny-tfeat", network="tfeat", loss_options=HARDNET, size=8, patches="noisy")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    lengths = {"v_one": 20, "i_two": 20, "v_three": 20, "i_four": 20, "v_five": 20}
    splits = {"own": {"train": ["v_one", "i_two", "v_three"], "test": ["i_four", "v_five"]}}
    folder = tmp_path_factory.mktemp("data") / "toy"
    hk.save(toy_patches(lengths, splits=splits), folder)
    return str(folder)


# The tables


@pytest.mark.parametrize("name", TABLES)
def test_every_reported_number_has_its_row_and_its_column(name):
    table = TABLES[name]
    assert set(table.reported) <= set(table.rows)
    assert {len(numbers) for numbers in table.reported.values()} <= {len(table.columns)}
    for claim in table.claims:
        assert {claim.better, claim.worse} <= set(table.rows)
        assert set(claim.columns) <= set(table.columns)


@pytest.mark.parametrize("name", TABLES)
def test_what_was_reported_agrees_with_what_was_concluded(name):
    table = TABLES[name]
    for claim in table.claims:
        for column in claim.columns:
            if not {claim.better, claim.worse} <= set(table.reported):
                continue
            at = list(table.columns).index(column)
            better, worse = (table.reported[row][at] for row in (claim.better, claim.worse))
            if claim.within is not None:
                assert abs(better - worse) <= claim.within
            else:
                assert better < worse if "MAE" in column else better > worse, (claim.text, column)


def test_rows_of_one_name_are_one_row():
    rows = {}
    for table in TABLES.values():
        for row in table.rows.values():
            assert rows.setdefault(row.name, row) == row
    assert len(rows) > 35


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_parts_that_exist(name):
    for row in TABLES[name].rows.values():
        assert hasattr(hk.models, row.network)
        if isinstance(row, Descriptor):
            getattr(hk.losses, row.loss)(**row.loss_options)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: Denoiser("x", optimizer="adam"), "Unknown optimiser 'adam': expected one of SGD"),
        (lambda: Descriptor("x", batches="Quads"), "Unknown kind of batches 'Quads'"),
        (lambda: Descriptor("x", patches="clear"), "Unknown kind of patches 'clear'"),
        (lambda: Descriptor("x", scored_on="clear"), "Unknown kind of patches 'clear'"),
        (lambda: Descriptor("x", loss="mae"), "Unknown loss 'mae': expected one of HardMining"),
        (lambda: Descriptor("x", network="unet"), "Unknown network of descriptors 'unet'"),
        (lambda: Denoiser("x", network="l2net"), "Unknown network of denoisers 'l2net'"),
        (lambda: Denoiser("x", loss="nope"), "nope"),
        (lambda: Run(Denoiser("x"), "photos", "huge", 0), "Unknown scale 'huge'"),
        (lambda: Run(Denoiser("x"), "fotos", "quick", 0), "Unknown data 'fotos'"),
        (lambda: Run(Denoiser("x"), "photos", "quick", 0, "half"), "half"),
        (lambda: hk.experiments.runs_of(["C-table-1"]), "Unknown table 'C-table-1'"),
        (lambda: Descriptor("x", patches="denoised"), "x needs a denoiser="),
        (
            lambda: Descriptor("x", start=Descriptor("y", through=True, denoiser=UNET)),
            "x begins with two networks in one",
        ),
    ],
)
def test_a_row_that_cannot_be_is_refused_at_once(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_every_network_may_be_named_by_a_row():
    there = {name for name in hk.models.__all__ if callable(getattr(hk.models, name))}
    networks = {*Denoiser.networks, *Descriptor.networks}
    assert networks == there - {"end_to_end", "pretrained", "card"}


def test_data_are_known_by_name_or_by_their_whole_path(data, tmp_path, monkeypatch):
    here = Run(UNET, data, TINY, 0)
    monkeypatch.chdir(Path(data).parent)
    assert Run(UNET, Path(data).name, TINY, 0) == here
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Run(UNET, "photos", TINY, 0).data == "photos"


def test_the_lines_of_the_reports_are_all_there():
    expected = [f"A-table-{k}" for k in (1, 2)] + ["A-figure-3"]
    expected += [f"B-table-{k}" for k in range(1, 11)]
    assert list(TABLES) == [*expected, "recipe"]


# Runs


def test_a_run_is_kept_under_its_settings(data, tmp_path):
    (tmp_path / "toy").mkdir()
    run = Run(UNET, data, TINY, 0)
    assert run.folder.startswith("tiny-unet/toy-tiny-seed0-")
    changed = [
        replace(run, row=replace(UNET, rate=0.1)),
        replace(run, scale=replace(TINY, validation=100)),
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
    cleaned = replace(FLAT, patches="denoised", denoiser=UNET)
    other = replace(cleaned, denoiser=replace(UNET, rate=0.1))
    runs = [Run(row, data, TINY, 0) for row in (cleaned, other)]
    assert runs[0].folder != runs[1].folder
    assert [need.row for need in runs[1].needs] == [other.denoiser]


def test_needs_come_first_and_every_run_once():
    runs = experiments.runs_of(["A-table-2", "A-table-1"], "mini", "smoke", 2)
    ordered = experiments.in_order([*runs, *runs])
    folders = [run.folder for run in ordered]
    assert len(folders) == len(set(folders))
    for run in ordered:
        for need in run.needs:
            assert folders.index(need.folder) < folders.index(run.folder)


def test_a_run_leaves_all_that_a_table_needs_and_is_not_trained_again(data, tmp_path):
    run = Run(UNET, data, TINY, 0)
    assert engines.one(run, tmp_path, progress=False) == "done"
    folder = tmp_path / run.folder
    files = {"curves.png", "log.csv", "model.keras", "run.json", "settings.json"}
    assert {file.name for file in folder.iterdir()} == files
    record = record_of(run, tmp_path)
    assert record["settings"]["row"]["optimizer"] == "Adam"
    assert "CPU cores" in record["made with"] and record["seconds"] > 0
    model = trained(run, tmp_path)
    assert model.count_params() == record["parameters"]
    before = (folder / "model.keras").stat().st_mtime_ns
    assert engines.one(run, tmp_path, progress=False) == "done"
    assert (folder / "model.keras").stat().st_mtime_ns == before


def test_a_deleted_run_comes_back_with_the_same_numbers(data, tmp_path):
    run = Run(replace(FLAT, patches="denoised", denoiser=UNET), data, TINY, 3)
    logs = []
    for place in ("once", "again"):
        assert engines.local(experiments.in_order([run]), tmp_path / place, print, False) == {}
        logs.append(hk.training_log(tmp_path / place / run.folder).drop(columns="seconds"))
    pd.testing.assert_frame_equal(*logs)
    assert np.isfinite(logs[0].to_numpy()).all()
    first, again = (record_of(run, tmp_path / place)["scores"] for place in ("once", "again"))
    assert first == again and set(first) == {"verification", "matching", "retrieval"}


def test_a_run_that_was_cut_off_goes_on(data, tmp_path):
    class Cut(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    run, other = Run(UNET, data, TINY, 0), tmp_path / "whole"
    with pytest.raises(KeyboardInterrupt):
        train(run, tmp_path, progress=False, watch=[Cut()])
    assert record_of(run, tmp_path) is None
    assert len(hk.training_log(tmp_path / run.folder)) == 1
    train(run, tmp_path, progress=False)
    train(run, other, progress=False)
    here, whole = (trained(run, root).get_weights() for root in (tmp_path, other))
    assert all(np.array_equal(a, b) for a, b in zip(here, whole))


def test_training_end_to_end_begins_with_the_denoiser_and_changes_it(data, tmp_path):
    through = replace(FLAT, denoiser=UNET, through=True)
    runs = [Run(through, data, TINY, 0)]
    runs.append(Run(replace(through, name="still", optimizer="SGD", rate=1e-9), data, TINY, 0))
    assert engines.local(experiments.in_order(runs), tmp_path, print, False) == {}
    chain, still = (trained(run, tmp_path).get_weights()[0] for run in runs)
    unet = trained(runs[0].needs[0], tmp_path).get_weights()[0]
    np.testing.assert_allclose(still, unet, atol=1e-6)
    assert np.abs(chain - unet).max() > 1e-4


@pytest.mark.parametrize("chain", [{}, {"denoiser": UNET, "through": True}])
def test_fine_tuning_begins_with_the_weights_of_the_other_run(chain, data, tmp_path):
    first = replace(FLAT, patches="clean")
    tuned = replace(FLAT, name="tuned", start=first, optimizer="SGD", rate=1e-9, **chain)
    run = Run(tuned, data, TINY, 0)
    assert engines.local(experiments.in_order([run]), tmp_path, print, False) == {}
    here, there = (trained(r, tmp_path).get_weights() for r in (run, run.needs[-1]))
    assert np.allclose(here[-len(there)], there[0], atol=1e-6)  # those of the descriptor come last
    assert record_of(run, tmp_path)["scores"]


def test_random_sequences_are_drawn_by_the_seed(data, tmp_path):
    row = replace(UNET, sequences=2, patches=None, validation=None)
    scale, drawn = replace(TINY, denoiser_patches=None, validation=None), []
    for seed, other in ((0, row), (1, row), (2, row), (0, replace(row, rate=1e-9))):
        run = Run(other, data, scale, seed)
        train(run, tmp_path, progress=False)
        about = json.loads((tmp_path / run.folder / "settings.json").read_text())["batches"]
        assert about["batches"] == 2 * 20 * 16 // 50 and "2 sequences" in about["data"]
        drawn.append(about["first batch"])
    assert len(set(drawn)) == 3 and drawn[3] == drawn[0]  # the same for all rows of one seed


def test_the_rate_falls_along_a_cosine_when_asked(data, tmp_path):
    run = Run(replace(UNET, rate=0.5, decay=True), data, TINY, 0)
    train(run, tmp_path, progress=False)
    settings = json.loads((tmp_path / run.folder / "settings.json").read_text())
    rate = settings["optimizer"]["config"]["learning_rate"]
    assert rate["class_name"] == "CosineDecay"
    assert rate["config"]["initial_learning_rate"] == 0.5 and rate["config"]["decay_steps"] == 4


NO_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


@pytest.mark.parametrize("engine", ["local", pytest.param("ray", marks=NO_RAY)])
def test_a_run_that_fails_is_told_and_the_others_go_on(data, tmp_path, engine):
    bad = replace(UNET, name="bad", network_options={"preset": "none such"})
    runs = [
        Run(row, data, TINY, 0) for row in (replace(FLAT, denoiser=bad, patches="denoised"), UNET)
    ]
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
    run = Run(replace(UNET, optimizer="SGD", rate=1e30, loss="mse"), data, TINY, 0)
    assert "no number" in engines.one(run, tmp_path, progress=False)
    assert record_of(run, tmp_path) is None


def test_two_processes_share_the_work_and_train_each_run_once(data, tmp_path):
    script = (
        "import sys, test_experiments as t; from hpatches_kit.experiments import engines, in_order\n"
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
    assert engines.one(Run(UNET, data, TINY, 0), tmp_path, wait=False, progress=False) == "done"


def test_training_leaves_the_policy_of_the_session_alone(data, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert engines.one(Run(UNET, data, TINY, 0), tmp_path, progress=False) == "done"
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_complete_run_does_not_want_its_needs_any_more(data, tmp_path):
    run = Run(replace(FLAT, patches="denoised", denoiser=UNET), data, TINY, 0)
    assert experiments.missing([run], tmp_path) == [run.needs[0], run]
    assert engines.local(experiments.missing([run], tmp_path), tmp_path, print, False) == {}
    shutil.rmtree(tmp_path / run.needs[0].folder)
    assert experiments.missing([run], tmp_path) == []


def test_a_need_of_which_only_the_numbers_were_kept_is_trained_again(data, tmp_path):
    run = Run(replace(FLAT, patches="denoised", denoiser=UNET), data, TINY, 0)
    need = run.needs[0]
    assert engines.local(experiments.missing([run], tmp_path), tmp_path, print, False) == {}
    before = hk.training_log(tmp_path / need.folder).loss.tolist()
    (tmp_path / need.folder / "model.keras").unlink()
    assert experiments.missing([need, run], tmp_path) == []  # numbers are all that tables want
    shutil.rmtree(tmp_path / run.folder)
    assert experiments.missing([need, run], tmp_path) == [need, run]
    assert engines.local([need, run], tmp_path, print, False) == {}
    assert hk.training_log(tmp_path / need.folder).loss.tolist() == pytest.approx(before, rel=1e-4)


def test_a_run_that_another_process_is_at_is_left_to_it(data, tmp_path):
    run = Run(UNET, data, TINY, 0)
    with locked(tmp_path / run.folder):
        assert engines.one(run, tmp_path, wait=False, progress=False) == "busy"
    assert engines.one(run, tmp_path, wait=False, progress=False) == "done"


@pytest.fixture
def address(tmp_path):
    pytest.importorskip("fsspec")
    return f"file://{tmp_path}/shared"


def on_machine(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / name))


def test_results_at_an_address_are_there_for_another_machine(data, tmp_path, monkeypatch, address):
    first, second = Run(UNET, data, TINY, 0), Run(UNET, data, TINY, 1)
    on_machine("one", tmp_path, monkeypatch)
    assert engines.one(first, address, progress=False) == "done"
    on_machine("two", tmp_path, monkeypatch)
    assert experiments.missing([first, second], address) == [second]
    here = copy_of(address) / first.folder
    assert {file.name for file in here.iterdir()} == {"run.json", "log.csv"}  # without the model
    assert len(hk.training_log(here)) == 2
    cleaned = Run(replace(FLAT, patches="denoised", denoiser=UNET), data, TINY, 0)
    assert engines.one(cleaned, address, progress=False) == "done"  # which brings the model
    assert (here / "model.keras").exists()


def test_a_run_goes_on_on_another_machine(data, tmp_path, monkeypatch, address):
    run = Run(UNET, data, TINY, 0)
    on_machine("one", tmp_path, monkeypatch)

    def killed(self, epoch, logs=None):
        keep(self.root, self.folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Keep, "on_epoch_end", killed)
        engines.one(run, address, progress=False)
    on_machine("two", tmp_path, monkeypatch)
    assert engines.one(run, address, progress=False) == "done"
    assert engines.one(run, tmp_path / "whole", progress=False) == "done"
    here, whole = trained(run, copy_of(address)), trained(run, tmp_path / "whole")
    assert all(np.array_equal(a, b) for a, b in zip(here.get_weights(), whole.get_weights()))
    on_machine("one", tmp_path, monkeypatch)  # comes back with its first epoch
    assert experiments.missing([run], address) == []
    assert len(hk.training_log(copy_of(address) / run.folder)) == 2


def test_an_epoch_more_here_than_at_the_address_is_not_lost(data, tmp_path, monkeypatch, address):
    run = Run(UNET, data, TINY, 0)
    on_machine("one", tmp_path, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr("hpatches_kit.experiments.store._open", refuse_address)
        with pytest.warns(UserWarning, match="Epoch 1 is not at file:"):
            engines.train(run, copy_of(address), False, [Keep(address, run.folder)])
    assert experiments.missing([run], address) == [run]  # complete here, and not there
    before = (copy_of(address) / run.folder / "model.keras").stat().st_mtime_ns
    assert engines.one(run, address, progress=False) == "done"
    assert (copy_of(address) / run.folder / "model.keras").stat().st_mtime_ns == before
    assert experiments.missing([run], address) == []


def refuse_address(root):
    raise OSError("no network")


# Tables from results


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A table of two rows with three seeds, whose numbers one can check by hand."""
    rows = {"one": replace(UNET, name="one"), "two": replace(UNET, name="two")}
    columns = {"MAE": ("val_mae", 1), "PSNR, first": ("val_psnr", 0)}
    claims = [
        Claim("two wins", "two", "one", ("MAE",)),
        Claim("and both", "two", "one", tuple(columns)),
    ]
    monkeypatch.setitem(TABLES, "X", Table("a test", columns, rows, {"one": (6.0, 25.0)}, claims))
    for label, maes in (("one", (5, 6, 7)), ("two", (4, 5, 9))):
        for seed, mae in enumerate(maes):
            folder = tmp_path / Run(rows[label], "mini", TINY, seed).folder
            folder.mkdir(parents=True)
            log = pd.DataFrame({"val_mae": [20.0, mae], "val_psnr": [20.0 + seed, 30.0]})
            log.to_csv(folder / "log.csv", index=False)
            record = {"scores": {}, "parameters": 9, "seconds": 1.0}
            record |= {"date": f"2026-11-{20 + seed}", "made with": "a computer."}
            (folder / "run.json").write_text(json.dumps(record))
    return tmp_path


def test_a_table_has_mean_spread_and_difference(results):
    values = experiments.numbers(["X"], results, "mini", TINY, 3)
    cells = experiments.summary("X", values).set_index(["row", "column"])
    assert cells.loc[("one", "MAE")].tolist() == [6, 6, 1, 3, 0]
    assert cells.loc[("one", "PSNR, first"), "mean"] == 21
    assert cells.loc[("one", "PSNR, first"), "difference"] == -4
    assert np.isnan(cells.loc[("two", "MAE"), "reported"])


def test_a_conclusion_holds_in_the_seeds_where_every_column_agrees(results):
    values = experiments.numbers(["X"], results, "mini", TINY, 3)
    held = experiments.conclusions("X", values).set_index("conclusion")
    assert held.loc["two wins", ["holds in", "of"]].tolist() == [2, 3]
    assert held.loc["two wins", "MAE"] == pytest.approx(0)  # by 1, by 1, and worse by 2
    assert held.loc["and both", "holds in"] == 0  # the same PSNR is no better one


def test_alike_means_no_farther_than_the_report_says(results, monkeypatch):
    values = experiments.numbers(["X"], results, "mini", TINY, 3)
    claims = [Claim("alike", "two", "one", ("MAE",), within=width) for width in (0.5, 1.0, 2.0)]
    monkeypatch.setitem(TABLES, "X", replace(TABLES["X"], claims=claims))
    assert list(experiments.conclusions("X", values)["holds in"]) == [0, 2, 3]


def test_half_way_is_the_tenth_of_twenty_epochs(results, monkeypatch):
    table = TABLES["X"]
    monkeypatch.setitem(
        TABLES, "X", replace(table, columns={"half": ("val_mae", 0.5)}, reported={})
    )
    run = Run(table.rows["one"], "mini", TINY, 0)
    log = pd.DataFrame({"val_mae": np.arange(1.0, 21.0)})
    log.to_csv(results / run.folder / "log.csv", index=False)
    values = experiments.numbers(["X"], results, "mini", TINY, 1)
    assert values.value.iloc[0] == 10


def test_a_seed_that_lacks_one_of_the_rows_does_not_count(results):
    values = experiments.numbers(["X"], results, "mini", TINY, 3)
    values = values[(values.row == "one") | (values.seed != 2)]
    held = experiments.conclusions("X", values).set_index("conclusion")
    assert held.loc["two wins", ["holds in", "of"]].tolist() == [2, 2]


def printed(results):
    what = "mini", TINY, 3
    read = experiments.numbers(["X"], results, *what), experiments.about(["X"], results, *what)
    return experiments.markdown("X", *read, *what)


def test_a_printed_table_says_what_was_found_and_how_it_was_made(results):
    text = printed(results)
    assert "6.00 ± 1.00" in text and "-4.00" in text
    assert "in 2 of 3 seeds" in text and "(MAE +0.000)" in text
    assert "`python -m hpatches_kit reproduce X --data mini --scale tiny --seeds 3`" in text
    assert "6 runs, 2026-11-20 to 2026-11-22: a computer." in text


def test_what_is_missing_stays_empty(results):
    empty = printed(results / "nothing")
    assert "not run" in empty and "nan" not in empty


def test_saved_numbers_give_the_same_table(results):
    experiments.save(results / "docs", ["X"], results, "mini", TINY, 3)
    kept = results / "docs" / "runs"
    for values in (
        pd.read_csv(results / "docs" / "numbers.csv"),
        experiments.numbers(["X"], kept, "mini", TINY, 3),
    ):
        assert len(values) == 2 * 2 * 3
        runs = experiments.about(["X"], kept, "mini", TINY, 3)
        again = experiments.markdown("X", values, runs, "mini", TINY, 3)
        assert (results / "docs" / "X.md").read_text() == again == printed(results)
    assert (results / "docs" / "X.png").stat().st_size > 5000


def test_the_page_says_what_holds_and_keeps_what_was_written_around_it(results):
    page, what = results / "docs" / "README.md", (["X"], results, "mini", TINY, 3)
    experiments.save(page.parent, *what)
    said = page.read_text()
    assert re.search(r"\[X\]\(X\.md\) +\| two wins +\| 2 of 3 seeds", said)
    assert "`python -m hpatches_kit reproduce X --data mini --scale tiny --seeds 3`" in said
    assert "6 runs, 2026-11-20 to 2026-11-22: a computer." in said
    page.write_text("Why?\n" + said.replace("2 of 3", "9 of 3") + "Because.\n")
    experiments.save(page.parent, *what)
    assert page.read_text() == f"Why?\n{said}Because.\n"


# The command line


def test_without_a_name_the_tables_are_listed(tmp_path, capsys):
    assert main(["reproduce", "--data", "mini", "--results", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert [line.split()[0] for line in lines] == list(TABLES)
    assert "0 of   5 runs" in lines[0]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["C-table-1"], "Unknown table 'C-table-1': expected some of A-table-1"),
        (["A-table-1", "--scale", "huge"], "Unknown scale 'huge': expected one of quick"),
        (["A-table-1", "--seeds", "0"], "0 seeds: expected 1 or more"),
        (["A-table-1", "--data", "fotos"], "Unknown data 'fotos': expected a path, or one of mini"),
        (["A-table-1", "--engine", "steam"], "Unknown engine 'steam': expected one of local, ray"),
    ],
)
def test_what_is_unknown_is_named_with_what_is_known(arguments, message, tmp_path, capsys):
    assert main(["reproduce", *arguments, "--results", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_the_command_trains_what_is_missing_and_prints_the_table(
    data, tmp_path, capsys, monkeypatch
):
    table = Table("a test", {"PSNR": ("val_psnr", 1)}, {"U-Net": UNET}, {"U-Net": (30.0,)})
    monkeypatch.setitem(TABLES, "X", table)
    monkeypatch.setitem(experiments.SCALES, "tiny", TINY)
    asked = ["reproduce", "X", "--data", data, "--scale", "tiny", "--quiet"]
    asked += ["--results", str(tmp_path / "r"), "--save", str(tmp_path / "docs")]
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert "1 of 1: tiny-unet, seed 0: done" in out and "| U-Net | 30.00" in out
    assert (tmp_path / "docs" / "numbers.csv").exists()
    assert main([*asked, "--only-print"]) == 0
    assert "1 of 1" not in capsys.readouterr().out

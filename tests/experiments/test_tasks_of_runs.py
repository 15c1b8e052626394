"""Runs that are scored on official task lists."""

import json
from dataclasses import replace

import pytest
from tiny_rows import DENOISED_TFEAT, TFEAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.cli.main import main
from hpatches_kit.experiments import TABLES, Run, engines
from hpatches_kit.experiments.records import record_of
from hpatches_kit.experiments.tables.table import Table

WHOLE = replace(TINY, name="whole", test_sequences=None)  # scores all test sequences


@pytest.fixture
def lists(data, tmp_path):
    """A folder of task lists for the test side of `data`."""
    *_, test = hk.load(data).split()
    tasks = hk.benchmark.draw_tasks(test, pairs=40, queries=5, seed=7)
    tasks.save(tmp_path / "lists", "a", test.lengths)
    return str(tmp_path / "lists")


@pytest.fixture
def hpatches(data, monkeypatch):
    """Use `data` in place of HPatches."""
    patches = hk.load(data)
    monkeypatch.setattr("hpatches_kit.experiments.run_data.load", lambda name, progress: patches)


def test_the_lists_change_the_folder_of_descriptors_and_not_of_denoisers(lists):
    drawn, official, own = (
        Run(DENOISED_TFEAT, "hpatches", WHOLE, 0, tasks=tasks) for tasks in (None, "a", lists)
    )
    assert len({run.folder for run in (drawn, official, own)}) == 3
    assert len({run.needs[0].folder for run in (drawn, official, own)}) == 1
    assert "tasks" not in drawn.settings and official.settings["tasks"] == "a"


def test_the_content_of_the_lists_decides_the_folder_and_not_their_place(lists, tmp_path):
    run = Run(TFEAT, "hpatches", WHOLE, 0, tasks=lists)
    before = run.folder
    (tmp_path / "lists").rename(tmp_path / "moved")
    assert replace(run, tasks=str(tmp_path / "moved")).folder == before
    file = tmp_path / "moved" / "retr_queries_split-a.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]))
    assert replace(run, tasks=str(tmp_path / "moved")).folder != before


@pytest.mark.parametrize("data_name, scale", [("mini", "report"), ("hpatches", "quick")])
def test_lists_that_cannot_fit_are_an_error_before_the_training(data_name, scale, lists):
    message = f"do not fit --data {data_name} --scale {scale}: use --data hpatches --scale report"
    for tasks in ("a", lists):
        with pytest.raises(hk.UserError, match=message):
            experiments.runs_of_tables(["A-table-2"], data_name, scale, 1, "float32", tasks)


def test_a_folder_without_lists_is_an_error(tmp_path, capsys):
    command = ["reproduce", "A-table-2", "--data", "hpatches", "--scale", "report"]
    for tasks in (str(tmp_path), "b"):
        assert main([*command, "--tasks", tasks]) == 2
        assert f"error: {tasks} is not a folder of task lists" in capsys.readouterr().err


@pytest.mark.slow
def test_descriptors_are_scored_on_the_lists(lists, hpatches, tmp_path):
    run = Run(TFEAT, "hpatches", WHOLE, 0, tasks=lists)
    assert engines.train_run(run, tmp_path, progress=False) == "done"
    scores = json.loads((tmp_path / run.folder / "scores.json").read_text())
    assert scores["provenance"] == "L2 distance, lists of split a in lists"
    assert set(record_of(run, tmp_path)["scores"]) == {"verification", "matching", "retrieval"}


def test_lists_of_other_points_stop_the_first_run_even_of_a_denoiser(lists, hpatches, tmp_path):
    file = tmp_path / "lists" / "retr_queries_split-a.csv"
    file.write_text("s,idx\nv_elsewhere,0\n")
    run = Run(UNET, "hpatches", WHOLE, 0, tasks=lists)
    outcome = engines.train_run(run, tmp_path / "results", progress=False)
    assert "retr_queries_split-a.csv, line 2: unknown sequence 'v_elsewhere'" in outcome
    assert not (tmp_path / "results" / run.folder / "log.csv").exists()


def test_the_command_of_a_page_names_the_lists(lists, tmp_path, monkeypatch):
    monkeypatch.setitem(
        TABLES, "X", Table("a test", {"PSNR": ("val_psnr", 1)}, {"U-Net": UNET}, {})
    )
    selection = "hpatches", WHOLE, 1, "float32", lists
    values, runs = (
        collect(["X"], tmp_path, *selection)
        for collect in (experiments.numbers, experiments.provenance)
    )
    page = experiments.markdown("X", values, None, runs, *selection)
    assert f"--data hpatches --scale whole --seeds 1 --tasks {lists}`" in page


@pytest.mark.slow
def test_the_name_of_a_split_downloads_its_official_lists(
    lists, hpatches, server, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/tasks")
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    for file in (tmp_path / "lists").iterdir():
        server.files[file.name] = file.read_bytes()
    columns = {"Matching": ("matching", 1)}
    monkeypatch.setitem(TABLES, "X", Table("a test", columns, {"TFeat": TFEAT}, {}))
    monkeypatch.setitem(experiments.SCALES, "whole", WHOLE)
    command = ["reproduce", "X", "--data", "hpatches", "--scale", "whole", "--tasks", "a"]
    assert main([*command, "--results", str(tmp_path / "results"), "--quiet"]) == 0
    assert "--tasks a`" in capsys.readouterr().out
    (scores,) = tmp_path.glob("results/*/*/scores.json")
    assert "lists of split a in official_tasks" in scores.read_text()

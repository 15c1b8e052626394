"""Tables from the results of runs: numbers, conclusions, pages, kept runs."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tiny_rows import DENOISED_TFEAT, TINY, UNET

from hpatches_kit import experiments
from hpatches_kit.experiments import TABLES, Run
from hpatches_kit.experiments.records import log_of, record_of
from hpatches_kit.experiments.tables.table import Table, better

SELECTION = "mini", TINY, 3  # data, scale, seeds


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The results of a table of two rows and three seeds, with numbers that are easy to check."""
    rows = {"one": replace(UNET, name="one"), "two": replace(UNET, name="two")}
    columns = {"MAE": ("val_mae", 1), "PSNR, first": ("val_psnr", 0)}
    claims = [
        better("two wins", "two", "one", ("MAE",)),
        better("and both", "two", "one", tuple(columns)),
    ]
    monkeypatch.setitem(TABLES, "X", Table("a test", columns, rows, {"one": (6.0, 25.0)}, claims))
    for label, maes in (("one", (5, 6, 7)), ("two", (4, 5, 9))):
        for seed, mae in enumerate(maes):
            run = Run(rows[label], "mini", TINY, seed)
            folder = tmp_path / run.folder
            folder.mkdir(parents=True)
            log = {"epoch": [0, 1], "val_mae": [20.0, mae], "val_psnr": [20.0 + seed, 30.1]}
            pd.DataFrame(log).to_csv(folder / "log.csv", index=False)
            record = {
                "settings": run.settings,
                "scores": {},
                "parameters": 9,
                "seconds": 1.0,
                "core_seconds": 2.0,
            }
            record |= {"other_core_seconds": 1.0}
            record |= {"date": f"2026-11-{20 + seed}", "environment": "a computer."}
            (folder / "run.json").write_text(json.dumps(record))
    return tmp_path


def test_a_cell_has_mean_deviation_and_difference(results):
    values = experiments.numbers(["X"], results, *SELECTION)
    cells = experiments.summary("X", values).set_index(["row", "column"])
    assert cells.loc[("one", "MAE")].tolist() == [6, 6, 1, 3, 0]
    assert cells.loc[("one", "PSNR, first"), "mean"] == 21
    assert cells.loc[("one", "PSNR, first"), "difference"] == -4
    assert np.isnan(cells.loc[("two", "MAE"), "reported"])


def test_half_way_is_the_tenth_of_twenty_epochs(results, monkeypatch):
    table = TABLES["X"]
    half_way = replace(table, columns={"half": ("val_mae", 0.5)}, reported={})
    monkeypatch.setitem(TABLES, "X", half_way)
    run = Run(table.rows["one"], "mini", TINY, 0)
    log = pd.DataFrame({"val_mae": np.arange(1.0, 21.0)})
    log.to_csv(results / run.folder / "log.csv", index=False)
    values = experiments.numbers(["X"], results, "mini", TINY, 1)
    assert values.value.iloc[0] == 10


def page_of(root):
    """The page of the table, from these results."""
    values = experiments.numbers(["X"], root, *SELECTION)
    effects = experiments.effects(["X"], values, experiments.draws(["X"], root, *SELECTION))
    runs = experiments.provenance(["X"], root, *SELECTION)
    return experiments.markdown("X", values, effects, runs, *SELECTION)


def test_a_page_shows_cells_conclusions_command_and_provenance(results):
    text = page_of(results)
    assert "6.00 ± 1.00" in text and "25.00" in text
    # Better by 1 and by 1, worse by 2: the standard deviation is the root of 3.
    assert "- two wins\n  - **the opposite on average**: MAE +0.000 [-4.303, +4.303]" in text
    assert "`python -m hpatches_kit reproduce X --data mini --scale tiny --seeds 3`" in text
    assert (
        "6 runs, 6 s of training, 18 s of one core in all, 2026-11-20 to 2026-11-22: a computer."
        in text
    )


def test_with_only_a_page_counts_the_runs_of_its_rows_alone(results, monkeypatch):
    one, two = TABLES["X"].rows.values()
    needs_one = replace(DENOISED_TFEAT, denoiser=one)
    columns = {"MAE": ("val_mae", 1)}
    monkeypatch.setitem(TABLES, "X", Table("a test", columns, {"two": two, "3": needs_one}, {}))
    monkeypatch.setitem(TABLES, "Y", Table("another", columns, {"one": one}, {}))
    selection = *SELECTION, "float32", None, ["one", "two"]
    values = experiments.numbers(["X", "Y"], results, *selection)
    runs = experiments.provenance(["X", "Y"], results, *selection)
    page = experiments.markdown("X", values, None, runs, *selection)
    assert "--only two`" in page and "\n3 runs, 3 s of training, 9 s of one core in all" in page


def test_a_page_without_runs_shows_cells_and_conclusions_alone(results):
    values = experiments.numbers(["X"], results, *SELECTION)
    title, *origin, cells, verdicts = page_of(results).split("\n\n")
    assert len(origin) == 1
    assert experiments.markdown("X", values) == "\n\n".join([title, cells, verdicts])


def test_cells_of_missing_runs_are_empty(results):
    text = page_of(results / "nothing")
    assert "not run" in text and "nan" not in text


def test_a_saved_folder_gives_the_same_numbers_pages_and_logs(results):
    saved = results / "docs"
    experiments.save_tables(saved, ["X"], results, *SELECTION)
    values = experiments.numbers(["X"], results, *SELECTION)
    assert len(values) == 2 * 2 * 3
    pd.testing.assert_frame_equal(pd.read_csv(saved / "numbers.csv"), values)
    for collect in (experiments.numbers, experiments.provenance, experiments.logs):
        pd.testing.assert_frame_equal(
            collect(["X"], saved, *SELECTION), collect(["X"], results, *SELECTION)
        )
    assert (saved / "X.md").read_text() == page_of(saved) == page_of(results)
    effects = pd.read_csv(saved / "effects.csv")
    assert list(effects.effect) == ["MAE", "MAE", "PSNR, first"]
    files = {"README.md", "X.md", "X.png", "X-curves.png", "effects.csv", "logs.jsonl"}
    files |= {"numbers.csv", "runs.jsonl"}
    assert {file.name for file in saved.iterdir()} == files


def test_kept_runs_are_a_line_for_each_run_and_for_each_epoch(results):
    experiments.save_tables(results / "docs", ["X"], results, *SELECTION)
    records, epochs = (
        [json.loads(line) for line in (results / "docs" / name).read_text().splitlines()]
        for name in ("runs.jsonl", "logs.jsonl")
    )
    runs = experiments.runs_of_tables(["X"], *SELECTION)
    assert [line["run"] for line in records] == [run.folder for run in runs]
    assert records[0]["record"] == record_of(runs[0], results)
    first = {"run": runs[0].folder, "epoch": 0, "val_mae": 20.0, "val_psnr": 20.0}
    assert len(epochs) == 6 * 2 and epochs[0] == first


def test_kept_runs_are_complete_and_a_run_folder_comes_before_them(results):
    saved, run = results / "docs", experiments.runs_of_tables(["X"], *SELECTION)[0]
    assert experiments.missing_runs([run], saved) == [run]
    experiments.save_tables(saved, ["X"], results, *SELECTION)
    assert experiments.missing_runs([run], saved) == []
    folder = saved / run.folder
    folder.mkdir(parents=True)
    record = {"settings": run.settings, "scores": {}}
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "log.csv").write_text("epoch,val_mae\n0,1.5\n")
    assert record_of(run, saved) == record
    assert log_of(run, saved).val_mae.tolist() == [1.5]


def test_kept_runs_that_change_are_read_again(results):
    saved, runs = results / "docs", experiments.runs_of_tables(["X"], *SELECTION)
    experiments.save_tables(saved, ["X"], results, *SELECTION)
    assert record_of(runs[-1], saved)
    experiments.save_tables(saved, ["X"], results, "mini", TINY, 1)
    assert record_of(runs[0], saved) and record_of(runs[-1], saved) is None


def test_the_readme_lists_conclusions_and_keeps_the_text_around_them(results):
    page = results / "docs" / "README.md"
    experiments.save_tables(page.parent, ["X"], results, *SELECTION)
    text = page.read_text()
    assert re.search(r"\[X\]\(X\.md\) +\| two wins +\| the opposite on average", text)
    assert "`python -m hpatches_kit reproduce X --data mini --scale tiny --seeds 3`" in text
    assert "6 runs, 6 s of training, 18 s of one core in all, 2026-11-20" in text
    page.write_text("Why?\n" + text.replace("the opposite", "holds") + "Because.\n")
    experiments.save_tables(page.parent, ["X"], results, *SELECTION)
    assert page.read_text() == f"Why?\n{text}Because.\n"


def test_a_folder_with_another_readme_stays_as_it_is(results):
    page = results / "docs" / "README.md"
    page.parent.mkdir()
    page.write_text("My project")
    with pytest.raises(ValueError, match="README.md .*<!-- conclusions -->"):
        experiments.save_tables(page.parent, ["X"], results, *SELECTION)
    assert list(page.parent.iterdir()) == [page]


def test_a_table_named_twice_does_not_get_more_seeds(results):
    once, twice = (experiments.numbers(names, results, *SELECTION) for names in (["X"], ["X", "X"]))
    pd.testing.assert_frame_equal(once, twice)


def test_a_table_with_many_columns_is_transposed(results, monkeypatch):
    columns = {f"MAE, epoch {k}": ("val_mae", k / 4) for k in range(1, 5)}
    monkeypatch.setitem(TABLES, "X", replace(TABLES["X"], columns=columns, reported={}, claims=[]))
    lines = [re.split(" *[|] *", line) for line in page_of(results).splitlines() if "|" in line]
    assert lines[0] == ["", "", "one", "two", ""]
    assert [line[1] for line in lines[2:]] == list(columns)
    assert lines[-1][2:4] == ["6.00 ± 1.00", "6.00 ± 2.65"]


def test_a_notebook_shows_each_conclusion_in_one_line_and_folds_the_rest(results, monkeypatch):
    monkeypatch.setitem(TABLES, "X", replace(TABLES["X"], note="5 < 6"))
    values = experiments.numbers(["X"], results, *SELECTION)
    effects = experiments.effects(["X"], values)
    lines = experiments.short_markdown("X", values, effects).splitlines()
    assert lines[-1].split("|")[1].strip() == "and both" and "on average" in lines[-1]
    folded = experiments.details("X", values, effects)
    assert folded.startswith("<details>") and folded.endswith("</details>")
    assert "5 &lt; 6" in folded and "data:image/png;base64," in folded and "PSNR, first" in folded


def test_a_figure_of_a_report_is_drawn_as_a_curve_over_the_numbers_of_its_labels(
    results, monkeypatch
):
    table = TABLES["X"]
    rows = {"q = 10": table.rows["one"], "q = 2": table.rows["two"]}
    curve = replace(table, rows=rows, reported={}, claims=[], curve_over="percentile")
    monkeypatch.setitem(TABLES, "X", curve)
    values = experiments.numbers(["X"], results, *SELECTION)
    (axis,) = experiments.figure("X", values).axes
    mean, seeds, *_ = axis.lines
    assert axis.get_xlabel() == "percentile" and list(mean.get_xdata()) == [2, 10]
    assert list(mean.get_ydata()) == [6, 6]
    assert sorted(seeds.get_ydata()) == [4, 5, 5, 6, 7, 9]

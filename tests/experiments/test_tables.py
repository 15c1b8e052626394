"""Tables from the results of runs, and the command that makes and prints them."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tiny_rows import TINY, UNET

from hpatches_kit import experiments
from hpatches_kit.cli.main import main
from hpatches_kit.experiments import TABLES, Run, Table
from hpatches_kit.experiments.tables.table import Claim


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
    read = experiments.numbers(["X"], results, *what), experiments.provenance(["X"], results, *what)
    return experiments.markdown("X", *read, *what)


def test_a_printed_table_says_what_was_found_and_how_it_was_made(results):
    text = printed(results)
    assert "6.00 ± 1.00" in text and "-4.00" in text
    assert "in 2 of 3 seeds" in text and "(MAE +0.000)" in text
    assert "`python -m hpatches_kit reproduce X --data mini --scale tiny --seeds 3`" in text
    assert "6 runs, 6 s of training, 2026-11-20 to 2026-11-22: a computer." in text


def test_what_is_missing_stays_empty(results):
    empty = printed(results / "nothing")
    assert "not run" in empty and "nan" not in empty


def test_saved_numbers_give_the_same_table(results):
    experiments.save_tables(results / "docs", ["X"], results, "mini", TINY, 3)
    kept = results / "docs" / "runs"
    for values in (
        pd.read_csv(results / "docs" / "numbers.csv"),
        experiments.numbers(["X"], kept, "mini", TINY, 3),
    ):
        assert len(values) == 2 * 2 * 3
        runs = experiments.provenance(["X"], kept, "mini", TINY, 3)
        again = experiments.markdown("X", values, runs, "mini", TINY, 3)
        assert (results / "docs" / "X.md").read_text() == again == printed(results)
    assert (results / "docs" / "X.png").stat().st_size > 5000


def test_the_page_says_what_holds_and_keeps_what_was_written_around_it(results):
    page, what = results / "docs" / "README.md", (["X"], results, "mini", TINY, 3)
    experiments.save_tables(page.parent, *what)
    said = page.read_text()
    assert re.search(r"\[X\]\(X\.md\) +\| two wins +\| 2 of 3 seeds", said)
    assert "`python -m hpatches_kit reproduce X --data mini --scale tiny --seeds 3`" in said
    assert "6 runs, 6 s of training, 2026-11-20 to 2026-11-22: a computer." in said
    page.write_text("Why?\n" + said.replace("2 of 3", "9 of 3") + "Because.\n")
    experiments.save_tables(page.parent, *what)
    assert page.read_text() == f"Why?\n{said}Because.\n"


# The command line


def test_without_a_name_the_tables_are_listed(tmp_path, capsys):
    assert main(["reproduce", "--data", "mini", "--results", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert [line.split()[0] for line in lines] == list(TABLES)
    assert "0 of   6 runs" in lines[0]


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


def test_a_folder_with_a_page_of_another_kind_is_left_alone(results):
    page = results / "docs" / "README.md"
    page.parent.mkdir()
    page.write_text("My project")
    with pytest.raises(ValueError, match="README.md has no <!-- conclusions -->"):
        experiments.save_tables(page.parent, ["X"], results, "mini", TINY, 3)
    assert list(page.parent.iterdir()) == [page]


def test_a_table_named_twice_has_no_more_seeds(results):
    once, twice = (
        experiments.numbers(names, results, "mini", TINY, 3) for names in (["X"], ["X", "X"])
    )
    pd.testing.assert_frame_equal(once, twice)


def test_a_table_with_more_columns_than_one_can_read_is_turned(results, monkeypatch):
    columns = {f"MAE, epoch {k}": ("val_mae", k / 4) for k in range(1, 5)}
    monkeypatch.setitem(TABLES, "X", replace(TABLES["X"], columns=columns, reported={}, claims=[]))
    lines = [re.split(" *[|] *", line) for line in printed(results).splitlines() if "|" in line]
    assert lines[0] == ["", "", "one", "two", ""]
    assert [line[1] for line in lines[2:]] == list(columns)
    assert lines[-1][2:4] == ["6.00 ± 1.00", "6.00 ± 2.65"]

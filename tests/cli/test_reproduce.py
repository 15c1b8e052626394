"""The command `hpatches reproduce`."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from tiny_rows import TINY, UNET

from hpatches_kit import experiments
from hpatches_kit.cli.main import main
from hpatches_kit.experiments import TABLES
from hpatches_kit.experiments.tables.table import Table


def test_without_a_name_it_lists_the_tables(tmp_path, capsys):
    assert main(["reproduce", "--data", "mini", "--results", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert [line.split()[0] for line in lines] == list(TABLES)
    assert "0 of   6 runs" in lines[0]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["C-table-1"], "Unknown table 'C-table-1': expected one of A-table-1"),
        (["A-table-1", "--scale", "huge"], "Unknown scale 'huge': expected one of quick"),
        (["A-table-1", "--seeds", "0"], "0 seeds: expected 1 or more"),
        (["A-table-1", "--data", "fotos"], "Unknown data 'fotos': expected a path, or one of mini"),
        (["A-table-1", "--policy", "half"], "Unknown policy 'half': expected a dtype policy"),
        (
            ["A-table-1", "--only", "x"],
            "Unknown row of these tables 'x': expected one of a-shallow",
        ),
        (["A-table-1", "--engine", "steam"], "Unknown engine 'steam': expected one of local, ray"),
    ],
)
def test_unknown_names_are_errors_that_list_the_known_ones(arguments, message, tmp_path, capsys):
    assert main(["reproduce", *arguments, "--results", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def arguments(data, tmp_path, monkeypatch):
    """A table `X` with one tiny row, and the arguments that reproduce it."""
    table = Table("a test", {"PSNR": ("val_psnr", 1)}, {"U-Net": UNET}, {"U-Net": (30.0,)})
    monkeypatch.setitem(TABLES, "X", table)
    monkeypatch.setitem(experiments.SCALES, "tiny", TINY)
    results = str(tmp_path / "results")
    return ["reproduce", "X", "--data", data, "--scale", "tiny", "--quiet", "--results", results]


def test_it_trains_the_missing_runs_prints_the_table_and_saves_it(arguments, tmp_path, capsys):
    saved = tmp_path / "docs"
    assert main([*arguments, "--save", str(saved)]) == 0
    printed = capsys.readouterr().out
    assert "1 of 1: tiny-unet, seed 0: done" in printed and "| U-Net | 30.00" in printed
    assert len(pd.read_csv(saved / "numbers.csv")) == 1
    assert main([*arguments, "--only-print"]) == 0
    from_results = capsys.readouterr().out
    assert "1 of 1" not in from_results
    shutil.rmtree(tmp_path / "results")
    assert main([*arguments, "--only-print", "--results", str(saved)]) == 0
    assert capsys.readouterr().out == from_results


def test_only_trains_and_prints_these_rows_of_several_tables(
    arguments, tmp_path, monkeypatch, capsys
):
    other = replace(UNET, name="another", learning_rate=1e-4)
    columns = {"PSNR": ("val_psnr", 1)}
    monkeypatch.setitem(TABLES, "X", Table("two", columns, {"U-Net": UNET, "Another": other}, {}))
    monkeypatch.setitem(TABLES, "Y", Table("one", columns, {"Another": other}, {}))
    saved = tmp_path / "docs"
    arguments = [arguments[0], "Y", *arguments[1:], "--only", "another", "--save", str(saved)]
    assert main(arguments) == 0
    assert "1 of 1: another, seed 0: done" in capsys.readouterr().out
    numbers = pd.read_csv(saved / "numbers.csv")
    assert list(zip(numbers.table, numbers.row)) == [("Y", "Another"), ("X", "Another")]
    assert "--only another`" in (saved / "X.md").read_text()
    assert "| U-Net   |" in (saved / "X.md").read_text()  # its cells are empty


def test_failed_runs_are_one_error_after_the_tables(arguments, monkeypatch, capsys):
    monkeypatch.setattr("hpatches_kit.experiments.engines.train_run", lambda *_, **__: "no power")
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert "### X: a test" in output.out
    assert output.err.startswith("error: 1 runs failed:\n  tiny-unet/")
    assert output.err.endswith(": no power\n")

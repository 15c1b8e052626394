"""Every notebook, from a fresh kernel, with settings that take a minute."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

PROJECT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
NAMES = [file.stem[2:] for file in NOTEBOOKS]  # without the number
FIRST = (PROJECT / "notebooks" / "first_cell.py").read_text().strip()

# At least so many descriptors.
SCORED = {"quickstart": 7, "benchmark": 7, "photographs": 5, "descriptors": 8, "pipeline": 7}


def figures_of(notebook):
    """The names of the cells that show a figure, one for each figure."""
    return [
        cell.id
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


@pytest.mark.parametrize(("name", "file"), zip(NAMES, NOTEBOOKS), ids=NAMES)
def test_a_notebook_runs_from_top_to_bottom_and_leaves_its_results(name, file, tmp_path):
    command = [sys.executable, PROJECT / "notebooks" / "run.py", name, "--quick"]
    done = subprocess.run([*command, "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    executed = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
    assert (tmp_path / f"{name}.html").stat().st_size > 100_000
    figures = figures_of(executed)
    assert len(figures) >= 6 and figures == figures_of(nbformat.read(file, as_version=4))
    assert all((tmp_path / f"{figure}.png").stat().st_size > 5000 for figure in figures)
    if name in SCORED:
        scores = pd.read_csv(tmp_path / "scores.csv")
        assert len(scores) >= SCORED[name] and scores.matching.between(0, 1).all()
        assert len(json.loads((tmp_path / "scores.json").read_text())["scores"]) == len(scores)
        assert "verification" in done.stdout and scores.descriptor[0] in done.stdout
    if name == "quickstart":
        psnr = pd.read_csv(tmp_path / "psnr.csv", index_col=0)
        assert (psnr["gain in dB"] > 3).all()
    if name == "denoising":
        denoisers = pd.read_csv(tmp_path / "denoisers.csv", index_col=0)
        assert len(denoisers) >= 20 and denoisers.val_psnr.notna().all()
        assert denoisers.val_psnr["Adam"] > 10
        filters = pd.read_csv(tmp_path / "filters.csv", index_col=0)["PSNR in dB"]
        assert filters["non-local means"] > filters["noisy"] + 2
    if name == "descriptors":
        assert list(pd.read_csv(tmp_path / "percentiles.csv", index_col=0).index) == [
            0,
            2,
            5,
            10,
            15,
        ]
        assert len(pd.read_csv(tmp_path / "short.csv")) >= 20
    if name == "data":
        noise = pd.read_csv(tmp_path / "noise.csv", index_col=0)
        assert (noise["PSNR in dB"].loc[["easy", "hard", "tough"]].diff().dropna() < -1).all()
        assert len(pd.read_csv(tmp_path / "twins.csv")) > 100


@pytest.mark.parametrize("file", NOTEBOOKS, ids=NAMES)
def test_a_notebook_is_committed_with_outputs_and_without_noise(file):
    notebook = nbformat.read(file, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0].source == FIRST, "run notebooks/run.py with --save"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    assert sum(bool(cell.outputs) for cell in code) > len(code) / 2
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert "error" not in kinds and "widgets" not in notebook.metadata
    assert "widget-view" not in file.read_text()  # alive in a session, an error on a page
    assert all(output.get("name") != "stderr" for cell in code for output in cell.outputs)
    assert all(len(cell.source.splitlines()) <= 20 for cell in code[1:])
    assert file.stat().st_size < 1_500_000
    assert str(PROJECT) not in file.read_text()


def run_first_cell(cell, folder):
    """In a Python that cannot see the package unless the cell finds it."""
    code = f"{cell}\nimport hpatches_kit; print(hpatches_kit.__version__)"
    outside = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    hide = (  # what an editable install adds
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()];"
        f"sys.path = [p for p in sys.path if p != {str(PROJECT)!r}]\n"
    )
    return subprocess.run(
        [sys.executable, "-c", hide + code], cwd=folder, capture_output=True, text=True, env=outside
    )


def test_the_first_cell_finds_the_checkout_around_the_notebook():
    done = run_first_cell(FIRST, PROJECT / "notebooks")
    assert done.returncode == 0, done.stderr


def test_the_first_cell_finds_a_checkout_beside_the_notebook(tmp_path):
    (tmp_path / "hpatches_kit").symlink_to(PROJECT)
    done = run_first_cell(FIRST, tmp_path)
    assert done.returncode == 0, done.stderr


def test_without_kit_and_address_the_first_cell_says_what_to_do(tmp_path):
    unset = re.sub('REPOSITORY = ".*?"', 'REPOSITORY = ""', FIRST)
    done = run_first_cell(unset, tmp_path)
    assert done.returncode != 0
    last_line = done.stderr.strip().splitlines()[-1]
    assert "Put a copy of the project beside this notebook, or its address into" in last_line


def test_an_unknown_notebook_is_refused_with_the_known_ones():
    done = subprocess.run(
        [sys.executable, PROJECT / "notebooks" / "run.py", "slowstart"],
        capture_output=True,
        text=True,
    )
    assert (
        done.returncode != 0
        and f"No notebook 'slowstart': expected one of {', '.join(NAMES)}." in done.stderr
    )

"""Notebooks run with short settings, and are committed as their last full run left them."""

import base64
import json
import re
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from fake_release import make as make_release
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
NAMES = [file.stem[2:] for file in NOTEBOOKS]  # without the number
SETUP = (PROJECT / "hpatches_kit" / "course" / "setup_cell.py").read_text().strip()

# Compiling takes longer than the few steps of --quick; the other notebooks compile their networks.
EAGER = {"denoising", "descriptors", "pipeline", "photographs", "hpatches"}
# Needs 4.2 GB of HPatches: committed without outputs, and tested on a hundredth of a fake release.
NOT_RUN = {"hpatches"}
# The smallest number of descriptors in the scores of a notebook.
SCORED = {
    "quickstart": 7,
    "benchmark": 7,
    "photographs": 5,
    "descriptors": 8,
    "pipeline": 7,
    "hpatches": 12,
}


def load_run(project=PROJECT):
    """The module `notebooks/run.py` of a project."""
    spec = spec_from_file_location("run", project / "notebooks" / "run.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def eager_profile(tmp_path_factory):
    """A folder of IPython whose kernels do not compile what TensorFlow runs."""
    folder = tmp_path_factory.mktemp("ipython")
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    code = "import tensorflow as tf\n\ntf.config.run_functions_eagerly(True)\n"
    (startup / "eager.py").write_text(code)
    return folder


def figures_of(notebook):
    """The names of the cells that show a figure, one for each figure."""
    return [
        cell.id
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file"), zip(NAMES, NOTEBOOKS), ids=NAMES)
def test_a_notebook_runs_from_top_to_bottom_and_leaves_its_results(
    name, file, tmp_path, eager_profile, monkeypatch, capsys
):
    if name in EAGER:
        monkeypatch.setenv("IPYTHONDIR", str(eager_profile))
    arguments = ["run.py", name, "--quick", "--out", str(tmp_path)]
    if name in NOT_RUN:
        make_release(tmp_path / "fake.zip", share=0.01, progress=False)
        monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "data"))
        arguments += ["--set", f"SOURCE = {str(tmp_path / 'fake.zip')!r}"]
    monkeypatch.setattr(sys, "argv", arguments)
    load_run().main()
    printed = capsys.readouterr().out
    executed = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
    assert (tmp_path / f"{name}.html").stat().st_size > 100_000
    figures = figures_of(executed)
    if name not in NOT_RUN:
        assert len(figures) >= 6 and figures == figures_of(nbformat.read(file, as_version=4))
    assert all((tmp_path / f"{figure}.png").stat().st_size > 5000 for figure in figures)
    if name in SCORED:
        scores = pd.read_csv(tmp_path / "scores.csv")
        assert len(scores) >= SCORED[name] and scores.matching.between(0, 1).all()
        assert len(json.loads((tmp_path / "scores.json").read_text())["scores"]) == len(scores)
        assert "verification" in printed and scores.descriptor[0] in printed
    if name == "quickstart":
        psnr = pd.read_csv(tmp_path / "psnr.csv", index_col=0)
        assert (psnr["gain in dB"] > 3).all()
    if name == "denoising":
        denoisers = pd.read_csv(tmp_path / "denoisers.csv", index_col=0)
        assert len(denoisers) >= 9 and denoisers.val_psnr.notna().all()
        assert denoisers.val_psnr["Adam"] > 10
        filters = pd.read_csv(tmp_path / "filters.csv", index_col=0)["PSNR in dB"]
        assert filters["non-local means"] > filters["noisy"] + 2
    if name == "descriptors":
        percentiles = pd.read_csv(tmp_path / "percentiles.csv", index_col=0)
        assert list(percentiles.index) == [0, 2]
        assert len(pd.read_csv(tmp_path / "short.csv")) >= 11
    if name == "data":
        noise = pd.read_csv(tmp_path / "noise.csv", index_col=0)
        assert (noise["PSNR in dB"].loc[["easy", "hard", "tough"]].diff().dropna() < -1).all()
        assert len(pd.read_csv(tmp_path / "near_duplicates.csv")) > 100


@pytest.mark.parametrize("file", NOTEBOOKS, ids=NAMES)
def test_a_notebook_is_committed_with_outputs_and_without_errors(file):
    notebook = nbformat.read(file, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0].source == SETUP, "run notebooks/run.py --prepare"
    assert code[0].metadata["cellView"] == "form" and notebook.metadata["accelerator"] == "GPU"
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    with_outputs = sum(bool(cell.outputs) for cell in code)
    assert with_outputs == 0 if file.stem[2:] in NOT_RUN else with_outputs > len(code) / 2
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert "error" not in kinds and "widgets" not in notebook.metadata
    assert "widget-view" not in file.read_text()  # a saved page shows an error instead of a widget
    assert all(output.get("name") != "stderr" for cell in code for output in cell.outputs)
    assert all(len(cell.source.splitlines()) <= 20 for cell in code[1:])
    assert file.stat().st_size < 1_500_000
    assert str(PROJECT) not in file.read_text()


def test_preparing_adds_one_badge_per_notebook_once_the_address_is_set(tmp_path):
    project = tmp_path / "project"  # a copy of what `run.py --prepare` reads and writes
    shutil.copytree(PROJECT / "notebooks", project / "notebooks")
    shutil.copy(PROJECT / "README.md", project)
    setup = project / "hpatches_kit" / "course" / "setup_cell.py"
    setup.parent.mkdir(parents=True)
    setup.write_text(SETUP)
    run = load_run(project)
    run.prepare_all()
    for file in (PROJECT / "README.md", *NOTEBOOKS):
        copy = project / file.relative_to(PROJECT)
        assert copy.read_text() == file.read_text(), "run notebooks/run.py --prepare"
        assert "Open in Colab" not in copy.read_text()
    address = 'REPOSITORY = "https://github.com/owner/hpatches_kit"'
    setup.write_text(setup.read_text().replace('REPOSITORY = ""', address))
    for _ in range(2):  # the second time nothing is added
        run.prepare_all()
        page = "colab.research.google.com/github/owner/hpatches_kit/blob/main/notebooks/"
        assert (project / "README.md").read_text().count(page) == len(NOTEBOOKS)
        for file in NOTEBOOKS:
            text = (project / "notebooks" / file.name).read_text()
            assert text.count(f"{page}{file.name}") == 1


def test_an_unknown_notebook_is_refused_with_the_known_ones(tmp_path):
    message = f"No notebook 'slowstart': expected one of {', '.join(NAMES)}."
    with pytest.raises(SystemExit, match=re.escape(message)):
        load_run().run("slowstart", tmp_path)


def test_saving_drops_widgets_and_keeps_their_pictures():
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    picture = {"image/png": notebook_picture(), "text/plain": "Plaything()"}
    outputs = [nbformat.v4.new_output("display_data", data) for data in (view, {**view, **picture})]
    cell = nbformat.v4.new_code_cell("hk.course.ap_slider()", outputs=outputs)
    load_run().clean(nbformat.v4.new_notebook(cells=[cell]))
    assert [set(output.data) for output in cell.outputs] == [{"image/png", "text/plain"}]


def notebook_picture():
    stream = BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "png")
    return base64.b64encode(stream.getvalue()).decode()

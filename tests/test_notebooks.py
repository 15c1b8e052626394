"""Notebooks run with short settings, and their setup cell finds the kit on every machine."""

import base64
import json
import os
import re
import shutil
import subprocess
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
        assert len(denoisers) >= 13 and denoisers.val_psnr.notna().all()
        assert denoisers.val_psnr["MAE"] > 10
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


PRELUDE = """
import importlib.util, subprocess, sys
# Hide an editable installation of the kit.
sys.meta_path = [f for f in sys.meta_path if "editable" not in repr(f).lower()]
sys.path = [p for p in sys.path if p != {project!r}]
installed = []
subprocess.run = lambda command, **options: installed.append(command)  # no network in tests
"""
COLAB = """
import shutil, types
from pathlib import Path

def module(name, **members):
    new = types.ModuleType(name)
    new.__dict__.update(members)
    new.__spec__ = importlib.util.spec_from_loader(name, None, origin="simulated")
    sys.modules[name] = new
    return new

def mount(path):
    mounted.append(path)

def upload():
    uploaded = {{}}
    for file in Path({uploads!r}).glob("*"):
        shutil.copy(file, file.name)
        uploaded[file.name] = file.read_bytes()
    return uploaded

mounted = []
drive, files = module("google.colab.drive", mount=mount), module("google.colab.files", upload=upload)
module("google").colab = module("google.colab", drive=drive, files=files)
"""
REPORT = """
print("installed", [command[3:] for command in installed])
import os, hpatches_kit
print(hpatches_kit.__file__)
print(os.getcwd())
"""


def run_setup_cell(folder, colab=None, *replacements):
    """Run the setup cell in a Python without the kit; `colab` is a folder with `MyDrive` and `uploads`."""
    cell = SETUP
    for old, new in replacements:
        assert old in cell
        cell = cell.replace(old, new)
    code = PRELUDE.format(project=str(PROJECT))
    if colab:
        (colab / "MyDrive").mkdir(parents=True, exist_ok=True)
        code += COLAB.format(uploads=str(colab / "uploads"))
        cell = cell.replace("/content/drive", str(colab))
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-c", code + cell + REPORT]
    options = {"cwd": folder, "capture_output": True, "text": True, "env": environment}
    return subprocess.run(command, **options)


def output_of_setup_cell(folder, colab=None, *replacements):
    process = run_setup_cell(folder, colab, *replacements)
    assert process.returncode == 0, process.stderr
    return process.stdout


def copy_project(folder):
    """Copy the part of a checkout that an import needs."""
    ignore = shutil.ignore_patterns("__pycache__", "weights")
    shutil.copytree(PROJECT / "hpatches_kit", folder / "hpatches_kit", ignore=ignore)
    return folder


@pytest.fixture
def content(tmp_path):
    """An empty folder, like `/content` of a new Colab session."""
    (tmp_path / "content").mkdir()
    return tmp_path / "content"


def test_the_setup_cell_finds_the_checkout_around_the_notebook():
    assert str(PROJECT / "hpatches_kit") in output_of_setup_cell(PROJECT / "notebooks")


def test_the_setup_cell_finds_a_checkout_beside_the_notebook(content):
    copy_project(content / "hpatches_kit")
    assert str(content / "hpatches_kit") in output_of_setup_cell(content)


def test_in_colab_the_setup_cell_finds_a_checkout_on_drive(content, tmp_path):
    checkout = copy_project(tmp_path / "drive" / "MyDrive" / "courses" / "vision")
    assert str(checkout) in output_of_setup_cell(content, tmp_path / "drive")


def test_in_colab_the_setup_cell_unpacks_a_zip_on_drive(content, tmp_path):
    copy_project(tmp_path / "zipped" / "hpatches_kit-main")
    drive = tmp_path / "drive" / "MyDrive"
    drive.mkdir(parents=True)
    shutil.make_archive(drive / "hpatches_kit-main", "zip", tmp_path / "zipped")
    assert "hpatches_kit_unpacked" in output_of_setup_cell(content, tmp_path / "drive")


def test_in_colab_the_setup_cell_accepts_an_uploaded_zip(content, tmp_path):
    copy_project(tmp_path / "zipped" / "hpatches_kit")
    uploads = tmp_path / "drive" / "uploads"
    uploads.mkdir(parents=True)
    shutil.make_archive(uploads / "hpatches_kit", "zip", tmp_path / "zipped")
    printed = output_of_setup_cell(content, tmp_path / "drive")
    assert "Upload it as a .whl" in printed and str(content / "hpatches_kit_unpacked") in printed


def test_in_colab_the_setup_cell_installs_an_uploaded_wheel_without_its_dependencies(
    content, tmp_path
):
    uploads = tmp_path / "drive" / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "hpatches_kit-0.2.0-py3-none-any.whl").write_bytes(b"a wheel")
    process = run_setup_cell(content, tmp_path / "drive")
    expected = "['install', '-q', '--no-deps', 'hpatches_kit-0.2.0-py3-none-any.whl']"
    assert expected in process.stdout, process.stderr


def test_with_a_public_address_the_setup_cell_installs_the_kit_from_it(content, tmp_path):
    address = ('REPOSITORY = ""', 'REPOSITORY = "https://github.com/owner/hpatches_kit"')
    process = run_setup_cell(content, tmp_path / "drive", address)
    assert "'--no-deps', 'git+https://github.com/owner/hpatches_kit'" in process.stdout, (
        process.stderr
    )


def test_runs_are_kept_on_drive_when_the_switch_is_on(content, tmp_path):
    copy_project(tmp_path / "drive" / "MyDrive" / "kit")
    switch = ("KEEP_RUNS_ON_DRIVE = False", "KEEP_RUNS_ON_DRIVE = True")
    printed = output_of_setup_cell(content, tmp_path / "drive", switch)
    assert printed.strip().endswith(str(tmp_path / "drive" / "MyDrive" / "hpatches_kit_runs"))


def test_without_a_copy_of_the_kit_the_setup_cell_says_what_to_do(content):
    process = run_setup_cell(content)
    assert process.returncode != 0
    assert "run `pip install PATH_OF_THE_PROJECT`, put a copy of the project" in process.stderr


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

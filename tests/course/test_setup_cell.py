"""The setup cell finds the kit on every machine: in a checkout, in Colab, from a public address."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SETUP = (PROJECT / "hpatches_kit" / "course" / "setup_cell.py").read_text().strip()

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

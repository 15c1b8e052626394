"""The modules that `import hpatches_kit` and `--help` load, and the contents of a wheel."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from processes import run_python

PROJECT = Path(__file__).resolve().parent.parent
SLOW = {"keras", "tensorflow", "jax", "torch", "numba", "scipy", "pandas", "matplotlib", "skimage"}
LIST_SLOW = f"import sys; print(sorted({SLOW!r} & set(sys.modules)))"


def test_importing_the_package_loads_nothing_slow():
    assert run_python(f"import hpatches_kit; {LIST_SLOW}") == "[]\n"


def test_help_loads_nothing_slow():
    code = "from hpatches_kit.cli.main import make_parser; make_parser().format_help()"
    assert run_python(f"{code}; {LIST_SLOW}") == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["losses.HardNegativeTriplet", "metrics.psnr"])
def test_losses_and_metrics_need_no_import_of_keras_before(name):
    assert run_python(f"import hpatches_kit as hk; hk.{name}; print('ready')") == "ready\n"


@pytest.mark.slow
def test_data_and_benchmark_work_without_keras():
    code = (
        "import sys, numpy as np, hpatches_kit as hk\n"
        "clean = np.random.default_rng(0).integers(0, 255, (18, 16, 32, 32)).astype('uint8')\n"
        "patches = hk.PatchSet({'clean': clean}, np.repeat(['v_a', 'v_b'], 9))\n"
        "scores = hk.benchmark.evaluate(hk.describe(hk.baselines.pixels, patches))\n"
        "hk.plots.scores(scores)\n"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    assert run_python(code).endswith("[]\n")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The Python of a new environment with the wheel; it borrows the dependencies of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    project = folder / "project"  # a copy: building leaves files behind
    shutil.copytree(PROJECT / "hpatches_kit", project / "hpatches_kit")
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, project)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, project]
    subprocess.run(wheel, check=True)
    venv.create(folder / "environment")
    python = folder / "environment" / "bin" / "python"
    (file,) = folder.glob("*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", file], check=True)
    (packages,) = (folder / "environment" / "lib").glob("python*/site-packages")
    # Paths in a .pth file follow those of the environment, and their .pth files are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


def run_installed(installed, *command):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    options = {"capture_output": True, "text": True, "env": environment, "cwd": installed.parent}
    process = subprocess.run([installed.parent / command[0], *command[1:]], **options)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.slow
def test_a_wheel_in_an_empty_environment_lists_every_name_and_has_the_pretrained_networks(
    installed,
):
    code = (
        "import hpatches_kit as hk, pathlib, re\n"
        "assert 'load' in dir(hk) and 'unet' in dir(hk.models)  # before they are imported\n"
        "folder = pathlib.Path(hk.__file__).parent\n"
        "assert folder.parent.name == 'site-packages', folder\n"
        "assert list(folder.glob('course/challenge/pages/templates/*.jinja'))\n"
        "for stub in folder.rglob('*.pyi'):\n"
        "    name = '.'.join(stub.parent.relative_to(folder.parent).parts)\n"
        "    package = __import__(name, fromlist=['x'])\n"
        "    for public in re.findall(r'import (\\w+) as', stub.read_text()):\n"
        "        getattr(package, public)\n"
        "assert 'denoiser' in hk.models.pretrained().index\n"
        "for name in ('denoiser', 'descriptor', 'noisy-descriptor'):\n"
        "    print(name, hk.models.pretrained(name).count_params())"
    )
    printed = run_installed(installed, "python", "-c", code)
    names = [line.split()[0] for line in printed.splitlines()]
    assert names == ["denoiser", "descriptor", "noisy-descriptor"]


@pytest.mark.slow
def test_a_wheel_installs_the_command_hpatches(installed):
    assert "evaluate" in run_installed(installed, "hpatches", "--help")
    assert "DESCRIPTORS" in run_installed(installed, "hpatches", "evaluate", "--help")


def test_every_package_that_is_imported_is_a_requirement():
    text = (PROJECT / "requirements.txt").read_text()
    required = {name.lower() for name in re.findall(r"^([\w-]+)", text, re.MULTILINE)}
    optional = {"jax", "torch", "ray", "fsspec", "cv2", "bm3d", "google", "psutil", "safetensors"}
    known = sys.stdlib_module_names | optional | {"hpatches_kit"}
    distributions = packages_distributions()
    for file in (PROJECT / "hpatches_kit").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for module in {name.split(".")[0] for name in names} - known:
                owners = {owner.lower() for owner in distributions[module]} | {module.lower()}
                assert owners & required or module == "IPython", f"{file.name}: {module}"

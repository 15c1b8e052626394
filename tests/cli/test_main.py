"""The program `hpatches`: its errors, and how fast it starts."""

import subprocess
import sys

import pytest

import hpatches_kit as hk
from hpatches_kit import benchmark
from hpatches_kit.cli.main import main

SLOW = "keras", "numba", "scipy", "pandas", "matplotlib", "skimage", "numpy", "nbformat"


def test_nothing_slow_is_imported_before_a_command_runs():
    code = (
        "import sys; from hpatches_kit.cli.main import make_parser; make_parser();"
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("error", [hk.UserError, FileNotFoundError, PermissionError])
def test_an_error_that_the_user_can_fix_is_one_line(error, monkeypatch, capsys):
    def fail(*args):
        raise error("lists is missing")

    monkeypatch.setattr(benchmark, "download_tasks", fail)
    assert main(["data", "tasks"]) == 2
    output = capsys.readouterr()
    assert output.err == "error: lists is missing\n" and output.out == ""


@pytest.mark.parametrize("error", [ZeroDivisionError, ValueError, KeyError, KeyboardInterrupt])
def test_any_other_error_keeps_its_traceback(error, monkeypatch):
    def fail(*args):
        raise error("a defect")

    monkeypatch.setattr(benchmark, "download_tasks", fail)
    with pytest.raises(error, match="a defect"):
        main(["data", "tasks"])


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "hpatches_kit"]
    done = subprocess.run([*command, "evaluate", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("usage: hpatches evaluate ")
    assert "DESCRIPTORS" in done.stdout and "--delimiter" in done.stdout
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("usage: hpatches ")


def test_it_prints_its_version(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0 and capsys.readouterr().out.strip() == hk.__version__

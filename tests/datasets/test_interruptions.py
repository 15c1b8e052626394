"""Processes are killed during download, conversion and denoising."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from files import file_names

import hpatches_kit as hk
from hpatches_kit.datasets.strips import write_strips

SCRIPT = """
import sys
import hpatches_kit as hk
if len(sys.argv) > 1:
    import keras
    denoiser = keras.models.load_model(sys.argv[1])
print("begin", flush=True)
patches = hk.load("hpatches", progress=False)
if len(sys.argv) > 1:
    hk.denoise(denoiser, patches)
print("end", flush=True)
"""


pytestmark = pytest.mark.slow


@pytest.fixture
def use_data_folder(tmp_path, server, monkeypatch):
    """A function that sets a new data folder; a slow server has the release."""
    release, rng = tmp_path / "hpatches-release", np.random.default_rng(0)
    for k in range(16):
        coarse = rng.integers(0, 256, (20, 16, 13, 13), np.uint8)
        write_strips(release / f"v_{k}", np.kron(coarse, np.ones((5, 5), np.uint8)))
    file = shutil.make_archive(tmp_path / "release", "zip", tmp_path, release.name)
    server.files["hpatches-release.zip"] = Path(file).read_bytes()
    pieces = Path(file).stat().st_size / 10_000
    server.default_fault = {"slow": 0.6 / pieces}  # seconds per piece: 0.6 s in all
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", server.url)

    def use(name):
        monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / name))
        return tmp_path / name

    return use


def begin(*arguments):
    """Start a process, and return it when its imports are done and its work begins."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, text=True, **pipes)
    assert process.stdout.readline() == "begin\n"
    return process


def seconds_without_interruption():
    process, start = begin(), time.perf_counter()
    assert process.communicate()[0].endswith("end\n")
    return time.perf_counter() - start


def kill_after(seconds, process):
    """Kill a process; returns whether its work was unfinished."""
    time.sleep(seconds)
    process.kill()
    return not process.communicate()[0].endswith("end\n")


def assert_same_arrays(patches, expected):
    for name in ("clean", "noisy", "flat", "label"):
        np.testing.assert_array_equal(getattr(patches, name), getattr(expected, name))


def test_download_and_conversion_resume_after_each_of_five_kills(use_data_folder):
    use_data_folder("complete")
    duration = seconds_without_interruption()
    expected, interrupted = hk.load("hpatches"), 0
    for k, fraction in enumerate(np.random.default_rng(1).uniform(0, 1, 5)):
        home = use_data_folder(f"home-{k}")
        interrupted += kill_after(fraction * duration, begin())
        assert not (home / "hpatches").exists() or len(hk.load("hpatches")) == len(expected)
        resumed = hk.load("hpatches", progress=False)
        assert_same_arrays(resumed, expected)
        assert resumed.fingerprint == expected.fingerprint
        assert file_names(home) == ["downloads", "hpatches"]
    assert interrupted >= 2


@pytest.fixture
def unet(tmp_path):
    keras.utils.set_random_seed(0)
    model = hk.models.unet(encoder=(4, 4), decoder=(4,))
    model.save(tmp_path / "unet.keras")
    return model


DENOISE_AND_DIE = """
import os, signal, sys
import keras, hpatches_kit as hk
from hpatches_kit._support.resumable_arrays import ResumableArrays

write, calls = ResumableArrays._write, iter(range(int(sys.argv[2])))


def write_or_die(*arguments):
    if next(calls, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    write(*arguments)


ResumableArrays._write = write_or_die
hk.denoise(keras.models.load_model(sys.argv[1]), hk.load("hpatches"))
"""


# Rows are written, then recorded as done: the second ones are killed before and after they are written.
@pytest.mark.parametrize("writes", [2, 3])
def test_denoising_resumes_after_a_kill(writes, use_data_folder, unet, tmp_path):
    use_data_folder("complete")
    expected = hk.denoise(unet, hk.load("hpatches", progress=False))
    home = use_data_folder("home")
    hk.load("hpatches", progress=False)
    command = [sys.executable, "-c", DENOISE_AND_DIE, tmp_path / "unet.keras", str(writes)]
    assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    (done,) = (np.fromfile(file, np.uint8) for file in home.glob("denoised/**/done"))
    assert 0 < done.sum() < len(done)
    resumed = hk.denoise(unet, hk.load("hpatches"))
    np.testing.assert_array_equal(resumed["denoised"], expected["denoised"])


def test_one_conversion_resumes_after_three_kills(use_data_folder):
    use_data_folder("complete")
    expected = hk.load("hpatches", progress=False)
    use_data_folder("home")
    assert any([kill_after(0.3, begin()) for _ in range(3)])
    assert_same_arrays(hk.load("hpatches", progress=False), expected)


def test_two_processes_at_once_download_and_convert_once(use_data_folder, server):
    use_data_folder("complete")
    expected = hk.load("hpatches", progress=False)
    home, requests_before = use_data_folder("home"), len(server.requests)
    processes = [begin(), begin()]
    assert all(process.communicate()[0].endswith("end\n") for process in processes)
    assert len(server.requests) == requests_before + 1  # one process downloaded
    assert_same_arrays(hk.load("hpatches"), expected)
    assert file_names(home) == ["downloads", "hpatches"]


def test_two_processes_that_denoise_at_once_get_the_same_patches(use_data_folder, unet, tmp_path):
    use_data_folder("home")
    patches = hk.load("hpatches", progress=False)
    processes = [begin(tmp_path / "unet.keras") for _ in range(2)]
    assert all(process.communicate()[0].endswith("end\n") for process in processes)
    cached = hk.denoise(unet, patches)
    in_memory = hk.PatchSet({"noisy": patches.noisy}, patches.sequence)
    np.testing.assert_array_equal(cached["denoised"], hk.denoise(unet, in_memory)["denoised"])

"""The plug is pulled at random moments of download, conversion and denoising."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

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
KINDS = ("clean", "noisy", "flat", "label")


@pytest.fixture
def at(tmp_path, server, monkeypatch):
    """Choose a fresh place for data, whose release comes slowly from a server."""
    release, rng = tmp_path / "hpatches-release", np.random.default_rng(0)
    for k in range(16):
        coarse = rng.integers(0, 256, (20, 16, 13, 13), np.uint8)
        write_strips(release / f"v_{k}", np.kron(coarse, np.ones((5, 5), np.uint8)))
    file = shutil.make_archive(tmp_path / "release", "zip", tmp_path, release.name)
    server.files["hpatches-release.zip"] = Path(file).read_bytes()
    server.always = {"slow": 0.6 / (Path(file).stat().st_size / 10_000)}  # seconds a piece
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", server.url)

    def at(name):
        monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / name))
        return tmp_path / name

    return at


def begin(*arguments):
    """A process that has loaded what it needs and begins its work now."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout.readline() == "begin\n"
    return process


def seconds_without_interruption(*arguments):
    process, began = begin(*arguments), time.perf_counter()
    assert process.communicate()[0].endswith("end\n")
    return time.perf_counter() - began


def kill_after(seconds, process):
    """Whether it was still at work when it was killed."""
    time.sleep(seconds)
    process.kill()
    return not process.communicate()[0].endswith("end\n")


def same(one, other, kinds):
    return all(
        np.array_equal(getattr(one, kind, None), getattr(other, kind, None)) for kind in kinds
    )


def visible(folder):
    return sorted(child.name for child in folder.iterdir() if not child.name.startswith("."))


def test_download_and_conversion_survive_seven_kills(at):
    at("whole")
    whole_time = seconds_without_interruption()
    expected, interrupted = hk.load("hpatches"), 0
    for k, share in enumerate(np.random.default_rng(1).uniform(0, 1, 7)):
        home = at(f"home-{k}")
        interrupted += kill_after(share * whole_time, begin())
        assert not (home / "hpatches").exists() or len(hk.load("hpatches")) == len(expected)
        again = hk.load("hpatches", progress=False)
        assert same(again, expected, KINDS) and again.fingerprint == expected.fingerprint
        assert visible(home) == ["downloads", "hpatches"]
        assert not [f for f in home.iterdir() if f.is_dir() and f.name.startswith(".")]
    assert interrupted >= 3


def test_denoising_survives_three_kills(at, tmp_path):
    keras.utils.set_random_seed(0)
    unet = hk.models.unet("shallow")
    unet.save(tmp_path / "unet.keras")
    at("whole")
    expected = hk.denoise(unet, hk.load("hpatches", progress=False))
    at("home")
    hk.load("hpatches", progress=False)  # what follows is denoising alone
    whole_time, interrupted = None, 0
    for share in [1, *np.random.default_rng(2).uniform(0, 1, 3)]:
        shutil.rmtree(tmp_path / "home" / "denoised", ignore_errors=True)
        if whole_time is None:
            whole_time = seconds_without_interruption(tmp_path / "unet.keras")
            continue
        interrupted += kill_after(share * whole_time, begin(tmp_path / "unet.keras"))
        again = hk.denoise(unet, hk.load("hpatches"))
        np.testing.assert_array_equal(again["denoised"], expected["denoised"])
    assert interrupted >= 1


def test_one_run_survives_kill_after_kill(at):
    at("whole")
    expected = hk.load("hpatches", progress=False)
    at("home")
    assert any([kill_after(0.3, begin()) for _ in range(4)])
    assert same(hk.load("hpatches", progress=False), expected, KINDS)


def test_two_processes_at_once_make_one_set(at, server):
    at("whole")
    expected = hk.load("hpatches", progress=False)
    home, asked = at("home"), len(server.requests)
    both = [begin(), begin()]
    assert all(process.communicate()[0].endswith("end\n") for process in both)
    assert len(server.requests) == asked + 1  # one of them downloaded
    assert same(hk.load("hpatches"), expected, KINDS) and visible(home) == ["downloads", "hpatches"]


def test_two_processes_that_denoise_at_once_do_it_once(at, tmp_path):
    keras.utils.set_random_seed(0)
    unet = hk.models.unet("shallow")
    unet.save(tmp_path / "unet.keras")
    at("home")
    patches = hk.load("hpatches", progress=False)
    both = [begin(tmp_path / "unet.keras") for _ in range(2)]
    assert all(process.communicate()[0].endswith("end\n") for process in both)
    made = hk.denoise(unet, patches)
    in_memory = hk.PatchSet({"noisy": patches.noisy}, patches.sequence)
    np.testing.assert_array_equal(made["denoised"], hk.denoise(unet, in_memory)["denoised"])

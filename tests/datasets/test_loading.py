import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.datasets import hpatches, loading
from hpatches_kit.datasets.strips import write_strips


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The data folder; HPatches has two sequences, and its server cannot be reached."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", "http://127.0.0.1:9/nothing")  # no server
    monkeypatch.setattr("hpatches_kit._support.transfer.WAIT", 0.001)
    monkeypatch.setattr(loading, "SEQUENCE_NAMES", ["i_ajuntament", "v_there"])
    return tmp_path / "home"


@pytest.fixture
def release(tmp_path):
    """A zip with two sequences in the layout of HPatches."""
    rng = np.random.default_rng(0)
    for name, points in (("i_ajuntament", 3), ("v_there", 2)):
        patches = rng.integers(0, 256, (points, 16, 65, 65), np.uint8)
        write_strips(tmp_path / "unpacked" / "hpatches-release" / name, patches)
    return Path(shutil.make_archive(tmp_path / "mine", "zip", tmp_path / "unpacked"))


def test_a_folder_of_saved_patches_is_opened_by_its_path(patches, tmp_path):
    patches.save(tmp_path / "saved")
    np.testing.assert_array_equal(hk.load(tmp_path / "saved").noisy, patches.noisy)


def test_a_missing_file_of_a_saved_set_is_reported(patches, tmp_path):
    patches.save(tmp_path / "saved")
    (tmp_path / "saved" / "clean.npy").unlink()
    with pytest.raises(ValueError, match=r"clean\.npy is damaged: no file"):
        hk.load(tmp_path / "saved")


@pytest.mark.parametrize("arguments", [{"source": "a.zip"}, {"seed": 1}, {"seed": 0}])
def test_a_saved_set_takes_no_source_and_no_seed(patches, tmp_path, arguments):
    patches.save(tmp_path / "saved")
    with pytest.raises(hk.UserError, match="a saved patch set, takes neither source= nor seed="):
        hk.load(tmp_path / "saved", **arguments)


def test_originals_of_a_saved_set_must_be_in_it(patches, tmp_path):
    patches.save(tmp_path / "saved")
    with pytest.raises(hk.UserError, match="saved is a saved patch set without 65 px patches"):
        hk.load(tmp_path / "saved", originals=True)
    original = np.zeros((len(patches), 16, 65, 65), np.uint8)
    patches.add("original", original).save(tmp_path / "large")
    assert "original" in hk.load(tmp_path / "large", originals=True).arrays


def test_a_source_beside_the_path_of_a_source_is_refused(release, home):
    with pytest.raises(hk.UserError, match="mine.zip' is itself a source. Leave source= out"):
        hk.load(release, source="other.zip")


def forbid_conversion(monkeypatch):
    monkeypatch.setattr(
        hpatches, "convert_release", lambda *_, **__: pytest.fail("converted again")
    )


def test_strips_in_a_folder_or_zip_are_converted_once(release, home, monkeypatch):
    converted = hk.load(release)
    assert converted.lengths == {"i_ajuntament": 3, "v_there": 2}
    forbid_conversion(monkeypatch)
    assert isinstance(hk.load(str(release)).base("clean"), np.memmap)
    assert [child.name.split("-")[0] for child in home.iterdir() if child.is_dir()] == ["mine"]


def test_a_release_with_a_source_needs_no_network(release, home, monkeypatch):
    converted = hk.load("hpatches", source=release)
    forbid_conversion(monkeypatch)
    for again in (hk.load("hpatches"), hk.load("hpatches", source=release)):
        np.testing.assert_array_equal(again.noisy, converted.noisy)
    train, test = again.split("a")
    assert (train.names, test.names) == (["v_there"], ["i_ajuntament"])


def test_a_part_of_the_release_is_stored_separately(release, home, tmp_path):
    whole = hk.load("hpatches", source=release)
    folder = tmp_path / "unpacked" / "hpatches-release"
    shutil.rmtree(folder / "i_ajuntament")
    part = hk.load("hpatches", source=folder)
    assert part.names == ["v_there"] and hk.load("hpatches").names == whole.names
    with pytest.raises(ConnectionError):
        hk.load("hpatches", home / "elsewhere", progress=False)


def test_a_release_whose_content_changed_is_converted_again(release, home, tmp_path, capsys):
    before = hk.load("hpatches", source=release)
    folder = tmp_path / "unpacked" / "hpatches-release"
    write_strips(folder / "v_there", np.full((2, 16, 65, 65), 7, np.uint8))
    after = hk.load("hpatches", source=folder)
    assert (after.select("v_there").clean == 7).all() and before.fingerprint != after.fingerprint
    assert "was built with fingerprint = " in capsys.readouterr().out


def test_a_source_may_be_deleted_after_the_conversion(release, home):
    converted = hk.load("hpatches", source=release)
    release.unlink()
    np.testing.assert_array_equal(hk.load("hpatches", source=release).noisy, converted.noisy)
    with pytest.raises(FileNotFoundError, match="other.zip is neither a folder nor a zip"):
        hk.load("hpatches", source=release.with_name("other.zip"))


def test_the_release_of_the_course_is_never_replaced_by_hpatches(
    patches, home, tmp_path, monkeypatch
):
    hpatches.write_release(patches, tmp_path / "course")
    monkeypatch.setattr(loading, "SEQUENCE_NAMES", patches.names)
    hk.load("n-hpatches", source=tmp_path / "course")
    label = home / "n-hpatches" / "label.npy"
    label.write_bytes(label.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"label\.npy is damaged"):
        hk.load("n-hpatches")
    assert len(hk.load("n-hpatches", source=tmp_path / "course")) == len(patches)


def test_the_width_of_the_strips_decides_which_release_it_is(
    release, patches, home, tmp_path, monkeypatch
):
    of_65_px = hk.load("n-hpatches", source=release)
    np.testing.assert_array_equal(hk.load("hpatches").noisy, of_65_px.noisy)
    hpatches.write_release(patches, tmp_path / "course")
    monkeypatch.setattr(loading, "SEQUENCE_NAMES", patches.names)
    hk.load("hpatches", source=tmp_path / "course")
    folders = sorted(child.name for child in home.iterdir() if child.is_dir())
    assert folders == ["hpatches", "n-hpatches"]
    np.testing.assert_array_equal(hk.load("hpatches").noisy, of_65_px.noisy)
    shutil.rmtree(tmp_path / "course")  # the converted set opens without its source
    of_32_px = hk.load("hpatches", source=tmp_path / "course")
    np.testing.assert_array_equal(of_32_px.select(patches.names).noisy, patches.noisy)


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_an_invalid_seed_is_refused_before_the_work_starts(home, seed):
    with pytest.raises(ValueError, match="seed=.*expected a whole number, 0 or more"):
        hk.load("hpatches", seed=seed)
    assert not home.exists()


def test_sets_with_another_seed_or_originals_are_stored_separately(release, home):
    plain = hk.load("hpatches", source=release)
    seed_7 = hk.load("hpatches", source=release, seed=7)
    with_originals = hk.load("hpatches", source=release, originals=True)
    assert (seed_7.noisy != plain.noisy).any()
    assert with_originals["original"].shape[2:] == (65, 65)
    folders = sorted(child.name for child in home.iterdir() if child.is_dir())
    assert folders == ["hpatches", "hpatches-original", "hpatches-seed-7"]
    assert "original" not in hk.load("hpatches").arrays


def test_n_hpatches_is_the_release_of_the_course_or_else_made_from_hpatches(
    release, patches, home, tmp_path, monkeypatch
):
    from_hpatches = hk.load("hpatches", source=release)
    np.testing.assert_array_equal(hk.load("n-hpatches").noisy, from_hpatches.noisy)
    hpatches.write_release(patches, tmp_path / "course")
    monkeypatch.setattr(loading, "SEQUENCE_NAMES", patches.names)
    from_course = hk.load("n-hpatches", source=tmp_path / "course")
    np.testing.assert_array_equal(from_course.select(patches.names).noisy, patches.noisy)
    assert hk.load("n-hpatches").names == from_course.names  # from now on
    assert hk.load("hpatches").names == from_hpatches.names


def test_the_release_is_downloaded_when_it_is_missing(release, home, server, monkeypatch, capsys):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/course")
    server.files["hpatches-release.zip"] = release.read_bytes()
    patches = hk.load("hpatches")
    expected = hk.load(release)
    np.testing.assert_array_equal(patches.noisy, expected.noisy)
    file = home / "downloads" / "hpatches-release.zip"
    assert f"{file} (" in capsys.readouterr().out and file.read_bytes() == release.read_bytes()
    server.files.clear()
    assert len(hk.load("hpatches")) == 5


def test_without_network_and_source_the_error_says_what_to_do(home):
    message = r"hpatches-release.zip: .*HPATCHES_KIT_MIRROR.* or pass its path as source="
    with pytest.raises(ConnectionError, match=message):
        hk.load("hpatches", progress=False)
    assert not (home / "hpatches").exists()


def test_a_set_of_an_older_version_is_converted_again_from_the_downloaded_zip(
    release, home, server, monkeypatch, capsys
):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", server.url)
    server.files["hpatches-release.zip"] = release.read_bytes()
    hk.load("hpatches")
    server.files.clear()
    monkeypatch.setattr(hpatches, "VERSION", 99)
    assert len(hk.load("hpatches")) == 5
    assert "was built with version = 1, wanted 99" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_known_names():
    message = "'maxi': expected 'mini', 'photos', 'hpatches', 'n-hpatches' or the path"
    with pytest.raises(ValueError, match=f"Unknown data set {message}"):
        hk.load("maxi")


def test_patches_and_benchmark_work_without_keras():
    code = (
        "import sys, numpy as np, hpatches_kit as hk\n"
        "sequence = np.repeat(['v_a', 'v_b'], 9)\n"
        "patches = np.random.default_rng(0).integers(0, 255, (18, 16, 32, 32)).astype('uint8')\n"
        "patches = hk.PatchSet({'clean': patches}, sequence)\n"
        "print(hk.benchmark.evaluate(hk.describe(hk.baselines.pixels, patches)))\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

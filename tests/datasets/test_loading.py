import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from toy_data import write_sequence

import hpatches_kit as hk
from hpatches_kit.datasets import hpatches
from hpatches_kit.datasets import loading as datasets
from hpatches_kit.datasets.strips import write_strips


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A place of their own for built and downloaded data."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", "http://127.0.0.1:9/nothing")  # nobody listens there
    monkeypatch.setattr("hpatches_kit._support.transfer.WAIT", 0.001)
    monkeypatch.setattr(
        datasets, "SEQUENCE_NAMES", ["i_ajuntament", "v_there"]
    )  # the whole of HPatches
    return tmp_path / "home"


@pytest.fixture
def release(tmp_path):
    """A zip of two sequences in the layout of HPatches."""
    rng = np.random.default_rng(0)
    for name, points in (("i_ajuntament", 3), ("v_there", 2)):
        patches = rng.integers(0, 256, (points, 16, 65, 65), np.uint8)
        write_strips(tmp_path / "unpacked" / "hpatches-release" / name, patches)
    return Path(shutil.make_archive(tmp_path / "mine", "zip", tmp_path / "unpacked"))


def test_a_folder_of_saved_patches_is_opened_by_its_path(patches, tmp_path):
    patches.save(tmp_path / "saved")
    np.testing.assert_array_equal(hk.load(tmp_path / "saved").noisy, patches.noisy)


def test_a_saved_set_that_lost_a_file_says_so(patches, tmp_path):
    patches.save(tmp_path / "saved")
    (tmp_path / "saved" / "clean.npy").unlink()
    with pytest.raises(ValueError, match=r"clean\.npy is damaged: no file"):
        hk.load(tmp_path / "saved")


def no_more_work(monkeypatch):
    monkeypatch.setattr(hpatches, "convert_release", lambda *_, **__: 1 / 0)


def test_strips_in_a_folder_or_zip_are_converted_once(release, home, monkeypatch):
    converted = hk.load(release)
    assert converted.lengths == {"i_ajuntament": 3, "v_there": 2}
    no_more_work(monkeypatch)
    assert isinstance(hk.load(str(release)).base("clean"), np.memmap)
    assert [child.name.split("-")[0] for child in home.iterdir() if child.is_dir()] == ["mine"]


def test_a_release_that_is_here_already_needs_no_network(release, home, monkeypatch):
    made = hk.load("hpatches", source=release)
    no_more_work(monkeypatch)
    for again in (hk.load("hpatches"), hk.load("hpatches", source=release)):
        np.testing.assert_array_equal(again.noisy, made.noisy)
    train, test = again.split("a")
    assert (train.names, test.names) == (["v_there"], ["i_ajuntament"])


def test_a_part_of_the_release_is_not_taken_for_the_whole(release, home, tmp_path):
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


def test_a_source_may_be_deleted_when_it_has_been_converted(release, home):
    made = hk.load("hpatches", source=release)
    release.unlink()
    np.testing.assert_array_equal(hk.load("hpatches", source=release).noisy, made.noisy)
    with pytest.raises(FileNotFoundError, match="other.zip is neither a folder nor a zip"):
        hk.load("hpatches", source=release.with_name("other.zip"))


def test_the_courses_own_release_is_never_replaced_by_hpatches(
    patches, home, tmp_path, monkeypatch
):
    hpatches.write_release(patches, tmp_path / "course")
    monkeypatch.setattr(datasets, "SEQUENCE_NAMES", patches.names)
    hk.load("n-hpatches", source=tmp_path / "course")
    label = home / "n-hpatches" / "label.npy"
    label.write_bytes(label.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"label\.npy is damaged"):
        hk.load("n-hpatches")
    assert len(hk.load("n-hpatches", source=tmp_path / "course")) == len(patches)


def test_a_release_is_what_it_is_whatever_it_was_called(
    release, patches, home, tmp_path, monkeypatch
):
    made = hk.load("n-hpatches", source=release)  # 65 px: noise of the kit, so it is "hpatches"
    np.testing.assert_array_equal(hk.load("hpatches").noisy, made.noisy)
    hpatches.write_release(patches, tmp_path / "course")
    monkeypatch.setattr(datasets, "SEQUENCE_NAMES", patches.names)
    hk.load("hpatches", source=tmp_path / "course")
    folders = sorted(child.name for child in home.iterdir() if child.is_dir())
    assert folders == ["hpatches", "n-hpatches"]
    np.testing.assert_array_equal(hk.load("hpatches").noisy, made.noisy)
    shutil.rmtree(tmp_path / "course")  # it opens without its source, too
    asked = hk.load("hpatches", source=tmp_path / "course")
    np.testing.assert_array_equal(asked.select(patches.names).noisy, patches.noisy)


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_an_odd_seed_is_refused_before_anything_is_done(home, seed):
    with pytest.raises(ValueError, match="seed=.*expected a whole number, 0 or more"):
        hk.load("hpatches", seed=seed)
    assert not home.exists()


def test_other_noise_and_kept_originals_lie_beside_the_plain_set(release, home):
    plain = hk.load("hpatches", source=release)
    other = hk.load("hpatches", source=release, seed=7)
    kept = hk.load("hpatches", source=release, originals=True)
    assert (other.noisy != plain.noisy).any() and kept["original"].shape[2:] == (65, 65)
    folders = sorted(child.name for child in home.iterdir() if child.is_dir())
    assert folders == ["hpatches", "hpatches-original", "hpatches-seed-7"]
    assert "original" not in hk.load("hpatches").arrays


def test_the_noisy_release_is_the_courses_own_or_made_of_hpatches(
    release, patches, home, tmp_path, monkeypatch
):
    made = hk.load("hpatches", source=release)
    np.testing.assert_array_equal(hk.load("n-hpatches").noisy, made.noisy)
    hpatches.write_release(patches, tmp_path / "course")
    monkeypatch.setattr(datasets, "SEQUENCE_NAMES", patches.names)
    own = hk.load("n-hpatches", source=tmp_path / "course")
    np.testing.assert_array_equal(own.select(patches.names).noisy, patches.noisy)
    assert hk.load("n-hpatches").names == own.names  # from now on
    assert hk.load("hpatches").names == made.names


def test_the_release_is_downloaded_where_it_is_not_here(release, home, server, monkeypatch, capsys):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/course")
    server.files["hpatches-release.zip"] = release.read_bytes()
    patches = hk.load("hpatches")
    expected = hk.load(release)
    np.testing.assert_array_equal(patches.noisy, expected.noisy)
    kept = home / "downloads" / "hpatches-release.zip"
    assert f"{kept} (" in capsys.readouterr().out and kept.read_bytes() == release.read_bytes()
    server.files.clear()
    assert len(hk.load("hpatches")) == 5


def test_without_network_and_source_one_line_says_what_can_be_done(home):
    words = r"hpatches-release.zip: .*HPATCHES_KIT_MIRROR.* or pass its path as source="
    with pytest.raises(ConnectionError, match=words):
        hk.load("hpatches", progress=False)
    assert not (home / "hpatches").exists()


def test_a_set_of_an_older_kit_is_made_anew_from_the_zip_that_is_kept(
    release, home, server, monkeypatch, capsys
):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", server.url)
    server.files["hpatches-release.zip"] = release.read_bytes()
    hk.load("hpatches")
    server.files.clear()
    monkeypatch.setattr(hpatches, "VERSION", 99)
    assert len(hk.load("hpatches")) == 5
    assert "was built with version = 1, wanted 99" in capsys.readouterr().out


def test_image_sequences_are_unpacked_once(home, tmp_path):
    images = [np.full((40, 50), 40 * k) for k in range(6)]
    write_sequence(
        tmp_path / "release" / "hpatches-sequences-release" / "v_wall", images, [np.eye(3)] * 5
    )
    (tmp_path / "release" / "readme.txt").write_text("x")
    file = shutil.make_archive(tmp_path / "sequences", "zip", tmp_path / "release")
    folder = hk.datasets.image_sequences(source=file)
    assert [child.name for child in folder.iterdir()] == ["v_wall"]
    sequence = hk.images.read_sequence(folder / "v_wall")
    assert sequence.images[5][3, 3] == 200 and len(sequence.homographies) == 5
    Path(file).unlink()
    assert hk.datasets.image_sequences() == folder


def test_too_little_room_for_image_sequences_is_said_first(home, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("v_wall/1.ppm", b"x" * 1000)
    usage = type("Usage", (), {"free": 999})
    monkeypatch.setattr("hpatches_kit._support.disk.shutil.disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="Unpacking needs 1.0 kB, 999 bytes are free"):
        hk.datasets.image_sequences(source=tmp_path / "a.zip")


def test_two_image_sequences_of_one_name_and_a_folder_are_refused(home, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("v_wall/1.ppm", b"x")
        archive.writestr("copy/v_wall/1.ppm", b"y")
    with pytest.raises(ValueError, match="two sequences of one name"):
        hk.datasets.image_sequences(source=tmp_path / "a.zip")
    with pytest.raises(ValueError, match="is a folder: its sequences can be read where they are"):
        hk.datasets.image_sequences(source=tmp_path)


def test_a_zip_without_image_sequences_is_refused(home, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.ppm", b"x")
    with pytest.raises(ValueError, match="holds no image sequence: expected 1.ppm and H_1_2"):
        hk.datasets.image_sequences(source=tmp_path / "a.zip")
    assert not (home / "hpatches-sequences").exists()


def test_image_sequences_are_downloaded_where_they_are_not_here(home, tmp_path, monkeypatch):
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("top/v_wall/1.ppm", b"x")
    monkeypatch.setattr(
        "hpatches_kit.datasets.releases.download_release", lambda name, folder, progress: file
    )
    assert (hk.datasets.image_sequences() / "v_wall" / "1.ppm").read_bytes() == b"x"


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path):
    words = (
        "Unknown data set 'maxi': expected 'mini', 'photos', 'hpatches', 'n-hpatches' or the path"
    )
    with pytest.raises(ValueError, match=words):
        hk.load("maxi")


def test_reading_data_and_scoring_need_no_keras():
    code = (
        "import sys, numpy as np, hpatches_kit as hk\n"
        "sequence = np.repeat(['v_a', 'v_b'], 9)\n"
        "patches = np.random.default_rng(0).integers(0, 255, (18, 16, 32, 32)).astype('uint8')\n"
        "data = hk.PatchSet({'clean': patches}, sequence)\n"
        "print(hk.benchmark.evaluate(hk.describe(hk.baselines.pixels, data)))\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

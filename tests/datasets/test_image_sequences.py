import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from toy_data import write_sequence

import hpatches_kit as hk


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The data folder."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


def write_zip(file, members):
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_image_sequences_are_unpacked_once(tmp_path):
    images = [np.full((40, 50), 40 * k) for k in range(6)]
    release = tmp_path / "release"
    write_sequence(release / "hpatches-sequences-release" / "v_wall", images, [np.eye(3)] * 5)
    (release / "readme.txt").write_text("x")
    file = shutil.make_archive(tmp_path / "sequences", "zip", release)
    folder = hk.datasets.image_sequences(source=file)
    assert [child.name for child in folder.iterdir()] == ["v_wall"]
    sequence = hk.images.read_sequence(folder / "v_wall")
    assert sequence.images[5][3, 3] == 200 and len(sequence.homographies) == 5
    Path(file).unlink()
    assert hk.datasets.image_sequences() == folder


def test_too_little_disk_space_is_reported_before_the_work_starts(tmp_path, set_free_space):
    file = write_zip(tmp_path / "a.zip", {"v_wall/1.ppm": b"x" * 1000})
    set_free_space(999)
    with pytest.raises(OSError, match="Unpacking needs 1.0 kB, 999 bytes are free"):
        hk.datasets.image_sequences(source=file)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["v_wall/1.ppm", "copy/v_wall/1.ppm"], "two sequences with the same name"),
        (["1.ppm"], "contains no image sequence: expected 1.ppm and H_1_2"),
    ],
)
def test_a_zip_with_repeated_or_without_sequences_is_refused(home, tmp_path, names, message):
    file = write_zip(tmp_path / "a.zip", dict.fromkeys(names, b"x"))
    with pytest.raises(ValueError, match=message):
        hk.datasets.image_sequences(source=file)
    assert not (home / "hpatches-sequences").exists()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is a folder: expected a zip"):
        hk.datasets.image_sequences(source=tmp_path)


def test_image_sequences_are_downloaded_when_they_are_missing(tmp_path, monkeypatch):
    file = write_zip(tmp_path / "a.zip", {"top/v_wall/1.ppm": b"x"})
    monkeypatch.setattr(
        "hpatches_kit.datasets.releases.download_release", lambda name, folder, progress: file
    )
    assert (hk.datasets.image_sequences() / "v_wall" / "1.ppm").read_bytes() == b"x"

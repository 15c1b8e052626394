"""The data folder, and checks of disks."""

from pathlib import Path

import pytest

import hpatches_kit
from hpatches_kit._support import disk


def test_too_little_disk_space_is_reported(tmp_path, set_free_space):
    set_free_space(3_200_000_000)
    with pytest.raises(OSError, match=r"Converting needs 5\.1 GB, 3\.2 GB are free.*Make room"):
        disk.check_disk_space(tmp_path, 5_140_000_000, "Converting")
    disk.check_disk_space(tmp_path, 3_000_000_000, "Converting")


def test_a_path_that_cannot_be_written_is_reported(tmp_path):
    disk.check_writable(tmp_path / "new" / "folder" / "file")
    (tmp_path / "file").write_text("x")
    message = "file/a cannot be written: .* not a writable folder"
    with pytest.raises(PermissionError, match=message):
        disk.check_writable(tmp_path / "file" / "a")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder that looks like a checkout, and contains disk.py as far as disk.py knows."""
    root = Path(hpatches_kit.__file__).parents[1]
    monkeypatch.setattr(disk, "__file__", str(tmp_path / Path(disk.__file__).relative_to(root)))
    monkeypatch.delenv("HPATCHES_KIT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "data").mkdir()
    return tmp_path


def test_a_checkout_keeps_data_in_its_data_folder(checkout):
    assert disk.data_folder() == checkout / "data"


def test_an_installed_package_keeps_data_in_the_cache_folder(checkout):
    (checkout / "pyproject.toml").unlink()
    assert disk.data_folder() == checkout / "cache" / "hpatches_kit"


def test_the_data_folder_can_be_chosen(checkout, monkeypatch):
    monkeypatch.setenv("HOME", str(checkout))
    monkeypatch.setenv("HPATCHES_KIT_DATA", "~/chosen")
    assert disk.data_folder() == checkout / "chosen"

"""Zipped CSV folders: they are read like folders, and unsafe or damaged zips are refused."""

import os
import stat
import zipfile

import numpy as np
import pytest

from hpatches_kit.descriptors import load, sequence_names
from hpatches_kit.patches.views import VIEWS


@pytest.mark.parametrize("inside", [".", "set", "a/b"])
def test_a_zip_is_read_like_its_folder(folder, zip_folder, tmp_path, inside):
    file = zip_folder(folder, tmp_path / "other.zip", inside)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("__MACOSX/v_a/._ref.csv", "binary")
        archive.writestr("v_a/.hidden.csv", "binary")
        archive.writestr("notes/readme.txt", "none")
    loaded = load(file, sequences=["v_a", "i_b"])
    np.testing.assert_array_equal(loaded.values, load(folder, sequences=["v_a", "i_b"]).values)
    assert loaded.name == "other" and sequence_names(file) == ["i_b", "v_a", "v_c"]


@pytest.fixture
def zip_file(folder, zip_folder, tmp_path):
    return zip_folder(folder, tmp_path / "set.zip")


def member(name, mode=stat.S_IFREG | 0o644, method=zipfile.ZIP_DEFLATED):
    info = zipfile.ZipInfo("placeholder")
    info.filename, info.external_attr, info.compress_type = name, mode << 16, method
    return info


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/ref.csv", r"set\.zip contains '/etc/ref\.csv': expected paths that stay inside"),
        ("../v_d/ref.csv", r"contains '\.\./v_d/ref\.csv': expected paths that stay inside"),
        ("v_d/../../ref.csv", "expected paths that stay inside"),
        ("v_d\\ref.csv", "expected paths that stay inside"),
        ("C:/v_d/ref.csv", "expected paths that stay inside"),
        ("C:ref.csv", "expected paths that stay inside"),
        ("__MACOSX/../../ref.csv", "expected paths that stay inside"),
        ("v_a/ref.csv", r"contains 'v_a/ref\.csv' twice"),
        ("./v_a//ref.csv", r"contains '\./v_a//ref\.csv' twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_unsafe_or_repeated_paths_is_refused(zip_file, name, message):
    with zipfile.ZipFile(zip_file, "a") as archive:
        archive.writestr(member(name), "1,2\n")
    with pytest.raises(ValueError, match=message):
        load(zip_file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": stat.S_IFLNK | 0o777}, r"v_d/ref\.csv is a link or a device"),
        ({"method": zipfile.ZIP_LZMA}, "compressed with method 14: expected method 0"),
    ],
)
def test_a_zip_with_links_or_another_compression_method_is_refused(zip_file, options, message):
    with zipfile.ZipFile(zip_file, "a") as archive:
        archive.writestr(member("v_d/ref.csv", **options), "/etc/passwd")
    with pytest.raises(ValueError, match=message):
        load(zip_file)


def test_an_encrypted_zip_is_refused(zip_file):
    raw = bytearray(zip_file.read_bytes())
    raw[raw.index(b"PK\1\2") + 8] |= 1
    zip_file.write_bytes(raw)
    with pytest.raises(ValueError, match="is encrypted: expected a zip without a password"):
        load(zip_file)


def test_a_zip_bomb_is_refused(zip_file, monkeypatch):
    monkeypatch.setattr("hpatches_kit._support.archives.LARGE", 50_000)
    with pytest.raises(ValueError, match=r"claims to unpack .* at most 50000 unpacked bytes"):
        load(zip_file)
    monkeypatch.undo()
    with zipfile.ZipFile(zip_file, "a") as archive:
        archive.writestr(member("v_d/ref.csv"), b"0" * (5 << 20))
    with pytest.raises(ValueError, match=r"v_d/ref\.csv claims to unpack .*at most 200 times"):
        load(zip_file)


def test_a_member_larger_than_its_declared_size_is_damaged(tmp_path):
    """Its true size is 64 MB, its declared size 1000 bytes: no more than that is unpacked."""
    for view in VIEWS:
        with zipfile.ZipFile(tmp_path / "set.zip", "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"v_a/{view}.csv", b"0,0,0,0\n" * (8 << 20 if view == "ref" else 1))
    file = tmp_path / "set.zip"
    raw = bytearray(file.read_bytes())
    entry = raw.index(b"PK\1\2")
    raw[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    file.write_bytes(raw)
    with pytest.raises(ValueError, match=r"v_a/ref\.csv is damaged: Bad CRC-32"):
        load(file)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    file = tmp_path / "set.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for view in VIEWS:
            archive.writestr(f"v_a/{view}.csv", os.urandom(2000).hex())
        for info in archive.filelist:  # all entries point at the same bytes
            info.compress_size = info.file_size = 60_000
    with pytest.raises(ValueError, match="claims to unpack from 960000 to 960000 bytes"):
        load(file)


def test_the_error_for_a_damaged_zip_names_the_member(zip_file):
    raw = bytearray(zip_file.read_bytes())
    for position in range(100, 400):
        raw[position] ^= 85
    zip_file.write_bytes(raw)
    with pytest.raises(ValueError, match=r"set\.zip/.*\.csv is damaged"):
        load(zip_file)
    zip_file.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ValueError, match=r"set\.zip is not a zip file, or is cut off"):
        load(zip_file)


def test_many_small_members_of_equal_bytes_are_refused(tmp_path):
    file = tmp_path / "set.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(20):
            archive.writestr(f"v_{k}/ref.csv", b"0\n" * (2 << 20))  # 4 MB in 4 kB
    with pytest.raises(ValueError, match="claims to unpack .* 200 times the size of the file"):
        load(file)

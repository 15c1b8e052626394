import os
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from files import flip_a_bit
from PIL import Image

from hpatches_kit._support.errors import UserError
from hpatches_kit.datasets.strips import open_strips, write_strips
from hpatches_kit.patches.views import VIEWS


def zipped(folder, file, prefix="", extra=()):
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, f"{prefix}{path.relative_to(folder).as_posix()}")
        for name, content in extra:
            archive.writestr(name, content)
    return file


def read_all(source):
    with open_strips(source) as strips:
        return {name: strips.strip(name, "h2") for name in strips.folders}


@pytest.mark.parametrize("prefix", ["", "hpatches-release/", "download/hpatches-release/"])
def test_sequences_are_found_several_folders_deep(release, tmp_path, prefix):
    expected = read_all(release)
    assert [(k, len(strip)) for k, strip in expected.items()] == [
        ("i_ajuntament", 3),
        ("v_there", 2),
    ]
    other_files = [("__MACOSX/hpatches-release/v_there/._ref.png", b"x"), ("readme.txt", b"x")]
    from_zip = read_all(zipped(release, tmp_path / "a.zip", prefix, other_files))
    if prefix:
        shutil.copytree(release, tmp_path / "outer" / prefix)
    from_folder = read_all(tmp_path / "outer" if prefix else release)
    for name, strip in expected.items():
        np.testing.assert_array_equal(from_zip[name], strip)
        np.testing.assert_array_equal(from_folder[name], strip)


def test_strips_without_a_folder_are_one_sequence_named_after_the_source(release, tmp_path):
    assert list(read_all(release / "v_there")) == ["v_there"]
    assert list(read_all(zipped(release / "v_there", tmp_path / "v_wall.zip"))) == ["v_wall"]


def fingerprint(source):
    with open_strips(source) as strips:
        return strips.fingerprint


def test_the_fingerprint_of_a_zip_depends_on_its_content_only(release, tmp_path):
    before = fingerprint(zipped(release, tmp_path / "a.zip"))
    assert fingerprint(zipped(release, tmp_path / "b.zip")) == before
    strip = np.asarray(Image.open(release / "v_there" / "e1.png")).copy()
    strip[0, 0] ^= 1
    Image.fromarray(strip).save(release / "v_there" / "e1.png")
    assert fingerprint(zipped(release, tmp_path / "b.zip")) != before


def test_the_fingerprint_of_a_folder_depends_on_the_times_of_its_files(release):
    before = fingerprint(release)
    os.utime(release / "v_there" / "e1.png", (1, 1))
    assert fingerprint(release) != before


def test_a_strip_that_is_deleted_while_the_folder_is_listed_is_missing(release, monkeypatch):
    glob = Path.glob

    def list_then_delete(folder, pattern):
        files = list(glob(folder, pattern))
        if release / "v_there" / "e1.png" in files:
            (release / "v_there" / "e1.png").unlink()
        return files

    monkeypatch.setattr(Path, "glob", list_then_delete)
    with open_strips(release) as strips:
        assert strips.size("v_there") == (65, 2)
        with pytest.raises(FileNotFoundError, match=r"e1\.png is missing"):
            strips.strip("v_there", "e1")


def write_black_strip(file, width, height):
    Image.fromarray(np.zeros((height, width), np.uint8)).save(file)


DAMAGES = [
    (lambda f: (f / "h2.png").unlink(), FileNotFoundError, r"h2\.png is missing: .*ref, e1"),
    (lambda f: (f / "h2.png").write_text("x"), ValueError, r"h2\.png cannot be read"),
    (lambda f: (f / "h2.png").write_bytes((f / "h2.png").read_bytes()[:200]), ValueError, r"h2\.png cannot be read"),
    (lambda f: write_black_strip(f / "h2.png", 65, 65), ValueError, r"h2\.png is 65 .* 65 high.*130 high, as ref"),
    (lambda f: write_black_strip(f / "h2.png", 64, 130), ValueError, r"h2\.png is 64 pixels wide.*65 wide"),
    (lambda f: write_black_strip(f / "h2.png", 65, 131), ValueError, r"131 high: expected 65 wide and 130 high"),
]  # fmt: skip


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize(("damage", "error", "message"), DAMAGES)
def test_a_broken_strip_is_reported(release, tmp_path, damage, error, message, packed):
    damage(release / "v_there")
    with pytest.raises(error, match=message):
        read_all(zipped(release, tmp_path / "a.zip") if packed else release)


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda f: f.unlink(), FileNotFoundError, r"v_there.ref\.png is missing"),
        (lambda f: f.write_text("x"), ValueError, r"v_there.ref\.png cannot be read"),
        (
            lambda f: write_black_strip(f, 65, 131),
            ValueError,
            "131 high: expected 65 .* a multiple",
        ),
        (
            lambda f: write_black_strip(f, 40, 80),
            ValueError,
            "40 pixels wide .*expected 65 .* or 32",
        ),
    ],
)
def test_a_sequence_with_a_broken_ref_is_reported(release, damage, error, message):
    damage(release / "v_there" / "ref.png")
    with open_strips(release) as strips, pytest.raises(error, match=message):
        strips.size("v_there")


def test_a_missing_noise_strip_is_reported(release):
    with open_strips(release) as strips, pytest.raises(FileNotFoundError, match="e1_noise.png is"):
        strips.strip("v_there", "e1", "_noise")


def test_two_sequences_with_one_name_are_refused(release, tmp_path):
    shutil.copytree(release / "v_there", release / "copy" / "v_there")
    with pytest.raises(ValueError, match="two sequences v_there: copy/v_there and v_there"):
        read_all(release)


def add_link(archive):
    info = zipfile.ZipInfo("v_there/t6.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda a: a.writestr("../v_there/ref.png", b"x"), "expected paths that stay inside the"),
        (lambda a: a.writestr("/etc/ref.png", b"x"), "expected paths that stay inside the zip"),
        (add_link, "is a link or a device"),
    ],
)
def test_an_unsafe_zip_is_refused(release, tmp_path, add, message):
    file = zipped(release, tmp_path / "a.zip")
    with zipfile.ZipFile(file, "a") as archive:
        add(archive)
    with pytest.raises(ValueError, match=message):
        read_all(file)


def test_a_truncated_zip_and_a_zip_without_strips_are_refused(release, tmp_path):
    file = zipped(release, tmp_path / "a.zip")
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"a\.zip is not a zip file, or is cut off"):
        read_all(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("thesis/figure.png", b"x")
    with pytest.raises(FileNotFoundError, match="holds no sequence: expected folders with ref.png"):
        read_all(file)


def test_a_damaged_strip_in_a_zip_is_reported(release, tmp_path):
    file = zipped(release, tmp_path / "a.zip")
    flip_a_bit(file, file.read_bytes().index(b"h2.png") + 2000)
    with pytest.raises(ValueError, match="is damaged"):
        for view in VIEWS:
            with open_strips(file) as strips:
                strips.strip("i_ajuntament", view)


def test_a_missing_source_and_an_empty_folder_are_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is neither a folder nor a zip file"):
        read_all(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="holds no sequence"):
        read_all(tmp_path)


def test_patches_of_another_shape_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"expected uint8 \(points, 16, size, size\)"):
        write_strips(tmp_path / "x", np.zeros((3, len(VIEWS) - 1, 32, 32), np.uint8))


def test_a_strip_with_a_large_colour_profile_is_read(release):
    file = release / "v_there" / "ref.png"
    with Image.open(file) as image:
        image.save(file, icc_profile=bytes(9000))
    with open_strips(release) as strips:
        assert strips.size("v_there") == (65, 2)


def test_a_16_bit_strip_is_refused(release):
    file = release / "v_there" / "e1.png"
    Image.fromarray(np.full((130, 65), 30_000, np.uint16)).save(file)
    with pytest.raises(ValueError, match=r"e1\.png has pixels of mode I;16: expected 8-bit"):
        with open_strips(release) as strips:
            strips.strip("v_there", "e1")


def set_height(file, height):
    """Change the height in the header of a PNG image."""
    content = bytearray(file.read_bytes())
    content[20:24] = struct.pack(">I", height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    file.write_bytes(content)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize(
    ("height", "message"),
    [(0, "65 pixels wide and 0 high"), (65 * 30_000_000, r"cannot hold 65 x 1950000000 pixels")],
)
def test_a_height_that_the_file_cannot_have_is_refused(release, tmp_path, height, message, packed):
    set_height(release / "v_there" / "ref.png", height)
    source = zipped(release, tmp_path / "a.zip") if packed else release
    with open_strips(source) as strips, pytest.raises(UserError, match=message):
        strips.size("v_there")


@pytest.mark.parametrize("linked", ["v_there/e1.png", "v_there"])
def test_a_strip_is_not_read_through_a_link(release, tmp_path, linked):
    (release / linked).rename(tmp_path / "elsewhere")
    (release / linked).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"v_there.*png leads through a link"):
        read_all(release)


def test_a_pipe_instead_of_a_strip_is_not_waited_for(release):
    (release / "v_there" / "h2.png").unlink()
    os.mkfifo(release / "v_there" / "h2.png")
    with pytest.raises(UserError, match=r"h2\.png is a pipe or a device"):
        read_all(release)


def test_a_strip_of_many_gigabytes_is_refused_before_it_is_read(release):
    with open(release / "v_there" / "h2.png", "r+b") as stream:
        stream.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(UserError, match=r"h2\.png has 1,099,511,627,776 bytes"):
        read_all(release)

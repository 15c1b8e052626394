"""Only regular files are read and replaced."""

import os

import pytest

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import check_output, open_regular, read_regular

NEEDS_PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on Windows")


@NEEDS_PIPES
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for act in (open_regular, check_output):
        with pytest.raises(UserError, match=r"pipe\.json is a pipe or a device"):
            act(tmp_path / "pipe.json")


@NEEDS_PIPES
def test_a_device_and_a_link_to_one_are_refused(tmp_path):
    (tmp_path / "endless").symlink_to("/dev/zero")
    for path in ("/dev/zero", tmp_path / "endless"):
        with pytest.raises(UserError, match="is a pipe or a device: expected a regular file"):
            read_regular(path, 100)
    with pytest.raises(UserError, match="/dev/null is a pipe or a device"):
        check_output("/dev/null")


def test_a_link_to_a_file_is_read_unless_links_are_refused_and_is_never_an_output(tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_regular(tmp_path / "link", 4) == b"text"
    with pytest.raises(UserError, match="link is a link"):
        open_regular(tmp_path / "link", links=False)
    with pytest.raises(UserError, match="link is a link"):
        check_output(tmp_path / "link")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "sparse", "wb") as stream:
        stream.truncate(1 << 40)  # a terabyte of zeros that takes no room on the disk
    with pytest.raises(UserError, match=r"sparse has 1,099,511,627,776 bytes: .* at most 1\.0 MB"):
        read_regular(tmp_path / "sparse", 1_000_000)


def test_new_and_regular_files_may_be_written_but_no_folder_is_replaced(tmp_path):
    check_output(tmp_path / "new")
    (tmp_path / "old").write_text("")
    check_output(tmp_path / "old")
    with pytest.raises(UserError, match="is a folder: expected the name of a file"):
        check_output(tmp_path)

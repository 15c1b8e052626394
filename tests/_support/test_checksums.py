"""Checksums of files."""

import hashlib
import os

import pytest
from files import flip_a_bit, truncate

from hpatches_kit._support.checksums import digest, quick_checksum
from hpatches_kit._support.errors import UserError

SAMPLES = {"limit": 50, "windows": 3, "window": 10}


@pytest.fixture
def file(tmp_path):
    (tmp_path / "file").write_bytes(bytes(range(100)))
    return tmp_path / "file"


def test_the_digest_is_the_sha256_of_all_bytes(file):
    assert digest(file) == hashlib.sha256(bytes(range(100))).hexdigest()


def test_files_with_the_same_size_and_crc_32_have_different_digests(tmp_path):
    zeros, collision = tmp_path / "zeros", tmp_path / "collision"
    zeros.write_bytes(bytes(8))
    collision.write_bytes(bytes.fromhex("010000006567bcb8"))
    assert quick_checksum(zeros) == quick_checksum(collision)
    assert digest(zeros) != digest(collision)


@pytest.mark.parametrize("position", [0, 50, 99])
def test_the_quick_checksum_of_a_large_file_covers_its_ends_and_samples_between(file, position):
    before = quick_checksum(file, **SAMPLES)
    flip_a_bit(file, position)
    assert quick_checksum(file, **SAMPLES) != before


def test_the_quick_checksum_notices_a_truncated_file(file):
    before = quick_checksum(file, **SAMPLES)
    truncate(file, -1)
    assert quick_checksum(file, **SAMPLES) != before


def test_between_the_samples_only_the_digest_notices_a_change(file):
    before = quick_checksum(file, **SAMPLES), digest(file)
    flip_a_bit(file, 30)
    assert quick_checksum(file, **SAMPLES) == before[0] and digest(file) != before[1]


def test_a_pipe_and_a_file_that_is_too_large_have_no_digest(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe is a pipe or a device"):
        digest(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"abc")
    assert digest(tmp_path / "file", limit=3) == hashlib.sha256(b"abc").hexdigest()
    with pytest.raises(UserError, match="file has 3 bytes: expected at most 2 bytes"):
        digest(tmp_path / "file", limit=2)

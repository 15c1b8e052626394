"""Downloads: records, checksums, mirrors, existing files and several processes."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from files import file_names, raising
from web_server import BODY

from hpatches_kit._support import downloads, transfer
from hpatches_kit._support.downloads import download, mirrored
from hpatches_kit._support.errors import UserError

SHA256 = hashlib.sha256(BODY).hexdigest()

refuse = raising(PermissionError(errno.EACCES, "Permission denied"))

pytestmark = pytest.mark.usefixtures("fast_retries")


def test_a_downloaded_file_is_complete_and_recorded(get, server, tmp_path):
    file = get()
    record = json.loads((tmp_path / "x.bin.json").read_text())
    assert record["url"] == f"{server.url}/x.bin" and record["date"].startswith("20")
    assert (record["size"], record["sha256"]) == (300_000, SHA256)
    assert file_names(tmp_path) == ["x.bin", "x.bin.json"] and file == tmp_path / "x.bin"


def test_a_download_prints_its_source_and_draws_a_bar(server, tmp_path, capsys):
    server.faults = [{"cut": 100_000}]
    download(f"{server.url}/x.bin", tmp_path / "x.bin")
    out, err = capsys.readouterr()
    assert out == "x.bin: 300 kB from 127.0.0.1, less than a minute at 10 MB/s.\n"
    assert "x.bin:" in err and "B/s" in err


def test_without_progress_nothing_is_printed(get, capsys):
    get()
    assert capsys.readouterr() == ("", "")


# Mirrors


def test_a_mirror_replaces_everything_except_the_file_name(monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", "https://example.org/data/")
    monkeypatch.setenv("HF_ENDPOINT", "https://unused.example.org")
    assert mirrored("https://huggingface.co/a/b/x.zip?c=1") == "https://example.org/data/x.zip"


def test_the_endpoint_of_hugging_face_replaces_only_its_address(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org/")
    assert mirrored("https://huggingface.co/a/b/x.zip") == "https://hub.example.org/a/b/x.zip"
    for address in ("https://example.org/x.zip", "https://huggingface.com/x.zip"):
        assert mirrored(address) == address


def test_a_mirror_that_is_not_an_address_is_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", "example.org/hpatches")
    with pytest.raises(UserError, match="'example.org/hpatches/x.bin' is not an address"):
        download("http://127.0.0.1/x.bin", tmp_path / "x.bin", progress=False)


# Wrong content


def test_other_bytes_of_the_same_size_are_refused(server, tmp_path):
    words = f"has SHA-256 {SHA256}, expected 00.* The download is deleted. Try again"
    with pytest.raises(UserError, match=words):
        download(f"{server.url}/x.bin", tmp_path / "x.bin", sha256="0" * 64, progress=False)
    assert file_names(tmp_path) == []


def test_the_expected_checksum_may_be_in_upper_case(get):
    get(sha256=SHA256.upper(), size=300_000)


def test_a_file_that_is_too_short_is_refused(get):
    with pytest.raises(UserError, match="has 300,000 bytes, expected 300,001"):
        get(size=300_001)


def test_size_and_checksum_in_the_redirect_of_hugging_face_are_verified(server, tmp_path):
    def get_linked(size, sha256):
        server.redirect_headers = {"X-Linked-Etag": f'"{sha256}"', "x-linked-size": size}
        return download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)

    with pytest.raises(UserError, match="has 300,000 bytes, expected 400,000"):
        get_linked(400_000, SHA256)
    with pytest.raises(UserError, match="expected 111"):
        get_linked(300_000, "1" * 64)
    assert file_names(tmp_path) == []
    server.faults = [{}, {"cut": 200_000}]  # the first one is for the redirect
    assert get_linked(300_000, SHA256).read_bytes() == BODY
    assert server.first_bytes[-2:] == [200_000, 200_000]


def download_linked_partly(server, tmp_path):
    """Leave a partial file of x.bin, from a server that redirects as Hugging Face does."""
    server.redirect_headers = {"X-Linked-ETag": f'"{SHA256}"'}
    server.faults = [{}, {"cut": 100_000}] + [{}, {"cut": 0}] * transfer.TRIES
    with pytest.raises(ConnectionError):
        download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)


def test_a_download_with_the_same_checksum_resumes_although_the_tag_differs(server, tmp_path):
    download_linked_partly(server, tmp_path)
    server.etag = '"of another cache"'
    file = download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)
    assert file.read_bytes() == BODY and server.bytes_sent == 300_000


def test_a_file_that_changed_at_hugging_face_is_downloaded_from_the_start(server, tmp_path):
    download_linked_partly(server, tmp_path)
    server.files["x.bin"] = BODY[::-1]
    server.redirect_headers = {"X-Linked-ETag": f'"{hashlib.sha256(BODY[::-1]).hexdigest()}"'}
    file = download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)
    assert file.read_bytes() == BODY[::-1]


def test_a_tag_that_is_not_a_sha256_is_not_used_as_one(server, tmp_path):
    server.redirect_headers = {"X-Linked-ETag": '"5d41402abc4b2a76b9719d911017c592"'}
    file = download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)
    assert file.read_bytes() == BODY


# Existing files


def test_an_existing_file_is_checked_again_only_if_its_date_changed(get, server, monkeypatch):
    file, computed = get(), []
    server.default_fault = {"status": 500}
    sha256 = hashlib.sha256
    monkeypatch.setattr(downloads.hashlib, "sha256", lambda: computed.append(1) or sha256())
    get()
    assert len(computed) == 0
    os.utime(file, (1, 1))
    get()
    get()
    assert len(computed) == len(server.requests) == 1


@pytest.mark.parametrize("damaged", [BODY[:200_000], b"?" + BODY[1:]])
def test_a_damaged_file_is_noticed_and_downloaded_again(get, server, capsys, damaged):
    get().write_bytes(damaged)
    get()
    assert "by its record: it is downloaded again." in capsys.readouterr().out
    assert len(server.requests) == 2


def test_an_existing_file_is_used_in_a_folder_that_is_not_writable(tmp_path, monkeypatch):
    (tmp_path / "x.bin").write_bytes(BODY)
    monkeypatch.setattr(downloads, "write_sidecar", refuse)
    monkeypatch.setattr(downloads, "locked", refuse)
    file = download("http://127.0.0.1:9/x.bin", tmp_path / "x.bin", progress=False)
    assert file.read_bytes() == BODY


def test_a_folder_that_is_not_writable_is_named(get, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", refuse)
    words = r"x\.bin cannot be written: Permission denied.*\$HPATCHES_KIT_DATA"
    with pytest.raises(OSError, match=words):
        get()


# Several processes

SCRIPT = """
import sys
from hpatches_kit._support.downloads import download
download(sys.argv[1], sys.argv[2])
"""


def start_download(server, file):
    """Start another process that downloads x.bin."""
    command = [sys.executable, "-c", SCRIPT, f"{server.url}/x.bin", file]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_processes_at_once_download_once(server, tmp_path):
    server.default_fault = {"slow": 0.1}
    processes = [start_download(server, tmp_path / "x.bin") for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum("Waiting for another process" in out for out, _ in outputs) == 1
    assert (tmp_path / "x.bin").read_bytes() == BODY
    assert len(server.requests) == 1 and server.bytes_sent == 300_000


def test_the_download_of_a_killed_process_is_resumed(get, server, tmp_path):
    server.default_fault = {"slow": 0.1}
    process, part = start_download(server, tmp_path / "x.bin"), tmp_path / ".x.bin.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 50_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.communicate(timeout=30)
    assert 50_000 < part.stat().st_size < 300_000
    start, server.default_fault = part.stat().st_size, {}
    get()
    assert server.first_bytes == [0, start] and server.requests[1].sent == 300_000 - start

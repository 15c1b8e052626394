"""Transfer of a file: broken connections, servers that refuse, and partial files."""

import errno
import hashlib
import json
from collections import namedtuple

import numpy as np
import pytest
from web_server import BODY

from hpatches_kit._support import disk, transfer
from hpatches_kit._support.downloads import download

SHA256 = hashlib.sha256(BODY).hexdigest()

pytestmark = pytest.mark.usefixtures("fast_retries")


def file_names(folder):
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


@pytest.mark.parametrize(
    ("size", "start", "words"),
    [
        (4_200_000_000, 0, "4.2 GB from huggingface.co, about 7 minutes at 10 MB/s."),
        (4_200_000_000, 2_100_000_000, "co (2.1 GB already downloaded), about 4 minutes at"),
        (700_000_000, 0, "700 MB from huggingface.co, about 1 minute at"),
        (None, 0, "unknown size, from huggingface.co."),
    ],
)
def test_the_announcement_tells_size_source_and_duration(size, start, words, tmp_path):
    url = "https://huggingface.co/datasets/a/b/resolve/main/large.zip"
    line = transfer._announcement(url, tmp_path / "large.zip", size, start)
    assert line.startswith("large.zip: ") and words in line


def test_a_file_of_unknown_size_is_downloaded(get, server):
    server.always = {"unknown_size": True}
    get()


def test_an_empty_file_is_downloaded(get, server):
    server.files["x.bin"] = b""
    get()


def test_a_slow_but_steady_transfer_does_not_time_out(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (5, 0.8))  # much less than the whole transfer takes
    server.always = {"slow": 0.04}
    get()
    assert len(server.requests) == 1


# Broken connections


def test_after_a_dropped_connection_the_transfer_continues(get, server):
    server.faults = [{"cut": 100_000}]
    get()
    assert server.starts == [0, 100_000] and server.requests[1].validator == '"one"'
    assert server.sent == 300_000


def test_any_number_of_drops_is_tolerated_while_bytes_arrive(get, server):
    server.always = {"cut": 10_000}
    get()
    assert server.starts == list(range(0, 300_000, 10_000))  # far more than transfer.TRIES


def test_drops_at_random_bytes_do_not_damage_the_file(get, server):
    rng = np.random.default_rng(1)
    server.faults = [{"cut": int(cut)} for cut in rng.integers(1, 40_000, 30)]
    get()
    assert server.starts == sorted(server.starts) and len(server.requests) > 5


def test_a_server_that_sends_nothing_more_is_given_up_and_the_next_call_resumes(
    get, server, tmp_path
):
    server.faults = [{"cut": 100_000}] + [{"cut": 0}] * transfer.TRIES
    words = "100 kB are kept, and the next call continues"
    with pytest.raises(ConnectionError, match=words) as error:
        get()
    assert "$HPATCHES_KIT_MIRROR" in str(error.value) and error.value.__suppress_context__
    assert file_names(tmp_path) == [".x.bin.part", ".x.bin.part.json"]
    get()
    assert server.starts[-1] == 100_000 and server.sent == 300_000


def test_after_a_stalled_connection_the_transfer_continues(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (5, 0.5))
    server.faults = [{"stall": 100_000}]
    get()
    assert len(server.requests) == 2 and server.starts[1] > 90_000


def test_a_busy_server_is_asked_again(server, tmp_path, capsys):
    server.faults = [{"status": 503}, {"status": 429}]
    download(f"{server.url}/x.bin", tmp_path / "x.bin")
    out = capsys.readouterr().out
    assert "the server answers 503 Service Unavailable. Trying again." in out
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final_and_the_error_gives_advice(get, server, status):
    server.always = {"status": status}
    with pytest.raises(OSError, match=rf"/x.bin answers {status} .*HPATCHES_KIT_MIRROR.*put it at"):
        get()
    assert len(server.requests) == 1


def test_without_a_network_the_error_is_one_readable_line(get, server):
    server.server_close()
    with pytest.raises(ConnectionError, match="refused.* Nothing is downloaded yet") as error:
        get()
    assert error.value.__suppress_context__ and "\n" not in str(error.value)
    assert "object at" not in str(error.value) and "HTTPConnection" not in str(error.value)


# Partial files that cannot be continued


def download_partly(server, tmp_path, **options):
    """Leave a partial file with the first 100,000 bytes of x.bin."""
    server.faults = [{"cut": 100_000}] + [{"cut": 0}] * transfer.TRIES
    with pytest.raises(ConnectionError):
        download(f"{server.url}/x.bin", tmp_path / "x.bin", progress=False, **options)
    server.faults, server.requests = [], []


def test_a_server_without_range_requests_sends_the_whole_file_again(get, server, tmp_path):
    download_partly(server, tmp_path)
    server.ranges = False
    get()
    assert server.starts == [100_000] and server.sent == 300_000


def test_a_server_without_range_requests_that_always_drops_is_given_up(get, server):
    server.ranges, server.always = False, {"cut": 50_000}
    with pytest.raises(ConnectionError):
        get()
    assert len(server.requests) == transfer.TRIES + 1


@pytest.mark.parametrize("obeys", [True, False])
def test_a_file_that_changed_on_the_server_is_downloaded_from_the_start(
    get, server, tmp_path, obeys
):
    download_partly(server, tmp_path)
    server.files["x.bin"], server.etag = BODY[::-1], '"two"'
    server.obeys = obeys  # some servers ignore If-Range
    get()
    assert server.starts == ([100_000] if obeys else [100_000, 0])


def test_a_partial_file_without_a_tag_is_not_continued(get, server, tmp_path):
    server.etag = None
    download_partly(server, tmp_path)
    get()
    assert server.starts == [0]


def test_a_known_checksum_replaces_a_missing_tag(server, get, tmp_path):
    server.etag = 'W/"weak"'
    download_partly(server, tmp_path, sha256=SHA256)
    get(sha256=SHA256)
    assert server.starts == [100_000] and server.requests[0].validator is None


def test_the_date_of_a_file_replaces_a_missing_tag(get, server, tmp_path):
    server.etag, server.headers = None, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    download_partly(server, tmp_path)
    get()
    assert server.starts == [100_000] and server.requests[0].validator.startswith("Wed")


def test_a_partial_file_of_another_address_is_not_continued(get, server, tmp_path, monkeypatch):
    download_partly(server, tmp_path)
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/mirror")
    get()
    assert server.starts == [0]


def test_bytes_of_the_wrong_position_are_not_used(get, server, tmp_path):
    download_partly(server, tmp_path)
    server.faults = [{"first": 90_000}]
    get()
    assert server.starts == [100_000, 0]


def test_a_login_page_does_not_replace_a_partial_file(get, server, tmp_path):
    download_partly(server, tmp_path)
    server.faults = [{"page": True}]
    get()
    assert server.starts == [100_000, 100_000]


def test_a_partial_file_longer_than_the_file_is_downloaded_from_the_start(get, server, tmp_path):
    download_partly(server, tmp_path)
    server.files["x.bin"] = BODY[:50_000]  # with the same tag
    get()
    assert server.starts == [100_000, 0]


def test_a_complete_partial_file_needs_no_request(get, server, tmp_path):
    download_partly(server, tmp_path)
    (tmp_path / ".x.bin.part").write_bytes(BODY)
    get()
    assert server.requests == []


def test_a_complete_partial_file_of_unknown_size_is_recognised(get, server, tmp_path):
    download_partly(server, tmp_path)
    sidecar = tmp_path / ".x.bin.part.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"size": None}))
    (tmp_path / ".x.bin.part").write_bytes(BODY)
    get()
    assert server.starts == [300_000] and server.sent == 0


# Disk space


def test_too_little_disk_space_is_reported_before_the_transfer(get, server, tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")(100_000)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(
        OSError, match=r"x.bin needs 300 kB, 100 kB are free on the disk of /.*Make room"
    ):
        get()
    assert len(server.requests) == 1 and (tmp_path / "x.bin").exists() is False


def test_on_a_full_disk_the_received_bytes_are_kept(get, server, tmp_path, monkeypatch):
    class FullDisk:
        def __init__(self, file, mode):
            self.stream = open(file, mode)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.stream.close()

        def write(self, chunk):
            if self.stream.tell() >= 200_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.stream.write(chunk)

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "open", FullDisk, raising=False)
        with pytest.raises(OSError, match="No space is left in .*, which keeps 200 kB of x.bin"):
            get()
    get()
    assert server.starts == [0, 200_000]

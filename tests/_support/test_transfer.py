"""Transfer of a file: broken connections, servers that refuse, and partial files."""

import errno
import hashlib
import json

import numpy as np
import pytest
from files import file_names
from web_server import BODY

from hpatches_kit._support import transfer
from hpatches_kit._support.downloads import download
from hpatches_kit._support.errors import UserError

SHA256 = hashlib.sha256(BODY).hexdigest()

pytestmark = pytest.mark.usefixtures("fast_retries")


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


@pytest.mark.parametrize("content", [BODY, b""])
@pytest.mark.parametrize("unknown_size", [True, False])
def test_empty_files_and_files_of_unknown_size_are_downloaded(get, server, content, unknown_size):
    server.files["x.bin"], server.default_fault = content, {"unknown_size": unknown_size}
    get()


def test_a_slow_but_steady_transfer_does_not_time_out(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (5, 0.8))  # much less than the whole transfer takes
    server.default_fault = {"slow": 0.04}
    get()
    assert len(server.requests) == 1


# Broken connections


def test_any_number_of_drops_is_tolerated_while_bytes_arrive(get, server):
    server.default_fault = {"cut": 10_000}
    get()
    assert server.first_bytes == list(range(0, 300_000, 10_000))  # far more than transfer.TRIES
    assert server.requests[1].validator == '"one"' and server.bytes_sent == 300_000


def test_drops_at_random_bytes_do_not_damage_the_file(get, server):
    rng = np.random.default_rng(1)
    server.faults = [{"cut": int(cut)} for cut in rng.integers(1, 40_000, 30)]
    get()
    assert server.first_bytes == sorted(server.first_bytes) and len(server.requests) > 5


def test_after_too_many_failures_the_next_call_resumes(get, server, tmp_path):
    server.faults = [{"cut": 100_000}] + [{"cut": 0}] * transfer.TRIES
    words = "100 kB are kept, and the next call continues"
    with pytest.raises(ConnectionError, match=words) as error:
        get()
    assert "$HPATCHES_KIT_MIRROR" in str(error.value) and error.value.__suppress_context__
    assert file_names(tmp_path) == [".x.bin.part", ".x.bin.part.json"]
    get()
    assert server.first_bytes[-1] == 100_000 and server.bytes_sent == 300_000


def test_after_a_stalled_connection_the_transfer_continues(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (5, 0.5))
    server.faults = [{"stall": 100_000}]
    get()
    assert len(server.requests) == 2 and server.first_bytes[1] > 90_000


def test_a_busy_server_is_asked_again(server, tmp_path, capsys):
    server.faults = [{"status": 503}, {"status": 429}]
    download(f"{server.url}/x.bin", tmp_path / "x.bin")
    out = capsys.readouterr().out
    assert "the server answers 503 Service Unavailable. Trying again." in out
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final_and_the_error_gives_advice(get, server, status):
    server.default_fault = {"status": status}
    with pytest.raises(OSError, match=rf"/x.bin answers {status} .*HPATCHES_KIT_MIRROR.*put it at"):
        get()
    assert len(server.requests) == 1


def test_a_file_without_a_size_that_does_not_end_is_given_up(get, server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "LARGEST", 100_000)
    server.default_fault = {"unknown_size": True}
    with pytest.raises(UserError, match="sends more than 100 kB. The download is deleted"):
        get()
    assert file_names(tmp_path) == []


def test_a_redirect_to_no_address_is_refused(server, tmp_path):
    server.redirect_headers = {"Location": "http://["}
    with pytest.raises(UserError, match="/linked/x.bin' is not an address"):
        download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)


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
    server.range_support = False
    get()
    assert server.first_bytes == [100_000] and server.bytes_sent == 300_000


def test_a_server_without_range_requests_that_always_drops_is_given_up(get, server):
    server.range_support, server.default_fault = False, {"cut": 50_000}
    with pytest.raises(ConnectionError):
        get()
    assert len(server.requests) == transfer.TRIES + 1


@pytest.mark.parametrize("if_range_support", [True, False])
def test_a_file_that_changed_is_downloaded_from_the_start(get, server, tmp_path, if_range_support):
    download_partly(server, tmp_path)
    server.files["x.bin"], server.etag = BODY[::-1], '"two"'
    server.if_range_support = if_range_support
    get()
    assert server.first_bytes == ([100_000] if if_range_support else [100_000, 0])


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("etag", "headers", "options", "first_byte", "validator"),
    [
        (None, {}, {}, 0, None),
        ('W/"weak"', {}, {"sha256": SHA256}, 100_000, None),
        (None, {"Last-Modified": DATE}, {}, 100_000, DATE),
    ],
    ids=["neither", "checksum", "date"],
)
def test_a_partial_file_without_a_tag_is_continued_only_with_a_known_checksum_or_date(
    get, server, tmp_path, etag, headers, options, first_byte, validator
):
    server.etag, server.headers = etag, headers
    download_partly(server, tmp_path, **options)
    get(**options)
    assert server.first_bytes == [first_byte] and server.requests[0].validator == validator


def test_a_partial_file_of_another_address_is_not_continued(get, server, tmp_path, monkeypatch):
    download_partly(server, tmp_path)
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/mirror")
    get()
    assert server.first_bytes == [0]


@pytest.mark.parametrize(
    ("fault", "next_byte"), [({"first": 90_000}, 0), ({"page": True}, 100_000)]
)
def test_a_wrong_position_or_a_login_page_is_not_used(get, server, tmp_path, fault, next_byte):
    download_partly(server, tmp_path)
    server.faults = [fault]
    get()
    assert server.first_bytes == [100_000, next_byte]


def test_a_partial_file_longer_than_the_file_is_downloaded_from_the_start(get, server, tmp_path):
    download_partly(server, tmp_path)
    server.files["x.bin"] = BODY[:50_000]  # with the same tag
    get()
    assert server.first_bytes == [100_000, 0]


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
    assert server.first_bytes == [300_000] and server.bytes_sent == 0


# Disk space


def test_too_little_disk_space_is_reported_first(get, server, tmp_path, set_free_space):
    set_free_space(100_000)
    message = r"x.bin needs 300 kB, 100 kB are free on the disk of /.*Make room"
    with pytest.raises(OSError, match=message):
        get()
    assert len(server.requests) == 1 and not (tmp_path / "x.bin").exists()


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
    assert server.first_bytes == [0, 200_000]

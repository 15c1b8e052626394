import errno
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from web_server import BODY, PAGE

from hpatches_kit._support import disk, transfer
from hpatches_kit._support import downloads as fetch_module
from hpatches_kit._support.downloads import download
from hpatches_kit.benchmark.official_lists import check_header, download_tasks
from hpatches_kit.datasets.releases import FILES, check_zip, download_release
from hpatches_kit.datasets.splits import SPLITS

SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transfer, "WAIT", 0.001)
    monkeypatch.setattr(transfer, "CHUNK", 5000)
    monkeypatch.delenv("HPATCHES_KIT_MIRROR", raising=False)


@pytest.fixture
def get(server, tmp_path):
    """Download x.bin; the result must be byte for byte what the server has."""

    def get(**options):
        file = download(f"{server.url}/x.bin", tmp_path / "x.bin", progress=False, **options)
        assert file.read_bytes() == server.files["x.bin"]
        return file

    return get


def starts(server):
    return [int(request.range[6:-1]) if request.range else 0 for request in server.requests]


def sent(server):
    return sum(request.sent for request in server.requests)


def names(folder):
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


def zip_bytes():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("v_a/ref.png"), BODY[:5000])  # without a date
    return stream.getvalue()


# A file that arrives


def test_a_file_arrives_whole_and_is_recorded(get, server, tmp_path):
    file = get()
    record = json.loads((tmp_path / "x.bin.json").read_text())
    assert record["url"] == f"{server.url}/x.bin" and record["date"].startswith("20")
    assert (record["size"], record["sha256"]) == (300_000, SHA256)
    assert names(tmp_path) == ["x.bin", "x.bin.json"] and file == tmp_path / "x.bin"


def test_it_says_what_comes_from_where_and_draws_a_bar(server, tmp_path, capsys):
    server.faults = [{"cut": 100_000}]
    download(f"{server.url}/x.bin", tmp_path / "x.bin")
    out, err = capsys.readouterr()
    assert out == "x.bin: 300 kB from 127.0.0.1, less than a minute at 10 MB/s.\n"
    assert "x.bin:" in err and "B/s" in err


def test_without_progress_nothing_is_printed(get, capsys):
    get()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("size", "start", "words"),
    [
        (4_200_000_000, 0, "4.2 GB from huggingface.co, about 7 minutes at 10 MB/s."),
        (4_200_000_000, 2_100_000_000, "co, 2.1 GB of it are here already, about 4 minutes at"),
        (700_000_000, 0, "700 MB from huggingface.co, about 1 minute at"),
        (None, 0, "from huggingface.co, of unknown size."),
    ],
)
def test_the_announcement_reads_well(size, start, words, tmp_path):
    line = transfer._announcement(FILES["hpatches"], tmp_path / "hpatches-release.zip", size, start)
    assert line.startswith("hpatches-release.zip: ") and words in line


def test_a_file_of_unknown_size_arrives(get, server):
    server.always = {"unknown_size": True}
    get()


def test_an_empty_file_arrives(get, server):
    server.files["x.bin"] = b""
    get()


def test_a_slow_trickle_arrives_whole(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (5, 0.8))  # much less than the whole takes
    server.always = {"slow": 0.04}
    get()
    assert len(server.requests) == 1


# Connections that break


def test_a_dropped_connection_is_taken_up_where_it_broke(get, server):
    server.faults = [{"cut": 100_000}]
    get()
    assert starts(server) == [0, 100_000] and server.requests[1].validator == '"one"'
    assert sent(server) == 300_000


def test_many_drops_are_no_harm_while_there_is_progress(get, server):
    server.always = {"cut": 10_000}
    get()
    assert starts(server) == list(range(0, 300_000, 10_000))  # far more than transfer.TRIES


def test_drops_at_random_bytes_leave_the_file_right(get, server):
    rng = np.random.default_rng(1)
    server.faults = [{"cut": int(cut)} for cut in rng.integers(1, 40_000, 30)]
    get()
    assert starts(server) == sorted(starts(server)) and len(server.requests) > 5


def test_a_server_that_never_gets_further_is_given_up_and_the_next_call_goes_on(
    get, server, tmp_path
):
    server.faults = [{"cut": 100_000}] + [{"cut": 0}] * transfer.TRIES
    with pytest.raises(ConnectionError, match="100 kB of it are here; calling again goes on") as e:
        get()
    assert "$HPATCHES_KIT_MIRROR" in str(e.value) and e.value.__suppress_context__
    assert names(tmp_path) == [".x.bin.part", ".x.bin.part.json"]
    get()
    assert starts(server)[-1] == 100_000 and sent(server) == 300_000


def test_a_stalled_connection_is_taken_up_again(get, server, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (5, 0.5))
    server.faults = [{"stall": 100_000}]
    get()
    assert len(server.requests) == 2 and starts(server)[1] > 90_000


def test_a_busy_server_is_asked_again(server, tmp_path, capsys):
    server.faults = [{"status": 503}, {"status": 429}]
    download(f"{server.url}/x.bin", tmp_path / "x.bin")
    out = capsys.readouterr().out
    assert "the server answers 503 Service Unavailable. Trying again." in out
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final_and_says_what_to_do(get, server, status):
    server.always = {"status": status}
    with pytest.raises(OSError, match=rf"/x.bin answers {status} .*HPATCHES_KIT_MIRROR.*put it at"):
        get()
    assert len(server.requests) == 1


def test_without_a_network_one_line_says_so(get, server):
    server.server_close()
    with pytest.raises(ConnectionError, match="refused.* Nothing of it is here yet") as error:
        get()
    assert error.value.__suppress_context__ and "\n" not in str(error.value)
    assert "object at" not in str(error.value) and "HTTPConnection" not in str(error.value)


def test_what_is_no_address_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", "example.org/hpatches")
    with pytest.raises(ValueError, match="'example.org/hpatches/x.bin' is not an address"):
        download("http://127.0.0.1/x.bin", tmp_path / "x.bin", progress=False)


# Parts that may not be gone on with


def begin(server, tmp_path, **options):
    """Leave the first bytes of x.bin, as a call that was cut off does."""
    server.faults = [{"cut": 100_000}] + [{"cut": 0}] * transfer.TRIES
    with pytest.raises(ConnectionError):
        download(f"{server.url}/x.bin", tmp_path / "x.bin", progress=False, **options)
    server.faults, server.requests = [], []


def test_a_server_without_ranges_starts_again(get, server, tmp_path):
    begin(server, tmp_path)
    server.ranges = False
    get()
    assert starts(server) == [100_000] and sent(server) == 300_000


def test_a_server_without_ranges_that_always_drops_is_given_up(get, server):
    server.ranges, server.always = False, {"cut": 50_000}
    with pytest.raises(ConnectionError):
        get()
    assert len(server.requests) == transfer.TRIES + 1


@pytest.mark.parametrize("obeys", [True, False])
def test_a_file_that_changed_meanwhile_starts_again(get, server, tmp_path, obeys):
    begin(server, tmp_path)
    server.files["x.bin"], server.etag = BODY[::-1], '"two"'
    server.obeys = obeys  # some servers send the part whatever If-Range says
    get()
    assert starts(server) == ([100_000] if obeys else [100_000, 0])


def test_without_a_tag_of_the_server_a_part_is_not_trusted(get, server, tmp_path):
    server.etag = None
    begin(server, tmp_path)
    get()
    assert starts(server) == [0]


def test_a_known_checksum_makes_up_for_a_missing_tag(server, get, tmp_path):
    server.etag = 'W/"weak"'
    begin(server, tmp_path, sha256=SHA256)
    get(sha256=SHA256)
    assert starts(server) == [100_000] and server.requests[0].validator is None


def test_a_date_serves_as_tag(get, server, tmp_path):
    server.etag, server.headers = None, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    begin(server, tmp_path)
    get()
    assert starts(server) == [100_000] and server.requests[0].validator.startswith("Wed")


def test_another_address_starts_again(get, server, tmp_path, monkeypatch):
    begin(server, tmp_path)
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/mirror")
    get()
    assert starts(server) == [0]


def test_a_part_from_the_wrong_place_is_not_used(get, server, tmp_path):
    begin(server, tmp_path)
    server.faults = [{"first": 90_000}]
    get()
    assert starts(server) == [100_000, 0]


def test_a_log_in_page_does_not_cost_what_is_already_here(get, server, tmp_path):
    begin(server, tmp_path)
    server.faults = [{"page": True}]
    get()
    assert starts(server) == [100_000, 100_000]


def test_a_part_beyond_the_end_starts_again(get, server, tmp_path):
    begin(server, tmp_path)
    server.files["x.bin"] = BODY[:50_000]  # and the same tag
    get()
    assert starts(server) == [100_000, 0]


def test_a_part_that_is_complete_needs_no_second_download(get, server, tmp_path):
    begin(server, tmp_path)
    (tmp_path / ".x.bin.part").write_bytes(BODY)
    get()
    assert server.requests == []


def test_a_complete_part_of_unknown_size_is_recognised(get, server, tmp_path):
    begin(server, tmp_path)
    sidecar = tmp_path / ".x.bin.part.json"
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"size": None}))
    (tmp_path / ".x.bin.part").write_bytes(BODY)
    get()
    assert starts(server) == [300_000] and sent(server) == 0


# Wrong content


def test_other_bytes_of_the_same_size_are_refused(server, tmp_path):
    with pytest.raises(
        ValueError, match=f"has SHA-256 {SHA256}, expected 00.* is deleted. Try again"
    ):
        download(f"{server.url}/x.bin", tmp_path / "x.bin", sha256="0" * 64, progress=False)
    assert names(tmp_path) == []


def test_the_checksum_may_be_written_in_capitals(get):
    get(sha256=SHA256.upper(), size=300_000)


def test_a_short_file_is_refused(get):
    with pytest.raises(ValueError, match="has 300,000 bytes, expected 300,001"):
        get(size=300_001)


def test_hugging_face_says_size_and_checksum_before_it_redirects(server, tmp_path):
    def get_linked(size, sha256):
        server.linked = {"X-Linked-Etag": f'"{sha256}"', "x-linked-size": size}
        return download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)

    with pytest.raises(ValueError, match="has 300,000 bytes, expected 400,000"):
        get_linked(400_000, SHA256)
    with pytest.raises(ValueError, match="expected 111"):
        get_linked(300_000, "1" * 64)
    assert names(tmp_path) == []
    server.faults = [{}, {"cut": 200_000}]  # one for the redirection
    assert get_linked(300_000, SHA256).read_bytes() == BODY
    assert starts(server)[-2:] == [200_000, 200_000]


def test_with_a_checksum_of_hugging_face_the_tags_of_its_caches_may_differ(server, tmp_path):
    url = f"{server.url}/linked/x.bin"
    server.linked = {"X-Linked-ETag": f'"{SHA256}"'}
    server.faults = [{}, {"cut": 100_000}] + [{}, {"cut": 0}] * transfer.TRIES
    with pytest.raises(ConnectionError):
        download(url, tmp_path / "x.bin", progress=False)
    server.etag = '"of another cache"'
    assert download(url, tmp_path / "x.bin", progress=False).read_bytes() == BODY
    assert sent(server) == 300_000


def test_a_file_that_changed_at_hugging_face_starts_again(server, tmp_path):
    url = f"{server.url}/linked/x.bin"
    server.linked = {"X-Linked-ETag": f'"{SHA256}"'}
    server.faults = [{}, {"cut": 100_000}] + [{}, {"cut": 0}] * transfer.TRIES
    with pytest.raises(ConnectionError):
        download(url, tmp_path / "x.bin", progress=False)
    server.files["x.bin"] = BODY[::-1]
    server.linked = {"X-Linked-ETag": f'"{hashlib.sha256(BODY[::-1]).hexdigest()}"'}
    assert download(url, tmp_path / "x.bin", progress=False).read_bytes() == BODY[::-1]


def test_a_tag_that_is_no_sha256_is_not_taken_for_one(server, tmp_path):
    server.linked = {"X-Linked-ETag": '"5d41402abc4b2a76b9719d911017c592"'}
    download(f"{server.url}/linked/x.bin", tmp_path / "x.bin", progress=False)


def test_a_log_in_page_is_no_zip(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", server.url)
    server.always = {"page": True}
    words = "hpatches-release.zip is not a zip file; it begins with '<!DOCTYPE html>'. What came is"
    with pytest.raises(ValueError, match=words):
        download_release("hpatches", tmp_path, progress=False)
    assert names(tmp_path) == []


def test_a_zip_that_is_cut_off_is_said_to_be(tmp_path):
    (tmp_path / "x.zip").write_bytes(zip_bytes()[:-30])
    with pytest.raises(ValueError, match="is a zip file that is cut off"):
        check_zip(tmp_path / "x.zip")


def test_a_list_has_to_have_its_columns(tmp_path):
    (tmp_path / "x.csv").write_text("s,idx\r\nv_a,0\r\n")
    check_header("s,idx")(tmp_path / "x.csv")
    with pytest.raises(ValueError, match="begins with 's,idx', expected 's1,t1,idx1'"):
        check_header("s1,t1,idx1")(tmp_path / "x.csv")


# Files that are already here


def test_a_file_that_is_here_needs_no_network(get, server):
    get()
    server.always = {"status": 500}
    get()
    os.utime(get(), (1, 1))  # another date: its bytes are looked at
    get()
    assert len(server.requests) == 1


def test_its_bytes_are_read_again_only_when_its_date_is_another_one(get, monkeypatch):
    file, read = get(), []
    monkeypatch.setattr(
        fetch_module.hashlib, "sha256", lambda: read.append(1) or hashlib.new("sha256")
    )
    get()
    assert len(read) == 0
    os.utime(file, (1, 1))
    get()
    get()
    assert len(read) == 1


@pytest.mark.parametrize("damaged", [BODY[:200_000], b"?" + BODY[1:]])
def test_a_damaged_file_is_noticed_and_downloaded_anew(get, server, capsys, damaged):
    get().write_bytes(damaged)
    get()
    assert "by its record: it is downloaded anew." in capsys.readouterr().out
    assert len(server.requests) == 2


def test_a_file_put_there_by_hand_is_taken_and_recorded(server, tmp_path):
    (tmp_path / "hpatches-release.zip").write_bytes(zip_bytes())
    (tmp_path / "hpatches-release.zip.json").write_text('{"somebody": "else"}')
    file = download_release("hpatches", tmp_path)
    record = json.loads(file.with_name(f"{file.name}.json").read_text())
    assert record["url"] is None and record["sha256"] == hashlib.sha256(zip_bytes()).hexdigest()


def test_a_wrong_file_put_there_by_hand_is_left_alone(server, tmp_path):
    (tmp_path / "hpatches-release.zip").write_bytes(PAGE)
    with pytest.raises(ValueError, match="is not a zip file; .* Delete it, or put the right file"):
        download_release("hpatches", tmp_path)
    assert (tmp_path / "hpatches-release.zip").read_bytes() == PAGE


def test_a_file_in_a_folder_that_only_others_can_write_is_used(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "hpatches-release.zip").write_bytes(zip_bytes())
    monkeypatch.setattr(fetch_module, "write_beside", refuse)
    monkeypatch.setattr(fetch_module, "locked", refuse)
    download_release("hpatches", tmp_path)


# Names


def test_fetch_brings_a_zip_into_the_downloads(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/")
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path))
    server.files["hpatches-sequences-release.zip"] = zip_bytes()
    file = download_release("sequences", progress=False)
    assert file == tmp_path / "downloads" / "hpatches-sequences-release.zip"
    assert file.read_bytes() == zip_bytes()


def test_fetch_tasks_brings_the_five_lists_of_a_split(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/tasks")
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path))
    for name in ("verif_pos", "verif_neg_intra", "verif_neg_inter"):
        server.files[f"{name}_split-view.csv"] = b"s1,t1,idx1,s2,t2,idx2\nv_a,0,1,v_a,1,1\n"
    for name in ("retr_queries", "retr_distractors"):
        server.files[f"{name}_split-view.csv"] = b"s,idx\nv_a,0\n"
    for _ in range(2):
        folder = download_tasks("view", progress=False)
    assert folder == tmp_path / "official_tasks" and len(list(folder.glob("*_split-view.csv"))) == 5
    assert {r.path for r in server.requests} == {f"/tasks/{f.name}" for f in folder.glob("*.csv")}
    assert len(server.requests) == 5


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match="Unknown file 'patches': expected 'hpatches', 'sequences'."
    ):
        download_release("patches", tmp_path)
    with pytest.raises(ValueError, match="Unknown split 'd': expected 'a', 'b', .* 'full'."):
        download_tasks("d", tmp_path)
    assert len(SPLITS) == 6


# The disk


def test_too_little_room_is_said_before_anything_is_downloaded(get, server, tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")(100_000)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(
        OSError, match=r"x.bin needs 300 kB, 100 kB are free on the disk of /.*Make room"
    ):
        get()
    assert len(server.requests) == 1 and (tmp_path / "x.bin").exists() is False


def test_a_disk_that_fills_up_keeps_what_it_has(get, server, tmp_path, monkeypatch):
    class Full:
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
        patch.setattr(transfer, "open", Full, raising=False)
        with pytest.raises(OSError, match="No space is left in .* 200 kB of x.bin are kept there"):
            get()
    get()
    assert starts(server) == [0, 200_000]


def test_a_folder_that_cannot_be_written_is_named(get, tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    words = r"x\.bin cannot be written: Permission denied.*\$HPATCHES_KIT_DATA"
    with pytest.raises(OSError, match=words):
        get()


# Several processes

SCRIPT = """
import sys, types
package = types.ModuleType("hpatches_kit")  # the modules of the kit without all that it imports
package.__path__ = [sys.argv[1]]
sys.modules["hpatches_kit"] = package
from hpatches_kit.fetch import download
download(sys.argv[2], sys.argv[3])
"""


def other_process(server, file):
    kit = Path(fetch_module.__file__).parent
    command = [sys.executable, "-c", SCRIPT, kit, f"{server.url}/x.bin", file]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_processes_at_once_download_once(server, tmp_path):
    server.always = {"slow": 0.1}
    both = [other_process(server, tmp_path / "x.bin") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Waiting for another process that makes" in words for words in said) == 1
    assert (tmp_path / "x.bin").read_bytes() == BODY
    assert len(server.requests) == 1 and sent(server) == 300_000


def test_what_a_killed_process_left_is_gone_on_with(get, server, tmp_path):
    server.always = {"slow": 0.1}
    process, part = other_process(server, tmp_path / "x.bin"), tmp_path / ".x.bin.part"
    until = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 50_000) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.communicate(timeout=30)
    assert 50_000 < part.stat().st_size < 300_000
    start, server.always = part.stat().st_size, {}
    get()
    assert starts(server) == [0, start] and server.requests[1].sent == 300_000 - start

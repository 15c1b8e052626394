"""Resumable downloads that are verified by size and SHA-256.

A complete and verified file is `x.zip`; `x.zip.json` records its size, date and SHA-256. Until
then it is a hidden partial file, which the next call continues, even if the process was killed.

The client of huggingface_hub is not used: recent versions start again after a kill, and no version
survives a connection that is cut often or verifies SHA-256 (`benchmarks/hub_client.py`).
"""

import hashlib
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit._support.transfer import (
    advice,
    delete_part,
    progress_bar,
    read_sidecar,
    receive,
    write_sidecar,
)

HUB = "https://huggingface.co"


def download(url, file, size=None, sha256=None, progress=True, check=None):
    """Download a file, or resume its download; an existing file is verified instead.

    An existing file is compared with its record, without network; its SHA-256 is computed only if
    its size or date differs. A file without a record was put there by the user, and must pass
    `check`.

    Args:
        url: address of the file; see `mirrored`.
        file: path to write to.
        size, sha256: of the expected file, if known. Hugging Face sends both.
        progress: print what is downloaded, and show a bar.
        check: function of a path that raises UserError for wrong content.

    Returns the path. Raises UserError if the file is not the expected one, ConnectionError if the
    server cannot be reached or keeps failing, and another OSError if the server refuses, the disk
    is full or the folder is not writable.
    """
    url, file = mirrored(url), Path(file).expanduser()
    stamp = _stamp(file)
    if stamp and _is_valid(file, check, progress):
        return file
    with locked(file):
        if _stamp(file) != stamp and _is_valid(file, check, progress):  # by another process
            return file
        part = file.with_name(f".{file.name}.part")
        answer = receive(url, file, part, sha256, progress)
        sizes = (size, answer["linked_size"], answer["size"])
        try:
            actual = _verify(part, sizes, sha256 or answer["sha256"], check, progress)
        except UserError as error:
            delete_part(part)
            raise UserError(f"{url} {error}. The download is deleted. {advice(file)}") from None
        _write_record(file, part, url, actual)  # first, so that the file never lacks its record
        os.replace(part, file)
        delete_part(part)
    return file


def mirrored(url):
    """The address of a file, after `$HPATCHES_KIT_MIRROR` or `$HF_ENDPOINT` if one is set.

    The first replaces everything except the file name, the second only https://huggingface.co.
    """
    if mirror := os.environ.get("HPATCHES_KIT_MIRROR"):
        name = urlsplit(url).path.rpartition("/")[2]
        return f"{mirror.rstrip('/')}/{name}"
    endpoint = os.environ.get("HF_ENDPOINT")
    if endpoint and url.startswith(f"{HUB}/"):
        return endpoint.rstrip("/") + url.removeprefix(HUB)
    return url


def first_line(file, limit=40):
    """The first line of a file, at most `limit` bytes, for error messages."""
    with open(file, "rb") as stream:
        return stream.readline(limit).decode("utf-8", "replace").strip()


def _is_valid(file, check, progress):
    """Whether the file matches its record; UserError if a file of the user is wrong."""
    record = read_sidecar(file)
    record = record if "sha256" in record else {}  # a file of the user may have the same name
    if record and _stamp(file).items() <= record.items():
        return True
    try:
        sizes, expected = [record.get("size")], record.get("sha256")
        sha256 = _verify(file, sizes, expected, None if record else check, progress)
    except UserError as error:
        if not record:
            raise UserError(f"{file} {error}. Delete or replace this file.") from None
        print(f"{file} {error} by its record: it is downloaded again.")
        return False
    with suppress(OSError):  # a shared folder may not be writable
        _write_record(file, file, record.get("url"), sha256)
    return True


def _verify(file, sizes, sha256, check, progress):
    """SHA-256 of a file; UserError if its SHA-256, size or content is not the expected one."""
    actual, digest = file.stat().st_size, hashlib.sha256()
    for size in sizes:
        if size not in (None, actual):
            raise UserError(f"has {actual:,} bytes, expected {size:,}")
    title = f"checking {file.name}"
    with open(file, "rb") as stream, progress_bar(title, actual, 0, progress, delay=2) as bar:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            bar.update(len(chunk))
    if sha256 and digest.hexdigest() != sha256.lower():
        raise UserError(f"has SHA-256 {digest.hexdigest()}, expected {sha256}")
    if check:
        check(file)
    return digest.hexdigest()


def _stamp(file):
    """Size and date of a file; None if it does not exist."""
    if file.is_file():
        return {"size": file.stat().st_size, "modified": file.stat().st_mtime_ns}


def _write_record(file, written, url, sha256):
    date = datetime.now(UTC).isoformat(timespec="seconds")
    write_sidecar(file, {"url": url, **_stamp(written), "sha256": sha256, "date": date})

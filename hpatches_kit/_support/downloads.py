"""Downloads: resume, checksum, progress; HPatches and its task lists by name: `fetch("hpatches")`.

What is complete and right becomes `x.zip`, and `x.zip.json` records its size and SHA-256. Until then
it is a part that any later call goes on with, even after the process was killed.

Addresses change. With `$HPATCHES_KIT_MIRROR` set to an address such as `https://example.org/hpatches`,
every file is asked for there, by its file name.
"""

import hashlib
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit._support.transfer import advice, bar, drop, read_beside, receive, write_beside


def download(url, file, size=None, sha256=None, progress=True, check=None):
    """Download a file, going on where an earlier call stopped; what is already here stays.

    A file that is here is compared with its record (its bytes only when its date is not the recorded
    one), without network. A file without a record was put there by hand: it has to pass `check`.

    Args:
        url: where the file is; `$HPATCHES_KIT_MIRROR`, an address, replaces all but the file name.
        file: where it goes.
        size, sha256: what to expect of what is downloaded, if known. Hugging Face says it by itself.
        progress: whether to say what is going on and draw a bar.
        check: a function that is given a path and raises UserError for the wrong content.

    Returns:
        The path. Raises UserError for what is not the expected file; ConnectionError when the server
        cannot be reached or keeps failing; any other OSError when the server refuses, the disk is
        full or the folder cannot be written.
    """
    file = Path(file).expanduser()
    if os.environ.get("HPATCHES_KIT_MIRROR"):
        name = urlsplit(url).path.rpartition("/")[2]
        url = f"{os.environ['HPATCHES_KIT_MIRROR'].rstrip('/')}/{name}"
    before = _stamp(file)
    if before and _is_right(file, check, progress):
        return file
    with locked(file):
        if _stamp(file) != before and _is_right(file, check, progress):  # another process's
            return file
        part = file.with_name(f".{file.name}.part")
        known = receive(url, file, part, sha256, progress)
        sizes = (size, known["linked_size"], known["size"])
        try:
            found = _verify(part, sizes, sha256 or known["sha256"], check, progress)
        except ValueError as error:
            drop(part)
            raise UserError(f"{url} {error}. What came is deleted. {advice(file)}") from None
        _record(file, part, url, found)  # before the file, so that no file is without
        os.replace(part, file)
        drop(part)
    return file


def _beginning(file):
    with open(file, "rb") as stream:
        return stream.readline(40).decode("utf-8", "replace").strip()


def _is_right(file, check, progress):
    """Whether the file is as recorded; UserError when one put there by hand is wrong."""
    record = read_beside(file)
    record = record if "sha256" in record else {}  # not a file of the same name by someone else
    if record and _stamp(file).items() <= record.items():
        return True
    try:
        sizes, sha256 = (record.get("size"),), record.get("sha256")
        found = _verify(file, sizes, sha256, None if record else check, progress)
    except ValueError as error:
        if not record:
            raise UserError(f"{file} {error}. Delete it, or put the right file there.") from None
        print(f"{file} {error} by its record: it is downloaded anew.")
        return False
    with suppress(OSError):  # it may be in a shared folder that only others can write
        _record(file, file, record.get("url"), found)
    return True


def _verify(file, sizes, sha256, check, progress):
    """SHA-256 of a file; UserError when that, a size or the content is not the expected one."""
    found, digest = file.stat().st_size, hashlib.sha256()
    for size in sizes:
        if size not in (None, found):
            raise UserError(f"has {found:,} bytes, expected {size:,}")
    with open(file, "rb") as stream, bar(f"checking {file.name}", found, 0, progress, 2) as shown:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            shown.update(len(chunk))
    if sha256 and digest.hexdigest() != sha256.lower():
        raise UserError(f"has SHA-256 {digest.hexdigest()}, expected {sha256}")
    if check:
        check(file)
    return digest.hexdigest()


def _stamp(file):
    """Size and date of a file, None when there is none."""
    if file.is_file():
        return {"size": file.stat().st_size, "modified": file.stat().st_mtime_ns}


def _record(file, written, url, sha256):
    date = datetime.now(UTC).isoformat(timespec="seconds")
    write_beside(file, {"url": url, **_stamp(written), "sha256": sha256, "date": date})

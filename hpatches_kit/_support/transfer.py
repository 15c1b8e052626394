"""Transfer of one file from a web server, in as many requests as necessary.

`.x.zip.part` contains the first bytes of `x.zip`. `.x.zip.part.json` describes the whole file: its
address, size, checksum, and validator (a tag or date that changes with the file on the server).
"""

import errno
import json
import re
import time
from contextlib import suppress
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.disk import check_disk_space
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import read_json
from hpatches_kit._support.regular_files import check_output
from hpatches_kit._support.units import format_bytes

TRIES = 6  # failures in a row, without a new byte, until the download is given up
WAIT = 1.0  # seconds before the second try; doubled before each further one
TIMEOUT = (10, 30)  # seconds to connect, and between two chunks
CHUNK = 1 << 16  # bytes; small, because the chunk being received is lost with the connection
KNOWN = {"url", "validator", "size", "linked_size", "sha256"}  # of a partial file
LARGEST = 1 << 36  # bytes of a file whose size the server does not say
SPEED = 10e6  # bytes per second, assumed to estimate the duration


def receive(url, file, part, sha256, progress):
    """Complete the partial file `part`; returns the description of `file`, as in its JSON file.

    `sha256` is the expected checksum or None; the caller verifies it.
    """
    check_output(part)
    failures, (known, start) = 0, _usable_part(part, url, sha256)
    initial = furthest = start
    while not known or start != known["size"]:
        announce = progress and furthest == initial
        try:
            _request(url, file, part, known, start, progress, announce)
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise UserError(f"{url!r} is not an address: {error}. {advice(file)}") from None
            reached = _usable_part(part, url, sha256)[1]
            failures = 0 if reached > furthest else failures + 1
            furthest = max(furthest, reached)
            if failures == TRIES:
                kept = f"{format_bytes(reached)} are kept, and the next call continues from there."
                kept = kept if reached else "Nothing is downloaded yet."
                raise ConnectionError(f"{url}: {_reason(error)}. {kept} {advice(file)}") from None
            if failures and progress:
                print(f"{file.name}: {_reason(error)}. Trying again.")
            time.sleep(WAIT * 2 ** (failures - 1))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
                raise
            reached = _usable_part(part, url, sha256)[1]
            raise OSError(
                f"No space is left in {file.parent}, which keeps {format_bytes(reached)} of"
                f" {file.name}: make room and call again; the download is resumed."
            ) from None
        known, start = _usable_part(part, url, sha256)
    return known


def _request(url, file, part, known, start, progress, announce):
    """Append the missing bytes to `part`; RequestException if another try may succeed."""
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if known["validator"]:
            headers["If-Range"] = known["validator"]
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    except ValueError as error:  # also of urllib, for an address that the server redirects to
        raise requests.exceptions.InvalidURL(str(error)) from error
    with response:
        status, (first, answer) = response.status_code, _description(response, url)
        if status == 429 or status >= 500:
            raise requests.ConnectionError(f"the server answers {status} {response.reason}")
        if status == 416 and start:  # no bytes after `start`
            if known["size"] or answer["size"] != start:
                delete_part(part)
                raise requests.ConnectionError("the file on the server is shorter than its part")
            return write_sidecar(part, known | {"size": start})
        if status not in (200, 206):
            raise OSError(f"{url} answers {status} {response.reason}. {advice(file)}")
        if start and "text/html" in response.headers.get("Content-Type", ""):
            # Probably a login page: it must not replace the bytes that are already downloaded.
            raise requests.ConnectionError("the server sends a web page instead of the file")
        if status == 200:
            delete_part(part)  # first, so that old bytes never have the new description
            write_sidecar(part, answer)
            known, start = answer, 0
        elif first != start or any(answer[key] not in (None, known.get(key)) for key in answer):
            delete_part(part)
            raise requests.ConnectionError("the file on the server has changed")
        missing = (known["size"] or start) - start
        check_disk_space(file.parent, missing, f"The rest of {file.name}" if start else file.name)
        if announce:
            print(_announcement(url, file, known["size"], start), flush=True)
        with (
            open(part, "ab") as stream,
            progress_bar(file.name, known["size"], start, progress) as bar,
        ):
            received, limit = start, known["size"] or known["linked_size"] or LARGEST
            for chunk in response.iter_content(CHUNK):
                received += len(chunk)
                if received > limit:
                    delete_part(part)
                    raise UserError(
                        f"{url} sends more than {format_bytes(limit)}. The download is deleted."
                        f" {advice(file)}"
                    )
                stream.write(chunk)
                bar.update(len(chunk))
    received = part.stat().st_size
    if known["size"] is None:
        write_sidecar(part, known | {"size": received})
    elif received < known["size"]:  # older versions of urllib3 do not raise an error
        raise requests.ConnectionError("the connection was closed too early")


def _description(response, url):
    """The first byte of an answer, and the description of the whole file."""
    headers, first, size = response.headers, "0", response.headers.get("Content-Length", "")
    if response.status_code in (206, 416):
        content_range = re.match(r"[^\d/]*(\d*)[^/]*/?(.*)", headers.get("Content-Range", ""))
        first, size = content_range.groups()
    validator = headers.get("ETag", "W/")
    if validator.startswith("W/"):  # a weak tag may stay the same when bytes change
        validator = headers.get("Last-Modified")
    if headers.get("Content-Encoding", "identity") != "identity":  # compressed, against our request
        size, validator = "", None
    linked = {"X-Linked-ETag": "", "X-Linked-Size": ""}  # from Hugging Face, in its redirect
    for answer in (response, *response.history):
        linked |= {name: answer.headers[name] for name in linked if name in answer.headers}
    sha256 = re.fullmatch('"?([0-9a-f]{64})"?', linked["X-Linked-ETag"].lower())
    if sha256:  # more reliable than a tag, which may differ between caches of Hugging Face
        validator = None
    return first and int(first), {
        "url": url,
        "validator": validator,
        "size": int(size) if size.isdigit() else None,
        "linked_size": int(linked["X-Linked-Size"]) if linked["X-Linked-Size"].isdigit() else None,
        "sha256": sha256[1] if sha256 else None,
    }


def _usable_part(part, url, sha256):
    """Description and length of the partial file; `({}, 0)` if it cannot be continued safely."""
    known, length = read_sidecar(part), part.stat().st_size if part.exists() else None
    if length is None or not KNOWN <= known.keys() or known["url"] != url:
        return {}, 0
    if not isinstance(known["size"], int | None) or length > (known["size"] or length):
        return {}, 0
    if not (known["validator"] or known["sha256"] or sha256 or length == known["size"]):
        return {}, 0  # a change of the file on the server would not be noticed
    return known, length


def _announcement(url, file, size, start):
    host, minutes = urlsplit(url).hostname, round(((size or 0) - start) / SPEED / 60)
    if not size:
        return f"{file.name}: unknown size, from {host}."
    kept = f" ({format_bytes(start)} already downloaded)" if start else ""
    duration = f"about {minutes} minute{'s' * (minutes > 1)}" if minutes else "less than a minute"
    speed = f"{SPEED / 1e6:.0f} MB/s"
    return f"{file.name}: {format_bytes(size)} from {host}{kept}, {duration} at {speed}."


def _reason(error):
    """The message of the innermost error, without the object name that urllib3 puts before it."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    texts = (text for text in getattr(cause, "args", ()) if isinstance(text, str))
    return re.sub(r"^(HTTP\w+\(.*?\)|<.*?>): ", "", next(texts, str(cause))).rstrip(".")


def advice(file):
    source = " or pass its path as source=." if file.suffix == ".zip" else "."
    return (
        "Try again later, set $HPATCHES_KIT_MIRROR to an address that has the file, or download it"
        f" yourself and put it at {file}{source}"
    )


def progress_bar(title, size, start, progress, delay=0):
    options = {"unit": "B", "unit_scale": True, "disable": not progress, "leave": False}
    return tqdm(desc=title, total=size, initial=start, delay=delay, **options)


def read_sidecar(file):
    """The content of `<file>.json` beside a file; `{}` if it is missing or unreadable."""
    with suppress(OSError, UserError):
        return read_json(file.with_name(f"{file.name}.json"), "a record of a download", links=False)
    return {}


def write_sidecar(file, content):
    write_text(file.with_name(f"{file.name}.json"), json.dumps(content, indent=1) + "\n")


def delete_part(part):
    part.unlink(missing_ok=True)
    part.with_name(f"{part.name}.json").unlink(missing_ok=True)

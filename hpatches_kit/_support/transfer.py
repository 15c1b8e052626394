"""One file from a web server, in as many requests as it takes.

`.x.zip.part` holds the first bytes of `x.zip`, and `.x.zip.part.json` says of what they are the
beginning: its address, its size, and the tag by which the server knows when it has changed.
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
from hpatches_kit._support.units import format_bytes

TRIES = 6  # in a row without a new byte
WAIT = 1.0  # seconds before the second try, twice as long before each further one
TIMEOUT = (10, 30)  # seconds for a connection, and without a byte on it
CHUNK = 1 << 16  # bytes; what came of a chunk is lost with the connection, so they are small
SPEED = 10e6  # bytes a second, to guess how long it takes


def receive(url, file, part, sha256, progress):
    """Fill `part` to its end, in as many requests as it takes; returns what is known of the file."""
    failures, (known, start) = 0, _kept(part, url, sha256)
    begun = furthest = start
    while not known or start != known["size"]:
        try:
            _request(url, file, part, known, start, progress, say=progress and furthest == begun)
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise UserError(f"{url!r} is not an address: {error}. {advice(file)}") from None
            reached = _kept(part, url, sha256)[1]
            failures = 0 if reached > furthest else failures + 1
            furthest = max(furthest, reached)
            if failures == TRIES:
                here = f"{format_bytes(reached)} of it are here; calling again goes on from there."
                here = here if reached else "Nothing of it is here yet."
                raise ConnectionError(f"{url}: {_reason(error)}. {here} {advice(file)}") from None
            if failures and progress:
                print(f"{file.name}: {_reason(error)}. Trying again.")
            time.sleep(WAIT * 2 ** (failures - 1))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
                raise
            reached = _kept(part, url, sha256)[1]
            raise OSError(
                f"No space is left in {file.parent}. {format_bytes(reached)} of {file.name} are kept there:"
                " make room and call again, and it goes on from there."
            ) from None
        known, start = _kept(part, url, sha256)
    return known


def _request(url, file, part, known, start, progress, say):
    """Ask for what is missing and add it to `part`; RequestException for what another try may mend."""
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if known["validator"]:
            headers["If-Range"] = known["validator"]
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        status, (first, found) = response.status_code, _described(response, url)
        if status == 429 or status >= 500:
            raise requests.ConnectionError(f"the server answers {status} {response.reason}")
        if status == 416 and start:
            if known["size"] or found["size"] != start:
                drop(part)
                raise requests.ConnectionError("the server has less than is here")
            return write_beside(part, known | {"size": start})
        if status not in (200, 206):
            raise OSError(f"{url} answers {status} {response.reason}. {advice(file)}")
        if start and "text/html" in response.headers.get("Content-Type", ""):
            # Someone's log-in page, not the file: what is here must not be given up for it.
            raise requests.ConnectionError("a web page is sent instead of the file")
        if status == 200:
            drop(part)  # before the new description: old bytes must never be under it
            write_beside(part, found)
            known, start = found, 0
        elif first != start or any(found[key] not in (None, known.get(key)) for key in found):
            drop(part)
            raise requests.ConnectionError("the server has another file by now")
        check_disk_space(
            file.parent,
            (known["size"] or start) - start,
            f"The rest of {file.name}" if start else file.name,
        )
        if say:
            print(_announcement(url, file, known["size"], start), flush=True)
        with open(part, "ab") as stream, bar(file.name, known["size"], start, progress) as shown:
            for chunk in response.iter_content(CHUNK):
                stream.write(chunk)
                shown.update(len(chunk))
    received = part.stat().st_size
    if known["size"] is None:
        write_beside(part, known | {"size": received})
    elif received < known["size"]:  # older versions of urllib3 do not complain
        raise requests.ConnectionError("the connection was closed too early")


def _described(response, url):
    """The first byte of an answer, and what it says of the whole file."""
    own, first, size = response.headers, "0", response.headers.get("Content-Length", "")
    if response.status_code in (206, 416):
        first, size = re.match(r"[^\d/]*(\d*)[^/]*/?(.*)", own.get("Content-Range", "")).groups()
    validator = own.get("ETag", "W/")
    if validator.startswith("W/"):  # such a tag may stay when bytes change
        validator = own.get("Last-Modified")
    if own.get("Content-Encoding", "identity") != "identity":  # packed on the way, though not asked
        size, validator = "", None
    linked = {"X-Linked-ETag": "", "X-Linked-Size": ""}  # Hugging Face says it when it redirects
    for answer in (response, *response.history):
        linked |= {name: answer.headers[name] for name in linked if name in answer.headers}
    sha256 = re.fullmatch('"?([0-9a-f]{64})"?', linked["X-Linked-ETag"].lower())
    if sha256:  # tells better than a tag, on which the many caches of the hub need not agree
        validator = None
    return first and int(first), {
        "url": url,
        "validator": validator,
        "size": int(size) if size.isdigit() else None,
        "linked_size": int(linked["X-Linked-Size"]) if linked["X-Linked-Size"].isdigit() else None,
        "sha256": sha256[1] if sha256 else None,
    }


def _kept(part, url, sha256):
    """What is known of a part, and its bytes; nothing when one cannot be sure of what it is."""
    known, length = read_beside(part), part.stat().st_size if part.exists() else None
    if length is None or known.get("url") != url or length > (known["size"] or length):
        return {}, 0
    if not (known["validator"] or known["sha256"] or sha256 or length == known["size"]):
        return {}, 0  # nothing would tell that the next bytes are of another file
    return known, length


def _announcement(url, file, size, start):
    host, minutes = urlsplit(url).hostname, round(((size or 0) - start) / SPEED / 60)
    here = f", {format_bytes(start)} of it are here already" if start else ""
    if not size:
        return f"{file.name}: from {host}, of unknown size."
    took = f"about {minutes} minute{'s' * (minutes > 1)}" if minutes else "less than a minute"
    return f"{file.name}: {format_bytes(size)} from {host}{here}, {took} at {SPEED / 1e6:.0f} MB/s."


def _reason(error):
    """The words of an error below layers of others, without the name of an object before them."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    words = next((word for word in getattr(cause, "args", ()) if isinstance(word, str)), str(cause))
    return re.sub(r"^(HTTP\w+\(.*?\)|<.*?>): ", "", words).rstrip(".")


def advice(file):
    return (
        "Try again later, set $HPATCHES_KIT_MIRROR to an address that has it, or download it by hand"
        f" and put it at {file}"
        + (" or pass its path as source=." if file.suffix == ".zip" else ".")
    )


def bar(title, size, start, progress, delay=0):
    return tqdm(desc=title, total=size, initial=start, unit="B", unit_scale=True, disable=not progress, delay=delay, leave=False)  # fmt: skip


def read_beside(file):
    """The JSON beside a file, `{}` when there is none that can be read."""
    with suppress(OSError, ValueError):
        return json.loads(file.with_name(f"{file.name}.json").read_text())
    return {}


def write_beside(file, about):
    write_text(file.with_name(f"{file.name}.json"), json.dumps(about, indent=1) + "\n")


def drop(part):
    part.unlink(missing_ok=True)
    part.with_name(f"{part.name}.json").unlink(missing_ok=True)

"""Downloads: resume, checksum, progress; HPatches and its task lists by name: `fetch("hpatches")`.

What is complete and right becomes `x.zip`, and `x.zip.json` records its size and SHA-256. Until then
it is a part that any later call goes on with, even after the process was killed.

Addresses change. With `$HPATCHES_KIT_MIRROR` set to an address such as `https://example.org/hpatches`,
every file is asked for there, by its file name.
"""

import hashlib
import os
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from hpatches_kit.benchmark.task_files import (
    PAIR_COLUMNS,
    PAIR_FILES,
    POINT_COLUMNS,
    POINT_FILES,
)
from hpatches_kit.files import data_home, locked
from hpatches_kit.splits import SPLITS
from hpatches_kit.transfer import advice, bar, drop, read_beside, receive, write_beside

HUB = "https://huggingface.co/datasets/vbalnt/hpatches/resolve/main"
TASKS = "https://raw.githubusercontent.com/hpatches/hpatches-benchmark/master/tasks"
FILES = {
    "hpatches": f"{HUB}/hpatches-release.zip",  # patches, 4.2 GB
    "sequences": f"{HUB}/hpatches-sequences-release.zip",  # the images they were cut from, 1.3 GB
}
LISTS = dict.fromkeys(PAIR_FILES.values(), ",".join(PAIR_COLUMNS))  # and their first lines
LISTS |= dict.fromkeys(POINT_FILES.values(), ",".join(POINT_COLUMNS))


def fetch(name, folder=None, progress=True):
    """Download a release of HPatches as a zip, or find the one that is already here.

    Args:
        name: `"hpatches"` (4.2 GB) or `"sequences"` (1.3 GB).
        folder: where the zip goes. Default: `downloads` below `$HPATCHES_KIT_DATA` or the kit's data.
        progress: whether to say what is going on and draw a bar.

    Returns:
        The path of the zip. Raises ValueError for an unknown name, and what `download` raises.
    """
    if name not in FILES:
        raise ValueError(f"Unknown file {name!r}: expected {', '.join(map(repr, FILES))}.")
    file = Path(folder or data_home() / "downloads") / FILES[name].rpartition("/")[2]
    return download(FILES[name], file, progress=progress, check=check_zip)


def fetch_tasks(split, folder=None, progress=True):
    """Download the five official task lists of a split, unless they are already here.

    Args:
        split: `"a"`, `"b"`, `"c"`, `"view"`, `"illum"` or `"full"`.
        folder: where they go. Default: `official_tasks` below `$HPATCHES_KIT_DATA` or the kit's data.
        progress: whether to say what is going on and draw a bar.

    Returns:
        The folder. Raises ValueError for an unknown split, and what `download` raises.
    """
    if split not in SPLITS:
        raise ValueError(f"Unknown split {split!r}: expected {', '.join(map(repr, SPLITS))}.")
    folder = Path(folder or data_home() / "official_tasks").expanduser()
    for name, header in LISTS.items():
        file = f"{name}_split-{split}.csv"
        download(f"{TASKS}/{file}", folder / file, progress=progress, check=check_header(header))
    return folder


def download(url, file, size=None, sha256=None, progress=True, check=None):
    """Download a file, going on where an earlier call stopped; what is already here stays.

    A file that is here is compared with its record (its bytes only when its date is not the recorded
    one), without network. A file without a record was put there by hand: it has to pass `check`.

    Args:
        url: where the file is; `$HPATCHES_KIT_MIRROR`, an address, replaces all but the file name.
        file: where it goes.
        size, sha256: what to expect of what is downloaded, if known. Hugging Face says it by itself.
        progress: whether to say what is going on and draw a bar.
        check: a function that is given a path and raises ValueError for the wrong content.

    Returns:
        The path. Raises ValueError for what is not the expected file; ConnectionError when the server
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
            raise ValueError(f"{url} {error}. What came is deleted. {advice(file)}") from None
        _record(file, part, url, found)  # before the file, so that no file is without
        os.replace(part, file)
        drop(part)
    return file


def check_zip(file):
    """Raise ValueError when a file is not a zip, or is one without its end."""
    try:
        zipfile.ZipFile(file).close()
    except (zipfile.BadZipFile, NotImplementedError):
        beginning = _beginning(file)
        if beginning.startswith("PK"):
            raise ValueError("is a zip file that is cut off") from None
        raise ValueError(f"is not a zip file; it begins with {beginning!r}") from None


def check_header(header):
    """A check that the first line of a text file is `header`."""

    def check(file):
        with open(file, "rb") as stream:
            if stream.readline(1000).strip() != header.encode():
                raise ValueError(f"begins with {_beginning(file)!r}, expected {header!r}")

    return check


def _beginning(file):
    with open(file, "rb") as stream:
        return stream.readline(40).decode("utf-8", "replace").strip()


def _is_right(file, check, progress):
    """Whether the file is as recorded; ValueError when one put there by hand is wrong."""
    record = read_beside(file)
    record = record if "sha256" in record else {}  # not a file of the same name by someone else
    if record and _stamp(file).items() <= record.items():
        return True
    try:
        sizes, sha256 = (record.get("size"),), record.get("sha256")
        found = _verify(file, sizes, sha256, None if record else check, progress)
    except ValueError as error:
        if not record:
            raise ValueError(f"{file} {error}. Delete it, or put the right file there.") from None
        print(f"{file} {error} by its record: it is downloaded anew.")
        return False
    with suppress(OSError):  # it may be in a shared folder that only others can write
        _record(file, file, record.get("url"), found)
    return True


def _verify(file, sizes, sha256, check, progress):
    """SHA-256 of a file; ValueError when that, a size or the content is not the expected one."""
    found, digest = file.stat().st_size, hashlib.sha256()
    for size in sizes:
        if size not in (None, found):
            raise ValueError(f"has {found:,} bytes, expected {size:,}")
    with open(file, "rb") as stream, bar(f"checking {file.name}", found, 0, progress, 2) as shown:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            shown.update(len(chunk))
    if sha256 and digest.hexdigest() != sha256.lower():
        raise ValueError(f"has SHA-256 {digest.hexdigest()}, expected {sha256}")
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

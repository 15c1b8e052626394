"""A disk that becomes full: an error that says so, the old content, and nothing left over.

It needs a folder on a small disk of its own, which a setup step as root mounts:

    sudo mount -t tmpfs -o size=4m,mode=1777 tmpfs /mnt/small
    make campaign SMALL_DISK=/mnt/small
"""

import os
import resource
import shutil
import signal
from contextlib import contextmanager

from campaigns.formats import FORMATS
from campaigns.outcomes import must_succeed, outcome_of, result_of

WRITTEN = (  # formats that the kit itself writes
    "CSV folder",
    "npz of descriptors",
    "patch set",
    "scores",
    "task lists",
    "record of a run",
)
FREE = (0, 1000, 5000, 20_000, 60_000, 120_000, 200_000)  # bytes


@contextmanager
def fill(folder, free):
    """Fill the disk of a folder, except `free` bytes."""
    filler = folder / "filler"
    with open(filler, "wb") as stream:
        while (left := shutil.disk_usage(folder).free - free) > 0:
            stream.write(bytes(min(left, 1 << 20)))
            stream.flush()
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def limit_files(_, size):
    """A substitute for tests: no file can be longer than `size` bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an OSError instead
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def run(folder, formats=WRITTEN, sizes=FREE, limit=fill, **limits):
    """Write each format again while the disk becomes full; returns `{label: (outcome, text)}`.

    What was there has to stay, without anything beside it; with room again, writing succeeds.
    """
    outcomes = {}
    for name in formats:
        described, place = FORMATS[name], folder / "case"
        for free in sizes:
            place.mkdir()
            described.write(place)
            expected, names = result_of(described.read, place), _names(place)

            def write(place, described=described, free=free):
                with limit(place.parent, free):
                    described.write(place)
                return "written"

            label = f"{name}: {free} bytes free"
            outcomes[label] = outcome_of(write, place, (), "written", **limits)
            old = outcome_of(described.read, place, (), expected, **limits)
            outcomes[f"{label}, old content"] = must_succeed(old)
            if (left := _names(place)) != names:
                outcomes[f"{label}, left over"] = "changed", str(sorted(left - names))
            described.write(place)
            shutil.rmtree(place)
    return outcomes


def _names(place):
    return {
        os.path.relpath(os.path.join(root, name), place)
        for root, folders, files in os.walk(place)
        for name in [*folders, *files]
        if not name.endswith(".lock")
    }

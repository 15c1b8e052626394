"""What the benchmarks share: memory, fresh processes, the machine in words, tables that are kept."""

import json
import multiprocessing
import platform
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pandas as pd
import scipy

from hpatches_kit import __version__
from hpatches_kit._support.atomic import replace_section
from hpatches_kit._support.processor import cores, processor

PROJECT = Path(__file__).resolve().parent.parent


def peak_memory(reset=False):
    """The most memory that this process held at once so far, or since the reset, in GB (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return status("VmHWM")


def status(key):
    """A line of `/proc/self/status`, in GB.

    `RssAnon` is memory that nothing but this process can give back; `RssFile` also counts pages of
    mapped files, which the system takes back whenever it wants them.
    """
    text = Path("/proc/self/status").read_text().split(f"{key}:")[1]
    return int(text.split()[0]) / 1e6


@contextmanager
def most(key="RssAnon", every=0.02):
    """Watch a line of the status; yields a list whose last entry is the most there was, in GB."""
    seen, stop = [status(key)], Event()

    def watch():
        while not stop.wait(every):
            seen[-1] = max(seen[-1], status(key))

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
        seen[-1] = max(seen[-1], status(key))


def apart(function, *arguments):
    """What a function of a module returns in a fresh process of its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        result = receiver.recv()
    except EOFError:
        raise SystemExit(f"{function.__name__}{arguments} failed.") from None
    process.join()
    return result


def _send(connection, function, arguments):
    connection.send(function(*arguments))


def machine():
    """What this ran on, in words."""
    return (
        f"{date.today()}, hpatches_kit {__version__} on {cores()} cores of {processor()};"
        f" Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    )


def kept(file, rows, keys):
    """All rows that were ever saved in a file, in order, with these in place of older ones."""
    place = {tuple(row[key] for key in keys): row for row in _read(file) + rows}
    file.write_text(json.dumps(list(place.values()), indent=1) + "\n")
    return list(place.values())


def _read(file):
    return json.loads(file.read_text()) if file.exists() else []


def table(rows):
    """Rows as a markdown table, numbers with three digits."""

    def text(value):
        if isinstance(value, str):
            return value
        if isinstance(value, (int, np.integer)):
            return f"{value:,}"
        return "" if pd.isna(value) else f"{value:.3g}"

    frame = pd.DataFrame(rows).astype(object).map(text)
    return frame.to_markdown(index=False, disable_numparse=True)


def into_page(mark, text, page="benchmarks/README.md"):
    """Put a table and what it was made with between its marks on a page."""
    replace_section(PROJECT / page, mark, text)

"""Shared by the benchmarks: memory, fresh processes, the machine, saved rows, tables on pages."""

import json
import multiprocessing
import os
import platform
from contextlib import contextmanager, suppress
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
    """The peak memory of this process so far, or since the last reset, in GB (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return memory_status("VmHWM")


def memory_status(key, process="self"):
    """A line of `/proc/self/status`, in GB, or of the status of another process.

    `RssAnon` is memory that only this process can release; `RssFile` counts pages of mapped files,
    which the operating system releases when it needs memory.
    """
    text = Path(f"/proc/{process}/status").read_text().split(f"{key}:")[1]
    return int(text.split()[0]) / 1e6


def processor_seconds():
    """Seconds of processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@contextmanager
def watch_peak(process="self"):
    """Watch `RssAnon` of a process in a thread; yield a list whose only entry is its peak, in GB."""
    peak, stop = [memory_status("RssAnon", process)], Event()

    def update():
        with suppress(OSError, IndexError):  # the process has ended
            peak[0] = max(peak[0], memory_status("RssAnon", process))

    def watch():
        while not stop.wait(0.02):  # seconds
            update()

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
        update()


def in_fresh_process(function, *arguments):
    """Call a function of a module in a fresh process, and return its result."""
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


def describe_machine():
    """Date, versions and processor, as one line of text."""
    return (
        f"{date.today()}, hpatches_kit {__version__} on {cores()} cores of {processor()};"
        f" Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    )


def merge_saved_rows(file, rows, keys):
    """Save rows to a JSON file; a row replaces a saved one with the same keys. Return all rows."""
    saved = json.loads(file.read_text()) if file.exists() else []
    merged = list({tuple(row[key] for key in keys): row for row in saved + rows}.values())
    file.write_text(json.dumps(merged, indent=1) + "\n")
    return merged


def table(rows):
    """Rows as a Markdown table, numbers with three digits."""

    def text(value):
        if isinstance(value, str):
            return value
        if isinstance(value, (int, np.integer)):
            return f"{value:,}"
        return "" if pd.isna(value) else f"{value:.3g}"

    frame = pd.DataFrame(rows).astype(object).map(text)
    return frame.to_markdown(index=False, disable_numparse=True)


def save_to_page(mark, text, page="benchmarks/README.md"):
    """Replace the text between two marks on a page."""
    replace_section(PROJECT / page, mark, text)

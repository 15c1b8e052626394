"""Time and memory of the benchmark and of its simplest form; checks that all numbers agree.

    make benchmark                                  # small and full size: 10 minutes
    python benchmarks/evaluation.py --size small    # a minute

`--part reading` measures one part only; `--save` writes the rows into `docs/benchmark.md`.

Descriptors are random 128-D unit vectors with the sequence lengths of split a; the views of a point
are closer to each other than to other points. The times do not depend on the numbers. The reference
is `hpatches_kit/benchmark/plain.py`, and for reading `pandas.read_csv`, file by file; after
`pip install polars pyarrow`, their parallel readers are measured, too. Each task runs in its own
process; memory is its peak beyond the descriptors, as Linux counts it.
"""

import argparse
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import measure
import numpy as np
import pandas as pd

from hpatches_kit import Descriptors, benchmark
from hpatches_kit.benchmark import plain, tasks
from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.verification import verification
from hpatches_kit.datasets.splits import split_lengths
from hpatches_kit.descriptors import load

SIZES = {"small": 20, "full": 1}  # divisor of the sequence lengths of split a
PARTS = ("reading", "lists", "tasks")
ROWS = measure.PROJECT / "benchmarks" / "evaluation.json"  # the rows on the page
REPEATS = {"small": 5, "full": 3}  # runs of the kit; the reference runs once


def make_descriptors(file, divisor, seed=0):
    """Write descriptors `(points, 16, 128)`, sequence by sequence; return the sequence lengths."""
    lengths = {name: length // divisor for name, length in split_lengths("a").items()}
    rng = np.random.default_rng(seed)
    noise = np.repeat([0.7, 1.0, 1.4, 1.8], [1, 5, 5, 5])[:, None]
    values = np.lib.format.open_memmap(file, "w+", np.float32, (sum(lengths.values()), 16, 128))
    start = 0
    for length in lengths.values():
        block = rng.normal(size=(length, 1, 128)) + noise * rng.normal(size=(length, 16, 128))
        block /= np.linalg.norm(block, axis=2, keepdims=True)
        values[start : start + length] = block
        start += length
    values.flush()
    return lengths


def load_descriptors(file, lengths):
    return Descriptors(np.load(file), np.repeat(list(lengths), list(lengths.values())))


def measure_task(file, lengths, code, task, repeats):
    """Score one task with `"kit"` or `"reference"`: seconds of each run, peak GB, and scores."""
    descriptors = load_descriptors(file, lengths)
    lists = benchmark.draw_tasks(descriptors)
    kit = {"verification": verification, "matching": matching, "retrieval": retrieval}
    score = kit[task] if code == "kit" else getattr(plain, task)
    arguments = (descriptors,) if task == "matching" else (descriptors, lists)
    memory_before, seconds = measure.peak_memory(reset=True), []
    for _ in range(repeats):
        began = time.perf_counter()
        scores = score(*arguments)
        seconds.append(time.perf_counter() - began)
    return seconds, measure.peak_memory() - memory_before, scores


def compare(size, parts):
    """Measure the rows of the table for one size."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "descriptors.npy"
        lengths = make_descriptors(file, SIZES[size])
        points = sum(lengths.values())
        title = f"{size}: {len(lengths)} sequences, {points:,} points"
        if "reading" in parts:
            rows += reading(load_descriptors(file, lengths), Path(folder), title)
        if "lists" in parts:
            rows.append(lists(lengths, title))
        if "tasks" not in parts:
            return rows
        for task in ("verification", "matching", "retrieval"):
            print(f"{title}: {task} ...", file=sys.stderr, flush=True)
            kit, reference = (
                measure.in_fresh_process(measure_task, file, lengths, code, task, repeats)
                for code, repeats in (("kit", REPEATS[size]), ("reference", 1))
            )
            (fast, memory, scores), (slow, slow_memory, expected) = kit, reference
            for sentence in plain.differences(expected, scores):
                raise SystemExit(f"{task} differs: {sentence}")
            rows.append(row(title, task, slow[0], fast, slow_memory, memory))
        fast, slow = (sum(r[key] for r in rows[-3:]) for key in ("seconds", "reference, s"))
        rows.append(row(title, "all three tasks", slow, [fast]))
    return rows


def reading(descriptors, folder, title):
    """Time reading CSV files with pandas and with the kit, and `.npz`, all from the disk cache."""
    print(f"{title}: reading ...", file=sys.stderr, flush=True)
    csv, npz = folder / "csv", folder / "all.npz"
    descriptors.write_csv(csv, progress=False)
    load(csv, progress=False).save(npz)
    files = sorted(csv.glob("*/*.csv"))
    readers = {
        "pandas": lambda: [pd.read_csv(file, header=None).to_numpy(np.float32) for file in files],
        "CSV": lambda: load(csv, progress=False),
        "npz": lambda: load(npz),
    } | parallel_readers(files)
    seconds = {name: [] for name in readers}
    for _ in range(7):  # taking turns, so that all are measured under the same load
        for name, read in readers.items():
            began = time.perf_counter()
            read()
            seconds[name].append(time.perf_counter() - began)
    slow = float(np.median(seconds["pandas"]))
    rows = [
        row(title, f"reading {len(files)} CSV files", slow, seconds["CSV"]),
        row(title, "reading the same as .npz", slow, seconds["npz"]),
    ]
    others = [name for name in seconds if name not in ("pandas", "CSV", "npz")]
    return rows + [row(title, f"reading with {name}", slow, seconds[name]) for name in others]


def parallel_readers(files):
    """Functions that read CSV files with polars and pyarrow, if these are installed."""
    readers = {}
    if find_spec("polars"):
        import polars

        readers["polars"] = lambda: [
            polars.read_csv(file, has_header=False).to_numpy().astype(np.float32) for file in files
        ]
    if find_spec("pyarrow"):
        from pyarrow import csv

        options = csv.ReadOptions(autogenerate_column_names=True)
        readers["pyarrow"] = lambda: [
            np.stack(csv.read_csv(file, options).columns, axis=1).astype(np.float32)
            for file in files
        ]
    return readers


def lists(lengths, title):
    """Time drawing the verification lists, without the cache."""
    print(f"{title}: task lists ...", file=sys.stderr, flush=True)
    points = sum(lengths.values())
    pairs = min(tasks.PAIRS, tasks.PAIRS_PER_POINT * points)
    counts = np.array(list(lengths.values()))
    start = np.cumsum(counts) - counts
    fast = []
    for _ in range(3):
        began = time.perf_counter()
        *drawn, _, _ = tasks._pairs(start, counts, np.arange(points), pairs, 42)
        fast.append(time.perf_counter() - began)
    began = time.perf_counter()
    expected = plain.draw_pairs(lengths, pairs)
    slow = time.perf_counter() - began
    first_row = dict(zip(lengths, start))
    for rows, patches in zip(drawn, expected):
        if not np.array_equal(rows, [first_row[name] + point for name, point in patches]):
            raise SystemExit("The task lists differ.")
    return row(title, f"drawing {pairs:,} pairs (once)", slow, fast)


def row(title, task, slow, fast, slow_memory=None, memory=None):
    return {
        "size": title,
        "task": task,
        "reference, s": slow,
        "seconds": float(np.median(fast)),
        "times faster": slow / float(np.median(fast)),
        "reference, GB": slow_memory,
        "GB": memory,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, action="append", help="default: all")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: all")
    parser.add_argument(
        "--save", action="store_true", help="keep the rows, and write them into docs/benchmark.md"
    )
    options = parser.parse_args()
    rows = [row for size in options.size or SIZES for row in compare(size, options.part or PARTS)]
    if options.save:
        rows = measure.merge_saved_rows(ROWS, rows, ("size", "task"))
    print(f"{measure.table(rows)}\n\n{measure.describe_machine()}")
    if options.save:
        note = (
            "Medians of several runs, but one run for the reference of the tasks."
            " Memory is the peak beyond the descriptors"
        )
        measure.save_to_page(
            "benchmark",
            f"{measure.table(rows)}\n\n{note}. {measure.describe_machine()}.",
            "docs/benchmark.md",
        )


if __name__ == "__main__":
    main()

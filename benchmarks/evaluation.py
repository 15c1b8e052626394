"""The benchmark against the official algorithm: time, memory, and whether every number agrees.

    make benchmark                                  # small and full size: 10 minutes
    python benchmarks/evaluation.py --size small    # a minute; --part reading, and --save, to renew rows

Descriptors are random unit vectors of 128 numbers, views of one point closer than others, with the
sequence lengths of split a: what is timed does not depend on what the numbers mean. The reference is
`hpatches_kit/benchmark/plain.py`, the plainest form of the official algorithm, and for reading `pandas.read_csv`
file by file. Each task has a process of its own; memory is its peak beyond the descriptors, as Linux
counts it.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from measure import PROJECT, apart, into_page, kept, machine, peak_memory, table

from hpatches_kit import Descriptors, benchmark
from hpatches_kit.benchmark import plain, tasks
from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.verification import verification
from hpatches_kit.datasets.splits import split_lengths
from hpatches_kit.descriptors import csv_files as descriptor_files

SIZES = {"small": 20, "full": 1}  # the lengths of split a are divided by this
PARTS = ("reading", "lists", "tasks")
ROWS = PROJECT / "benchmarks" / "evaluation.json"  # what the README shows; one row is one run
REPEATS = {"small": 5, "full": 3}  # of the fast one; the reference runs once


def make_descriptors(file, share, seed=0):
    """Write `(points, 16, 128)` descriptors, a sequence at a time."""
    lengths = {name: length // share for name, length in split_lengths("a").items()}
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


def opened(file, lengths):
    return Descriptors(np.load(file), np.repeat(list(lengths), list(lengths.values())))


def measure(file, lengths, which, task, repeats):
    """Run in a process of its own: seconds of each run, GB beyond the descriptors, numbers."""
    descriptors = opened(file, lengths)
    lists = benchmark.draw_tasks(descriptors)
    sides = {"kit": (verification, matching, retrieval)}
    sides["reference"] = (plain.verification, plain.matching, plain.retrieval)
    score = next(f for f in sides[which] if f.__name__ == task)
    arguments = (descriptors,) if task == "matching" else (descriptors, lists)
    held, seconds = peak_memory(reset=True), []
    for _ in range(repeats):
        began = time.perf_counter()
        numbers = score(*arguments)
        seconds.append(time.perf_counter() - began)
    return seconds, peak_memory() - held, numbers


def compare(size, parts):
    """Rows of the table for one size."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "descriptors.npy"
        lengths = make_descriptors(file, SIZES[size])
        points = sum(lengths.values())
        title = f"{size}: {len(lengths)} sequences, {points:,} points"
        if "reading" in parts:
            rows += reading(opened(file, lengths), Path(folder), title)
        if "lists" in parts:
            rows.append(lists(lengths, title))
        if "tasks" not in parts:
            return rows
        for task in ("verification", "matching", "retrieval"):
            print(f"{title}: {task} ...", file=sys.stderr, flush=True)
            fast, memory, numbers = apart(measure, file, lengths, "kit", task, REPEATS[size])
            slow, slow_memory, expected = apart(measure, file, lengths, "reference", task, 1)
            for sentence in plain.differences(expected, numbers):
                raise SystemExit(f"{task} differs: {sentence}")
            rows.append(row(title, task, slow[0], fast, slow_memory, memory))
        total = [sum(r[key] for r in rows[-3:]) for key in ("seconds", "reference, s")]
        rows.append(row(title, "all three tasks", total[1], [total[0]], None, None))
    return rows


def reading(descriptors, folder, title):
    """CSV files read one by one with pandas, and by the kit; then the kit's own file. Files are warm."""
    print(f"{title}: reading ...", file=sys.stderr, flush=True)
    csv, npz = folder / "csv", folder / "all.npz"
    descriptors.write_csv(csv, progress=False)
    load(csv, progress=False).save(npz)
    files = sorted(csv.glob("*/*.csv"))
    readers = {
        "pandas": lambda: [pd.read_csv(file, header=None).to_numpy(np.float32) for file in files],
        "CSV": lambda: load(csv, progress=False),
        "npz": lambda: load(npz),
    }
    spent = {name: [] for name in readers}
    for _ in range(7):  # in turns
        for name, read in readers.items():
            began = time.perf_counter()
            read()
            spent[name].append(time.perf_counter() - began)
    slow = float(np.median(spent["pandas"]))
    return [
        row(title, f"reading {len(files)} CSV files", slow, spent["CSV"], None, None),
        row(title, "reading the same as .npz", slow, spent["npz"], None, None),
    ]


def lists(lengths, title):
    """Drawing the verification lists, without what is kept of them."""
    print(f"{title}: task lists ...", file=sys.stderr, flush=True)
    points = sum(lengths.values())
    pairs, counts = min(tasks.PAIRS, tasks.PAIRS_A_POINT * points), np.array(list(lengths.values()))
    start = np.cumsum(counts) - counts
    fast = []
    for _ in range(3):
        began = time.perf_counter()
        anchor, intra, inter, *_ = tasks._pairs(start, counts, np.arange(points), pairs, 42)
        fast.append(time.perf_counter() - began)
    began = time.perf_counter()
    drawn = plain.draw_pairs(lengths, pairs)
    slow = time.perf_counter() - began
    first = dict(zip(lengths, start))
    for mine, theirs in zip((anchor, intra, inter), drawn):
        if not np.array_equal(mine, [first[name] + point for name, point in theirs]):
            raise SystemExit("The task lists differ.")
    return row(title, f"drawing {pairs:,} pairs (once)", slow, fast, None, None)


def row(title, task, slow, fast, slow_memory, memory):
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
        "--save", action="store_true", help="keep the rows, and put them into the README"
    )
    options = parser.parse_args()
    rows = [row for size in options.size or SIZES for row in compare(size, options.part or PARTS)]
    if options.save:
        rows = kept(ROWS, rows, ("size", "task"))
    print(f"{table(rows)}\n\n{machine()}")
    if options.save:
        note = "Medians of several runs, the tasks' reference once; memory is the peak beyond the descriptors"
        into_page("benchmark", f"{table(rows)}\n\n{note}. {machine()}.", "README.md")


if __name__ == "__main__":
    main()

"""How long descriptors take to be read: pandas file by file, this kit's CSV reader, its own file.

    taskset -c 0,1 python benchmarks/read_csv.py

10 sequences of 1500 points, 16 views, 128 numbers with five decimals: 160 files, 260 MB. The three
take turns, the files stay in memory, and the first turn does not count.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit.descriptor_files import read, read_csv, save, write_csv
from hpatches_kit.descriptors import Descriptors

TURNS = 7

with tempfile.TemporaryDirectory() as folder:
    csv, npz = Path(folder) / "csv", Path(folder) / "all.npz"
    values = np.random.default_rng(0).normal(0, 0.09, (15_000, 16, 128))
    names = np.repeat([f"v_{k}" for k in range(10)], 1500)
    write_csv(Descriptors(values, names), csv, progress=False)
    save(read_csv(csv, progress=False), npz)
    files = sorted(csv.glob("*/*.csv"))

    readers = {
        "pandas": lambda: [pd.read_csv(file, delimiter=",", header=None) for file in files],
        "read_csv": lambda: read_csv(csv, progress=False),
        ".npz": lambda: read(npz),
    }
    seconds = {name: [] for name in readers}
    for turn in range(1 + TURNS):
        for name, reader in readers.items():
            began = time.perf_counter()
            reader()
            if turn:
                seconds[name].append(time.perf_counter() - began)

slowest = statistics.median(seconds["pandas"])
for name, spent in seconds.items():
    median = statistics.median(spent)
    print(
        f"{name:8} median {median:.3f} s, {min(spent):.3f} to {max(spent):.3f} s,"
        f" {slowest / median:.1f} times as fast as pandas"
    )

"""Data at the real size of HPatches: conversion, opening, batches and training, and their memory.

    python benchmarks/data.py                 # 1 %, 10 % and 100 %: 10 minutes, 15 GB
    python benchmarks/data.py --share 0.01    # a minute

The release is made by `fake_release.py`, with the names and numbers of points of HPatches. Every
row is measured in fresh processes. "Memory" is what a step needs beyond what the process held
before it; for training, beyond Keras with both networks built and run once. Pages of the
memory-mapped arrays are counted separately: the operating system keeps them while memory is free,
and releases them otherwise.
"""

import argparse
import tempfile
import time
from pathlib import Path

import measure
import numpy as np
from batches import TimedPairs
from fake_release import make

import hpatches_kit as hk

ROWS = measure.PROJECT / "benchmarks" / "data.json"


def measure_share(share, folder):
    """Measure one row: a fraction of the release, in a folder for temporary files."""
    file, home = Path(folder) / f"release-{share}.zip", Path(folder) / f"home-{share}"
    make(file, share)
    points, seconds, memory = measure.in_fresh_process(convert, file, home)
    arrays = sum(path.stat().st_size for path in (home / "hpatches").iterdir())
    row = {
        "share": f"{share:.0%}",
        "patches": 16 * points,
        "zip, GB": file.stat().st_size / 1e9,
        "arrays, GB": arrays / 1e9,
        "converting, s": seconds,
        "its memory, GB": memory,
    }
    file.unlink()
    row["opening, s"] = measure.in_fresh_process(open_again, home)
    pairs_speed, noisy_clean_speed, all_mapped = measure.in_fresh_process(read_batches, home)
    row |= {"Pairs, patches/s": pairs_speed, "NoisyClean, patches/s": noisy_clean_speed}
    speed, waiting, memory, mapped = measure.in_fresh_process(train, home)
    row |= {
        "training, patches/s": speed,
        "waiting for data": f"{waiting:.2%}",
        "memory of training, GB": memory,
        "mapped by it, GB": mapped,
        "by an epoch of all patches, GB": all_mapped,
    }
    return row


def convert(file, home):
    """Convert the zip and make a batch; return the number of points, seconds and memory in GB."""
    hk.load("mini")  # so that imports are not measured
    began, held = time.perf_counter(), measure.memory_status("RssAnon")
    with measure.watch_peak() as peak:
        patches = hk.load("hpatches", folder=home, source=file)
        hk.batches.Pairs(patches, kind="noisy")[0]
    return len(patches), time.perf_counter() - began, peak[0] - held


def open_again(home):
    """Seconds to open the converted set, the median of five."""
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        hk.load("hpatches", folder=home).split("a")
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def read_batches(home):
    """Patches per second of `Pairs` and `NoisyClean` on the training set, and mapped memory in GB.

    The second epoch of `Pairs` is timed, because the first one also maps the pages; and the first
    epoch of `NoisyClean`, which also draws the order of all patches.
    """
    train, *_ = hk.load("hpatches", folder=home).split("a")
    pairs = hk.batches.Pairs(train, pairs=128, steps=4000, kind="noisy")
    noisy_clean = hk.batches.NoisyClean(train, batch_size=256)
    mapped, speeds = measure.memory_status("RssFile"), {}
    for batches in (pairs, pairs, noisy_clean):
        began, count = time.perf_counter(), 0
        for k in range(len(batches)):
            count += sum(len(array) for array in batches[k] if array.ndim == 4)
        speeds[type(batches)] = count / (time.perf_counter() - began)
        batches.on_epoch_end()
    return *speeds.values(), measure.memory_status("RssFile") - mapped


def train(home):
    """Train briefly: speed and fraction of waiting of L2-Net, memory and mapped memory in GB."""
    unet, l2net = hk.models.unet("shallow"), hk.models.l2net()
    unet.compile("adam", "mae", metrics=[hk.metrics.psnr])
    l2net.compile("adam", hk.losses.HardNegativeTriplet())

    def fit(patches, steps):
        train, validation, _ = patches.split("a")
        noisy_clean = hk.batches.NoisyClean(train, 50, steps)
        unet.fit(noisy_clean, validation_data=hk.batches.NoisyClean(validation, 50, 5), verbose=0)
        count = min(128, len(validation))
        pairs = TimedPairs(train, count, steps, kind="noisy")
        began = time.perf_counter()
        l2net.fit(pairs, verbose=0)
        seconds = time.perf_counter() - began
        l2net.evaluate(hk.batches.Pairs(validation, count, 5, kind="noisy"), verbose=0)
        return 2 * count * steps / seconds, pairs.seconds / seconds

    patches = hk.load("hpatches", folder=home)
    few = patches.sample_sparse_points(min(len(patches), 2000))
    in_memory = hk.PatchSet({k: few[k] for k in few.arrays}, few.sequence, splits=few.splits)
    fit(in_memory, 3)  # Keras compiles and allocates its own memory
    held, mapped = measure.memory_status("RssAnon"), measure.memory_status("RssFile")
    with measure.watch_peak() as peak:
        speed, waiting = fit(patches, 40)
    return speed, waiting, peak[0] - held, measure.memory_status("RssFile") - mapped


def transpose(rows):
    """Rows of the table on the page, which has a column for each share of the release."""
    return [
        {"share of the release": key} | {row["share"]: row[key] for row in rows}
        for key in rows[0]
        if key != "share"
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--share",
        type=float,
        action="append",
        help="fraction of the release; default: 0.01, 0.1 and 1",
    )
    parser.add_argument("--folder", help="for the releases; default: temporary")
    parser.add_argument("--save", action="store_true", help="save the rows, also on the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = [measure_share(share, folder) for share in options.share or (0.01, 0.1, 1)]
    if options.save:
        rows = measure.merge_saved_rows(ROWS, rows, ("share",))
    note = f"Each column is from one run. {measure.describe_machine()}."
    text = f"{measure.table(transpose(rows))}\n\n{note}"
    print(text)
    if options.save:
        measure.save_to_page("scale", text)


if __name__ == "__main__":
    main()

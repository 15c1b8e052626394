"""The data at its real size: converting, opening, batches and training, and the memory they take.

    make scale                                    # 1 %, 10 % and 100 % of the release: 10 minutes, 15 GB
    python benchmarks/data.py --share 0.01        # a minute

The release is made by `fake_release.py`, with the names and numbers of points of HPatches. Every row is
measured in processes of its own. "Memory" is what a step needs beyond what the process held before
it: for training, beyond Keras with both networks built and run once. Pages of the mapped arrays are
told apart: the system keeps them while there is room, and takes them back when there is not.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from batches import TimedPairs
from fake_release import make
from measure import PROJECT, apart, into_page, kept, machine, most, status, table

import hpatches_kit as hk

ROWS = PROJECT / "benchmarks" / "data.json"


def measure(share, folder):
    """One row of the table."""
    file, home = Path(folder) / f"release-{share}.zip", Path(folder) / f"home-{share}"
    make(file, share)
    points, seconds, memory = apart(convert, file, home)
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
    row["opening, s"] = apart(open_again, home)
    of_pairs, of_noisy_clean, all_mapped = apart(read_batches, home)
    row |= {"Pairs, patches/s": of_pairs, "NoisyClean, patches/s": of_noisy_clean}
    speed, waiting, memory, mapped = apart(train, home)
    row |= {
        "training, patches/s": speed,
        "waiting for data": f"{waiting:.2%}",
        "memory of training, GB": memory,
        "mapped by it, GB": mapped,
        "by an epoch of all patches, GB": all_mapped,
    }
    return row


def convert(file, home):
    """From the zip to batches in one call: points, seconds, memory."""
    hk.load("mini")  # whatever is loaded with the kit is there before
    began, held = time.perf_counter(), status("RssAnon")
    with most("RssAnon") as peak:
        data = hk.load("hpatches", folder=home, source=file)
        hk.batches.Pairs(data, kind="noisy")[0]
    return len(data), time.perf_counter() - began, peak[-1] - held


def open_again(home):
    """Seconds, the median of five."""
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        hk.load("hpatches", folder=home).split("a")
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def read_batches(home):
    """Patches a second of an epoch of each kind of batches, on the training side of split a.

    Of `Pairs` a second epoch, since in a first one the system maps each page; of `NoisyClean` the
    first, in which it also draws the order of all patches. And how much is mapped in the end.
    """
    train, _ = hk.load("hpatches", folder=home).split("a")
    pairs = hk.batches.Pairs(train, pairs=128, steps=4000, kind="noisy")
    whole = hk.batches.NoisyClean(train, batch_size=256)
    mapped, speeds = status("RssFile"), {}
    for batches in (pairs, pairs, whole):
        began, count = time.perf_counter(), 0
        for k in range(len(batches)):
            count += sum(len(array) for array in batches[k] if array.ndim == 4)
        speeds[type(batches)] = count / (time.perf_counter() - began)
        batches.on_epoch_end()
    return *speeds.values(), status("RssFile") - mapped


def train(home):
    """A short training of both networks on the whole set: patches/s and share of waiting (L2-Net), memory."""
    networks = hk.models.unet("shallow"), hk.models.l2net()
    networks[0].compile("adam", "mae", metrics=[hk.metrics.psnr])
    networks[1].compile("adam", hk.losses.HardNegativeTriplet())

    def fit(data, batches):
        fit_data, validation = data.split("a")
        first = hk.batches.NoisyClean(fit_data, 50, batches)
        networks[0].fit(first, validation_data=hk.batches.NoisyClean(validation, 50, 5), verbose=0)
        pairs, few = min(128, len(validation)), {"kind": "noisy"}
        second = TimedPairs(fit_data, pairs, batches, **few)
        began = time.perf_counter()
        networks[1].fit(second, verbose=0)
        seconds = time.perf_counter() - began
        networks[1].evaluate(hk.batches.Pairs(validation, pairs, 5, **few), verbose=0)
        return 2 * pairs * batches / seconds, second.seconds / seconds

    data = hk.load("hpatches", folder=home)
    few = data.sample(min(len(data), 2000))
    in_memory = hk.PatchSet({k: few[k] for k in few.arrays}, few.sequence, splits=few.splits)
    fit(in_memory, 3)  # Keras compiles, and takes what it takes
    held, mapped = status("RssAnon"), status("RssFile")
    with most("RssAnon") as peak:
        speed, waiting = fit(data, 40)
    return speed, waiting, peak[-1] - held, status("RssFile") - mapped


def turned(rows):
    """A column for each share, which is easier to read than a row of so many numbers."""
    return [
        {"share of the release": key} | {row["share"]: row[key] for row in rows}
        for key in rows[0]
        if key != "share"
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--share", type=float, action="append", help="of the release; default: 0.01, 0.1 and 1"
    )
    parser.add_argument("--folder", help="for the releases; default: a temporary one")
    parser.add_argument(
        "--save", action="store_true", help="keep the rows, and put them on the page"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = [measure(share, folder) for share in options.share or (0.01, 0.1, 1)]
    if options.save:
        rows = kept(ROWS, rows, ("share",))
    text = f"{table(turned(rows))}\n\nEach column is from one run. {machine()}."
    print(text)
    if options.save:
        into_page("scale", text)


if __name__ == "__main__":
    main()

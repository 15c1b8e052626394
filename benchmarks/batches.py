"""How many patches a second the batches deliver, and how long training waits for them.

    python benchmarks/batches.py                  # 2 minutes; --save renews benchmarks/README.md
    python benchmarks/batches.py --points 150000  # 4.9 GB of patches, as many points as HPatches

The patches are random bytes in memory-mapped files: what is timed does not depend on what they show.
All generators work in one thread and deliver about 256 patches at a time; a row is the median of
epochs, in turns with all others. An epoch is drawn anew each time, which counts; the starter code
draws its triplets beforehand, which does not. Its way is written out below: one patch after another
becomes float64 and is copied into the batch. Seconds are those of the processor, so that other work
on the machine counts for little.

Training is L2-Net on Pairs of 128, after an epoch that warms up. Its share of time is that which
passes inside `__getitem__`. With one worker, JAX and torch call it in the thread that trains, which
so waits all of it; on TensorFlow a thread of tf.data calls it, ahead of time, so that training waits
for less, or not at all.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from measure import PROJECT, into_page, machine, table

import hpatches_kit as hk
from hpatches_kit._support.atomic import write_text
from hpatches_kit.batches import NoisyClean, Pairs, Triplets

ROWS = PROJECT / "benchmarks" / "batches.json"  # what the README shows
STARTER = "starter code, triplets"
STARTER_NOISY = "starter code, noisy and clean"
PATCHES = 256  # in a batch, about
STARTER_POINTS = 16_000  # at most: a list of every patch, each an array of its own
EPOCHS, BATCHES = 15, 100  # epochs of each generator, in turns; batches in an epoch
TRAINING_BATCHES = 20


class Fixed:
    """What is the same in every epoch."""

    def on_epoch_end(self):
        pass


class StarterTriplets(Fixed):
    """The starter code's way to triplets: drawn beforehand, then each patch turned into floats."""

    def __init__(self, patches, triplets, batches, seed=0):
        self.patches = patches  # `uint8 (n, 32, 32)`, in memory; 16 views of each point in a row
        self.batch_size = triplets
        rng, points = np.random.default_rng(seed), len(patches) // 16
        drawn = []
        for _ in range(triplets * batches):
            point, (a, p) = rng.integers(points), rng.choice(16, 2, replace=False)
            other = (point + 1 + rng.integers(points - 1)) % points
            drawn.append((point * 16 + a, point * 16 + p, other * 16 + rng.integers(16)))
        self.triplets = np.array(drawn)

    def __getitem__(self, index):
        anchors = np.empty((self.batch_size, 32, 32, 1))
        positives = np.empty((self.batch_size, 32, 32, 1))
        negatives = np.empty((self.batch_size, 32, 32, 1))
        for i in range(self.batch_size):
            a, p, n = self.triplets[index * self.batch_size + i]
            anchors[i] = np.expand_dims(self.patches[a].astype(float), -1)
            positives[i] = np.expand_dims(self.patches[p].astype(float), -1)
            negatives[i] = np.expand_dims(self.patches[n].astype(float), -1)
        return anchors, positives, negatives


class StarterNoisyClean(Fixed):
    """The starter code's way to noisy and clean patches: each an array of its own, found by name."""

    def __init__(self, noisy, clean, batch_size, seed=0):
        names = [f"sequence/view/{i}.png" for i in range(len(clean))]
        self.noisy = {name: np.array(patch) for name, patch in zip(names, noisy)}
        self.clean = {name: np.array(patch) for name, patch in zip(names, clean)}
        self.names = np.random.default_rng(seed).permutation(names).tolist()
        self.batch_size = batch_size

    def __getitem__(self, index):
        noisy = np.empty((self.batch_size, 32, 32, 1))
        clean = np.empty((self.batch_size, 32, 32, 1))
        for i in range(self.batch_size):
            name = self.names[index * self.batch_size + i]
            noisy[i] = np.expand_dims(self.noisy[name].astype(np.float32), -1)
            clean[i] = np.expand_dims(self.clean[name].astype(np.float32), -1)
        return noisy, clean


class Gather:
    """Nothing but random rows of the array: a measure of the memory."""

    def __init__(self, patches, batches):
        self.patches = np.asarray(patches).reshape(-1, 32, 32, 1)
        self.batches, self.rng = batches, np.random.default_rng(0)
        self.on_epoch_end()

    def __getitem__(self, index):
        return (self.patches[self.rows[index]],)

    def on_epoch_end(self):
        self.rows = self.rng.integers(len(self.patches), size=(self.batches, PATCHES))


class TimedPairs(Pairs):
    """Pairs that know how long they took."""

    seconds = 0.0

    def __getitem__(self, index):
        began = time.perf_counter()
        batch = super().__getitem__(index)
        self.seconds += time.perf_counter() - began
        return batch


def random_patches(points, folder):
    """A `PatchSet` of random bytes in memory-mapped files, in memory already."""
    rng, arrays = np.random.default_rng(0), {}
    for kind in ("clean", "noisy"):
        file = Path(folder) / f"{kind}.npy"
        array = np.lib.format.open_memmap(file, "w+", np.uint8, (points, 16, 32, 32))
        for start in range(0, points, 4000):
            block = array[start : start + 4000]
            block[:] = np.frombuffer(rng.bytes(block.size), np.uint8).reshape(block.shape)
        array.flush()
        arrays[kind] = np.load(file, mmap_mode="r")
    return hk.PatchSet(arrays, np.repeat("v_random", points))


def generators(data):
    """What is timed, by name."""
    batches, half, third = BATCHES, PATCHES // 2, PATCHES // 3
    clean, noisy = (data[kind].reshape(-1, 32, 32) for kind in ("clean", "noisy"))
    few = 16 * STARTER_POINTS
    return {
        STARTER: StarterTriplets(np.array(clean), third, batches),
        STARTER_NOISY: StarterNoisyClean(noisy[:few], clean[:few], half),
        "bare NumPy: random rows of the array": Gather(data.clean, batches),
        "`Pairs(pairs=128)`": Pairs(data, half, batches),
        "`Triplets(triplets=85)`": Triplets(data, third, batches),
        "`NoisyClean(batch_size=128)`": NoisyClean(data, half, batches),
        "`Pairs(augment=True)`": Pairs(data, half, batches, augment=True),
        "`Pairs(augment=True, jitter=1)`": Pairs(data, half, batches, augment=True, jitter=1),
        '`Pairs(kind="noisy", fresh_noise=True)`': Pairs(
            data, half, batches, "noisy", fresh_noise=True
        ),
        "`NoisyClean(augment=True, fresh_noise=True)`": NoisyClean(
            data, half, batches, augment=True, fresh_noise=True
        ),
    }


def delivered(batch):
    """How many patches are in a batch; labels do not count."""
    return sum(len(part) for part in batch if part.ndim == 4)


def measure(data):
    """Patches a second of each generator, in turns so that all see the same machine."""
    makers = generators(data)
    speed = {name: [] for name in makers}
    for _ in range(EPOCHS + 1):
        for name, batches in makers.items():
            began = time.thread_time()
            count = sum(delivered(batches[index]) for index in range(BATCHES))
            batches.on_epoch_end()
            speed[name].append(count / (time.thread_time() - began))
    for values in speed.values():
        values.pop(0)  # compiled its loops
    each = {name: float(np.median(values)) for name, values in speed.items()}
    return [
        {"batches": name, "patches a second": value, "times the starter": value / each[STARTER]}
        for name, value in each.items()
    ]


def training(data):
    """Seconds of an epoch of L2-Net, and those spent making its batches: plain, and with everything."""
    model, rows = hk.models.l2net(), []
    model.compile("adam", hk.losses.HardNegativeTriplet())
    everything = {"kind": "noisy", "augment": True, "jitter": 1, "fresh_noise": True}
    for name, options in (("plain", {}), ("flips, jitter and fresh noise", everything)):
        batches = TimedPairs(data, PATCHES // 2, TRAINING_BATCHES, **options)
        model.fit(batches, verbose=0)
        batches.seconds = 0.0
        began = time.perf_counter()
        model.fit(batches, verbose=0)
        rows.append({"batches": name, "epoch, s": time.perf_counter() - began})
        rows[-1] |= {"making batches, s": batches.seconds}
        rows[-1] |= {"share": f"{batches.seconds / rows[-1]['epoch, s']:.2%}"}
    return {"backend": keras.backend.backend(), "rows": rows}


def described(saved):
    """The saved numbers as markdown: a table, and a sentence on training."""
    rows = [
        (row["batches"], f"{row['patches a second']:,.0f}", f"{row['times the starter']:.1f}")
        for row in saved["rows"]
    ]
    names = ["one thread", "patches a second", "times the starter"]
    frame = pd.DataFrame(rows, columns=names)
    text = frame.to_markdown(
        index=False, disable_numparse=True, colalign=("left",) + ("right",) * 2
    )
    if "training" in saved:
        spent = saved["training"]
        text += (
            f"\n\nEpochs of L2-Net, {TRAINING_BATCHES} batches of {PATCHES // 2} pairs, on"
            f" {spent['backend']}:\n\n{table(spent['rows'])}"
        )
    return f"{text}\n\nMedians, {saved['points']:,} points. {saved['machine']}."


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=16_000, help="default: %(default)s")
    parser.add_argument("--skip-training", action="store_true")
    parser.add_argument(
        "--save", action="store_true", help="keep the numbers, and put them on the page"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = random_patches(options.points, folder)
        saved = {"points": options.points, "rows": measure(data)}
        if not options.skip_training:
            saved["training"] = training(data)
    saved["machine"] = f"{machine()}, Keras {keras.__version__}"
    print(described(saved))
    if options.save:
        write_text(ROWS, json.dumps(saved, indent=1) + "\n")
        into_page("batches", described(saved))


if __name__ == "__main__":
    main()

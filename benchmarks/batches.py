"""Patches per second of the batch generators, and how long training waits for batches.

    python benchmarks/batches.py                  # 2 minutes; --save updates benchmarks/README.md
    python benchmarks/batches.py --points 150000  # 4.9 GB of patches, as many points as HPatches

The patches are random bytes in memory-mapped files: the time does not depend on what they show. All
generators run in one thread and yield about 256 patches per batch; a row is the median over epochs,
the generators taking turns. The time includes drawing an epoch, except for the starter code, which
draws its triplets beforehand. The method of the starter code is repeated below: each patch is
converted to floats and copied into the batch, one after another. Seconds are processor time, so
that other processes matter little.

Training is L2-Net on `Pairs` with 128 pairs per batch, after a warm-up epoch. The fraction of
waiting is the time inside `__getitem__`. With one worker, JAX and torch call it in the training
thread, which waits all of that time; on TensorFlow a thread of tf.data calls it ahead of time, so
training waits less, or not at all.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import keras
import measure
import numpy as np
import pandas as pd

import hpatches_kit as hk
from hpatches_kit._support.atomic import write_text
from hpatches_kit.batches import NoisyClean, Pairs, Triplets

ROWS = measure.PROJECT / "benchmarks" / "batches.json"  # the rows on the page
STARTER = "starter code, triplets"
STARTER_NOISY = "starter code, noisy and clean"
PATCHES = 256  # per batch, approximately
STARTER_POINTS = 16_000  # at most: the starter code holds each patch as an array
EPOCHS, STEPS = 15, 100
TRAINING_STEPS = 20


class Fixed:
    """The same batches in every epoch."""

    def on_epoch_end(self):
        pass


class StarterTriplets(Fixed):
    """The starter code's triplets: drawn beforehand, each patch converted to floats."""

    def __init__(self, patches, triplets, steps, seed=0):
        self.patches = patches  # `uint8 (n, 32, 32)`; the 16 views of a point are consecutive
        self.batch_size = triplets
        rng, points = np.random.default_rng(seed), len(patches) // 16
        drawn = []
        for _ in range(triplets * steps):
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
    """The starter code's noisy and clean patches: one array per patch, looked up by name."""

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
    """Random rows of the array and nothing else: the speed of the memory."""

    def __init__(self, patches, steps):
        self.patches = np.asarray(patches).reshape(-1, 32, 32, 1)
        self.steps, self.rng = steps, np.random.default_rng(0)
        self.on_epoch_end()

    def __getitem__(self, index):
        return (self.patches[self.rows[index]],)

    def on_epoch_end(self):
        self.rows = self.rng.integers(len(self.patches), size=(self.steps, PATCHES))


class TimedPairs(Pairs):
    """`Pairs` that measures the time spent making batches."""

    seconds = 0.0

    def __getitem__(self, index):
        start = time.perf_counter()
        batch = super().__getitem__(index)
        self.seconds += time.perf_counter() - start
        return batch


def random_patches(points, folder):
    """A `PatchSet` of random bytes in memory-mapped files that are cached in memory."""
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


def make_generators(patches):
    half, third = PATCHES // 2, PATCHES // 3
    clean, noisy = (patches[kind].reshape(-1, 32, 32) for kind in ("clean", "noisy"))
    limit = 16 * STARTER_POINTS
    return {
        STARTER: StarterTriplets(np.array(clean), third, STEPS),
        STARTER_NOISY: StarterNoisyClean(noisy[:limit], clean[:limit], half),
        "bare NumPy: random rows of the array": Gather(patches.clean, STEPS),
        "`Pairs(pairs=128)`": Pairs(patches, half, STEPS),
        "`Triplets(triplets=85)`": Triplets(patches, third, STEPS),
        "`NoisyClean(batch_size=128)`": NoisyClean(patches, half, STEPS),
        "`Pairs(augment=True)`": Pairs(patches, half, STEPS, augment=True),
        "`Pairs(augment=True, jitter=1)`": Pairs(patches, half, STEPS, augment=True, jitter=1),
        "`Pairs(photometric=1)`": Pairs(patches, half, STEPS, photometric=1),
        "`Pairs(augment=True, jitter=1, photometric=1, noise=(4, 35))`": Pairs(
            patches, half, STEPS, augment=True, jitter=1, photometric=1, noise=(4, 35)
        ),
        '`Pairs(kind="noisy", fresh_noise=True)`': Pairs(
            patches, half, STEPS, "noisy", fresh_noise=True
        ),
        "`NoisyClean(augment=True, fresh_noise=True)`": NoisyClean(
            patches, half, STEPS, augment=True, fresh_noise=True
        ),
    }


def count_patches(batch):
    """The number of patches in a batch; labels do not count."""
    return sum(len(array) for array in batch if array.ndim == 4)


def measure_speed(patches):
    """Patches per second of each generator; they take turns, so that all see the same machine."""
    generators = make_generators(patches)
    speed = {name: [] for name in generators}
    for _ in range(EPOCHS + 1):
        for name, generator in generators.items():
            start = time.thread_time()
            count = sum(count_patches(generator[index]) for index in range(STEPS))
            generator.on_epoch_end()
            speed[name].append(count / (time.thread_time() - start))
    for values in speed.values():
        values.pop(0)  # the epoch in which loops are compiled
    medians = {name: float(np.median(values)) for name, values in speed.items()}
    return [
        {
            "batches": name,
            "patches per second": value,
            "times the starter code": value / medians[STARTER],
        }
        for name, value in medians.items()
    ]


def measure_training(patches):
    """Seconds of an L2-Net epoch and of making its batches, without and with augmentation."""
    model, rows = hk.models.l2net(), []
    model.compile("adam", hk.losses.HardNegativeTriplet())
    augmented = {"kind": "noisy", "augment": True, "jitter": 1, "fresh_noise": True}
    for name, options in (("plain", {}), ("flips, jitter and fresh noise", augmented)):
        batches = TimedPairs(patches, PATCHES // 2, TRAINING_STEPS, **options)
        model.fit(batches, verbose=0)
        batches.seconds = 0.0
        start = time.perf_counter()
        model.fit(batches, verbose=0)
        seconds = time.perf_counter() - start
        row = {"batches": name, "epoch, s": seconds, "making batches, s": batches.seconds}
        rows.append(row | {"share": f"{batches.seconds / seconds:.2%}"})
    return {"backend": keras.backend.backend(), "rows": rows}


def format_results(saved):
    """The saved numbers as Markdown tables."""
    values = [row.values() for row in saved["rows"]]
    rows = [(name, f"{speed:,.0f}", f"{ratio:.1f}") for name, speed, ratio in values]
    frame = pd.DataFrame(rows, columns=["batches", "patches per second", "times the starter code"])
    text = frame.to_markdown(
        index=False, disable_numparse=True, colalign=("left", "right", "right")
    )
    if "training" in saved:
        training = saved["training"]
        text += (
            f"\n\nEpochs of L2-Net, {TRAINING_STEPS} steps of {PATCHES // 2} pairs, on"
            f" {training['backend']}:\n\n{measure.table(training['rows'])}"
        )
    return f"{text}\n\nMedians, {saved['points']:,} points. {saved['machine']}."


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=16_000, help="default: %(default)s")
    parser.add_argument("--skip-training", action="store_true")
    parser.add_argument("--save", action="store_true", help="save the numbers, also on the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        patches = random_patches(options.points, folder)
        saved = {"points": options.points, "rows": measure_speed(patches)}
        if not options.skip_training:
            saved["training"] = measure_training(patches)
    saved["machine"] = f"{measure.describe_machine()}, Keras {keras.__version__}"
    print(format_results(saved))
    if options.save:
        write_text(ROWS, json.dumps(saved, indent=1) + "\n")
        measure.save_to_page("batches", format_results(saved))


if __name__ == "__main__":
    main()

"""Time and memory of scoring a challenge with many submissions.

    python benchmarks/challenge.py                      # 1,000 submissions of 7,756 patches
    python benchmarks/challenge.py --submissions 30     # a minute

Patches are smooth noise; a submission is a random projection of them to 16 numbers. One in twenty
is not valid. `--save` writes the row into `benchmarks/README.md`.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import measure
import numpy as np

import hpatches_kit as hk

ROWS = measure.PROJECT / "benchmarks" / "challenge.json"
PHOTOGRAPHS = 12
DIM = 16
BROKEN = 20  # one submission in so many


def make_patches(points, seed=0):
    """A `PatchSet` of smooth noise, `points` points in each of two sequences per photograph."""
    rng = np.random.default_rng(seed)
    names = [f"{kind}_photo{k}_1" for k in range(PHOTOGRAPHS) for kind in "vi"]
    total = points * len(names)
    coarse = rng.uniform(40, 215, (total, 1, 8, 8)) + rng.normal(0, 40, (total, 16, 8, 8))
    noisy = np.clip(np.kron(coarse, np.ones((4, 4))), 0, 255).astype(np.uint8)
    return hk.PatchSet({"clean": noisy, "noisy": noisy}, np.repeat(names, points))


def write_submissions(folder, patches, challenge, count, seed=0):
    """Write `count` submissions to a folder; one in twenty is cut off."""
    rng, pixels = np.random.default_rng(seed), hk.baselines.pixels(patches)
    folder.mkdir()
    for k in range(count):
        projection = rng.normal(size=(pixels.shape[1], DIM)).astype(np.float32)
        card = {"challenge": challenge, "name": f"student {k}", "method": "A random projection."}
        card |= {"training_data": "none", "command": "none", "parameters": 0, "gpu_hours": 0.0}
        file = folder / f"{k:04}.npz"
        np.savez(file, descriptors=pixels @ projection)
        file.with_suffix(".json").write_text(json.dumps(card))
        if k % BROKEN == 0:
            file.write_bytes(file.read_bytes()[:-100])


def main(options):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_patches(options.points).save(folder / "set")
        key = hk.course.challenge.make(
            folder / "set", folder / "kit", folder / "key.npz", points=options.points
        )
        patches = np.load(folder / "kit" / "patches.npz")["patches"]
        write_submissions(folder / "in", patches, key.challenge, options.submissions)
        began, used = time.perf_counter(), measure.processor_seconds()
        with measure.watch_peak() as peak:
            _, table = hk.course.challenge.score(folder / "in", folder / "key.npz", folder / "out")
        row = {
            "submissions": options.submissions,
            "not valid": int((table.problem != "").sum()),
            "patches": len(patches),
            "minutes": (time.perf_counter() - began) / 60,
            "processor minutes": (measure.processor_seconds() - used) / 60,
            "memory, GB": peak[0],
            "page, MB": sum(f.stat().st_size for f in (folder / "out").rglob("*.*")) / 1e6,
        }
    print(measure.table([row]))
    if options.save:
        rows = measure.merge_saved_rows(ROWS, [row], ["submissions", "patches"])
        text = f"{measure.table(rows)}\n\n{measure.describe_machine()}."
        measure.save_to_page("challenge", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=1000)
    text = "per sequence, of 24 sequences; default: %(default)s"
    parser.add_argument("--points", type=int, default=20, help=text)
    parser.add_argument("--save", action="store_true")
    main(parser.parse_args())

"""Score a challenge with many submissions, some hostile: is the table right, how long does it take?

    python benchmarks/challenge.py                      # 200 submissions of 7,756 patches, 20 hostile
    python benchmarks/challenge.py --submissions 40     # a minute

Patches are smooth noise. Each submission is the same random projection of their pixels to 16 numbers,
with more noise than the one before, so that the right order is known. One in ten is replaced by a
hostile one, see `hostile_submissions.py`. The script stops with an error unless each of these is
refused for its reason, and the ranks of all others have a correlation of at least 0.95 with their
noise. `--save` writes the row into `benchmarks/README.md`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import numpy as np
import pandas as pd
from hostile_submissions import KINDS, spoil
from scipy.stats import spearmanr

import hpatches_kit as hk

ROWS = measure.PROJECT / "benchmarks" / "challenge.json"
PHOTOGRAPHS = 12
DIM = 16
HOSTILE = 10  # every tenth submission
MOST_NOISE = 4.0  # of the last submission, in units of the standard deviation of a number
CORRELATION = 0.95  # of the ranks with the noise, at least; neighbours differ too little for 1


def make_patches(points, seed=0):
    """A `PatchSet` of smooth noise, `points` points in each of two sequences per photograph."""
    rng = np.random.default_rng(seed)
    names = [f"{kind}_photo{k}_1" for k in range(PHOTOGRAPHS) for kind in "vi"]
    total = points * len(names)
    coarse = rng.uniform(40, 215, (total, 1, 8, 8)) + rng.normal(0, 40, (total, 16, 8, 8))
    noisy = np.clip(np.kron(coarse, np.ones((4, 4))), 0, 255).astype(np.uint8)
    return hk.PatchSet({"clean": noisy, "noisy": noisy}, np.repeat(names, points))


def write_submissions(folder, patches, key, key_file, count, seed=0):
    """Write `count` submissions to a folder.

    Returns `{name: (noise, reason)}`; the reason is a part of the expected sentence, "" for none.
    """
    rng, expected = np.random.default_rng(seed), {}
    pixels = hk.baselines.pixels(patches)
    values = pixels @ rng.normal(size=(pixels.shape[1], DIM)).astype(np.float32)
    # Identical patches get identical noise, as from a function of the pixels.
    _, same = np.unique(patches.reshape(len(patches), -1), axis=0, return_inverse=True)
    folder.mkdir()
    for k, noise in enumerate(np.linspace(0, MOST_NOISE, count)):
        card = {"challenge": key.challenge, "name": f"student {k}", "method": "A projection."}
        card |= {"training_data": "none", "command": "none", "parameters": 0, "gpu_hours": 0.0}
        file = folder / f"{k:04}.npz"
        change = rng.normal(0, noise * values.std(), values.shape)[same].astype(np.float32)
        hk.course.challenge.save_submission(file, values + change, card)
        number, rest = divmod(k, HOSTILE)
        kind = KINDS[number % len(KINDS)]
        reason = "" if rest else spoil(kind, file, values, key_file)
        expected[file.stem] = noise, reason
    return expected


def check(table, expected):
    """Stop unless the table is right; returns the correlation of the ranks with the noise."""
    found = table.set_index("submission")
    for name, (_, reason) in expected.items():
        problem = found.problem[name]
        if reason not in problem or bool(problem) != bool(reason):
            raise SystemExit(f"{name} has the problem {problem!r}: expected {reason!r}.")
    honest = [name for name, (_, reason) in expected.items() if not reason]
    rank = found["rank"][honest].astype(float)
    if sorted(rank) != list(range(1, len(honest) + 1)):
        raise SystemExit(f"The ranks are {sorted(rank)}: expected each once.")
    correlation = spearmanr(rank, [expected[name][0] for name in honest]).statistic
    if correlation < CORRELATION:
        raise SystemExit(f"Ranks and noise correlate by {correlation:.3f}.")
    return correlation


def score(folder):
    """Score with the command line; returns the peak of its memory in GB."""
    command = [sys.executable, "-m", "hpatches_kit", "course", "challenge", "score"]
    command += [folder / "in", "--key", folder / "key.npz", "--out", folder / "out", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        with measure.watch_peak(process.pid) as peak:
            if process.wait():
                raise SystemExit("The command failed.")
    return peak[0]


def main(options):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_patches(options.points).save(folder / "set")
        key = hk.course.challenge.make(
            folder / "set", folder / "kit", folder / "key.npz", points=options.points
        )
        patches = np.load(folder / "kit" / "patches.npz")["patches"]
        expected = write_submissions(
            folder / "in", patches, key, folder / "key.npz", options.submissions
        )
        began, used = time.perf_counter(), measure.processor_seconds()
        memory = score(folder)
        minutes = (time.perf_counter() - began) / 60
        table = pd.read_csv(folder / "out" / "scores.csv", dtype={"submission": str})
        correlation = check(table.fillna({"problem": ""}), expected)
        row = {
            "submissions": options.submissions,
            "refused": sum(bool(reason) for _, reason in expected.values()),
            "patches": len(patches),
            "minutes": minutes,
            "processor minutes": (measure.processor_seconds() - used) / 60,
            "memory, GB": memory,
            "page, MB": sum(f.stat().st_size for f in (folder / "out").rglob("*.*")) / 1e6,
            "correlation of the ranks": correlation,
        }
    print(measure.table([row]))
    if options.save:
        rows = measure.merge_saved_rows(ROWS, [row], ["submissions", "patches"])
        text = f"{measure.table(rows)}\n\n{measure.describe_machine()}."
        measure.save_to_page("challenge", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=200)
    text = "per sequence, of 24 sequences; default: %(default)s"
    parser.add_argument("--points", type=int, default=20, help=text)
    parser.add_argument("--save", action="store_true")
    main(parser.parse_args())

"""Train the same network on several patch sets, and score it on real image sequences.

    hpatches data make v_dogman v_wormhole i_leuven i_bikes v_boat --points 500 --out data/real
    python benchmarks/training_data.py --real data/real BEFORE=FOLDER AFTER=photos

Each patch set has a name for the table, and a name or path for `hk.load`. Only the patches differ:
the network is L2-Net with standardised patches, the loss takes the hardest negative at margin 1, the
optimiser is Adam with cosine decay from 0.002, and each network sees 12 epochs of 100 batches of 128
pairs: 307,200 clean patches. A network takes 10 to 25 minutes on one core. Weights are kept in
`--results` by the name in the table and the seed, so that a second call only scores: use another
folder for other patches. `--save` writes the table to benchmarks/README.md.

The sets on the page are those of commits 055b076 (`before`: the patches of version 0.1) and 1256fc5
(`after`). A set of an earlier commit is made with its own code:

    git worktree add ../earlier COMMIT && cd ../earlier && PYTHONPATH=. python -c \
        "import hpatches_kit as hk; hk.load('photos').save('photos-of-COMMIT')"
"""

import argparse
import time
from pathlib import Path

import keras
import numpy as np
from measure import describe_machine, save_to_page

import hpatches_kit as hk
from hpatches_kit.patches.storage import open_patch_set

EPOCHS, STEPS, PAIRS = 12, 100, 128
TASKS = "verification", "matching", "retrieval"


def build():
    return hk.models.l2net(standardise=True, affine=False, final_batch_norm=True)


def train(patches, seed):
    keras.utils.set_random_seed(seed)
    model = build()
    learning_rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * STEPS)
    loss = hk.losses.HardNegativeTriplet(margin=1.0, negative="minimum")
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    batches = hk.batches.Pairs(patches, PAIRS, STEPS, "clean", seed=seed)
    model.fit(batches, epochs=EPOCHS, verbose=2)
    return model


def training_side(name):
    """The training side of a patch set; the sets of version 0.1 have no validation side."""
    patches = open_patch_set(Path(name)) if Path(name).exists() else hk.load(name)
    return patches.select(next(iter(patches.splits.values()))["train"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=SET", help="patch sets to train on")
    parser.add_argument("--real", required=True, help="folder of patches of real sequences")
    parser.add_argument("--seeds", type=int, default=3, help="default: 3")
    parser.add_argument("--results", default="results/training-data", help="for the weights")
    parser.add_argument(
        "--save", action="store_true", help="write the table to benchmarks/README.md"
    )
    options = parser.parse_args()
    if not all("=" in pair for pair in options.sets):
        parser.error("expected NAME=SET, such as before=FOLDER")
    real, root = hk.load(options.real), Path(options.results)
    root.mkdir(parents=True, exist_ok=True)
    tasks, scores = hk.benchmark.draw_tasks(real), {}
    for name, patches in (pair.split("=", 1) for pair in options.sets):
        for seed in range(options.seeds):
            file, began = root / f"{name}-seed{seed}.weights.h5", time.perf_counter()
            if file.exists():
                model = build()
                model.load_weights(file)
            else:
                model = train(training_side(patches), seed)
                model.save_weights(file)
            result = hk.benchmark.evaluate(hk.describe(model, real), tasks, progress=False)
            scores[name, seed] = [result.by_task[task] for task in TASKS]
            print(
                name, seed, np.round(scores[name, seed], 3), f"{time.perf_counter() - began:.0f} s"
            )
    text = "\n\n".join([format_table(scores), compare(scores), provenance(real, options)])
    print(text)
    if options.save:
        save_to_page("training-data", text)


def format_table(scores):
    lines = ["| trained on | " + " | ".join(TASKS) + " |", "|:--|--:|--:|--:|"]
    for name in dict.fromkeys(name for name, _ in scores):
        values = np.array([row for (owner, _), row in scores.items() if owner == name])
        deviation = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(len(TASKS), np.nan)
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(values.mean(axis=0), deviation)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compare(scores):
    """In how many seeds the last set is better than the first one, task by task."""
    names = list(dict.fromkeys(name for name, _ in scores))
    first, last = names[0], names[-1]
    differences = np.array(
        [np.subtract(scores[last, seed], row) for (n, seed), row in scores.items() if n == first]
    )
    cells = [
        f"{task} {mean:+.3f}, better in {better} of {len(differences)} seeds"
        for task, mean, better in zip(TASKS, differences.mean(0), (differences > 0).sum(0))
    ]
    return f"{last} against {first}: " + "; ".join(cells) + "."


def provenance(real, options):
    return (
        f"{len(real):,} points of {', '.join(real.names)}; mean AP, mean and standard deviation over"
        f" {options.seeds} seeds. {describe_machine()}, Keras {keras.__version__} on"
        f" {keras.backend.backend()}."
    )


if __name__ == "__main__":
    main()

"""Score the same descriptors by the rules of both official evaluators, one difference at a time.

    python benchmarks/protocols.py          # eight minutes, and a minute for the built-in patches
    python benchmarks/protocols.py --save   # writes the tables to docs/two-protocols.md

`--keep FOLDER` keeps the descriptors, most of the work, and reads them the next time.

Most numbers are those of the test side of `photos`. The table of pools and the last column of the
retrieval table take all its points, because only they are enough for lists as long as those of
HPatches: 10,000 queries and 20,000 distractors. The pretrained network was trained on some of them
and is left out there.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from measure import describe_machine, save_to_page

import hpatches_kit as hk
from hpatches_kit.benchmark import MATLAB, PAPER, PYTHON

# For each task, the settings that concern it, switched on one after the other.
STEPS = {
    "verification": {
        "Python": {},
        "AP is the mean precision at the positives": {"precision_at_positives": True},
        "squared distances in single precision": {"squared_distances": True},
        "at equal distance the positive ranks first": {"positives_first": True},
        "a fifth of the negatives, counted by the negatives": {"imbalance_by_negatives": True},
        "*beside it: AP of all positives and negatives*": {"balanced_ap": True},
    },
    "matching": {
        "Python": {},
        "AP is the mean precision at the positives": {"precision_at_positives": True},
        "mean of illumination and viewpoint sequences": {"categories": True},
        "*beside it: AP of the ratio of two distances*": {"ratio_ap": True},
    },
    "retrieval": {
        "Python": {},
        "one pool of all distractors": {"distractors": "all"},
        "own sequence left out after the cut": {"mask_after_cut": True},
        "AP is the mean precision at the positives: **the paper**": {
            "precision_at_positives": True
        },
        "only the first 2,000 distractors: **MATLAB's default**": {"distractors": 2000},
    },
}


def step_scores(task, descriptors, tasks):
    """The score of a task in %, after each step: `{step: score}`."""
    protocol, scores = PYTHON, {}
    for step, settings in STEPS[task].items():
        protocol = replace(protocol, **settings)
        numbers = evaluate(task, descriptors, tasks, protocol)
        scores[step] = 100 * reported(numbers, protocol, step)
    last = evaluate(task, descriptors, tasks, MATLAB)["mean_ap"]
    if numbers["mean_ap"] != last:
        raise SystemExit(f"{task}: after all steps {numbers['mean_ap']}, under MATLAB {last}.")
    return scores


def evaluate(task, descriptors, tasks, protocol):
    return hk.benchmark.evaluate(descriptors, tasks, only=task, progress=False, protocol=protocol)[
        task
    ]


def reported(numbers, protocol, step):
    """The number that a step changes: the score itself, or one that is reported beside it."""
    if not step.startswith("*"):
        return numbers["mean_ap"]
    if protocol.ratio_ap:
        return numbers["ratio"]["mean_ap"]
    balanced = [
        numbers[level][kind]["balanced_ap"] for level in "eht" for kind in ("intra", "inter")
    ]
    return sum(balanced) / len(balanced)


def step_table(task, columns):
    """A Markdown table of a task: a row per step, with the change to the row above."""
    rows = [f"| {task}, mAP in % | {' | '.join(columns)} |", "|:--|" + "--:|" * len(columns)]
    for k, step in enumerate(STEPS[task]):
        cells = []
        for scores in columns.values():
            values = list(scores.values())
            change = ""
            if k and step[0] != "*":
                difference = round(values[k] - values[k - 1], 2) + 0.0  # which makes -0.0 positive
                change = f" ({difference:+.2f})"
            cells.append(f"{values[k]:.2f}{change}")
        rows.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(rows)


def summary_table(scores):
    """A Markdown table of the first and the last step of each task, and of the paper's step.

    `scores`: `{task: {descriptor: step_scores(..)}}`, the same descriptors for every task.
    """
    names = list(next(iter(scores.values())))
    rows = [f"| mAP in % | {' | '.join(names)} |", "|:--|" + "--:|" * len(names)]
    for task, columns in scores.items():
        steps = [step for step in STEPS[task] if not step.startswith("*")]
        picked = {"Python": steps[0], "MATLAB, also in the paper": steps[-1]}
        if task == "retrieval":
            picked = {"Python": steps[0], "the paper": steps[-2], "MATLAB's default": steps[-1]}
        for title, step in picked.items():
            cells = [f"{columns[name][step]:.2f}" for name in names]
            rows.append(f"| {task}, {title} | {' | '.join(cells)} |")
    return "\n".join(rows)


def pool_table(columns, tasks):
    """A Markdown table of retrieval: the pools of the Python evaluator, and the three scores."""
    scores = {
        name: [evaluate("retrieval", descriptors, tasks, p) for p in (PYTHON, PAPER, MATLAB)]
        for name, descriptors in columns.items()
    }
    rows = [f"| retrieval, mAP in % | {' | '.join(columns)} |", "|:--|" + "--:|" * len(columns)]

    def add(title, number):
        cells = [f"{100 * number(*three):.2f}" for three in scores.values()]
        rows.append(f"| {title} | {' | '.join(cells)} |")

    for pool in tasks.pools:
        title = f"pool of {pool:,} patches, Python"
        add(title, lambda python, paper, matlab: python["mean_per_pool"][str(pool)])  # noqa: B023
    add("**Python**: mean over these pools", lambda python, paper, matlab: python["mean_ap"])
    add("**the paper**: one pool, all distractors", lambda python, paper, matlab: paper["mean_ap"])
    add("**MATLAB's default**: one pool, 2,000", lambda python, paper, matlab: matlab["mean_ap"])
    return "\n".join(rows)


def describe(names, patches, prefix, folder=None):
    """Descriptors by name; `prefix` tells patch sets apart in a folder of kept descriptors."""
    models = {
        "pixels": lambda: hk.baselines.pixels,
        "RootSIFT": lambda: hk.baselines.rootsift,
        "descriptor": lambda: hk.models.pretrained("descriptor"),
    }
    descriptors = {}
    for name in names:
        file = Path(folder or "") / f"{prefix}-{name}.npz"
        if folder and file.exists():
            descriptors[name] = hk.descriptors.load(file)
            continue
        descriptors[name] = hk.describe(models[name](), patches)
        if folder:
            descriptors[name].save(file)
    return descriptors


def as_bits(descriptors):
    """Binary descriptors of as many bits: is each number above the mean of its descriptor?"""
    bits = descriptors.values > descriptors.values.mean(axis=2, keepdims=True)
    return hk.Descriptors(bits, descriptors.sequence)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--save", action="store_true", help="write the tables to docs/two-protocols.md"
    )
    parser.add_argument(
        "--keep", metavar="FOLDER", help="of descriptors, to keep and to read again"
    )
    options = parser.parse_args()
    patches = hk.load("photos")
    _, _, test = patches.split()
    tasks = hk.benchmark.draw_tasks(test)
    descriptors = describe(("pixels", "RootSIFT", "descriptor"), test, "test", options.keep)
    scores = {
        task: {name: step_scores(task, values, tasks) for name, values in descriptors.items()}
        for task in STEPS
    }
    all_tasks = hk.benchmark.draw_tasks(patches)
    long = describe(("RootSIFT",), patches, "all", options.keep)
    tables = {"summary": summary_table(scores), "pools": pool_table(long, all_tasks)}
    for name, values in long.items():
        title = f"{name}, {len(all_tasks.distractors):,} distractors"
        scores["retrieval"][title] = step_scores("retrieval", values, all_tasks)
    bits = step_scores("verification", as_bits(descriptors["RootSIFT"]), tasks)
    scores["verification"]["RootSIFT as 128 bits"] = bits
    tables |= {task: step_table(task, columns) for task, columns in scores.items()}
    origin = (
        f"Test side: {len(test.names)} sequences, {tasks.provenance}. All of `photos`:"
        f" {len(patches.names)} sequences, {all_tasks.provenance}. {describe_machine()}."
    )
    for mark, text in {**tables, "origin": origin}.items():
        print(f"\n{text}")
        if options.save:
            save_to_page(mark, text, "docs/two-protocols.md")


if __name__ == "__main__":
    main()

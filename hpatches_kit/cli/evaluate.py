"""The command `hpatches evaluate`: score descriptors on the HPatches benchmark."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

from hpatches_kit import benchmark
from hpatches_kit import descriptors as descriptors_package
from hpatches_kit._support.disk import check_writable
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import check_output
from hpatches_kit.benchmark.task_names import PROTOCOL_NAMES, TASKS
from hpatches_kit.datasets.splits import SPLITS, split_names

DELIMITERS = {"tab": "\t", "\\t": "\t", "space": " "}


def add_evaluate(commands):
    command = commands.add_parser(
        "evaluate",
        help="score descriptors on the HPatches benchmark",
        description="Score descriptors on verification, matching and retrieval.",
        epilog="Without --split and --sequences, all sequences are used, in alphabetical order.",
    )
    command.set_defaults(run=evaluate)
    add = command.add_argument
    text = "a folder SEQUENCE/VIEW.csv, a .zip of it, or a .npz of this kit"
    add("descriptors", metavar="DESCRIPTORS", help=text)
    add("--task", action="append", choices=TASKS, help="may be repeated; default: all three")
    add("--split", help="a, b, c, view, illum or full: use its test sequences, if present")
    add("--sequences", nargs="+", metavar="NAME", help="use only these")
    add("--tasks", metavar="FOLDER", help="task lists, named verif_pos_split-a.csv and so on")
    add("--distance", default="L2", choices=("L2", "L1"), help="default: L2")
    text = "rules of scoring: of the official Python code (default), of its MATLAB code, or of the"
    text += " MATLAB code with all distractors, as in the HPatches paper"
    add("--protocol", default="python", choices=PROTOCOL_NAMES, help=text)
    add("--delimiter", default=",", help="of the CSV files; default: a comma")
    text = "refuse more, such as points=5000 or seconds=60; may be repeated"
    add("--limit", action="append", metavar="NAME=NUMBER", help=text)
    add("--json", metavar="FILE", help="write all numbers to this file")
    add("--quiet", action="store_true", help="show no progress bars")


def evaluate(options):
    """Score descriptors, print the table, and write the JSON file."""
    delimiter, progress = DELIMITERS.get(options.delimiter, options.delimiter), not options.quiet
    if options.json:
        check_output(options.json)
        check_writable(options.json)  # before the work
    split = options.split or (split_of_lists(options.tasks) if options.tasks else None)
    names = options.sequences
    if split and not names:
        names = test_sequences(options.descriptors, split, bool(options.tasks))
    limits = limits_of(options.limit)
    descriptors = descriptors_package.load(
        options.descriptors, delimiter, names, progress, limits=limits
    )
    tasks = None
    if options.tasks and set(options.task or TASKS) != {"matching"}:  # matching needs no list
        tasks = benchmark.load_tasks(options.tasks, split, descriptors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", benchmark.CollapseWarning)  # printed with the table
        scores = benchmark.evaluate(
            descriptors,
            tasks,
            options.distance,
            options.task,
            progress,
            options.protocol,
            limits,
        )
    print(scores)
    if options.json:
        scores.save(options.json)
        print(f"All numbers are in {options.json}.")


def limits_of(options):
    """`Limits` from words like `points=5000`; UserError for an unknown name or another value."""
    limits, changed = descriptors_package.Limits(), {}
    for option in options or ():
        name, _, number = option.partition("=")
        if name not in vars(limits) or not number.isascii() or not number.isdigit():
            raise UserError(
                f"--limit {option}: expected one of {', '.join(vars(limits))}, '=' and a number."
            )
        changed[name] = int(number)
    return replace(limits, **changed)


def test_sequences(path, split, has_lists):
    """The test sequences of a split; None means all sequences, if none of the split is present."""
    if split not in SPLITS and has_lists:
        return None  # the lists are the user's own
    names, present = split_names(split), descriptors_package.sequence_names(path)
    missing = [name for name in names if name not in present]
    if len(missing) == len(names):
        message = f"{path} holds no test sequence of split {split}: "
        print(f"{message}all its {len(present)} sequences are used.", file=sys.stderr)
        return None
    if missing:
        raise UserError(
            f"{path} lacks {len(missing)} of the {len(names)} test sequences of split {split}:"
            f" {', '.join(missing[:5])}. To score the others, name them: --sequences."
        )
    return names


def split_of_lists(folder):
    """The split of the task lists in a folder; `"a"` if it is one of several, or without lists.

    Raises FileNotFoundError, and UserError for several splits without `"a"`.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"{folder} is not a folder of task lists.")
    splits = {file.stem.rpartition("_split-")[2] for file in Path(folder).glob("*_split-*.csv")}
    if len(splits) > 1 and "a" not in splits:
        names = ", ".join(sorted(splits))
        raise UserError(f"{folder} holds lists of splits {names}: choose one with --split.")
    return "a" if "a" in splits or not splits else splits.pop()

"""cli.evaluate."""

import sys
import warnings
from pathlib import Path

from hpatches_kit import benchmark
from hpatches_kit import descriptors as descriptors_package
from hpatches_kit._support.disk import check_writable
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.datasets.splits import SPLITS, split_names

DELIMITERS = {"tab": "\t", "\\t": "\t", "space": " "}


def add_evaluate(commands):
    command = commands.add_parser(
        "evaluate",
        help="score descriptors on the HPatches benchmark",
        description="Score descriptors on verification, matching and retrieval.",
        epilog="Without --split and --sequences, the sequences found are used, in alphabetical order.",
    )
    command.set_defaults(run=evaluate)
    add = command.add_argument
    add(
        "descriptors",
        metavar="DESCRIPTORS",
        help="a folder SEQUENCE/VIEW.csv, a .zip of one, or an .npz of this kit",
    )
    add("--task", action="append", choices=TASKS, help="may be repeated; default: all three")
    add("--split", help="a, b, c, view, illum or full: its test sequences, when they are there")
    add("--sequences", nargs="+", metavar="NAME", help="only these")
    add("--tasks", metavar="FOLDER", help="lists named verif_pos_split-a.csv and so on")
    add("--distance", default="L2", choices=("L2", "L1"), help="default: L2")
    add("--delimiter", default=",", help="between the numbers of a CSV row; default: a comma")
    add("--json", metavar="FILE", help="write every number to this file")
    add("--quiet", action="store_true", help="no progress bars")


def evaluate(options):
    """Score a set of descriptors; print the table, write the JSON."""
    delimiter, quiet = DELIMITERS.get(options.delimiter, options.delimiter), options.quiet
    if options.json:
        if Path(options.json).is_dir():
            raise UserError(f"{options.json} is a folder: expected the name of a file for --json.")
        check_writable(options.json)  # not after all the work
    split = options.split or (only_split(options.tasks) if options.tasks else None)
    names = options.sequences or (
        split and test_sequences(options.descriptors, split, options.tasks)
    )
    descriptors = descriptors_package.load(options.descriptors, delimiter, names, not quiet)
    tasks = None
    if options.tasks and set(options.task or TASKS) != {"matching"}:  # which needs no list
        tasks = benchmark.load_tasks(options.tasks, split, descriptors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", benchmark.CollapseWarning)  # printed with the table
        scores = benchmark.evaluate(
            descriptors, tasks, options.distance, options.task, progress=not quiet
        )
    print(scores)
    if options.json:
        scores.save(options.json)
        print(f"Every number is in {options.json}.")


def test_sequences(path, split, own_lists=False):
    """The test sequences of a split, to be read; None, for all that are found, when none is there."""
    if split not in SPLITS and own_lists:
        return None  # lists of one's own
    names, found = split_names(split), descriptors_package.sequence_names(path)
    missing = [name for name in names if name not in found]
    if len(missing) == len(names):
        print(
            f"None of the test sequences of split {split} is in {path}: the {len(found)} sequences"
            " found are used.",
            file=sys.stderr,
        )
        return None
    if missing:
        raise UserError(
            f"{path} lacks {len(missing)} of the {len(names)} test sequences of split {split}:"
            f" {', '.join(missing[:5])}. To score what is there, name it: --sequences."
        )
    return names


def only_split(folder):
    """The split whose lists are in a folder, when there is but one, or a."""
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"{folder} is no folder of task lists.")
    found = {file.stem.rpartition("_split-")[2] for file in Path(folder).glob("*_split-*.csv")}
    if len(found) > 1 and "a" not in found:
        raise UserError(f"{folder} holds lists of {', '.join(sorted(found))}: choose with --split.")
    return "a" if "a" in found or not found else found.pop()

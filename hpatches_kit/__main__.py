"""The command line: `python -m hpatches_kit evaluate DESCRIPTORS`."""

import argparse
import sys
import warnings
from pathlib import Path

from hpatches_kit import benchmark, descriptor_files
from hpatches_kit.benchmark.scores import TASKS
from hpatches_kit.splits import SPLITS, split_names
from hpatches_kit.version import __version__

DELIMITERS = {"tab": "\t", "\\t": "\t", "space": " "}


def main(arguments=None):
    """Run one command; returns the exit status, 2 for what the user can mend."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def parser():
    top = argparse.ArgumentParser("python -m hpatches_kit", description=__doc__.splitlines()[0])
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    add_evaluate(commands)
    return top


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
    add("--split", choices=SPLITS, help="its test sequences, when they are there; names the lists")
    add("--sequences", nargs="+", metavar="NAME", help="only these")
    add("--tasks", metavar="FOLDER", help="lists named verif_pos_split-a.csv and so on")
    add("--distance", default="L2", choices=("L2", "L1"), help="default: L2")
    add("--delimiter", default=",", help="between the numbers of a CSV row; default: a comma")
    add("--json", metavar="FILE", help="write every number to this file")
    add("--quiet", action="store_true", help="no progress bars")


def evaluate(options):
    """Score a set of descriptors; print the table, write the JSON."""
    delimiter, quiet = DELIMITERS.get(options.delimiter, options.delimiter), options.quiet
    descriptors = descriptor_files.read(
        options.descriptors, delimiter, wanted(options, delimiter), progress=not quiet
    )
    tasks = None
    if options.tasks and set(options.task or TASKS) != {"matching"}:  # which needs no list
        tasks = benchmark.read_tasks(options.tasks, options.split or only_split(options.tasks), descriptors)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", benchmark.CollapseWarning)  # printed with the table
        scores = benchmark.evaluate(
            descriptors, tasks, options.distance, options.task, progress=not quiet
        )
    print(scores)
    if options.json:
        benchmark.save(scores, options.json)
        print(f"Every number is in {options.json}.")


def wanted(options, delimiter):
    """The sequences to read, or None for all that are found."""
    if options.sequences or not options.split:
        return options.sequences
    names, found = split_names(options.split), descriptor_files.sequences(options.descriptors)
    missing = [name for name in names if name not in found]
    if len(missing) == len(names):
        print(
            f"None of the test sequences of split {options.split} is in {options.descriptors}:"
            f" the {len(found)} sequences found are used.",
            file=sys.stderr,
        )
        return None
    if missing:
        raise ValueError(
            f"{options.descriptors} lacks {len(missing)} of the {len(names)} test sequences of split"
            f" {options.split}: {', '.join(missing[:5])}. To score what is there, name it: --sequences."
        )
    return names


def only_split(folder):
    """The split whose lists are in a folder, when there is but one, or a."""
    found = {file.stem.rpartition("_split-")[2] for file in Path(folder).glob("*_split-*.csv")}
    if len(found) > 1 and "a" not in found:
        raise ValueError(
            f"{folder} holds lists of {', '.join(sorted(found))}: choose with --split."
        )
    return "a" if "a" in found or not found else found.pop()


if __name__ == "__main__":
    sys.exit(main())

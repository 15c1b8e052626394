"""The command `hpatches reproduce`: train and print the tables of the two reports."""

import time

from hpatches_kit import benchmark, experiments
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_duration


def add_reproduce(commands):
    command = commands.add_parser(
        "reproduce",
        help="train and print the tables of the two reports",
        description="Train the missing runs of these tables, and print each table: reported"
        " numbers, ours, ours on real image sequences, and whether the conclusions hold. Without a"
        " name: list the tables.",
        epilog="Training can be interrupted at any time; the same command resumes it.",
    )
    command.set_defaults(run=reproduce)
    add = command.add_argument
    add(
        "tables",
        nargs="*",
        metavar="TABLE",
        help="such as A-table-2; or all: without the searches",
    )
    add("--data", default="photos", help="mini, photos, hpatches, or a path; default: photos")
    text = "quick, medium, long, report, search or smoke; default: quick"
    add("--scale", default="quick", help=text)
    add("--seeds", type=int, default=1, metavar="N", help="train each row N times; default: 1")
    text = "train and print these rows alone, such as a-shallow-sgd"
    add("--only", nargs="+", metavar="ROW", help=text)
    text = "a folder or an fsspec address; default: results/reports"
    add("--results", default="results/reports", metavar="FOLDER", help=text)
    add("--engine", default="local", help="local, or ray (a cluster, see docs/cluster.md)")
    add("--policy", default="float32", help="Keras's dtype policy; default: float32")
    text = "task lists, named verif_pos_split-a.csv and so on; or a: the official lists of split a"
    add("--tasks", metavar="FOLDER", help=f"{text}; default: lists are drawn")
    text = "patches of real image sequences, a name or a folder, to score descriptors on as well"
    add("--real", metavar="PATCHES", help=text)
    add("--only-print", action="store_true", help="train nothing")
    text = "write the tables there: numbers, Markdown, figures, and the records of the runs"
    add("--save", metavar="FOLDER", help=text)
    add("--quiet", action="store_true", help="show no progress bars")


def reproduce(options):
    """List the tables, or train their missing runs and print them."""
    selection = options.data, options.scale, options.seeds, options.policy, options.tasks
    root, names = options.results, list(dict.fromkeys(options.tables))
    if not names:
        return print(list_tables(root, *selection))
    if "all" in names:
        names = list(experiments.REPORTS)
    selection = *selection, options.only
    failed = {}
    if not options.only_print:
        runs = experiments.runs_of_tables(names, *selection)
        missing = experiments.missing_runs(runs, root, options.real)
        if missing and options.tasks == "a":
            benchmark.download_tasks("a", progress=not options.quiet)  # before the training
        report = progress_printer(len(missing))
        failed = experiments.train_runs(
            missing, root, options.engine, report, not options.quiet, options.real
        )
    values = experiments.numbers(names, root, *selection)
    effects = experiments.effects(names, values, experiments.draws(names, root, *selection))
    runs = experiments.provenance(names, root, *selection)
    for name in names:
        print("\n" + experiments.markdown(name, values, effects, runs, *selection))
    if options.save:
        experiments.save_tables(options.save, names, root, *selection)
    if failed:
        reasons = "\n".join(f"  {folder}: {reason}" for folder, reason in failed.items())
        raise UserError(f"{len(failed)} runs failed:\n{reasons}")


def list_tables(root, *selection):
    """A line for each table: its name, the complete runs and what they cost, and its title."""
    lines = []
    for name, table in experiments.TABLES.items():
        runs = experiments.training_order(experiments.runs_of_tables([name], *selection))
        complete = experiments.provenance([name], root, *selection)
        cost = format_duration(complete.core_hours.sum() * 3600)
        lines.append(
            f"{name:18} {len(complete):3} of {len(runs):3} runs, {cost:>7} of one core  {table.title}"
        )
    return "\n".join(lines)


def progress_printer(total):
    """A function that prints the outcome of a run, the time spent, and an estimate of the rest."""
    began, done = time.time(), 0

    def report(run, outcome):
        nonlocal done
        done += 1
        spent = time.time() - began
        line = f"{done} of {total}: {run}: {outcome} after {format_duration(spent)}"
        if done < total:
            line += f", about {format_duration(spent / done * (total - done))} left"
        print(line, flush=True)

    return report

"""The command line, its part on the reports: `python -m hpatches_kit reproduce A-table-2`."""

import time

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.units import format_duration


def add_reproduce(commands):
    """Add `reproduce` to the subcommands of a parser."""
    command = commands.add_parser(
        "reproduce",
        help="run the tables of the two reports again",
        description="Train what is missing of the tables of the two reports, and print each table:"
        " reported, ours, difference, and whether the conclusions hold. Without a name: list them.",
        epilog="Killed at any moment, the same command goes on where it was.",
    )
    command.set_defaults(run=reproduce)
    add = command.add_argument
    add("tables", nargs="*", metavar="TABLE", help="such as A-table-2; all of them: all")
    add("--data", default="photos", help="mini, photos, hpatches, or a path; default: photos")
    add("--scale", default="quick", help="quick, long, report or smoke; default: quick")
    add("--seeds", type=int, default=1, metavar="N", help="train each row N times; default: 1")
    add(
        "--results",
        default="results/reports",
        metavar="FOLDER",
        help="a folder or an fsspec address; default: results/reports",
    )
    add("--engine", default="local", help="local, or ray: a Ray cluster, at $RAY_ADDRESS or here")
    add("--policy", default="float32", help="Keras's dtype policy; default: float32")
    add("--only-print", action="store_true", help="train nothing")
    add(
        "--save",
        metavar="FOLDER",
        help="keep there what these tables are: numbers, Markdown, figures, a page, records of the runs",
    )
    add("--quiet", action="store_true", help="no bars of epochs")


def reproduce(options):
    """List the tables, or train what is missing and print them."""
    from hpatches_kit import experiments

    if "all" in options.tables:
        options.tables = list(experiments.TABLES)
    options.tables = list(dict.fromkeys(options.tables))  # each once
    what = options.data, options.scale, options.seeds, options.policy
    root = options.results
    if not options.tables:
        return print(state(experiments, root, *what))
    failed = {}
    if not options.only_print:
        failed = run_missing(experiments, options, what)
    values = experiments.numbers(options.tables, root, *what)
    runs = experiments.provenance(options.tables, root, *what)
    for name in options.tables:
        print("\n" + experiments.markdown(name, values, runs, *what))
    if options.save:
        experiments.save_tables(options.save, options.tables, root, *what)
    if failed:
        raise UserError(
            f"{len(failed)} of the runs failed:\n"
            + "\n".join(f"  {folder}: {why}" for folder, why in failed.items())
        )


def state(experiments, root, *what):
    """A line for each table, with how many of its runs are complete."""
    lines = []
    for name, table in experiments.TABLES.items():
        runs = experiments.in_order(experiments.runs_of_tables([name], *what))
        left = len(experiments.missing_runs(runs, root))
        lines.append(f"{name:12} {len(runs) - left:3} of {len(runs):3} runs  {table.title}")
    return "\n".join(lines)


def run_missing(experiments, options, what):
    """Train what is missing, and say how far it is; returns what failed."""
    if options.engine not in experiments.ENGINES:
        known = ", ".join(experiments.ENGINES)
        raise UserError(f"Unknown engine {options.engine!r}: expected one of {known}.")
    root = options.results
    runs = experiments.missing_runs(experiments.runs_of_tables(options.tables, *what), root)
    began, done = time.time(), 0

    def tell(run, end):
        nonlocal done
        done += 1
        spent = time.time() - began
        left = format_duration(spent / done * (len(runs) - done))
        more = f", about {left} left" if done < len(runs) else ""
        print(
            f"{done} of {len(runs)}: {run}: {end} after {format_duration(spent)}{more}", flush=True
        )

    return experiments.ENGINES[options.engine](runs, root, tell, not options.quiet)

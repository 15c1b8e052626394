"""Run the campaigns and print their counts; `--save` writes them to `docs/reliability.md`."""

import argparse
import os
import re
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from campaigns import (
    bad_inputs,
    byte_flips,
    full_disk,
    keras_work,
    kills,
    lying_server,
    two_processes,
    work,
)
from campaigns.outcomes import SAFE, is_safe, summary
from hpatches_kit._support.atomic import replace_section

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
ALL_WORK = {**work.WORK, **keras_work.WORK}
PARTS = {  # label: function of a folder and of the options
    "bad inputs": lambda folder, options: bad_inputs.run(folder),
    "flipped bits": lambda folder, options: byte_flips.run(folder, options.flips),
    "kills": lambda folder, options: kills.run(folder, options.kills, work=ALL_WORK),
    "two processes": lambda folder, options: two_processes.run(folder, options.times, ALL_WORK),
    "a server that lies": lambda folder, options: lying_server.run(folder),
    "a full disk": lambda folder, options: full_disk.run(folder),
}
LINE = re.compile(r"^\| (.+?) \|.*\|$", re.MULTILINE)


def main():
    """Run the campaigns; returns 1 if an outcome is unsafe."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    add("--kills", type=int, default=40, help="of each kind of work; default: 40")
    add("--flips", type=int, default=40, help="bits of each format; default: 40")
    add("--times", type=int, default=20, help="that two processes do the same; default: 20")
    add("--small-disk", metavar="FOLDER", help="on a disk of a few MB, for the full disk")
    add("--save", action="store_true", help="write the counts to the page")
    options, is_all_safe = parser.parse_args(), True
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown {', '.join(unknown)}: expected some of {', '.join(PARTS)}")
    if not os.geteuid():
        parser.error("run it as an ordinary user: root may read and write every file")
    os.environ["TQDM_DISABLE"] = "1"  # the progress bars of those that are killed
    for name in options.parts or PARTS:
        if name == "a full disk" and not options.small_disk:
            print(f"{name}: needs --small-disk, see full_disk.py")
            continue
        parent = options.small_disk if name == "a full disk" else None
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            os.environ["HPATCHES_KIT_DATA"] = f"{folder}/data"
            outcomes = PARTS[name](Path(folder), options)
        minutes = (time.monotonic() - began) / 60
        print(f"{name}, {minutes:.0f} minutes: {summary(outcomes)}", flush=True)
        is_all_safe &= is_safe(outcomes)
        if options.save:
            _save(name, outcomes)
    return int(not is_all_safe)


def _save(name, outcomes):
    """Replace the line of a part in the table of the page."""
    begin, end = "<!-- campaign -->", "<!-- end -->"
    table = PAGE.read_text().partition(begin)[2].partition(end)[0]
    lines = {line[1]: line[0] for line in LINE.finditer(table) if line[1] in PARTS}
    counts = [sum(kind == safe for kind, _ in outcomes.values()) for safe in SAFE]
    unsafe = len(outcomes) - sum(counts)
    middle = sum("in the middle" in label for label in outcomes)
    shown = f"{name}, {middle} of them in the middle of the work" if middle else name
    numbers = " | ".join(map(str, (len(outcomes), *counts, unsafe)))
    lines[name] = f"| {name} | {shown} | {numbers} | {date.today()} |"
    head = (
        "| Part | | Cases | Refused | As expected | Unsafe | Date |\n|:--|:--|--:|--:|--:|--:|:--|"
    )
    ordered = [lines[part] for part in PARTS if part in lines]
    replace_section(PAGE, "campaign", "\n".join([head, *ordered]))


if __name__ == "__main__":
    sys.exit(main())

"""Run the campaigns of `docs/reliability.md`, or pieces of them, and count their outcomes.

    python -m campaigns                              # everything: 45 minutes
    python -m campaigns bad-inputs flips             # two parts
    python -m campaigns kills --pieces download training
    python -m campaigns --list                       # all parts and pieces, and what is saved
    python -m campaigns --missing --save             # continue where an earlier call stopped

Run it in the folder `benchmarks`, or as `make campaign OPTIONS="..."`. A piece is a format, or a kind
of work. `--save` keeps the counts of each piece as soon as it is complete, in `outcomes.json` and on
the page. The exit status is 1 if an outcome is unsafe.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from campaigns import (
    bad_inputs,
    byte_flips,
    full_disk,
    keras_work,
    kills,
    lying_server,
    marking_work,
    saved_counts,
    two_processes,
    work,
)
from campaigns.formats import FORMATS
from campaigns.outcomes import is_safe, summary

WORK = {**work.WORK, **marking_work.WORK, **keras_work.WORK}
# Part: its pieces, and a function of a folder, the name of a piece, and the options.
PARTS = {
    "bad-inputs": (FORMATS, lambda folder, piece, _: bad_inputs.run(folder, [piece])),
    "flips": (FORMATS, lambda folder, piece, o: byte_flips.run(folder, o.flips, [piece])),
    "kills": (
        WORK,
        lambda folder, piece, o: kills.run(folder, o.kills, work={piece: WORK[piece]}),
    ),
    "two-processes": (
        WORK,
        lambda folder, piece, o: two_processes.run(folder, o.times, {piece: WORK[piece]}),
    ),
    "server": (("all",), lambda folder, piece, _: lying_server.run(folder)),
    "full-disk": (
        full_disk.WRITTEN,
        lambda folder, piece, _: full_disk.run(folder, [piece]),
    ),
}


def parse():
    """Read the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m campaigns",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; default: all")
    add("--pieces", nargs="+", metavar="PIECE", help="only these, such as 'CSV zip'; see --list")
    add("--missing", action="store_true", help="leave out the pieces that are saved")
    add("--list", action="store_true", help="print the pieces and what is saved; run nothing")
    add("--save", action="store_true", help="keep the counts of each complete piece")
    add("--kills", type=int, default=40, help="of each kind of work; default: 40")
    add("--flips", type=int, default=40, help="bits of each format; default: 40")
    add("--times", type=int, default=20, help="that two processes do the same; default: 20")
    add("--small-disk", metavar="FOLDER", help="on a disk of a few MB; full-disk needs it")
    options = parser.parse_args()
    known = {piece for pieces, _ in PARTS.values() for piece in pieces}
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown {', '.join(unknown)}: expected some of {', '.join(PARTS)}")
    if unknown := set(options.pieces or ()) - known:
        parser.error(f"unknown pieces {', '.join(unknown)}: --list prints all")
    if not options.list and not os.geteuid():
        parser.error("run it as an ordinary user: root may read and write every file")
    return options


def main():
    """Run the pieces; returns 1 if an outcome is unsafe."""
    options, is_all_safe = parse(), True
    chosen = [
        (part, piece)
        for part in options.parts or PARTS
        for piece in PARTS[part][0]
        if piece in (options.pieces or [piece])
        and not (options.missing and saved_counts.is_saved(part, piece))
    ]
    if options.list:
        for part, piece in chosen:
            print(f"{part:14}{piece:38}{saved_counts.text_of(part, piece)}")
        return 0
    if skipped := [job for job in chosen if job[0] == "full-disk" and not options.small_disk]:
        print("full-disk: needs --small-disk, see full_disk.py")
        chosen = [job for job in chosen if job not in skipped]
    for part, piece in chosen:
        parent = options.small_disk if part == "full-disk" else None
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            os.environ["HPATCHES_KIT_DATA"] = f"{folder}/data"
            outcomes = PARTS[part][1](Path(folder), piece, options)
        seconds = time.monotonic() - began
        print(f"{part}, {piece}, {seconds:.0f} s: {summary(outcomes)}", flush=True)
        is_all_safe &= is_safe(outcomes)
        if options.save:
            saved_counts.save(part, piece, outcomes, seconds, PARTS)
    return int(not is_all_safe)


if __name__ == "__main__":
    sys.exit(main())

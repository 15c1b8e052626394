"""Run all campaigns and print their counts; `--save` writes them to `docs/reliability.md`."""

import argparse
import os
import sys
import tempfile
from datetime import date
from pathlib import Path

from campaigns import bad_inputs, byte_flips, kills
from campaigns.outcomes import SAFE, summary
from hpatches_kit._support.atomic import replace_section

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
PARTS = {"bad inputs": bad_inputs.run, "flipped bits": byte_flips.run, "kills": kills.run}


def main():
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--save", action="store_true", help="write the counts to the page")
    options, lines, unsafe = parser.parse_args(), [], 0
    if hasattr(os, "geteuid") and not os.geteuid():
        print("As root, files without permission to read are read: use an ordinary user.")
    for name, run in PARTS.items():
        with tempfile.TemporaryDirectory() as folder:
            os.environ["HPATCHES_KIT_DATA"] = folder
            outcomes = run(Path(folder))
        unsafe += sum(kind not in SAFE for kind, _ in outcomes.values())
        print(f"{name}: {summary(outcomes)}", flush=True)
        lines.append(f"- {name}: {summary(outcomes).splitlines()[0]}")
    if options.save:
        head = f"`make campaign`, {date.today()}:\n"
        replace_section(PAGE, "campaign", "\n".join([head, *lines]))
    return int(unsafe > 0)


if __name__ == "__main__":
    sys.exit(main())

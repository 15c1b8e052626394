"""Runs spread over a Ray cluster of two workers, one of which is killed in the middle.

    pip install "ray>=2.40"
    python benchmarks/cluster.py            # 3 minutes; --save renews docs/cluster.md

Table 1 of report A on the smoke scale: five denoisers, two at a time. When the first of them has an
epoch behind it, its process is killed as a machine that fails would be. Ray starts it again, it goes on
after its last complete epoch, and ends with the weights of a run that nothing happened to.
"""

import argparse
import os
import signal
import tempfile
import threading
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
import psutil
from measure import into_page

from hpatches_kit import experiments
from hpatches_kit.experiments import engines
from hpatches_kit.experiments.environment import environment
from hpatches_kit.experiments.training import load_trained

TABLE, DATA, SCALE = "A-table-1", "mini", "smoke"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="renew docs/cluster.md")
    options = parser.parse_args()
    lines = []

    def say(line):
        print(line, flush=True)
        lines.append(line)

    import ray

    say(f"{date.today()}: Ray {ray.__version__}, {environment()}")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        spread, alone = Path(folder) / "spread", Path(folder) / "alone"
        runs = experiments.in_order(experiments.runs_of_tables([TABLE], DATA, SCALE, 1))
        victim = {}
        threading.Thread(target=kill_one, args=(spread, runs, victim, say), daemon=True).start()
        failed = experiments.ENGINES["ray"](
            runs, spread, lambda run, end: say(f"{run}: {end}"), progress=False
        )
        assert not failed and victim, (failed, victim)
        values = experiments.numbers([TABLE], spread, DATA, SCALE, 1)
        say(values.drop(columns="table").round(2).to_string(index=False))
        run = victim["run"]
        assert engines.train_run(run, alone, progress=False) == "done"
        here, there = (load_trained(run, root).get_weights() for root in (spread, alone))
        apart = max(np.abs(a - b).max() for a, b in zip(here, there))
        say(
            f"{run}, killed and resumed, and the same without: weights differ by {apart:.1e} at most."
        )
    if options.save:
        into_page("cluster", "```text\n" + "\n".join(lines) + "\n```", "docs/cluster.md")


def kill_one(root, runs, victim, say):
    """Kill the process of the first run that has an epoch behind it and is not complete."""
    while not victim:
        time.sleep(0.05)
        for run in runs:
            folder = root / run.folder
            if (folder / "backup.npz").exists() and not (folder / "run.json").exists():
                process = holder_of(folder)
                if process:
                    victim["run"] = run
                    os.kill(process.pid, signal.SIGKILL)
                    say(f"{run}: its process is killed")
                    return


def holder_of(folder):
    """The worker that has the lock of a run's folder open."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if (process.info["cmdline"] or [""])[0].startswith("ray::"):
            with suppress(psutil.Error):
                if any(folder.name in file.path for file in process.open_files()):
                    return process


if __name__ == "__main__":
    main()

"""Train a table on a Ray cluster of two workers, one of which is killed during training.

    pip install "ray>=2.40"
    python benchmarks/cluster.py            # 3 minutes; --save writes to docs/cluster.md

Table 1 of report A at scale `smoke`: five denoisers, two at a time. After the first complete epoch of
a run its process is killed, as if its machine failed. Ray restarts the task; the run resumes after its
last complete epoch and must end with the same weights as an uninterrupted run.
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
from measure import save_to_page

# The workers have one thread; sums over several threads differ in the last digits.
os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

from hpatches_kit import experiments  # noqa: E402
from hpatches_kit.experiments import engines  # noqa: E402
from hpatches_kit.experiments.trained_models import load_trained  # noqa: E402

TABLE, DATA, SCALE = "A-table-1", "mini", "smoke"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="write the output to docs/cluster.md")
    options = parser.parse_args()
    lines = []

    def show(line):
        print(line, flush=True)
        lines.append(line)

    import ray

    show(f"{date.today()}: Ray {ray.__version__}, {experiments.environment(advice=False)}")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        cluster, single = Path(folder) / "cluster", Path(folder) / "single"
        runs = experiments.training_order(experiments.runs_of_tables([TABLE], DATA, SCALE, 1))
        killed = []
        arguments = cluster, runs, killed, show
        threading.Thread(target=kill_one, args=arguments, daemon=True).start()
        failed = experiments.train_runs(
            runs, cluster, "ray", lambda run, outcome: show(f"{run}: {outcome}"), progress=False
        )
        assert not failed and killed, (failed, killed)
        values = experiments.numbers([TABLE], cluster, DATA, SCALE, 1)
        show(values.drop(columns="table").round(2).to_string(index=False))
        (run,) = killed
        assert engines.train_run(run, single, progress=False) == "done"
        resumed, expected = (load_trained(run, root).get_weights() for root in (cluster, single))
        difference = max(np.abs(a - b).max() for a, b in zip(resumed, expected, strict=True))
        compared = "weights of the killed and of an uninterrupted run"
        show(f"{run}: {compared} differ by at most {difference:.1e}.")
    if options.save:
        save_to_page("cluster", "```text\n" + "\n".join(lines) + "\n```", "docs/cluster.md")


def kill_one(root, runs, killed, show):
    """Kill the process of the first run that has a complete epoch and is not complete itself."""
    while not killed:
        time.sleep(0.05)
        for run in runs:
            folder = root / run.folder
            if (folder / "backup.npz").exists() and not (folder / "run.json").exists():
                if process := worker_of(folder):
                    killed.append(run)
                    os.kill(process.pid, signal.SIGKILL)
                    show(f"{run}: its process is killed")
                    return


def worker_of(folder):
    """The Ray worker that holds the lock of a run's folder."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if (process.info["cmdline"] or [""])[0].startswith("ray::"):
            with suppress(psutil.Error):
                if any(folder.name in file.path for file in process.open_files()):
                    return process


if __name__ == "__main__":
    main()

"""Run many runs: one after another here, or spread over a Ray cluster."""

import time
import traceback
from pathlib import Path

import keras

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit.experiments.remote_results import (
    RECORD,
    UploadRun,
    download_records,
    download_run,
    is_remote,
    is_uploaded,
    local_folder,
    upload_run,
)
from hpatches_kit.experiments.runs import Run, in_order
from hpatches_kit.experiments.training import has_model, record_of, train

PATIENCE = 5  # seconds between looks at what another process is training


def missing_runs(runs, root):
    """Those that are not complete, each after those it needs and cannot have from the results.

    Args:
        runs: of `runs_of_tables`.
        root: folder or address of the results.
    """
    download_records(root, [run.folder for run in in_order(runs)])
    here, found = local_folder(root), {}

    def add(run, model=False):
        """Note a run that is not complete, or of which only the numbers were kept."""
        has = has_model if model and not is_remote(root) else record_of
        if has(run, here) and is_uploaded(root, run.folder):
            return
        for need in run.needs:
            add(need, model=True)
        found.setdefault(run.folder, run)

    for run in runs:
        add(run)
    return list(found.values())


def train_run(run, root, wait=True, progress=True):
    """Train a run, unless it is complete; one process at a time.

    Returns:
        `"done"`, `"busy"` when another process is at it and `wait` is false, or what went wrong.
    """
    here, policy = local_folder(root), keras.config.dtype_policy()
    devices = keras.distribution.distribution()
    try:
        with locked(here / run.folder, wait) as held:
            if held is False:
                return "busy"
            for need in run.needs:
                with locked(here / need.folder):
                    download_run(root, need.folder)
                if not has_model(need, here):
                    return f"needs {need}, which is not there"
            download_run(root, run.folder)
            if not has_model(run, here):
                (here / run.folder / RECORD).unlink(missing_ok=True)  # its log begins anew
                train(run, here, progress, [UploadRun(root, run.folder)])
                upload_run(root, run.folder)
            elif not is_uploaded(root, run.folder):
                upload_run(root, run.folder)
    except Exception as error:  # a row that fails must not stop the others
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    finally:
        keras.utils.clear_session()  # which forgets these two
        keras.config.set_dtype_policy(policy)
        keras.distribution.set_distribution(devices)
    return "done"


def local(runs, root, tell, progress=True):
    """One after another, in this process; what another process is at comes last.

    Args:
        runs: of `missing`.
        root: folder or address of the results.
        tell: called with each run and how it ended.
        progress: show bars.

    Returns:
        What failed: why, by folder.
    """
    waiting, failed, told = list(runs), {}, None
    while waiting:
        busy = []
        for run in waiting:
            lost = [str(need) for need in run.needs if need.folder in failed]
            if lost:
                end = f"needs {lost[0]}, which failed"
            elif any(need in busy for need in run.needs):
                end = "busy"
            else:
                end = train_run(run, root, wait=False, progress=progress)
            if end == "busy":
                busy.append(run)
                continue
            if end != "done":
                failed[run.folder] = end
            tell(run, end)
        if busy and len(busy) == len(waiting):
            if told != busy:
                print(f"Waiting for another process that trains {busy[0]}.", flush=True)
            told = busy
            time.sleep(PATIENCE)
        waiting = busy
    return failed


def ray(runs, root, tell, progress=True):
    """Each run a task of a Ray cluster, begun when those it needs are complete.

    A task whose worker dies is started again and goes on after its last complete epoch. Where the
    cluster has GPUs, each task gets one. Joins the cluster at `$RAY_ADDRESS`; without one, the
    processors of this machine are one.

    Args and what it returns: as `local`. All machines must see `root`: a shared folder, or an address.
    """
    try:
        import ray as engine
    except ImportError as error:
        raise UserError(
            "The engine ray needs Ray: pip install -e '.[cluster]', or ray alone."
        ) from error

    engine.init(ignore_reinit_error=True, log_to_driver=progress)
    gpus = 1 if engine.cluster_resources().get("GPU") else 0
    variables = {"KERAS_BACKEND": keras.backend.backend()}
    if not gpus:  # a task is given one core, and TensorFlow would take all
        variables |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

    @engine.remote(num_cpus=1, num_gpus=gpus, max_retries=5, runtime_env={"env_vars": variables})
    def task(run, root, *needs):
        lost = [name for name, end in needs if end != "done"]
        if lost:
            return str(run), f"needs {lost[0]}, which failed"
        return str(run), train_run(run, root, progress=False)

    root, tasks, failed = root if is_remote(root) else local_folder(root).resolve(), {}, {}
    for run in runs:
        needs = [tasks[need.folder] for need in run.needs if need.folder in tasks]
        tasks[run.folder] = task.remote(run, root, *needs)
    of = {future: run for run, future in zip(runs, tasks.values())}
    waiting = list(of)
    while waiting:
        ready, waiting = engine.wait(waiting)
        for future in ready:
            try:
                _, end = engine.get(future)
            except engine.exceptions.RayError as error:  # died more often than it is started again
                why, _, _ = str(error).partition("\n")
                end = f"{type(error).__name__}: {why}"
            if end != "done":
                failed[of[future].folder] = end
            tell(of[future], end)
    return failed


def run(row, root, data="photos", scale="quick", seed=0, policy="float32", progress=True):
    """Train one row, and first what it needs, unless that is there already.

    Args:
        row: a `Denoiser` or a `Descriptor`.
        root: folder or address of the results.
        data, scale, seed, policy: as for `runs_of_tables`.

    Returns:
        What its `run.json` holds: scores, seconds, settings and more.

    Raises RuntimeError when it, or what it needs, failed.
    """
    this = Run(row, data, scale, seed, policy)
    if failed := local(missing_runs([this], root), root, lambda run, end: None, progress):
        raise RuntimeError("; ".join(f"{folder}: {why}" for folder, why in failed.items()))
    return record_of(this, Path(local_folder(root)))


ENGINES = {"local": local, "ray": ray}

"""Train runs: one after another in this process, or in parallel on a Ray cluster."""

import gc
import time
import traceback
import warnings

import keras

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked
from hpatches_kit.experiments.figures import missing_figures, save_figures
from hpatches_kit.experiments.records import RECORD, record_of, run_folder
from hpatches_kit.experiments.remote_results import (
    UploadRun,
    download_records,
    download_run,
    is_remote,
    is_uploaded,
    local_folder,
    upload_run,
)
from hpatches_kit.experiments.rows import Descriptor, check_choice
from hpatches_kit.experiments.runs import Run, training_order
from hpatches_kit.experiments.scoring import add_real_scores, fingerprint_of
from hpatches_kit.experiments.trained_models import has_model
from hpatches_kit.experiments.training import train

PATIENCE = 5  # seconds to wait for a run that another process trains


def run(
    row, root, data="photos", scale="quick", seed=0, policy="float32", progress=True, real=None
):
    """Train one row, and first the rows it needs, unless they are complete.

    The caller's random states, dtype policy and Keras session stay unchanged.

    Args:
        row: a `Denoiser` or a `Descriptor`.
        root: folder or address of the results.
        data, scale, seed, policy: as for `runs_of_tables`.
        progress: show a bar of epochs.
        real: name or path of patches of real image sequences, to score a descriptor on as well.

    Returns the record that `run.json` holds: scores, seconds, settings and more. Raises
    RuntimeError when a run failed.
    """
    run = Run(row, data, scale, seed, policy)
    missing = missing_runs([run], root, real)
    if failed := train_runs(missing, root, progress=progress, real=real):
        raise RuntimeError("; ".join(f"{folder}: {reason}" for folder, reason in failed.items()))
    return record_of(run, local_folder(root))


def train_runs(runs, root, engine="local", report=None, progress=True, real=None):
    """Train runs in the given order; a run that fails does not stop the others.

    Args:
        runs: of `missing_runs`.
        root: folder or address of the results.
        engine: `"local"`, one after another in this process; or `"ray"`, on a Ray cluster.
        report: called with each run and its outcome, `"done"` or the reason of its failure.
        progress: show bars of epochs.
        real: name or path of patches of real image sequences, to score descriptors on as well.

    Returns `{folder: reason}` of the runs that failed.
    """
    check_choice(engine, ENGINES, "engine")
    failed = {}
    for run, outcome in ENGINES[engine](runs, root, progress, real):
        if outcome != "done":
            failed[run.folder] = outcome
        if report:
            report(run, outcome)
    return failed


def missing_runs(runs, root, real=None):
    """List the incomplete runs, each after the runs that it needs and whose models are missing.

    With `real`, a descriptor without scores on real sequences is incomplete. A run that lacks only
    figures is listed, too, if the models that they need are in the local folder.
    """
    download_records(root, [run.folder for run in training_order(runs)])
    local, missing = local_folder(root), {}

    def add(run, needs_model=False):
        # A model at an address is downloaded later, when a run that needs it is trained.
        is_complete = has_model if needs_model and not is_remote(root) else record_of
        if is_complete(run, local) and is_uploaded(root, run.folder):
            if needs_model or not _lacks_real_scores(run, local, real):
                return
        for need in run.needs:
            add(need, needs_model=True)
        missing.setdefault(run.folder, run)

    for run in runs:
        add(run)
    for run in training_order(runs):
        if missing_figures(run, local):
            missing.setdefault(run.folder, run)
    return list(missing.values())


def _lacks_real_scores(run, root, real):
    """Whether a complete run has no scores on these real sequences."""
    if not real or not isinstance(run.row, Descriptor):
        return False
    scored = record_of(run, root).get("real", {})
    return scored.get("patches") != fingerprint_of(real)


def train_run(run, root, wait=True, progress=True, real=None):
    """Train a run unless it is complete, under a lock: only one process at a time trains it.

    Returns `"done"`; `"busy"` when another process trains it, or a run it needs, and `wait` is
    false; or the reason of a failure.
    """
    local = local_folder(root)
    try:
        with locked(run_folder(local, run.folder), wait) as held:
            if held is False:
                return "busy"
            for need in run.needs:
                with locked(run_folder(local, need.folder), wait) as held:
                    if held is False:
                        return "busy"
                    download_run(root, need.folder)
                if not has_model(need, local):
                    return f"needs {need}, which has no trained model"
            download_run(root, run.folder)
            changed = not is_uploaded(root, run.folder)
            if not has_model(run, local):
                # A record without a model.
                (run_folder(local, run.folder) / RECORD).unlink(missing_ok=True)
                train(run, local, progress, [UploadRun(root, run.folder)])
                upload_run(root, run.folder)  # before anything else can fail
                changed = True
            if _lacks_real_scores(run, local, real):
                add_real_scores(run, local, real, progress)
                changed = True
            if missing_figures(run, local):
                changed = True
                try:
                    save_figures(run, local)
                except Exception as error:  # a network that cannot be drawn is trained all the same
                    warnings.warn(f"{run}: figures are missing: {error}", stacklevel=2)
            if changed:
                upload_run(root, run.folder)
    except Exception as error:  # one failed run must not stop the others
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    finally:
        gc.collect()  # models hold reference cycles
    return "done"


def _train_locally(runs, root, progress, real):
    """Yield each run and its outcome; runs that another process trains come last."""
    waiting, announced = list(runs), None
    while waiting:
        busy = []
        for run in waiting:
            outcome = train_run(run, root, wait=False, progress=progress, real=real)
            if outcome == "busy":
                busy.append(run)
            else:
                yield run, outcome
        if len(busy) == len(waiting):
            if announced != busy:
                print(f"Waiting for another process that trains {busy[0]}.", flush=True)
            announced = busy
            time.sleep(PATIENCE)
        waiting = busy


def _train_on_ray(runs, root, progress, real):
    """Yield each run and its outcome. A run is a Ray task; it starts when those it needs are done.

    Ray restarts a task whose worker died; the run resumes after its last complete epoch. A task
    gets one GPU if the cluster has GPUs. The cluster is the one at `$RAY_ADDRESS`, or else a new
    one on this machine. All machines must see `root`: a shared folder, or an address.
    """
    try:
        import ray
    except ImportError as error:
        raise UserError("The engine ray needs Ray: pip install 'ray>=2.40'.") from error

    ray.init(ignore_reinit_error=True, log_to_driver=progress)
    gpus = 1 if ray.cluster_resources().get("GPU") else 0
    variables = {"KERAS_BACKEND": keras.backend.backend()}
    if not gpus:  # a task has one core; TensorFlow would use all of them
        variables |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

    @ray.remote(num_cpus=1, num_gpus=gpus, max_retries=5, runtime_env={"env_vars": variables})
    def task(run, root, *needs):  # Ray waits for the tasks in `needs`
        return train_run(run, root, progress=False, real=real)

    root = root if is_remote(root) else local_folder(root).resolve()
    tasks = {}
    for run in runs:
        needs = [tasks[need.folder] for need in run.needs if need.folder in tasks]
        tasks[run.folder] = task.remote(run, root, *needs)
    run_of, waiting = dict(zip(tasks.values(), runs)), list(tasks.values())
    while waiting:
        ready, waiting = ray.wait(waiting)
        for future in ready:
            try:
                outcome = ray.get(future)
            except ray.exceptions.RayError as error:  # after `max_retries` restarts
                reason, _, _ = str(error).partition("\n")
                outcome = f"{type(error).__name__}: {reason}"
            yield run_of[future], outcome


ENGINES = {"local": _train_locally, "ray": _train_on_ray}

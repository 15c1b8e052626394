"""Train and score one run."""

import json
import time
from dataclasses import replace
from datetime import date

import keras
import numpy as np
from tqdm import tqdm

from hpatches_kit import batches as batch_classes
from hpatches_kit import losses, metrics, models
from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.checksums import digest
from hpatches_kit._support.errors import UserError
from hpatches_kit.callbacks.resume import BACKUP, BEST, LOG, Resume, read_log
from hpatches_kit.datasets.denoised import denoise
from hpatches_kit.experiments.after_training import finish
from hpatches_kit.experiments.distillation import Distillation, with_teacher
from hpatches_kit.experiments.environment_report import environment, hardware
from hpatches_kit.experiments.isolation import isolated_session
from hpatches_kit.experiments.records import CHECKSUMS, MODEL, RECORD, run_folder
from hpatches_kit.experiments.rows import DENOISER_LOSSES, Denoiser
from hpatches_kit.experiments.run_data import (
    draw_sequences,
    load_sides,
    sample_points,
)
from hpatches_kit.experiments.scoring import load_tasks, score
from hpatches_kit.experiments.trained_models import (
    build_network,
    load_denoiser,
    load_trained,
    save_trained,
)
from hpatches_kit.patches.views import VIEWS

VALIDATION_BATCH = 50  # patches per validation batch of denoisers


def train(run, root, progress=True, callbacks=()):
    """Train and score a run whose needs are complete; an interrupted run resumes.

    It trains on the training side of its data and is measured on the validation side after each
    epoch; a descriptor is scored on the test side, or on the side that its scale names. The
    caller's random states, dtype policy and Keras session stay unchanged.

    Args:
        run: a `Run`.
        root: local folder of all results.
        progress: show a bar of epochs.
        callbacks: further callbacks of `fit`, called after an epoch is saved.

    Returns the record, which `run.json` in the run's folder holds. The folder also holds the
    settings, the log of every epoch, the trained weights, and the scores of a descriptor.
    Raises UserError for sides that share photographs or places, for task lists that do not fit the
    test side, and when the loss, or a number of the last epoch, is not finite.
    """
    with isolated_session(run.seed, run.policy):
        return _train(run, root, progress, callbacks)


def _train(run, root, progress, callbacks):
    folder, began = run_folder(root, run.folder), time.process_time()
    train_set, validation_set, test_set = load_sides(run.data, progress)
    scored_set = validation_set if run.scale.scored_side == "validation" else test_set
    tasks = load_tasks(run, scored_set, progress)
    prepare = _prepare_denoiser if isinstance(run.row, Denoiser) else _prepare_descriptor
    model, training, validation = prepare(run, root, train_set, validation_set)
    epochs, prepared = run.scale.epochs or run.row.epochs, time.process_time()
    with tqdm(total=epochs, desc=str(run), unit="epoch", disable=not progress) as bar:
        history = model.fit(
            training,
            validation_data=validation,
            epochs=epochs,
            callbacks=[
                keras.callbacks.TerminateOnNaN(),
                EpochSeconds(),
                Resume(folder, training, "loss", {"run": run.settings}),
                *callbacks,
                EpochBar(bar),
            ],
            verbose=0,
        )
    if not np.isfinite(history.history.get("loss", [0.0])).all():
        raise UserError(f"{run}: the loss is not finite in epoch {history.epoch[-1] + 1}.")
    log = read_log(folder)
    if not np.isfinite(log.iloc[-1].to_numpy(float)).all():
        raise UserError(f"{run}: the last epoch is not finite: {dict(log.iloc[-1])}.")
    model = finish(model, run.row, training)
    save_trained(model, folder)
    trained = time.process_time()
    record = {
        "settings": run.settings,
        **score(run, root, model, scored_set, tasks),
        "seconds": round(float(log.seconds.sum()), 1),
        "core_seconds": round(float(log.core_seconds.sum()), 1),
        "other_core_seconds": round(prepared - began + time.process_time() - trained, 1),
        "parameters": model.count_params(),
        "environment": environment(advice=False),
        "hardware": hardware(),
        "date": str(date.today()),
        CHECKSUMS: {name: digest(folder / name) for name in (LOG, MODEL)},
    }
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")  # the run is complete now
    for pattern in (BACKUP, BEST, ".*-*"):  # large files that a complete run does not need
        for file in folder.glob(pattern):
            file.unlink()
    return record


def _prepare_denoiser(run, root, train_set, validation_set):
    """Return the compiled model, and batches for training and validation."""
    row, scale = run.row, run.scale
    if row.sequences:
        train_set, validation_set = draw_sequences(run, train_set, validation_set)
    epochs = scale.epochs or row.epochs
    available = len(train_set) * len(VIEWS)
    per_epoch = row.patches_per_epoch or available
    if scale.denoiser_patches:
        per_epoch = scale.denoiser_patches // epochs
    steps = max(min(per_epoch, available) // row.batch_size, 1)
    sigma = row.network_options.get("noise_map", False)  # the network takes it, too
    training = batch_classes.NoisyClean(
        train_set, row.batch_size, steps, seed=run.seed, sigma=sigma, **row.batch_options
    )
    available = len(validation_set) * len(VIEWS)
    count = min(scale.validation_patches or row.validation_patches or available, available)
    validation = batch_classes.NoisyClean(
        validation_set, VALIDATION_BATCH, count // VALIDATION_BATCH, redraw=False, sigma=sigma
    )
    model = build_network(row)
    loss = getattr(losses, row.loss)() if row.loss in DENOISER_LOSSES else row.loss
    model.compile(_optimizer(row, epochs * steps), loss, metrics=["mae", metrics.psnr])
    return model, training, validation


def _prepare_descriptor(run, root, train_set, validation_set):
    """Return what `_prepare_denoiser` returns, for a descriptor."""
    row, scale = run.row, run.scale
    epochs = scale.epochs or row.epochs
    samples, views = row.samples, {"Pairs": 2, "Triplets": 3}[row.batch_class]
    if scale.descriptor_patches:
        samples = scale.descriptor_patches // epochs // views
    steps = max(samples * row.length_factor // row.batch_size, 1)
    validation_steps = max(steps // 10, 1)
    train_set = sample_points(train_set, scale.train_points, run.seed)
    # As many points as the validation batches show patches: denoising more would take long.
    validation_points = validation_steps * row.batch_size * views
    validation_set = sample_points(validation_set, validation_points, 0)  # the same for all seeds
    denoiser = load_denoiser(run, root)
    if row.kind == "denoised":
        train_set, validation_set = (denoise(denoiser, s) for s in (train_set, validation_set))
    make = getattr(batch_classes, row.batch_class)
    training = make(train_set, row.batch_size, steps, row.kind, seed=run.seed, **row.batch_options)
    places = len(np.unique(validation_set.label))
    batch_size = min(row.batch_size, places // 2 * 2 or places)  # even, for anchor swapping
    validation = make(validation_set, batch_size, validation_steps, row.kind, redraw=False)
    model = build_network(row)
    if row.init_from:
        model.set_weights(load_trained(replace(run, row=row.init_from), root).get_weights())
    if row.end_to_end:
        model = models.end_to_end(denoiser, model)
    loss = getattr(losses, row.loss)(**row.loss_options)
    if row.teacher:
        model = with_teacher(model, load_trained(replace(run, row=row.teacher), root))
        loss = Distillation(loss)
    model.compile(_optimizer(row, epochs * steps), loss)
    return model, training, validation


def _optimizer(row, steps):
    config = row.optimizers[row.optimizer]
    optimizer = keras.optimizers.get(config)
    learning_rate = row.learning_rate or float(optimizer.learning_rate)
    if row.cosine_decay:
        learning_rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    changed = {"learning_rate": learning_rate} if row.learning_rate or row.cosine_decay else {}
    if momentum := getattr(row, "ema_momentum", None):  # `fit` sets the averages at its end
        changed |= {"use_ema": True, "ema_momentum": momentum}
    return type(optimizer)(**{**config["config"], **changed}) if changed else optimizer


class EpochSeconds(keras.callbacks.Callback):
    """Adds the seconds of each epoch, and those of all processor cores together, to the log."""

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        began, core_began = self.began
        logs["seconds"] = round(time.perf_counter() - began, 2)
        logs["core_seconds"] = round(time.process_time() - core_began, 2)


class EpochBar(keras.callbacks.Callback):
    """Advances a progress bar by epochs, including those of earlier sessions."""

    def __init__(self, bar):
        super().__init__()
        self.bar = bar

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.update(epoch - self.bar.n)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.update(epoch + 1 - self.bar.n)
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}")

"""Train one run in its folder, and leave there all that tables and pictures need."""

import json
import time
from dataclasses import replace
from datetime import date

import keras
import numpy as np
from tqdm import tqdm

from hpatches_kit import batches as kinds
from hpatches_kit import benchmark, losses, metrics, models
from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.callbacks.resume import BACKUP, BEST, Resume, read_log
from hpatches_kit.datasets.denoised import denoise
from hpatches_kit.datasets.loading import load
from hpatches_kit.descriptors.describe import describe
from hpatches_kit.experiments.environment import environment, hardware
from hpatches_kit.experiments.remote_results import RECORD
from hpatches_kit.experiments.rows import OF_DENOISERS, Denoiser
from hpatches_kit.experiments.runs import narrowed
from hpatches_kit.patches.views import VIEWS
from hpatches_kit.plots import curves

MODEL, CURVES, SCORES = "model.keras", "curves.png", "scores.json"
DRAW = 1  # stands beside the seed where report B's random sequences are drawn


def train(run, root, progress=True, watch=()):
    """Train and score a run whose needs are complete; a run that was cut off goes on.

    Args:
        run: a `Run`.
        root: folder of all results; the run has its own in it, `run.folder`.
        progress: show a bar of epochs.
        watch: more callbacks for `fit`, called when an epoch is kept.

    Returns:
        What `run.json` then holds. The folder also has the settings, the log of every epoch, its
        curves, the trained model, and the scores of a descriptor.
    """
    folder = root / run.folder
    before = keras.config.dtype_policy()
    keras.utils.set_random_seed(run.seed)
    keras.config.set_dtype_policy(run.policy)
    try:
        sides = load(run.data, progress=progress).split()
        prepare = _denoiser if isinstance(run.row, Denoiser) else _descriptor
        model, fit, score = prepare(run, root, *sides)
        epochs = run.scale.epochs or run.row.epochs
        with tqdm(total=epochs, desc=str(run), unit="epoch", disable=not progress) as bar:
            stop = keras.callbacks.TerminateOnNaN()
            resume = Resume(folder, fit["x"], "loss", {"run": run.settings})
            history = model.fit(
                **fit,
                epochs=epochs,
                callbacks=[stop, Stopwatch(), resume, *watch, Bar(bar)],
                verbose=0,
            )
    finally:
        keras.config.set_dtype_policy(before)
    losses_now = history.history.get("loss", [0.0])
    if not np.isfinite(losses_now).all():
        raise UserError(f"{run}: the loss is no number in epoch {history.epoch[-1] + 1}.")
    log = read_log(folder)
    if not np.isfinite(log.iloc[-1].to_numpy(float)).all():
        raise UserError(f"{run}: its last epoch was measured as {dict(log.iloc[-1])}.")
    model.save(folder / MODEL)
    record = {
        "settings": run.settings,
        "scores": score(model, folder),
        "seconds": round(float(log.seconds.sum()), 1),
        "parameters": model.count_params(),
        "made with": environment(advice=False),
        "hardware": hardware(),
        "date": str(date.today()),
    }
    quantities = ["loss", *(key for key in ("psnr",) if key in log)]
    curves(log.drop(columns="seconds"), quantities).savefig(folder / CURVES, dpi=100)
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")  # now it is complete
    for file in (BACKUP, BEST, ".*-*"):  # most of the room, and of no use any more
        for leftover in folder.glob(file):
            leftover.unlink()
    return record


def _denoiser(run, root, train_side, test_side):
    row, scale = run.row, run.scale
    if row.sequences:
        train_side, test_side = _random_sequences(run, train_side, test_side)
    epochs = scale.epochs or row.epochs
    there = len(train_side) * len(VIEWS)
    each = (
        scale.denoiser_patches // epochs
        if scale.denoiser_patches
        else row.patches_per_epoch or there
    )
    count = max(min(each, there) // row.batch_size, 1)
    batches = kinds.NoisyClean(
        train_side, row.batch_size, count, seed=run.seed, **row.batch_options
    )
    there = len(test_side) * len(VIEWS)
    count = min(scale.validation_patches or row.validation_patches or there, there) // 50
    held_out = kinds.NoisyClean(test_side, 50, count, redraw=False)
    model = _build(run)
    loss = getattr(losses, row.loss)() if row.loss in OF_DENOISERS else row.loss
    model.compile(_optimizer(row, epochs * len(batches)), loss, metrics=["mae", metrics.psnr])
    return model, {"x": batches, "validation_data": held_out}, lambda model, folder: {}


def _descriptor(run, root, train_side, test_side):
    row, scale = run.row, run.scale
    train_side = _some(train_side, scale.train_points, run.seed)
    test_side = _some(test_side, scale.test_points, 0)  # the same for all seeds
    denoiser = denoiser_of(run, root)
    if row.kind == "denoised":
        train_side = denoise(denoiser, train_side)
    if "denoised" in (row.kind, row.scored_on):
        test_side = denoise(denoiser, test_side)
    epochs = scale.epochs or row.epochs
    samples, views = row.samples, {"Pairs": 2, "Triplets": 3}[row.batch_class]
    if scale.descriptor_patches:
        samples = scale.descriptor_patches // epochs // views
    samples *= row.length_factor
    make = getattr(kinds, row.batch_class)
    count = max(samples // row.batch_size, 1)
    batches = make(train_side, row.batch_size, count, row.kind, seed=run.seed, **row.batch_options)
    size = min(row.batch_size, len(np.unique(test_side.label)))
    held_out = make(test_side, size, max(count // 10, 1), row.kind, redraw=False)
    model = _build(run)
    if row.init_from:
        model.set_weights(load_trained(replace(run, row=row.init_from), root).get_weights())
    if row.end_to_end:
        model = models.end_to_end(denoiser, model)
    loss = getattr(losses, row.loss)(**row.loss_options)
    model.compile(_optimizer(row, epochs * len(batches)), loss)

    def score(model, folder):
        scores = evaluate_row(row, model, test_side)
        scores.save(folder / SCORES)
        return scores.by_task

    return model, {"x": batches, "validation_data": held_out}, score


def evaluate_row(row, model, patches, denoiser=None):
    """`Scores` of a row's descriptor on patches of the kind that it is scored on.

    Where these are denoised ones, a denoiser makes them, or `patches` has them already.
    """
    kind = row.scored_on or row.kind
    return benchmark.evaluate(describe(model, patches, kind, denoiser, row.name), progress=False)


def load_trained(run, root):
    """The model of a complete run."""
    return keras.models.load_model(root / run.folder / MODEL, compile=False)


def denoiser_of(run, root):
    """The denoiser of a descriptor's run, where it has one."""
    return load_trained(replace(run, row=run.row.denoiser), root) if run.row.denoiser else None


def record_of(run, root):
    """What is kept of a complete run; None for one that is not."""
    file = root / run.folder / RECORD
    return json.loads(file.read_text()) if file.exists() else None


def has_model(run, root):
    """Whether a run is complete and its model is there: one may keep no more than the numbers."""
    return (root / run.folder / RECORD).exists() and (root / run.folder / MODEL).exists()


def _random_sequences(run, train_side, test_side):
    """As many random sequences to train on as the row says, and one to validate on.

    Drawn until they hold as many patches as an epoch wants, so that rows of one seed see the same: where
    it wants more than any have, the largest.
    """
    if len(train_side.names) < run.row.sequences:
        raise UserError(
            f"{run.row.name} is trained on {run.row.sequences} sequences, {run.data} has"
            f" {len(train_side.names)} to train on."
        )
    rng = np.random.default_rng((run.seed, DRAW))
    wanted = (run.scale.denoiser_patches or 0) / (run.scale.epochs or 1)
    most = sum(sorted(train_side.lengths.values())[-run.row.sequences :]) * len(VIEWS)
    while True:
        names = rng.choice(train_side.names, run.row.sequences, replace=False)
        chosen = train_side.select(sorted(names))
        if len(chosen) * len(VIEWS) >= min(wanted, most):
            return chosen, test_side.select(rng.choice(test_side.names))


def _some(patches, points, seed):
    return patches.sample(min(points or len(patches), len(patches)), seed)


def _build(run):
    options = dict(run.row.network_options)
    if narrowed(run.row):
        decoder = models.UNET_PRESETS[options["preset"]].decoder
        options["decoder"] = [filters // run.scale.narrow for filters in decoder]
    return getattr(models, run.row.network)(**options)


def _optimizer(row, steps):
    named = row.optimizers[row.optimizer]
    optimizer = keras.optimizers.get(named)
    rate = row.learning_rate or float(optimizer.learning_rate)
    if row.cosine_decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    if row.learning_rate or row.cosine_decay:
        return type(optimizer)(**{**named["config"], "learning_rate": rate})
    return optimizer


class Stopwatch(keras.callbacks.Callback):
    """Adds the seconds of each epoch to the log."""

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = round(time.perf_counter() - self.began, 2)


class Bar(keras.callbacks.Callback):
    """A bar of epochs, the ones of an earlier session included."""

    def __init__(self, bar):
        super().__init__()
        self.bar = bar

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.update(epoch - self.bar.n)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.update(epoch + 1 - self.bar.n)
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}")

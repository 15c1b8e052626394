"""Resumable training: run the same cell again, and training resumes after an interruption."""

import json
import random
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from hpatches_kit._support.array_files import read_npz
from hpatches_kit._support.atomic import atomic_file, write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import read_json
from hpatches_kit._support.regular_files import open_regular, read_stream
from hpatches_kit.callbacks.run_settings import describe_run, differences_of

BACKUP, BEST, LOG, SETTINGS = "backup.npz", "best.keras", "log.csv", "settings.json"
LARGEST_LOG = 1 << 26  # bytes
MORE_IS_BETTER = ("psnr", "ssim", "verification", "matching", "retrieval")


def read_log(folder):
    """Read the log in the folder of a `Resume`: a DataFrame with one row per complete epoch.

    Raises FileNotFoundError if no epoch is complete, UserError if the file is damaged.
    """
    file = Path(folder).expanduser() / LOG
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist: no epoch of this run is complete.")
    try:
        with open_regular(file, links=False) as stream:
            log = pd.read_csv(BytesIO(read_stream(stream, LARGEST_LOG)))
    except (ValueError, pd.errors.ParserError) as error:  # an encoding, an empty file, cells
        raise UserError(f"{file} is not the log of a run: {error}.") from error
    if not all(map(pd.api.types.is_numeric_dtype, log.dtypes)):
        raise UserError(f"{file} is not the log of a run: expected only numbers.")
    return log


class Resume(keras.callbacks.Callback):
    """Save a training run in a folder after each epoch, and resume it after an interruption.

        resume = hk.callbacks.Resume("runs/deep", batches, "val_psnr")
        model.fit(batches, validation_data=validation, epochs=25, callbacks=[resume])
        hk.plots.curves(resume.log, ["loss", "psnr"])

    After each epoch the folder contains, written atomically:

    - `log.csv`: one row per epoch; `hk.callbacks.read_log(folder)` reads it;
    - `best.keras`: the model after its best epoch, for `keras.models.load_model`;
    - `backup.npz`: everything the next epoch depends on: the number of complete epochs, the
      weights, the optimiser with its step and learning rate, and the random states of dropout and
      shuffling;
    - `settings.json`: the model, the optimiser, the loss, the batches, and the versions of the kit,
      Keras and Python.

    To resume an interrupted run, even if its process was killed, run the same code again: it
    repeats the interrupted epoch with the same batches, and ends with the same weights as an
    uninterrupted run. If the run is complete, or a callback such as `EarlyStopping` ended it, `fit`
    only restores the weights and the log. An epoch with a loss that is not finite is not saved.

    Other callbacks start fresh when training resumes. Put those that add to the log, such as
    `hk.callbacks.BenchmarkScores`, before this one in the list.

    Args:
        folder: of this run only. On Colab, a folder on Google Drive outlives the session.
        batches: the batches of `hk.batches` that `fit` gets.
        monitor: the quantity in the log that decides which epoch is best. More is better for PSNR,
            SSIM and the three tasks; less is better for all others. Without validation data, use
            `"loss"`.
        settings: more settings to keep in `settings.json`.

    `log` is a DataFrame with all epochs, also those of earlier sessions; `fit` fills it.

    Raises UserError when training begins, if the folder holds a run with other settings, or if the
    loss needs other batches; and after the first epoch, if `monitor` is not in the log.

    Keras's own `BackupAndRestore` does not restore the random states of dropout, nor which batches
    are next. A kill can leave its files, and those of `ModelCheckpoint` and `CSVLogger`, incomplete
    or at different epochs.
    """

    def __init__(self, folder, batches, monitor="val_loss", settings=None):
        super().__init__()
        self.folder = Path(folder).expanduser()
        self.batches, self.monitor, self.settings = batches, monitor, settings or {}
        self.log, self.loss_is_finite = pd.DataFrame(), True

    def on_train_begin(self, logs=None):
        model = self.model
        if not model.built:
            model.build((None, *self.batches[0][0].shape[1:]))
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._check_batches()
        self._check_settings()
        self.log, self.loss_is_finite = pd.DataFrame(), True
        if (self.folder / BACKUP).exists():
            self._restore()

    def on_epoch_begin(self, epoch, logs=None):
        self.model._initial_epoch = None  # `fit` has read it; the next `fit` starts at 0 again
        self.batches.begin(epoch)

    def on_epoch_end(self, epoch, logs=None):
        logs = {"epoch": epoch, **(logs or {})}
        if self.monitor not in logs:
            measured = ", ".join(key for key in logs if key != "epoch")
            raise UserError(
                f"monitor={self.monitor!r} is not in the log: expected one of {measured}."
            )
        self.loss_is_finite = bool(np.isfinite(logs.get("loss", 0)))
        if not self.loss_is_finite:
            return
        self.log = pd.concat([self.log, pd.DataFrame([logs])], ignore_index=True)
        with atomic_file(self.folder / LOG) as file:
            self.log.to_csv(file, index=False)
        values = self.log[self.monitor]
        more_is_better = self.monitor.removeprefix("val_").startswith(MORE_IS_BETTER)
        if values.iloc[-1] == (values.max() if more_is_better else values.min()):
            with atomic_file(self.folder / BEST) as file:
                self.model.save(file)
        self._backup(epoch + 1)  # last, because it marks the epoch as complete

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None
        if self.model.stop_training and len(self.log) and self.loss_is_finite:
            self._backup(int(self.log.epoch.iloc[-1]) + 1, ended=True)

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def _backup(self, epochs, ended=False):
        arrays = {str(k): ops.convert_to_numpy(v) for k, v in enumerate(self._variables())}
        for key, array in arrays.items():
            if array.dtype.kind == "V":  # NumPy files do not store bfloat16
                arrays[key] = array.astype(np.float32)
        with atomic_file(self.folder / BACKUP) as file:
            np.savez(file, epoch=epochs, ended=ended, **arrays, **_random_state())

    def _restore(self):
        variables = self._variables()
        backup = read_npz(self.folder / BACKUP, "a backup of a run", links=False)
        saved_shapes = [array.shape for key, array in backup.items() if key.isdigit()]
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != saved_shapes:
            raise UserError(
                f"{self.folder} holds {len(saved_shapes)} arrays of weights and optimiser; this"
                f" model has {len(shapes)}, or their shapes differ. Are other layers trainable?"
                " Choose another folder, or delete this one to start again."
            )
        for k, variable in enumerate(variables):
            variable.assign(backup[str(k)])
        _set_random_state(backup)
        epochs, ended = int(backup["epoch"]), bool(backup["ended"])
        log = read_log(self.folder)
        self.log = log[log["epoch"] < epochs]  # a kill can leave a row of an incomplete epoch
        # `fit` reads it after `on_train_begin`; Keras's `BackupAndRestore` also sets it.
        self.model._initial_epoch = max(epochs, self.params["epochs"]) if ended else epochs

    def _check_batches(self):
        expected = getattr(self.model.loss, "batch_class", None)
        if expected and type(self.batches).__name__ != expected:
            raise UserError(
                f"{type(self.model.loss).__name__} needs batches of hk.batches.{expected}:"
                f" these are {type(self.batches).__name__}."
            )

    def _check_settings(self):
        file = self.folder / SETTINGS
        trained = int(ops.convert_to_numpy(self.model.optimizer.iterations)) > 0
        settings = describe_run(
            self.model, self.batches, monitor=self.monitor, settings=self.settings
        )
        if not file.exists():
            write_text(file, json.dumps(settings, indent=1) + "\n")
        elif lines := differences_of(_read_settings(file), settings, trained):
            raise UserError(
                f"{self.folder} holds a run with other settings:\n"
                + "\n".join(lines)
                + "\nChoose another folder, or delete this one to start again."
            )


def _read_settings(file):
    return read_json(file, "the settings of a run", {"batches": dict, "model": dict}, links=False)


def _random_state():
    """Arrays by name: the states of the random generators outside the model's variables."""
    state = {"shuffle": random.getstate()[1]}  # `fit` shuffles the batches of an epoch with it
    if keras.backend.backend() == "torch":
        import torch

        state["torch"] = torch.get_rng_state().numpy()  # dropout of torch on the CPU
    return state


def _set_random_state(state):
    random.setstate((random.getstate()[0], tuple(state["shuffle"].tolist()), None))
    if keras.backend.backend() == "torch":
        import torch

        torch.set_rng_state(torch.from_numpy(state["torch"]))

"""A training that a disconnect cannot hurt: run the same cell again and it goes on where it stopped."""

import json
import random
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from hpatches_kit._support.atomic import atomic_file, write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.callbacks.run_settings import describe_run, differences_of

BACKUP, BEST, LOG, SETTINGS = "backup.npz", "best.keras", "log.csv", "settings.json"
MORE_IS_BETTER = ("psnr", "ssim", "verification", "matching", "retrieval")


def read_log(folder):
    """Every epoch of a run so far, as a DataFrame that `hk.plots.curves` draws.

    Args:
        folder: as given to `Resume`.

    Raises FileNotFoundError where no epoch is complete.
    """
    file = Path(folder).expanduser() / LOG
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist: no epoch of this run is complete.")
    return pd.read_csv(file)


class Resume(keras.callbacks.Callback):
    """Keep a training in a folder, and go on with it when it is there already.

        model.fit(batches, epochs=25, callbacks=[hk.callbacks.Resume("runs/deep", batches, "val_psnr")])

    After each epoch the folder holds

    - `best.keras`: the model as it was after its best epoch;
    - `log.csv`: every epoch so far, a line each; `hk.callbacks.read_log(folder)` reads it;
    - `backup.npz`: all that the next epoch depends on: weights, optimiser with its step and learning
      rate, the seeds of dropout, the order of batches, the number of the epoch;
    - `settings.json`: what is trained, and with what.

    Killed at any moment, a run that is started again does over the epoch it was in, with the same
    batches, and ends as if nothing had happened. A run that is complete, or that a callback such as
    `EarlyStopping` ended, only gives the model its weights back. An epoch whose loss is no number is not
    kept. Other callbacks with a memory of their own begin anew; those that add to the log, such as
    `hk.callbacks.BenchmarkScores`, belong before this one in the list.

    Args:
        folder: of this run alone; on Colab one on Drive outlives the session.
        batches: what `fit` gets, of `hk.batches`: resumed with the epoch that is next.
        monitor: which number of the log decides what is best, as `val_loss` or `val_psnr`; without
            validation data, `loss`. More is better for PSNR, SSIM and the three tasks.
        settings: more to keep in `settings.json`, and to hold the next start to.

    `log` is a DataFrame with every epoch so far, also of earlier sessions, as `hk.plots.curves` draws it.

    Raises UserError when training begins and the folder holds a run with other settings, when the loss
    reads other batches, and after an epoch without the number to monitor.

    Keras's own `BackupAndRestore` forgets the seeds of dropout and where the batches were; it, the
    `ModelCheckpoint` and the `CSVLogger` can be killed half way through a file, and each alone does not
    know what the others have lost.
    """

    def __init__(self, folder, batches, monitor="val_loss", settings=None):
        super().__init__()
        self.folder = Path(folder).expanduser()
        self.batches, self.monitor, self.settings = batches, monitor, settings or {}
        self.log = pd.DataFrame()

    def on_train_begin(self, logs=None):
        model = self.model
        if not model.built:
            model.build((None, *self.batches[0][0].shape[1:]))
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._check_batches()
        self._check_settings()
        self.log = pd.DataFrame()
        if (self.folder / BACKUP).exists():
            self._restore()

    def on_epoch_begin(self, epoch, logs=None):
        self.model._initial_epoch = None  # `fit` has read it; another one begins at its own
        self.batches.begin(epoch)

    def on_epoch_end(self, epoch, logs=None):
        logs = {"epoch": epoch, **(logs or {})}
        if self.monitor not in logs:
            known = ", ".join(key for key in logs if key != "epoch")
            raise UserError(f"monitor={self.monitor!r} is not measured: expected one of {known}.")
        self.sound = bool(np.isfinite(logs.get("loss", 0)))
        if not self.sound:
            return
        self.log = pd.concat([self.log, pd.DataFrame([logs])], ignore_index=True)
        with atomic_file(self.folder / LOG) as file:
            self.log.to_csv(file, index=False)
        values = self.log[self.monitor]
        more = self.monitor.removeprefix("val_").startswith(MORE_IS_BETTER)
        if values.iloc[-1] == (values.max() if more else values.min()):
            with atomic_file(self.folder / BEST) as file:
                self.model.save(file)
        self._backup(epoch + 1)  # last: what it counts as done, is done

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None
        if self.model.stop_training and len(self.log) and self.sound:
            self._backup(int(self.log.epoch.iloc[-1]) + 1, ended=True)

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def _backup(self, epochs, ended=False):
        arrays = {str(k): ops.convert_to_numpy(v) for k, v in enumerate(self._variables())}
        for key, array in arrays.items():
            if array.dtype.kind == "V":  # bfloat16, which a file would give back as bare bytes
                arrays[key] = array.astype(np.float32)
        with atomic_file(self.folder / BACKUP) as file:
            np.savez(file, epoch=epochs, ended=ended, **arrays, **_random_state())

    def _restore(self):
        variables = self._variables()
        with np.load(self.folder / BACKUP) as saved:
            kept = [saved[key].shape for key in saved.files if key.isdigit()]
            here = [tuple(variable.shape) for variable in variables]
            if here != kept:
                raise UserError(
                    f"{self.folder} holds {len(kept)} arrays of weights and optimiser, this model has"
                    f" {len(here)}, or they differ in shape: is another part of it trainable?"
                    " Choose another folder, or delete it to begin anew."
                )
            for k, variable in enumerate(variables):
                variable.assign(saved[str(k)])
            _set_random_state(saved)
            epochs, ended = int(saved["epoch"]), bool(saved["ended"])
        log = read_log(self.folder)
        self.log = log[log["epoch"] < epochs]  # without what a kill left of an epoch
        # Where `fit` looks for it; Keras's own backup uses the same place.
        self.model._initial_epoch = max(epochs, self.params["epochs"]) if ended else epochs

    def _check_batches(self):
        wanted = getattr(self.model.loss, "batches", None)
        if wanted and type(self.batches).__name__ != wanted:
            raise UserError(
                f"{type(self.model.loss).__name__} reads the rows of hk.batches.{wanted}: these are"
                f" {type(self.batches).__name__}."
            )

    def _check_settings(self):
        file = self.folder / SETTINGS
        begun = int(ops.convert_to_numpy(self.model.optimizer.iterations)) > 0
        now = describe_run(self.model, self.batches, monitor=self.monitor, settings=self.settings)
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(now, indent=1) + "\n")
        elif lines := differences_of(json.loads(file.read_text()), now, begun):
            raise UserError(
                f"{self.folder} holds a run with other settings:\n"
                + "\n".join(lines)
                + "\nChoose another folder, or delete it to begin anew."
            )


def _random_state():
    """State of the generators that are not among a model's variables, as arrays by name."""
    state = {"shuffle": random.getstate()[1]}  # by this one `fit` shuffles the batches of an epoch
    if keras.backend.backend() == "torch":
        import torch

        state["torch"] = torch.get_rng_state().numpy()  # torch's dropout on the CPU
    return state


def _set_random_state(saved):
    random.setstate((random.getstate()[0], tuple(saved["shuffle"].tolist()), None))
    if keras.backend.backend() == "torch":
        import torch

        torch.set_rng_state(torch.from_numpy(saved["torch"]))

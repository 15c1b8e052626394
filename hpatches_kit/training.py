"""A training that a disconnect cannot hurt: run the same cell again and it goes on where it stopped."""

import json
import platform
import random
import re
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from hpatches_kit.files import whole_file, write_text
from hpatches_kit.version import __version__

BACKUP, BEST, LOG, SETTINGS = "backup.npz", "best.keras", "log.csv", "settings.json"


def resumable(folder, batches, monitor="val_loss", settings=None):
    """Callbacks that keep a training in a folder, and go on with it when it is there already.

        model.fit(batches, epochs=25, callbacks=hk.resumable("runs/deep", batches, "val_psnr"))

    After each epoch the folder holds

    - `best.keras`: the model as it was after its best epoch;
    - `log.csv`: every epoch so far, a line each; `hk.training_log(folder)` reads it;
    - `backup.npz`: all that the next epoch depends on: weights, optimiser with its step and learning
      rate, the seeds of dropout, the order of batches, the number of the epoch;
    - `settings.json`: what is trained, and with what.

    Killed at any moment, a run that is started again does over the epoch it was in, with the same
    batches, and ends as if nothing had happened. A run that is complete only gives the model its weights
    back. Callbacks with a memory of their own, such as `EarlyStopping`, begin anew; those that add to the
    log, such as `hk.callbacks.BenchmarkScores`, belong before these in the list.

    Args:
        folder: of this run alone; on Colab one on Drive outlives the session.
        batches: what `fit` gets, of `hk.batches`: resumed with the epoch that is next.
        monitor: which number of the log decides what is best, as `val_loss` or `val_psnr`; without
            validation data, `loss`. More is better for PSNR, SSIM and the three tasks.
        settings: more to keep in `settings.json`, and to hold the next start to.

    Returns:
        A list of `keras.callbacks`.

    Raises ValueError when training begins and the folder holds a run with other settings.
    """
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    backup = Backup(folder, batches, settings)
    so_far = _trim_log(folder / LOG, backup.epoch())
    mode = "max" if monitor.removeprefix("val_").startswith(MORE_IS_BETTER) else "min"
    best = None
    if len(so_far) and monitor in so_far:
        best = float(getattr(so_far[monitor], mode)())
    return [
        keras.callbacks.ModelCheckpoint(
            folder / BEST, monitor, save_best_only=True, mode=mode, initial_value_threshold=best
        ),
        keras.callbacks.CSVLogger(folder / LOG, append=True),
        backup,  # last: what it counts as done, is done
    ]


MORE_IS_BETTER = ("psnr", "ssim", "verification", "matching", "retrieval")


def training_log(folder):
    """Every epoch of a run so far, as a DataFrame that `hk.plots.curves` draws.

    Args:
        folder: as given to `resumable`.

    Raises FileNotFoundError where no epoch is complete.
    """
    file = Path(folder).expanduser() / LOG
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist: no epoch of this run is complete.")
    return pd.read_csv(file)


class Backup(keras.callbacks.Callback):
    """Keeps all that the next epoch depends on in one file, which is whole or not there.

    Keras's own `BackupAndRestore` forgets the seeds of dropout and where the batches were, and a kill
    while it writes leaves half a file.

    Args:
        folder: where the file is.
        batches: whose epoch is set.
        settings: what a run that is resumed must have been made with, besides what is known anyway.
    """

    def __init__(self, folder, batches, settings=None):
        super().__init__()
        self.folder, self.batches, self.settings = Path(folder), batches, settings or {}

    def epoch(self):
        """How many epochs are done, 0 where there is no file."""
        file = self.folder / BACKUP
        if not file.exists():
            return 0
        with np.load(file) as saved:
            return int(saved["epoch"])

    def on_train_begin(self, logs=None):
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._check_settings()
        if (self.folder / BACKUP).exists():
            self._restore()

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        arrays = {str(k): ops.convert_to_numpy(v) for k, v in enumerate(self._variables())}
        with whole_file(self.folder / BACKUP) as file:
            np.savez(file, epoch=epoch + 1, **arrays, **_random_state())

    def on_train_end(self, logs=None):
        self.model._initial_epoch = None  # another `fit` begins at its own

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def _restore(self):
        variables = self._variables()
        with np.load(self.folder / BACKUP) as saved:
            here = [tuple(v.shape) for v in variables]
            kept = [saved[key].shape for key in saved.files if key.isdigit()]
            if here != kept:
                raise ValueError(
                    f"{self.folder} holds the run of another model: {len(kept)} arrays, not"
                    f" {len(here)}, or of other shapes. Choose another folder or delete it."
                )
            for k, variable in enumerate(variables):
                variable.assign(saved[str(k)])
            _set_random_state(saved)
            # Where `fit` looks for it; Keras's own backup uses the same place.
            self.model._initial_epoch = int(saved["epoch"])

    def _check_settings(self):
        file, now = self.folder / SETTINGS, self._describe()
        if not file.exists():
            write_text(file, json.dumps(now, indent=1) + "\n")
            return
        before, now = dict(_flat(json.loads(file.read_text()))), dict(_flat(now))
        lines = [
            f"  {key}: {before.get(key, 'nothing')} then, {now.get(key, 'nothing')} now"
            for key in sorted(before.keys() | now.keys())
            if key != "made with" and before.get(key) != now.get(key)
        ]
        if lines:
            raise ValueError(
                f"{self.folder} holds a run with other settings:\n"
                + "\n".join(lines)
                + "\nChoose another folder, or delete it to begin anew."
            )

    def _describe(self):
        """What is trained, with what; only what JSON knows."""
        simple = (bool, int, float, str)
        batches = {
            key: value
            for key, value in vars(self.batches).items()
            if isinstance(value, simple) and not key.startswith("_") and key != "epoch"
        }
        compiled = self.model.get_compile_config() or {}
        about = {
            "model": re.sub(r"_\d+$", "", self.model.name),  # numbered in a cell run twice
            "parameters": self.model.count_params(),
            "optimizer": compiled.get("optimizer"),
            "loss": compiled.get("loss"),
            "batches": {"kind": type(self.batches).__name__, **batches},
            "data": repr(self.batches.data),
            "settings": self.settings,
            "made with": (
                f"hpatches_kit {__version__}, Keras {keras.__version__} on"
                f" {keras.backend.backend()}, Python {platform.python_version()}"
            ),
        }
        return json.loads(json.dumps(about, default=str))


def _flat(settings, before=""):
    """Nested settings as `("optimizer, config, beta_1", 0.9)`, without the names that Keras numbers."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}, ")
        elif key != "name":
            yield before + key, value


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


def _trim_log(file, epochs):
    """Drop what was logged of an epoch that no backup holds; returns what is left."""
    if not epochs:
        file.unlink(missing_ok=True)
    if not file.exists():
        return pd.DataFrame()
    table = pd.read_csv(file)
    table = table[table["epoch"] < epochs]
    with whole_file(file) as whole:
        table.to_csv(whole, index=False)
    return table

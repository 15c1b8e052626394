"""Work with networks, as in `work.py`: denoising, training, and a run of a table.

The process that starts it may import Keras, but may not compute anything with it: a new process then
has a backend of its own.
"""

import os

import keras
import numpy as np

import hpatches_kit as hk
from campaigns.formats import hash_of
from hpatches_kit._support.locks import locked
from hpatches_kit.datasets.denoised import denoise
from hpatches_kit.experiments import Denoiser, Run, Scale, engines
from hpatches_kit.experiments.records import RECORD, log_of, record_of
from hpatches_kit.models.pretrained import read_weights

FILTERS = {"encoder": (2, 2), "decoder": (2,), "residual": True}
ROW = Denoiser("campaign", network_options=FILTERS, optimizer="Adam")
SCALE = Scale("campaign", epochs=3, denoiser_patches=200, validation_patches=50, train_points=12)


def _saved(place):
    """A saved patch set, and a data folder of its own."""
    os.environ["HPATCHES_KIT_DATA"] = str(place / "data")
    with locked(place / "set"):
        if not (place / "set").exists():
            _patches().save(place / "set")
    return hk.load(place / "set")


def _patches():
    """Random patches of 36 points, with all three sides."""
    rng, names = np.random.default_rng(1), np.repeat(["v_a", "i_b", "v_c"], 12)
    clean = rng.integers(0, 256, (36, 16, 32, 32), np.uint8)
    splits = {"own": {"train": ["v_a"], "validation": ["i_b"], "test": ["v_c"]}}
    return hk.PatchSet({"clean": clean, "noisy": clean[::-1].copy()}, names, splits=splits)


def denoise_patches(place):
    """Denoise a patch set, a patch at a time."""
    keras.utils.set_random_seed(0)
    noisy = _saved(place).sample_sparse_points(8)
    return denoise(hk.models.unet(**FILTERS), noisy, batch_size=1)


def read_denoised(place):
    return hash_of(denoise_patches(place)["denoised"])


def train(place):
    """Train a network for some epochs, with `Resume`."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((32, 32, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(inputs))
    x = keras.layers.Dense(8)(keras.layers.Dropout(0.3)(x))
    model = keras.Model(inputs, keras.layers.UnitNormalization()(x))
    model.compile(keras.optimizers.Adam(0.01), hk.losses.HardNegativeTriplet())
    batches = hk.batches.Pairs(_patches(), 4, 3, seed=3, augment=True)
    resume = hk.callbacks.Resume(place / "run", batches, monitor="loss")
    model.fit(batches, epochs=12, callbacks=[resume], verbose=0)
    return model


def read_training(place):
    return hash_of(*train(place).get_weights(), (place / "run" / "log.csv").read_text())


def _run(place):
    _saved(place)
    return Run(ROW, str(place / "set"), SCALE, 0)


def reproduce(place):
    """Train a run of a table."""
    answer = engines.train_run(_run(place), place / "results", progress=False)
    assert answer == "done", answer


def read_run(place):
    reproduce(place)
    run, root = _run(place), place / "results"
    weights = read_weights(root / run.folder / "weights.npz")
    settings = {**record_of(run, root)["settings"], "data": ""}
    names = sorted(path.name for path in (root / run.folder).iterdir() if path.name[0] != ".")
    assert RECORD in names
    log = log_of(run, root).drop(columns=["seconds", "core_seconds"]).to_csv()
    return hash_of(*weights, log, settings, names)


WORK = {
    "denoising": (denoise_patches, read_denoised),
    "training": (train, read_training),
    "a run of a table": (reproduce, read_run),
}

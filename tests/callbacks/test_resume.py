import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from files import truncate
from toy_data import toy_patches

import hpatches_kit as hk

EPOCHS, STEPS = 4, 3
PROJECT = Path(__file__).resolve().parents[2]


class Interrupt(keras.callbacks.Callback):
    """Interrupt training after its n-th batch, as stopping the notebook kernel does."""

    def __init__(self, batch, kill=False):
        super().__init__()
        self.batches_left, self.kill = batch, kill

    def on_train_batch_end(self, batch, logs=None):
        self.batches_left -= 1
        if self.batches_left == 0:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


class AddToLog(keras.callbacks.Callback):
    """Add given numbers to the log, one for each epoch."""

    def __init__(self, **values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs.update({key: values[epoch] for key, values in self.values.items()})


class CountEpochs(keras.callbacks.Callback):
    """Set the weight of `model_with_one_weight` to the number of epochs."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.layers[-1].kernel.assign([[epoch + 1.0]])


def model_with_one_weight(rate=0.0):
    """A model with a single weight, which is 0 at first."""
    patch = keras.Input((32, 32, 1))
    x = keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)(patch)
    model = keras.Model(patch, x)
    model.compile(keras.optimizers.SGD(rate), "mae", run_eagerly=True)  # compiling takes longer
    return model


def small_descriptor():
    """A network with dropout, whose random state a run must restore."""
    patch = keras.Input((32, 32, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(patch))
    x = keras.layers.Dropout(0.3)(keras.layers.Dense(24, activation="relu")(x))
    return keras.Model(patch, keras.layers.UnitNormalization()(keras.layers.Dense(8)(x)))


def train(folder, interrupt=None, epochs=EPOCHS, rate=0.05, settings=None, seed=3, model=None):
    """Build everything and train, as a notebook cell does."""
    keras.utils.set_random_seed(seed)
    patches = toy_patches({"v_one": 20, "i_two": 20})
    batches = hk.batches.Pairs(patches, 10, STEPS, seed=seed, augment=True)
    model = model or small_descriptor()
    decay = keras.optimizers.schedules.CosineDecay(rate, EPOCHS * STEPS)
    model.compile(keras.optimizers.Adam(decay), hk.losses.HardNegativeTriplet(1.0, "minimum"))
    validation = hk.batches.Pairs(patches, 10, 2, redraw=False, seed=9)
    resume = hk.callbacks.Resume(folder, batches, settings=settings)
    options = {"callbacks": [interrupt, resume] if interrupt else [resume], "verbose": 0}
    history = model.fit(batches, validation_data=validation, epochs=epochs, **options)
    return model, history, resume


def train_and_interrupt(folder, batch, **options):
    with pytest.raises(KeyboardInterrupt):
        train(folder, Interrupt(batch), **options)


def assert_equal_weights(model, expected):
    for array, expected_array in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected_array)


@pytest.fixture(scope="module")
def complete_run(tmp_path_factory):
    """The folder and the model of a run without interruption."""
    folder = tmp_path_factory.mktemp("complete")
    return folder, train(folder)[0]


@pytest.fixture
def batches():
    return hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)


@pytest.mark.slow
@pytest.mark.parametrize("interruptions", [[7], [3, 6], [2, 4, 1, 8]])
def test_an_interrupted_run_ends_with_the_same_weights(interruptions, complete_run, tmp_path):
    folder, expected = complete_run
    for batch in interruptions:
        train_and_interrupt(tmp_path, batch)
    model, _, resume = train(tmp_path)
    assert_equal_weights(model, expected)
    pd.testing.assert_frame_equal(hk.callbacks.read_log(tmp_path), hk.callbacks.read_log(folder))
    pd.testing.assert_frame_equal(resume.log, hk.callbacks.read_log(folder))


@pytest.mark.slow
@pytest.mark.one_backend
def test_a_run_whose_process_is_killed_ends_with_the_same_weights(complete_run, tmp_path):
    code = (
        "import sys; sys.path[:0] = ['tests/callbacks', 'tests/helpers']\n"
        "from test_resume import Interrupt, train\n"
        "train(sys.argv[1], Interrupt(5, kill=True))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    process = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert len(hk.callbacks.read_log(tmp_path)) == 1
    assert_equal_weights(train(tmp_path)[0], complete_run[1])


def test_a_complete_run_restores_its_weights_and_its_log_without_training(complete_run):
    folder, expected = complete_run
    model, history, resume = train(folder)
    assert history.epoch == []
    assert_equal_weights(model, expected)
    assert list(resume.log.epoch) == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(resume.log, hk.callbacks.read_log(folder))


@pytest.mark.one_backend
def test_a_complete_run_resumes_with_more_epochs(complete_run, tmp_path):
    train(tmp_path, epochs=2)
    model, history, resume = train(tmp_path, epochs=EPOCHS)
    assert history.epoch == [2, 3] and list(resume.log.epoch) == [0, 1, 2, 3]
    assert_equal_weights(model, complete_run[1])


@pytest.mark.one_backend
def test_the_same_model_starts_at_epoch_0_in_another_folder(tmp_path):
    model, *_ = train(tmp_path / "first")
    _, history, _ = train(tmp_path / "second", model=model)
    assert history.epoch == [0, 1, 2, 3]


def test_the_best_model_is_kept_through_an_interruption(tmp_path):
    """The learning rate is far too high, so the first epoch is the best."""
    train_and_interrupt(tmp_path, STEPS + 1, rate=50.0)
    train(tmp_path, rate=50.0)
    log = hk.callbacks.read_log(tmp_path)
    best = keras.models.load_model(tmp_path / "best.keras")
    patches = toy_patches({"v_one": 20, "i_two": 20})
    loss = best.evaluate(hk.batches.Pairs(patches, 10, 2, redraw=False, seed=9), verbose=0)
    assert loss == pytest.approx(log.val_loss.min(), rel=1e-4)


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val_psnr", [20, 24, 23], 2),
        ("val_psnr_tough", [20, 19, 18], 1),
        ("val_matching", [0.2, float("nan"), 0.5], 3),
        ("odd_loss", [3, 1, 2], 2),
    ],
)
@pytest.mark.one_backend
def test_the_best_epoch_has_the_largest_psnr_or_score_or_the_smallest_loss(
    monitor, values, best, batches, tmp_path
):
    resume = hk.callbacks.Resume(tmp_path, batches, monitor)
    callbacks = [AddToLog(**{monitor: values}), CountEpochs(), resume]
    model_with_one_weight().fit(batches, epochs=3, callbacks=callbacks, verbose=0)
    best_model = keras.models.load_model(tmp_path / "best.keras")
    assert best_model.get_weights()[0].item() == best


@pytest.mark.one_backend
def test_a_quantity_that_is_not_in_the_log_cannot_be_monitored(batches, tmp_path):
    resume = hk.callbacks.Resume(tmp_path, batches)
    message = "monitor='val_loss' is not in the log: expected one of loss"
    with pytest.raises(hk.UserError, match=message):
        model_with_one_weight().fit(batches, callbacks=[resume], verbose=0)


@pytest.mark.one_backend
def test_a_quantity_added_later_gets_a_column_and_the_run_resumes(batches, tmp_path):
    def fit(epochs, *callbacks):
        resume = hk.callbacks.Resume(tmp_path, batches, "loss")
        callbacks = [*callbacks, resume]
        return model_with_one_weight().fit(batches, epochs=epochs, callbacks=callbacks, verbose=0)

    fit(1)
    fit(2, AddToLog(extra=[None, 7.0]))
    assert fit(3).epoch == [2]
    log = hk.callbacks.read_log(tmp_path)
    assert list(log.epoch) == [0, 1, 2] and log.extra.notna().tolist() == [False, True, False]


@pytest.mark.one_backend
def test_a_run_that_early_stopping_ended_is_complete(batches, tmp_path):
    def fit():
        stop = keras.callbacks.EarlyStopping("odd", mode="min", restore_best_weights=True)
        resume = hk.callbacks.Resume(tmp_path, batches, "odd")
        callbacks = [AddToLog(odd=[1.0, 2.0, 3.0]), CountEpochs(), stop, resume]
        model = model_with_one_weight()
        history = model.fit(batches, epochs=3, callbacks=callbacks, verbose=0)
        return history.epoch, list(resume.log.epoch), model.get_weights()[0].item()

    assert fit()[:2] == ([0, 1], [0, 1])
    assert fit() == ([], [0, 1], 1)  # the weight of the best epoch


@pytest.mark.one_backend
def test_an_epoch_with_a_loss_that_is_not_finite_is_not_saved(batches, tmp_path):
    def fit(losses):
        resume = hk.callbacks.Resume(tmp_path, batches, "loss")
        callbacks = [AddToLog(loss=losses), resume]
        return model_with_one_weight().fit(batches, epochs=2, callbacks=callbacks, verbose=0).epoch

    fit([1.0, float("nan")])
    assert len(hk.callbacks.read_log(tmp_path)) == 1
    assert fit([1.0, 0.5]) == [1]


@pytest.mark.one_backend
def test_an_interrupted_run_does_not_change_where_the_next_fit_starts(tmp_path):
    batches = hk.batches.Pairs(toy_patches({"v_one": 20, "i_two": 20}), 10, STEPS)
    model = small_descriptor()
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    for batch in (2 * STEPS + 1, 2):
        callbacks = [Interrupt(batch), hk.callbacks.Resume(tmp_path, batches, "loss")]
        with pytest.raises(KeyboardInterrupt):
            model.fit(batches, epochs=4, callbacks=callbacks, verbose=0)
    assert model.fit(batches, epochs=2, verbose=0).epoch == [0, 1]


@pytest.mark.one_backend
def test_batches_that_are_not_redrawn_stay_the_same(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 4}), 4, 2, redraw=False)
    first_batch = batches[0][0]
    resume = hk.callbacks.Resume(tmp_path, batches, "loss")
    model_with_one_weight().fit(batches, epochs=3, callbacks=[resume], verbose=0)
    np.testing.assert_array_equal(batches[0][0], first_batch)


def test_a_learning_rate_that_a_callback_changed_is_accepted(batches, tmp_path):
    def halve(epoch, rate):
        return rate / 2

    model = model_with_one_weight(rate=0.1)
    for epochs in (2, 3):
        schedule = keras.callbacks.LearningRateScheduler(halve)
        callbacks = [schedule, hk.callbacks.Resume(tmp_path, batches, "loss")]
        model.fit(batches, epochs=epochs, callbacks=callbacks, verbose=0)
    assert list(hk.callbacks.read_log(tmp_path).epoch) == [0, 1, 2]
    resume = hk.callbacks.Resume(tmp_path, batches, "loss")
    with pytest.raises(hk.UserError, match="optimizer, config, learning_rate: 0.1.*, 0.5 now"):
        model_with_one_weight(rate=0.5).fit(batches, callbacks=[resume], verbose=0)


def test_a_model_without_an_input_shape_is_built_from_the_batches(batches, tmp_path):
    model = keras.Sequential([keras.layers.Conv2D(1, 3, padding="same")])
    model.compile("sgd", "mae")
    model.fit(batches, callbacks=[hk.callbacks.Resume(tmp_path, batches, "loss")], verbose=0)
    assert len(hk.callbacks.read_log(tmp_path)) == 1


@pytest.mark.one_backend
def test_a_loss_for_pairs_refuses_triplets(tmp_path):
    batches = hk.batches.Triplets(toy_patches({"v_one": 20}), 4, 2)
    model, resume = small_descriptor(), hk.callbacks.Resume(tmp_path, batches, "loss")
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    message = "HardNegativeTriplet needs .*hk.batches.Pairs: these are Triplets"
    with pytest.raises(hk.UserError, match=message):
        model.fit(batches, callbacks=[resume], verbose=0)


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"residual": True}, "model, architecture"),
        ({"kernel_initializer": "orthogonal"}, "model, architecture"),
        ({"encoder": (3, 4)}, "model, parameters"),
    ],
)
@pytest.mark.one_backend
def test_another_architecture_in_the_same_folder_is_refused(change, setting, batches, tmp_path):
    def fit(**options):
        model = hk.models.unet(**({"encoder": (2, 4), "decoder": (2,)} | options))
        model.compile("sgd", "mae", run_eagerly=True)
        resume = hk.callbacks.Resume(tmp_path, batches, "loss")
        return model.fit(batches, callbacks=[resume], verbose=0)

    assert fit().epoch == [0] and fit().epoch == []
    with pytest.raises(hk.UserError, match=f"(?s)other settings.*{setting}: "):
        fit(**change)


@pytest.mark.one_backend
def test_other_patches_in_the_same_folder_are_refused(tmp_path):
    def fit(patches, views):
        batches = hk.batches.NoisyClean(patches, 2, 1, views=views)
        resume = hk.callbacks.Resume(tmp_path, batches, "loss")
        model_with_one_weight().fit(batches, callbacks=[resume], verbose=0)

    patches, other_patches = (toy_patches({"v_one": 4}, seed=seed) for seed in (0, 1))
    fit(patches, ["ref", "e1"])
    for arguments in [(patches, ["t1", "t2"]), (other_patches, ["ref", "e1"])]:
        with pytest.raises(hk.UserError, match="batches, first batch"):
            fit(*arguments)


@pytest.mark.one_backend
def test_other_settings_in_the_same_folder_are_refused_by_name(complete_run):
    folder, _ = complete_run
    rates = "(?s)initial_learning_rate: 0.05 before, 0.01 now.*Choose"
    with pytest.raises(hk.UserError, match=rates):
        train(folder, rate=0.01)
    with pytest.raises(hk.UserError, match="batches, seed: 3 before, 4 now"):
        train(folder, seed=4)
    with pytest.raises(hk.UserError, match="settings, level: nothing before, tough now"):
        train(folder, settings={"level": "tough"})


def test_another_model_in_the_same_folder_is_refused(complete_run):
    other = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten()], name="other")
    other.add(keras.layers.Dense(4))
    with pytest.raises(hk.UserError, match="(?s)model, name: functional before, other now"):
        train(complete_run[0], model=other)


def test_a_backup_with_other_shapes_is_refused(tmp_path):
    train(tmp_path, epochs=1)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(hk.UserError, match="their shapes differ. Are other layers trainable"):
        train(tmp_path, model=hk.models.tfeat())


@pytest.mark.one_backend
def test_the_settings_name_optimiser_loss_batches_and_versions(complete_run):
    settings = json.loads((complete_run[0] / "settings.json").read_text())
    assert settings["optimizer"]["config"]["learning_rate"]["class_name"] == "CosineDecay"
    assert settings["loss"]["class_name"] == "HardNegativeTriplet"
    batches = {"class": "Pairs", "kind": "clean", "seed": 3, "steps": STEPS}
    assert {key: settings["batches"][key] for key in batches} == batches
    assert f"Keras {keras.__version__}" in settings["versions"]


@pytest.mark.one_backend
def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing/log.csv does not exist: no epoch"):
        hk.callbacks.read_log(tmp_path / "nothing")


@pytest.mark.slow
def test_a_denoiser_resumes_with_fresh_noise_and_augmentation(tmp_path):
    def train_denoiser(folder, interrupt=None):
        keras.utils.set_random_seed(1)
        patches = toy_patches({"v_one": 6})
        batches = hk.batches.NoisyClean(patches, 8, 4, fresh_noise=True, augment=True)
        model = hk.models.unet(encoder=(4, 8), decoder=(4,))
        model.compile("adam", "mae")
        resume = hk.callbacks.Resume(folder, batches, "loss")
        callbacks = [interrupt, resume] if interrupt else [resume]
        model.fit(batches, epochs=3, callbacks=callbacks, verbose=0)
        return model

    expected = train_denoiser(tmp_path / "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        train_denoiser(tmp_path / "interrupted", Interrupt(6))
    assert_equal_weights(train_denoiser(tmp_path / "interrupted"), expected)


@pytest.mark.one_backend
def test_a_run_resumes_if_denoised_patches_differ_by_rounding_only(tmp_path):
    patches = toy_patches({"v_one": 20})

    def fit(denoised):
        pairs = hk.batches.Pairs(patches.add("denoised", denoised), 4, 2, "denoised")
        model = small_descriptor()
        model.compile("sgd", hk.losses.HardNegativeTriplet(), run_eagerly=True)
        resume = hk.callbacks.Resume(tmp_path, pairs, "loss")
        return model.fit(pairs, callbacks=[resume], verbose=0)

    denoised = patches["noisy"].copy()
    assert fit(denoised).epoch == [0]
    differs = np.random.default_rng(0).random(denoised.shape) < 0.01  # a GPU rounds differently
    assert fit(np.where(differs, denoised - 1, denoised).astype(np.uint8)).epoch == []
    with pytest.raises(hk.UserError, match="batches, first batch, grey levels"):
        fit(patches["clean"])


@pytest.mark.one_backend
def test_the_log_has_every_epoch_once_and_the_history_only_the_new_ones(tmp_path):
    train_and_interrupt(tmp_path, 2 * STEPS + 1)
    _, history, resume = train(tmp_path)
    assert history.epoch == [2, 3]
    assert list(resume.log.epoch) == list(hk.callbacks.read_log(tmp_path).epoch) == [0, 1, 2, 3]


def test_a_damaged_backup_is_named(tmp_path):
    train(tmp_path, epochs=1)
    truncate(tmp_path / "backup.npz")
    with pytest.raises(ValueError, match=r"backup\.npz is damaged or is not a backup of a run"):
        train(tmp_path)

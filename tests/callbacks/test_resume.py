import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from toy_data import toy_patches

import hpatches_kit as hk

EPOCHS, BATCHES = 4, 3
PROJECT = Path(__file__).resolve().parents[2]


class Stop(keras.callbacks.Callback):
    """Ends a training in its n-th batch, as a kernel that is stopped would."""

    def __init__(self, batch, how=KeyboardInterrupt):
        super().__init__()
        self.left, self.how = batch, how

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise self.how


def small_descriptor():
    """With dropout, whose seeds are part of what a run must go on with."""
    patch = keras.Input((32, 32, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(patch))
    x = keras.layers.Dropout(0.3)(keras.layers.Dense(24, activation="relu")(x))
    return keras.Model(patch, keras.layers.UnitNormalization()(keras.layers.Dense(8)(x)))


def train(folder, stop=None, epochs=EPOCHS, rate=0.05, settings=None, seed=3, model=None):
    """As a learner's cell has it: everything is made anew."""
    keras.utils.set_random_seed(seed)
    data = toy_patches({"v_one": 20, "i_two": 20})
    batches = hk.batches.Pairs(data, 10, BATCHES, seed=seed, augment=True)
    model = model or small_descriptor()
    falling = keras.optimizers.schedules.CosineDecay(rate, EPOCHS * BATCHES)
    model.compile(keras.optimizers.Adam(falling), hk.losses.HardNegativeTriplet(1.0, "minimum"))
    held_out = hk.batches.Pairs(data, 10, 2, redraw=False, seed=9)
    callbacks = [*([stop] if stop else []), hk.callbacks.Resume(folder, batches, settings=settings)]
    history = model.fit(
        batches, validation_data=held_out, epochs=epochs, callbacks=callbacks, verbose=0
    )
    return model, history


def interrupted(folder, batch):
    with pytest.raises(KeyboardInterrupt):
        train(folder, Stop(batch))


def assert_equal_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    model, history = train(folder)
    return folder, model, history


@pytest.mark.parametrize("stops", [[2], [4], [7], [3, 6], [11], [4, 1, 2, 5]])
def test_a_run_that_is_stopped_anywhere_ends_with_the_same_weights(stops, whole, tmp_path):
    _, expected, _ = whole
    for batch in stops:
        interrupted(tmp_path, batch)
    model, _ = train(tmp_path)
    assert_equal_weights(model, expected)
    pd.testing.assert_frame_equal(hk.callbacks.read_log(tmp_path), hk.callbacks.read_log(whole[0]))


def test_a_process_that_is_killed_twice_ends_with_the_same_weights(tmp_path):
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_training import Stop, train\n"
        "batch = int(sys.argv[2])\n"
        "model, _ = train(sys.argv[1], Stop(batch, 'kill') if batch else None)\n"
        "model.save_weights(sys.argv[3])\n"
    )

    def run(folder, batch):
        weights = tmp_path / f"{folder}.weights.h5"
        arguments = [tmp_path / folder, str(batch), weights]
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=PROJECT, capture_output=True, text=True
        )
        assert done.returncode == (-signal.SIGKILL if batch else 0), done.stderr
        return weights

    run("killed", 5), run("killed", 4)
    one, other = small_descriptor(), small_descriptor()
    one.load_weights(run("killed", 0))
    other.load_weights(run("undisturbed", 0))
    assert_equal_weights(one, other)


def test_the_log_has_every_epoch_once_and_the_history_only_those_just_trained(tmp_path):
    interrupted(tmp_path, 2 * BATCHES + 1)
    _, history = train(tmp_path)
    assert history.epoch == [2, 3]
    assert list(hk.callbacks.read_log(tmp_path).epoch) == [0, 1, 2, 3]


def test_a_complete_run_only_gives_its_weights_back(whole):
    folder, expected, _ = whole
    model, history = train(folder)
    assert history.epoch == []
    assert_equal_weights(model, expected)


def test_more_epochs_go_on_from_a_complete_run(whole, tmp_path):
    train(tmp_path, epochs=2)
    model, history = train(tmp_path, epochs=EPOCHS)
    assert history.epoch == [2, 3]
    assert_equal_weights(model, whole[1])


def test_the_next_training_of_the_same_model_begins_at_its_own_first_epoch(tmp_path):
    model, _ = train(tmp_path / "first")
    _, history = train(tmp_path / "second", model=model)
    assert history.epoch == [0, 1, 2, 3]


def test_the_best_model_stays_the_best_one_through_an_interruption(tmp_path):
    """A rate that destroys: the first epoch is the best."""
    interrupted_at = BATCHES + 1
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Stop(interrupted_at), rate=50.0)
    train(tmp_path, rate=50.0)
    log = hk.callbacks.read_log(tmp_path)
    best = keras.models.load_model(tmp_path / "best.keras")
    data = toy_patches({"v_one": 20, "i_two": 20})
    loss = best.evaluate(hk.batches.Pairs(data, 10, 2, redraw=False, seed=9), verbose=0)
    assert loss == pytest.approx(log.val_loss.min(), rel=1e-4)


class Say(keras.callbacks.Callback):
    """Puts numbers of its own into the log."""

    def __init__(self, **values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs.update({key: values[epoch] for key, values in self.values.items()})


def tiny(rate=0.0, name="tiny"):
    """A model of one weight, which is the number of epochs it was trained for when the rate is 1."""
    patch = keras.Input((32, 32, 1))
    x = keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)(patch)
    model = keras.Model(patch, x, name=name)
    model.compile(keras.optimizers.SGD(rate), "mae")
    return model


class Count(keras.callbacks.Callback):
    """Makes the weight of `tiny` the number of epochs."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.layers[-1].kernel.assign([[epoch + 1.0]])


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [
        ("val_psnr", [20, 24, 23], 2),
        ("val_psnr_tough", [20, 19, 18], 1),
        ("val_matching", [0.2, float("nan"), 0.5], 3),
        ("odd_loss", [3, 1, 2], 2),
    ],
)
def test_more_is_better_for_psnr_and_scores_and_less_for_a_loss(monitor, values, best, tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)
    keep = hk.callbacks.Resume(tmp_path, batches, monitor)
    callbacks = [Say(**{monitor: values}), Count(), *keep]
    tiny().fit(batches, epochs=3, callbacks=callbacks, verbose=0)
    kept = keras.models.load_model(tmp_path / "best.keras")
    assert kept.get_weights()[0].item() == best


def test_a_number_that_nobody_measures_cannot_be_monitored(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)
    with pytest.raises(ValueError, match="monitor='val_loss' is not measured: expected one of lo"):
        tiny().fit(batches, callbacks=[hk.callbacks.Resume(tmp_path, batches)], verbose=0)


def test_a_number_that_is_measured_later_gets_a_column_and_the_run_goes_on(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)

    def run(epochs, *more):
        callbacks = [*more, hk.callbacks.Resume(tmp_path, batches, "loss")]
        return tiny().fit(batches, epochs=epochs, callbacks=callbacks, verbose=0)

    run(1)
    run(2, Say(extra=[None, 7.0]))
    assert run(3).epoch == [2]
    log = hk.callbacks.read_log(tmp_path)
    assert list(log.epoch) == [0, 1, 2] and log.extra.notna().tolist() == [False, True, False]


def test_a_run_that_stopped_early_is_complete(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)

    def run():
        stop = keras.callbacks.EarlyStopping("odd", mode="min", restore_best_weights=True)
        callbacks = [Say(odd=[1.0, 2.0, 3.0]), Count(), stop]
        callbacks += [hk.callbacks.Resume(tmp_path, batches, "odd")]
        model = tiny()
        return model.fit(batches, epochs=3, callbacks=callbacks, verbose=0).epoch, model

    assert run()[0] == [0, 1]
    epochs, model = run()
    assert epochs == [] and model.get_weights()[0].item() == 1  # the best one's


def test_an_epoch_whose_loss_is_no_number_is_not_kept(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)

    def run(losses):
        callbacks = [Say(loss=losses), Count(), hk.callbacks.Resume(tmp_path, batches, "loss")]
        model = tiny()
        return model.fit(batches, epochs=2, callbacks=callbacks, verbose=0).epoch, model

    run([1.0, float("nan")])
    assert len(hk.callbacks.read_log(tmp_path)) == 1
    assert run([1.0, 0.5])[0] == [1]


def test_an_interrupted_run_leaves_nothing_behind_for_the_next_fit(tmp_path):
    data = toy_patches({"v_one": 20, "i_two": 20})
    batches = hk.batches.Pairs(data, 10, BATCHES)
    model = small_descriptor()
    model.compile("sgd", hk.losses.HardNegativeTriplet())

    def fit(stop):
        model.fit(
            batches,
            epochs=4,
            callbacks=[Stop(stop), hk.callbacks.Resume(tmp_path, batches, "loss")],
            verbose=0,
        )

    for stop in (2 * BATCHES + 1, 2):
        with pytest.raises(KeyboardInterrupt):
            fit(stop)
    assert model.fit(batches, epochs=2, verbose=0).epoch == [0, 1]


def test_batches_that_are_not_redrawn_stay_what_they_are(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 4}), 4, 2, redraw=False)
    first = batches[0][0]
    tiny().fit(
        batches, epochs=3, callbacks=[hk.callbacks.Resume(tmp_path, batches, "loss")], verbose=0
    )
    np.testing.assert_array_equal(batches[0][0], first)


def test_a_rate_that_a_callback_changed_does_not_refuse_the_run(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)
    model = tiny(rate=0.1)

    def lower(epoch, rate):
        return rate / 2

    for epochs in (2, 3):
        schedule = keras.callbacks.LearningRateScheduler(lower)
        callbacks = [schedule, hk.callbacks.Resume(tmp_path, batches, "loss")]
        model.fit(batches, epochs=epochs, callbacks=callbacks, verbose=0)
    assert list(hk.callbacks.read_log(tmp_path).epoch) == [0, 1, 2]
    with pytest.raises(ValueError, match="optimizer, config, learning_rate: 0.1.* then, 0.5 now"):
        tiny(rate=0.5).fit(
            batches, callbacks=[hk.callbacks.Resume(tmp_path, batches, "loss")], verbose=0
        )


def test_a_model_that_was_not_built_is_built_from_the_batches(tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)
    model = keras.Sequential([keras.layers.Conv2D(1, 3, padding="same")])
    model.compile("sgd", "mae")
    model.fit(batches, callbacks=[hk.callbacks.Resume(tmp_path, batches, "loss")], verbose=0)
    assert len(hk.callbacks.read_log(tmp_path)) == 1


def test_a_loss_of_pairs_refuses_triplets(tmp_path):
    data = toy_patches({"v_one": 20})
    model, batches = small_descriptor(), hk.batches.Triplets(data, 4, 2)
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    with pytest.raises(
        ValueError, match="HardNegativeTriplet reads .*hk.batches.Pairs: these are Triplets"
    ):
        model.fit(batches, callbacks=[hk.callbacks.Resume(tmp_path, batches, "loss")], verbose=0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"residual": True}, "model, architecture"),
        ({"kernel_initializer": "orthogonal"}, "model, architecture"),
        ({"encoder": (3, 4)}, "model, parameters"),
    ],
)
def test_another_architecture_in_the_same_folder_is_refused(change, named, tmp_path):
    batches = hk.batches.NoisyClean(toy_patches({"v_one": 2}), 2, 1)
    for build in ({}, {}, change):
        model = hk.models.unet(**({"encoder": (2, 4), "decoder": (2,)} | build))
        model.compile("sgd", "mae")
        keep = hk.callbacks.Resume(tmp_path, batches, "loss")
        if build:
            with pytest.raises(ValueError, match=f"(?s)other settings.*{named}: "):
                model.fit(batches, callbacks=keep, verbose=0)
        else:
            model.fit(batches, callbacks=keep, verbose=0)


def test_other_patches_in_the_same_folder_are_refused(tmp_path):
    data = toy_patches({"v_one": 4})
    for part in (
        hk.batches.NoisyClean(data, 2, 1, views=["ref", "e1"]),
        hk.batches.NoisyClean(data, 2, 1, views=["t1", "t2"]),
        hk.batches.NoisyClean(toy_patches({"v_one": 4}, seed=1), 2, 1, views=["ref", "e1"]),
    ):
        keep = hk.callbacks.Resume(tmp_path, part, "loss")
        if not (tmp_path / "settings.json").exists():
            tiny().fit(part, callbacks=keep, verbose=0)
        else:
            with pytest.raises(ValueError, match="batches, first batch"):
                tiny().fit(part, callbacks=keep, verbose=0)


def test_other_settings_in_the_same_folder_are_refused_by_name(whole):
    folder, _, _ = whole
    with pytest.raises(ValueError, match="(?s)initial_learning_rate: 0.05 then, 0.01 now.*Choose"):
        train(folder, rate=0.01)
    with pytest.raises(ValueError, match="batches, seed: 3 then, 4 now"):
        train(folder, seed=4)
    with pytest.raises(ValueError, match="settings, level: nothing then, tough now"):
        train(folder, settings={"level": "tough"})


def test_another_model_in_the_same_folder_is_refused(whole):
    other = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten()], name="other")
    other.add(keras.layers.Dense(4))
    with pytest.raises(ValueError, match="(?s)model, name: functional then, other now"):
        train(whole[0], model=other)


def test_a_backup_of_other_shapes_is_refused(whole, tmp_path):
    train(tmp_path, epochs=1)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(ValueError, match="is another part of it trainable"):
        train(tmp_path, model=hk.models.tfeat())


def test_settings_say_what_was_trained_with_what(whole):
    text = (whole[0] / "settings.json").read_text()
    for part in (
        '"CosineDecay"',
        '"HardNegativeTriplet"',
        '"kind": "Pairs"',
        '"seed": 3',
        "Keras ",
    ):
        assert part in text


def test_a_log_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing/log.csv does not exist: no epoch"):
        hk.callbacks.read_log(tmp_path / "nothing")


def test_a_denoiser_resumes_too(tmp_path):
    def train_denoiser(folder, stop=None):
        keras.utils.set_random_seed(1)
        data = toy_patches({"v_one": 6})
        batches = hk.batches.NoisyClean(data, 8, 4, fresh_noise=True, augment=True)
        model = hk.models.unet(encoder=(4, 8), decoder=(4,))
        model.compile("adam", "mae")
        callbacks = [*([stop] if stop else []), hk.callbacks.Resume(folder, batches, "loss")]
        model.fit(batches, epochs=3, callbacks=callbacks, verbose=0)
        return model

    expected = train_denoiser(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train_denoiser(tmp_path / "stopped", Stop(6))
    assert_equal_weights(train_denoiser(tmp_path / "stopped"), expected)


def test_denoised_patches_may_differ_by_what_devices_do_and_not_by_a_denoiser(tmp_path):
    data = toy_patches({"v_one": 20})
    fit = {"epochs": 1, "verbose": 0}

    def go_on(denoised):
        pairs = hk.batches.Pairs(data.add("denoised", denoised), 4, 2, "denoised")
        model = hk.models.tfeat()
        model.compile("sgd", hk.losses.HardNegativeTriplet())
        model.fit(pairs, callbacks=[hk.callbacks.Resume(tmp_path, pairs, "loss")], **fit)

    denoised = data["noisy"].copy()
    go_on(denoised)
    rounded = np.random.default_rng(0).random(denoised.shape) < 0.01  # the other way, on a GPU
    go_on(np.where(rounded, denoised - 1, denoised).astype(np.uint8))
    with pytest.raises(ValueError, match="batches, first batch, grey levels"):
        go_on(data["clean"])

import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import toy_patches

import hpatches_kit as hk

EPOCHS, BATCHES = 4, 3
PROJECT = Path(__file__).resolve().parent.parent


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
    model.compile(keras.optimizers.Adam(falling), hk.losses.HardMining(1.0, "minimum"))
    held_out = hk.batches.Pairs(data, 10, 2, redraw=False, seed=9)
    callbacks = [*([stop] if stop else []), *hk.resumable(folder, batches, settings=settings)]
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
    pd.testing.assert_frame_equal(hk.training_log(tmp_path), hk.training_log(whole[0]))


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
    assert list(hk.training_log(tmp_path).epoch) == [0, 1, 2, 3]


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
    log = hk.training_log(tmp_path)
    best = keras.models.load_model(tmp_path / "best.keras")
    data = toy_patches({"v_one": 20, "i_two": 20})
    loss = best.evaluate(hk.batches.Pairs(data, 10, 2, redraw=False, seed=9), verbose=0)
    assert loss == pytest.approx(log.val_loss.min(), rel=1e-4)


@pytest.mark.parametrize(
    ("monitor", "values", "best"),
    [("val_psnr", [20, 24, 23], 24), ("val_matching", [0.2, 0.5], 0.5), ("loss", [3, 1, 2], 1)],
)
def test_more_is_better_for_psnr_and_scores_and_less_for_a_loss(monitor, values, best, tmp_path):
    data = toy_patches({"v_one": 20})
    pd.DataFrame({"epoch": range(len(values)), monitor: values}).to_csv(tmp_path / "log.csv")
    np.savez(tmp_path / "backup.npz", epoch=len(values))
    checkpoint = hk.resumable(tmp_path, hk.batches.Pairs(data, 4, 2), monitor)[0]
    assert checkpoint.best == best


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
    with pytest.raises(ValueError, match="(?s)model: functional.* then, other now"):
        train(whole[0], model=other)


def test_a_backup_of_other_shapes_is_refused(whole, tmp_path):
    train(tmp_path, epochs=1)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(ValueError, match="the run of another model: .* Choose another folder"):
        train(tmp_path, model=hk.models.tfeat())


def test_settings_say_what_was_trained_with_what(whole):
    text = (whole[0] / "settings.json").read_text()
    for part in ('"CosineDecay"', '"HardMining"', '"kind": "Pairs"', '"seed": 3', "Keras "):
        assert part in text


def test_a_log_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing/log.csv does not exist: no epoch"):
        hk.training_log(tmp_path / "nothing")


def test_a_denoiser_resumes_too(tmp_path):
    def train_denoiser(folder, stop=None):
        keras.utils.set_random_seed(1)
        data = toy_patches({"v_one": 6})
        batches = hk.batches.NoisyClean(data, 8, 4, fresh_noise=True, augment=True)
        model = hk.models.unet(encoder=(4, 8), decoder=(4,))
        model.compile("adam", "mae")
        callbacks = [*([stop] if stop else []), *hk.resumable(folder, batches, "loss")]
        model.fit(batches, epochs=3, callbacks=callbacks, verbose=0)
        return model

    expected = train_denoiser(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train_denoiser(tmp_path / "stopped", Stop(6))
    assert_equal_weights(train_denoiser(tmp_path / "stopped"), expected)

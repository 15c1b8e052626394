import warnings

import keras
import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.callbacks.monitoring import BenchmarkScores, CollapseAlarm, LevelQuality, LivePlot


def one_layer(units=6, **options):
    patch = keras.Input((32, 32, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(patch))
    x = keras.layers.Dense(units, **options)(x)
    return keras.Model(patch, keras.layers.UnitNormalization()(x))


@pytest.fixture(scope="module")
def data():
    return toy_patches({"v_one": 20, "i_two": 20, "v_three": 20})


def test_scores_after_each_epoch_are_those_of_the_benchmark_and_reach_the_log(data, tmp_path):
    model, batches = one_layer(), hk.batches.Pairs(data, 8, 2)
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    callbacks = [
        BenchmarkScores(data, "noisy"),
        hk.callbacks.Resume(tmp_path, batches, "val_matching"),
    ]
    history = model.fit(batches, epochs=2, callbacks=callbacks, verbose=0).history
    tasks = hk.benchmark.draw_tasks(data)
    scores = hk.benchmark.evaluate(hk.describe(model, data, "noisy"), tasks)
    for task in ("verification", "matching", "retrieval"):
        assert history[f"val_{task}"][-1] == pytest.approx(scores[task]["mean_ap"])
    assert list(hk.callbacks.read_log(tmp_path).val_matching) == pytest.approx(
        history["val_matching"]
    )


def test_a_network_that_diverged_scores_nan_with_a_warning(data):
    model = one_layer()
    model.compile(keras.optimizers.SGD(np.nan), hk.losses.HardNegativeTriplet())
    pairs = hk.batches.Pairs(data, 8, 1)
    with pytest.warns(UserWarning, match="diverged in epoch 1.*[Ll]ower"):
        history = model.fit(pairs, callbacks=[BenchmarkScores(data)], verbose=0).history
    assert np.isnan(
        [history[f"val_{task}"][0] for task in ("verification", "matching", "retrieval")]
    ).all()


def test_scores_on_denoised_patches_make_them_once(data):
    made = []

    def half(patches):
        made.append(len(patches))
        return patches / 2

    watch = BenchmarkScores(data.sample(30), denoiser=half)
    model = one_layer()
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    model.fit(hk.batches.Pairs(data, 8, 1), epochs=3, callbacks=[watch], verbose=0)
    assert sum(made) < 2 * 30 * 16


def test_the_quality_of_each_level_reaches_the_history(data):
    model = hk.models.unet(encoder=(2, 2), decoder=(2,), residual=True)
    model.compile(keras.optimizers.SGD(0.0), "mae")
    batches = hk.batches.NoisyClean(data, 8, 1)
    history = model.fit(batches, callbacks=[LevelQuality(data.sample(10))], verbose=0).history
    expected = hk.metrics.quality(data.sample(10), model)
    for level in ("reference", "easy", "hard", "tough"):
        assert history[f"val_psnr_{level}"][0] == pytest.approx(
            expected.loc[level, "PSNR in dB"], abs=1e-3
        )
        assert history[f"val_mae_{level}"][0] == pytest.approx(expected.loc[level, "MAE"], rel=1e-3)
    assert 0 < history["val_ssim_tough"][0] < 1


def collapsing(margin=1.0):
    """Maps everything to nearly one point: the bias is a thousand times what patches add."""
    model = one_layer(kernel_initializer="zeros", bias_initializer="ones")
    model.compile(keras.optimizers.SGD(0.0), hk.losses.HardNegativeTriplet(margin, "minimum"))
    return model


def test_the_alarm_rings_once_with_numbers_and_advice_when_everything_is_one_point(data):
    alarm = CollapseAlarm(hk.batches.Pairs(data, 16, 1, redraw=False))
    with pytest.warns(UserWarning) as rung:
        collapsing().fit(hk.batches.Pairs(data, 16, 2), epochs=3, callbacks=[alarm], verbose=0)
    messages = [str(w.message) for w in rung if "Collapse" in str(w.message)]
    assert messages == [alarm.message]
    assert "Collapse in epoch 1" in alarm.message and "0.000 of their length" in alarm.message
    assert "the loss is 0.999, where the margin is 1." in alarm.message  # 0.001 is the least
    assert "learning rate" in alarm.message and "percentile" in alarm.message


def test_the_alarm_is_silent_while_descriptors_are_apart(data):
    alarm = CollapseAlarm(hk.batches.Pairs(data, 16, 1, redraw=False))
    model = one_layer()
    model.compile("adam", hk.losses.HardNegativeTriplet(1.0, "minimum"))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*Collapse.*")
        model.fit(hk.batches.Pairs(data, 16, 2), epochs=2, callbacks=[alarm], verbose=0)
    assert alarm.message is None and alarm.measure() > 0.1


def test_the_alarm_knows_descriptors_of_any_length_and_triplets(data):
    batches = hk.batches.Triplets(data, 8, 1, redraw=False)
    patch = keras.Input((32, 32, 1))
    far = keras.layers.Dense(4, kernel_initializer="zeros", bias_initializer="ones")
    model = keras.Model(patch, 1000 * far(keras.layers.Flatten()(patch)))
    model.compile(keras.optimizers.SGD(0.0), hk.losses.TripletMargin())
    alarm = CollapseAlarm(batches)
    with pytest.warns(UserWarning, match="Collapse"):
        model.fit(batches, callbacks=[alarm], verbose=0)


def test_a_loss_that_is_no_number_stops_the_training_with_advice(data):
    model = one_layer(kernel_initializer=keras.initializers.Constant(float("nan")))
    model.compile("sgd", hk.losses.TripletMargin())
    alarm = CollapseAlarm(hk.batches.Triplets(data, 8, 1, redraw=False))
    with pytest.warns(UserWarning, match="training has diverged. Lower the learning rate"):
        history = model.fit(hk.batches.Triplets(data, 8, 2), epochs=4, callbacks=[alarm], verbose=0)
    assert history.epoch == [0]


def test_the_live_figure_grows_with_each_epoch(data, monkeypatch):
    drawn = []

    class Handle:
        def update(self, figure):
            drawn.append(len(figure.axes[0].lines[0].get_xdata()))

    monkeypatch.setattr("IPython.display.display", lambda **options: Handle())
    model = one_layer()
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    live = LivePlot(["loss"])
    model.fit(hk.batches.Pairs(data, 8, 1), epochs=3, callbacks=[live], verbose=0)
    assert drawn == [1, 2, 3]


def test_the_live_figure_does_not_mind_that_there_is_no_notebook(data):
    model = one_layer()
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    model.fit(hk.batches.Pairs(data, 8, 1), callbacks=[LivePlot()], verbose=0)

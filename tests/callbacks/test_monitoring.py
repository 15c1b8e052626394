import warnings

import keras
import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.callbacks import BenchmarkScores, CollapseAlarm, LivePlot, QualityByLevel

pytestmark = pytest.mark.usefixtures("eager")


def small_network(**options):
    """A compiled network with one dense layer."""
    patch = keras.Input((32, 32, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(patch))
    x = keras.layers.Dense(6, **options)(x)
    model = keras.Model(patch, keras.layers.UnitNormalization()(x))
    model.compile("sgd", hk.losses.HardNegativeTriplet())
    return model


@pytest.fixture(scope="module")
def patches():
    return toy_patches({"v_one": 20, "i_two": 20, "v_three": 20})


@pytest.mark.slow
def test_the_scores_of_the_benchmark_are_added_to_the_history_and_the_log(patches, tmp_path):
    model, batches = small_network(), hk.batches.Pairs(patches, 8, 2)
    resume = hk.callbacks.Resume(tmp_path, batches, "val_matching")
    callbacks = [BenchmarkScores(patches, "noisy"), resume]
    history = model.fit(batches, epochs=2, callbacks=callbacks, verbose=0).history
    tasks = hk.benchmark.draw_tasks(patches)
    scores = hk.benchmark.evaluate(hk.describe(model, patches, "noisy"), tasks)
    for task in ("verification", "matching", "retrieval"):
        assert history[f"val_{task}"][-1] == pytest.approx(scores[task]["mean_ap"])
    log = hk.callbacks.read_log(tmp_path)
    assert list(log.val_matching) == pytest.approx(history["val_matching"])


def test_a_diverged_network_scores_nan_with_a_warning(patches):
    model = small_network()
    model.compile(keras.optimizers.SGD(np.nan), hk.losses.HardNegativeTriplet())
    pairs = hk.batches.Pairs(patches, 8, 1)
    with pytest.warns(UserWarning, match="diverged in epoch 1.*[Ll]ower"):
        history = model.fit(pairs, callbacks=[BenchmarkScores(patches)], verbose=0).history
    for task in ("verification", "matching", "retrieval"):
        assert np.isnan(history[f"val_{task}"]).all()


def test_scores_on_denoised_patches_denoise_them_once(patches):
    batch_sizes = []

    def half(batch):
        batch_sizes.append(len(batch))
        return batch / 2

    scores = BenchmarkScores(patches.sample(2), denoiser=half)
    model = small_network()
    model.fit(hk.batches.Pairs(patches, 8, 1), epochs=3, callbacks=[scores], verbose=0)
    assert sum(batch_sizes) < 2 * 40 * 16


def test_the_quality_of_each_level_is_added_to_the_history(patches):
    model = hk.models.unet(encoder=(2, 2), decoder=(2,), residual=True)
    model.compile(keras.optimizers.SGD(0.0), "mae")
    batches = hk.batches.NoisyClean(patches, 8, 1)
    history = model.fit(
        batches, callbacks=[QualityByLevel(patches.sample_sparse_points(10))], verbose=0
    ).history
    expected = hk.metrics.quality(patches.sample_sparse_points(10), model)
    for level in ("reference", "easy", "hard", "tough"):
        mae, psnr = expected.loc[level, ["MAE", "PSNR in dB"]]
        assert history[f"val_psnr_{level}"] == pytest.approx([psnr], abs=1e-3)
        assert history[f"val_mae_{level}"] == pytest.approx([mae], rel=1e-3)
    assert 0 < history["val_ssim_tough"][0] < 1


def test_the_alarm_warns_once_with_numbers_and_advice_when_descriptors_collapse(patches):
    alarm = CollapseAlarm(hk.batches.Pairs(patches, 16, 1, redraw=False))
    # Every patch is mapped to the same point: the weights are 0, the bias is 1.
    model = small_network(kernel_initializer="zeros", bias_initializer="ones")
    model.compile(keras.optimizers.SGD(0.0), hk.losses.HardNegativeTriplet(1.0, "minimum"))
    batches = hk.batches.Pairs(patches, 16, 2)
    with pytest.warns(UserWarning) as warned:
        model.fit(batches, epochs=3, callbacks=[alarm], verbose=0)
    messages = [str(w.message) for w in warned if "Collapse" in str(w.message)]
    assert messages == [alarm.message]
    assert "Collapse in epoch 1" in alarm.message and "only 0.000 of their norm" in alarm.message
    assert "The loss is 0.999, with a margin of 1." in alarm.message
    assert "learning rate" in alarm.message and "percentile" in alarm.message


@pytest.mark.slow
def test_the_alarm_is_silent_while_descriptors_differ(patches):
    alarm = CollapseAlarm(hk.batches.Pairs(patches, 16, 1, redraw=False))
    model = small_network()
    model.compile("adam", hk.losses.HardNegativeTriplet(1.0, "minimum"))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*Collapse.*")
        model.fit(hk.batches.Pairs(patches, 16, 2), epochs=2, callbacks=[alarm], verbose=0)
    assert alarm.message is None and alarm.measure() > 0.1


def test_the_alarm_works_with_any_norm_and_with_triplets(patches):
    batches = hk.batches.Triplets(patches, 8, 1, redraw=False)
    patch = keras.Input((32, 32, 1))
    ones = keras.layers.Dense(4, kernel_initializer="zeros", bias_initializer="ones")
    model = keras.Model(patch, 1000 * ones(keras.layers.Flatten()(patch)))
    model.compile(keras.optimizers.SGD(0.0), hk.losses.TripletMargin())
    alarm = CollapseAlarm(batches)
    with pytest.warns(UserWarning, match="Collapse"):
        model.fit(batches, callbacks=[alarm], verbose=0)


def test_a_loss_that_is_not_finite_stops_training_with_advice(patches):
    model = small_network(kernel_initializer=keras.initializers.Constant(float("nan")))
    model.compile("sgd", hk.losses.TripletMargin())
    alarm = CollapseAlarm(hk.batches.Triplets(patches, 8, 1, redraw=False))
    batches = hk.batches.Triplets(patches, 8, 2)
    with pytest.warns(UserWarning, match="diverged in epoch 1: the loss is nan. Lower the"):
        history = model.fit(batches, epochs=4, callbacks=[alarm], verbose=0)
    assert history.epoch == [0]


@pytest.fixture
def drawn_points(monkeypatch):
    """The number of points of the first curve, each time that a notebook would draw the figure."""
    points = []

    class Handle:
        def update(self, figure):
            points.append(len(figure.axes[0].lines[0].get_xdata()))

    monkeypatch.setattr("IPython.display.display", lambda **options: Handle())
    return points


def test_the_live_figure_has_one_more_point_after_each_epoch(patches, drawn_points):
    model = small_network()
    live = LivePlot(["loss"])
    model.fit(hk.batches.Pairs(patches, 8, 1), epochs=3, callbacks=[live], verbose=0)
    assert drawn_points == [1, 2, 3]


@pytest.mark.slow
def test_the_live_figure_starts_with_the_epochs_of_the_folder(patches, tmp_path, drawn_points):
    for epochs in (2, 3):
        batches = hk.batches.Pairs(patches, 8, 1)
        model = small_network()
        callbacks = [LivePlot(folder=tmp_path), hk.callbacks.Resume(tmp_path, batches, "loss")]
        model.fit(batches, epochs=epochs, callbacks=callbacks, verbose=0)
    assert drawn_points == [1, 2, 2, 3]


def test_training_with_a_live_figure_completes_outside_a_notebook(patches):
    model = small_network()
    batches = hk.batches.Pairs(patches, 8, 1)
    history = model.fit(batches, epochs=2, callbacks=[LivePlot()], verbose=0)
    assert history.epoch == [0, 1]

from itertools import permutations

import keras
import numpy as np
import pytest
from keras import ops
from keras_tools import EAST, NORTH, WEST, as_array, unreduced
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.losses import HardNegativeTriplet, TripletMargin
from hpatches_kit.metrics import (
    ActiveFraction,
    FalsePositiveRate,
    diagnostics,
    hardest_negative_distance,
    positive_distance,
    psnr,
    ssim,
)

ROOT2 = np.sqrt(2)


TRIPLETS = (
    np.array([[0, 0], [3, 4], [0, 1], [9, 12], [9, 0], [0, 0]], "float32"),
    np.array([5, 5, 2, 8, 8, 3]),
)


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


BIN = 1.0116  # ratio of the end of a bin to its start
NAMES = ["positive_distance", "hardest_negative_distance", "active_fraction", "fpr95"]


def patches(count=4, height=32, width=32, channels=1, seed=0):
    """Smooth patches and noisy versions of them, grey levels 0..255."""
    rng = np.random.default_rng(seed)
    shape = (count, height, width, channels)
    ramp = rng.uniform(1, 9, (count, 1, 1, 1)) * np.linspace(0, 1, width)[:, None]
    clean = 128 + 90 * np.sin(ramp + rng.uniform(0, 6, (count, height, 1, channels)))
    noise = rng.normal(0, 1, shape) * np.linspace(3, 60, count)[:, None, None, None]
    return clean.astype("uint8"), np.clip(clean + noise, 0, 255).astype("uint8")


def pairs(places, spread=0.5, dim=8, norm=1.0, seed=0):
    """Descriptors of two views of each place, and labels, in the layout of `Pairs`."""
    rng = np.random.default_rng(seed)
    values = np.repeat(rng.normal(size=(places, dim)), 2, axis=0)
    values = values + spread * rng.normal(size=values.shape)
    values *= norm / np.linalg.norm(values, axis=1, keepdims=True)
    return values.astype("float32"), np.repeat(np.arange(places), 2)


def reference_distances(descriptors, labels):
    """For each row, lists of its distances to positives and to negatives."""
    rows = np.asarray(descriptors, "float64")
    positive, negative = [[] for _ in rows], [[] for _ in rows]
    for i, j in permutations(range(len(rows)), 2):
        distances = positive if labels[i] == labels[j] else negative
        distances[i].append(np.linalg.norm(rows[i] - rows[j]))
    return positive, negative


def test_psnr_equals_scikit_image_for_every_grey_level_range_and_type():
    a, b = patches()
    expected = [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b)]
    for y_true, y_pred in [(a, b), (a, b.astype("float32")), (a, ops.cast(b, "float16"))]:
        np.testing.assert_allclose(as_array(psnr(y_true, y_pred)), expected, rtol=1e-4)
    np.testing.assert_allclose(as_array(psnr(a / 255, b / 255, max_value=1)), expected, rtol=1e-4)


@pytest.mark.parametrize("function", [psnr, ssim, positive_distance, hardest_negative_distance])
@pytest.mark.one_backend
def test_metrics_are_registered(function):
    assert keras.saving.get_registered_object(f"hpatches_kit>{function.__name__}") is function


@pytest.mark.parametrize("size", [(32, 32, 1), (11, 11, 1), (13, 24, 1), (20, 16, 3)])
def test_ssim_equals_scikit_image(size):
    a, b = patches(5, *size)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    options |= {"data_range": 255, "channel_axis": -1}
    expected = [structural_similarity(x * 1.0, y * 1.0, **options) for x, y in zip(a, b)]
    assert max(expected) - min(expected) > 0.2
    half = ops.cast(b, "float16")
    for x, y in [(a, b), (b, a), (a, b.astype("float32")), (a.astype("float32"), b), (a, half)]:
        np.testing.assert_allclose(as_array(ssim(x, y)), expected, atol=2e-4)
    np.testing.assert_allclose(as_array(ssim(a / 255, b / 255, max_value=1)), expected, atol=2e-4)


def test_ssim_of_identical_patches_is_1_and_of_unrelated_ones_near_0():
    a, _ = patches()
    black = np.zeros_like(a)
    for clean in (a, black, black + np.uint8(255)):
        np.testing.assert_allclose(as_array(ssim(clean, clean)), np.ones(4), atol=1e-5)
    noise = np.random.default_rng(0).integers(0, 256, (2, 4, 32, 32, 1))
    assert np.abs(as_array(ssim(*noise))).max() < 0.1


def test_distances_of_hand_computed_pairs():
    descriptors = np.array([[0, 0], [3, 4], [6, 8], [6, 8]], "float32")
    labels = np.array([0, 0, 1, 1])
    assert float(positive_distance(labels, descriptors)) == pytest.approx((5 + 0) / 2)
    hardest = as_array(hardest_negative_distance(labels, descriptors))
    np.testing.assert_allclose(hardest, [10, 5, 5, 5], rtol=1e-6)


@pytest.mark.parametrize("norm", [1.0, 0.01, 30.0])
@pytest.mark.parametrize("layout", ["pairs", "triplets"])
def test_distances_equal_the_reference_for_any_norm(layout, norm):
    descriptors, labels = pairs(12, norm=norm)
    descriptors *= np.random.default_rng(1).uniform(0.5, 1, (24, 1)).astype("float32")
    if layout == "triplets":
        labels = np.random.default_rng(2).integers(6, size=(8, 3))
        labels[:, 1] = labels[:, 0]
        labels = labels.ravel()
    positive, negative = reference_distances(descriptors, labels)
    mean_positive = float(positive_distance(labels, descriptors))
    assert mean_positive == pytest.approx(np.mean(np.concatenate(positive)), rel=1e-4)
    hardest = as_array(hardest_negative_distance(labels, descriptors))
    np.testing.assert_allclose(hardest, [min(distances) for distances in negative], rtol=1e-3)


@pytest.mark.parametrize(
    "make", [lambda: positive_distance, lambda: hardest_negative_distance, FalsePositiveRate]
)
def test_labels_may_be_a_column(make):
    descriptors, labels = pairs(6)
    row, column = make()(labels, descriptors), make()(labels[:, None], descriptors)
    np.testing.assert_array_equal(as_array(row), as_array(column))


def test_half_precision_descriptors_give_float32_distances():
    descriptors, labels = pairs(12)
    for metric in [positive_distance, hardest_negative_distance, FalsePositiveRate()]:
        half = ops.cast(descriptors, "float16")
        expected = as_array(metric(labels, ops.cast(half, "float32")))
        if isinstance(metric, FalsePositiveRate):
            metric.reset_state()
        np.testing.assert_allclose(as_array(metric(labels, half)), expected, rtol=1e-6)


def test_metrics_of_a_batch_without_positives_or_negatives_are_finite():
    descriptors, _ = pairs(3)
    assert float(positive_distance(np.arange(6), descriptors)) == 0
    assert np.isfinite(as_array(hardest_negative_distance(np.zeros(6), descriptors))).all()
    for labels in (np.arange(6), np.zeros(6)):
        assert np.isfinite(float(FalsePositiveRate()(labels, descriptors)))


def test_active_fraction_weights_the_pairs_of_all_batches_equally():
    one_of_two = np.stack([EAST, NORTH, WEST, WEST]), np.array([0, 0, 1, 1])
    none_of_three = np.eye(6, dtype="float32")[[0, 0, 1, 1, 2, 2]], np.repeat(np.arange(3), 2)
    active = ActiveFraction(HardNegativeTriplet(margin=0.5, negative="minimum"))
    active.update_state(one_of_two[1], one_of_two[0])
    assert float(active.result()) == 0.5
    active.update_state(none_of_three[1], none_of_three[0])
    assert float(active.result()) == pytest.approx(1 / 5)
    active.reset_state()
    active.update_state(none_of_three[1], none_of_three[0])
    assert float(active.result()) == 0


@pytest.mark.parametrize(
    "loss", [HardNegativeTriplet(0.3, "minimum"), TripletMargin(0.1, swap=True)]
)
def test_active_fraction_is_the_fraction_of_losses_above_0(loss):
    descriptors, labels = pairs(30)
    expected = np.mean(as_array(unreduced(loss)(labels, descriptors)) > 0)
    assert 0.1 < expected < 0.9
    assert float(ActiveFraction(loss)(labels, descriptors)) == pytest.approx(expected)
    half = ops.cast(descriptors, "float16")
    assert float(ActiveFraction(loss)(labels, half)) == pytest.approx(expected, abs=0.07)


def false_positive_rates(batches, recall):
    """The smallest and the largest rate for a threshold that is exact to one bin."""
    positive, negative = zip(*(reference_distances(*batch) for batch in batches))
    positive, negative = (
        np.concatenate([distances for batch in lists for distances in batch])
        for lists in (positive, negative)
    )
    threshold = np.sort(positive)[int(np.ceil(recall * len(positive))) - 1]
    tolerance = 1e-4  # of float32 distances
    smallest = np.mean(negative < threshold - tolerance)
    largest = np.mean(negative < threshold * BIN + tolerance)
    return smallest - 1e-6, largest + 1e-6


@pytest.mark.parametrize("recall", [0.95, 0.5, 1.0])
@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
def test_false_positive_rate_equals_that_of_sorted_distances(spread, recall):
    batches = [pairs(10, spread, seed=seed) for seed in range(4)]
    rate = FalsePositiveRate(recall)
    for descriptors, labels in batches:
        rate.update_state(labels, descriptors)
    smallest, largest = false_positive_rates(batches, recall)
    assert smallest <= float(rate.result()) <= largest < smallest + 0.05


def test_false_positive_rate_can_be_reset():
    rate = FalsePositiveRate()
    assert float(rate.result()) == 0
    good, bad = pairs(10, spread=0.1), pairs(10, spread=3.0)
    good_rate = float(rate(good[1], good[0]))
    rate_of_both = float(rate(bad[1], bad[0]))
    assert good_rate < 0.1 < 0.5 < rate_of_both
    rate.reset_state()
    assert float(rate(good[1], good[0])) == good_rate


@pytest.mark.parametrize("norm", [0.01, 10.0, 300.0])
def test_false_positive_rate_does_not_depend_on_the_norm(norm):
    descriptors, labels = pairs(10, spread=0.5)
    rate = float(FalsePositiveRate()(labels, descriptors))
    assert 0.05 < rate < 0.95
    scaled = float(FalsePositiveRate()(labels, norm * descriptors))
    assert scaled == pytest.approx(rate, abs=0.03)


def test_collapsed_descriptors_are_all_false_positives():
    labels, collapsed = np.repeat(np.arange(6), 2), np.tile(EAST, (12, 1))
    assert float(FalsePositiveRate()(labels, collapsed)) == 1
    assert float(positive_distance(labels, collapsed)) == pytest.approx(0, abs=1e-3)
    hardest = as_array(hardest_negative_distance(labels, collapsed))
    assert hardest == pytest.approx(np.zeros(12), abs=1e-3)


@pytest.mark.one_backend
def test_settings_of_metrics_survive_serialisation():
    rate = FalsePositiveRate(0.8, name="fpr80")
    active = ActiveFraction(HardNegativeTriplet(0.3, "minimum", 5))
    for metric in (rate, active):
        loaded = keras.metrics.deserialize(keras.metrics.serialize(metric))
        assert type(loaded) is type(metric) and loaded.get_config() == metric.get_config()
    assert rate.get_config()["recall"] == 0.8 and loaded.loss.percentile == 5


@pytest.mark.one_backend
def test_diagnostics_are_new_for_every_model():
    loss = HardNegativeTriplet()
    first, second = diagnostics(loss), diagnostics(loss)
    assert [type(metric) for metric in first[2:]] == [ActiveFraction, FalsePositiveRate]
    assert not {id(metric) for metric in first[2:]} & {id(metric) for metric in second[2:]}
    descriptors, labels = pairs(10, spread=3.0)
    first[3].update_state(labels, descriptors)
    assert float(first[3].result()) > 0.5 and float(second[3].result()) == 0


@pytest.mark.parametrize("loss", [HardNegativeTriplet(0.5, "minimum"), TripletMargin(0.1)])
def test_diagnostics_of_an_epoch_combine_those_of_its_batches(loss):
    size = 3 * 2 * 4
    batches = [pairs(size // 2, spread=0.6, seed=seed) for seed in range(3)]
    if isinstance(loss, TripletMargin):
        for _, labels in batches:
            labels[2::3] += 100
            labels[1::3] = labels[0::3]
    rows, labels = (np.concatenate(parts) for parts in zip(*batches))
    # The model returns its inputs, which have unit norm.
    model = keras.Sequential([keras.Input((8,)), keras.layers.UnitNormalization()])
    model.compile("sgd", loss, metrics=diagnostics(loss))
    scores = model.evaluate(rows, labels, batch_size=size, verbose=0, return_dict=True)
    positive, negative = zip(*(reference_distances(*batch) for batch in batches))
    mean_positive = np.mean([np.mean(np.concatenate(distances)) for distances in positive])
    assert scores["positive_distance"] == pytest.approx(mean_positive, rel=1e-3)
    hardest = np.mean([min(distances) for batch in negative for distances in batch])
    assert scores["hardest_negative_distance"] == pytest.approx(hardest, rel=1e-3)
    active = np.concatenate(
        [as_array(unreduced(loss)(labels, rows)) > 0 for rows, labels in batches]
    )
    assert scores["active_fraction"] == pytest.approx(active.mean(), abs=1e-5)
    smallest, largest = false_positive_rates(batches, 0.95)
    assert smallest <= scores["fpr95"] <= largest


def test_diagnostics_are_logged_in_training_and_validation_of_each_epoch():
    loss = HardNegativeTriplet(1.0, "minimum")
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8,)), keras.layers.Dense(8), keras.layers.UnitNormalization()]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=diagnostics(loss))
    rows, labels = pairs(20, spread=0.6)
    options = {"batch_size": 20, "shuffle": False, "verbose": 0}
    history = model.fit(rows, labels, epochs=2, validation_data=(rows, labels), **options).history
    assert set(history) == {"loss", *NAMES} | {f"val_{name}" for name in ["loss", *NAMES]}
    for name in NAMES:  # the learning rate is 0, so all four values are equal
        values = history[name] + history[f"val_{name}"]
        assert values == pytest.approx([values[0]] * 4, rel=1e-4), name
    assert 0 < history["fpr95"][0] < 1


def test_psnr_and_ssim_of_an_epoch_are_means_over_patches():
    clean, noisy = patches(10)
    model = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Rescaling(1.0)])
    model.compile("sgd", "mae", metrics=[psnr, ssim])
    scores = model.evaluate(noisy, clean, batch_size=4, verbose=0, return_dict=True)
    assert scores["psnr"] == pytest.approx(as_array(psnr(clean, noisy)).mean(), rel=1e-4)
    assert scores["ssim"] == pytest.approx(as_array(ssim(clean, noisy)).mean(), rel=1e-4)


@pytest.mark.one_backend
def test_patches_smaller_than_the_window_of_ssim_and_a_recall_in_percent_are_refused():
    with pytest.raises(UserError, match=r"\(2, 10, 32, 1\): expected 11 pixels or more"):
        ssim(np.zeros((2, 10, 32, 1)), np.zeros((2, 10, 32, 1)))
    with pytest.raises(UserError, match="recall=95: expected a fraction above 0"):
        FalsePositiveRate(recall=95)


def test_psnr_is_48_db_for_an_error_of_one_grey_level_and_148_db_for_identical_patches():
    a = np.full((2, 4, 4, 1), 100, "uint8")
    b = a + np.array([1, 0], "uint8")[:, None, None, None]
    np.testing.assert_allclose(numpy(psnr(a, b)), [48.13, 148.13], atol=0.01)


def test_ssim_of_constant_patches_depends_on_their_means():
    a, b = np.full((1, 16, 16, 1), 100, "uint8"), np.full((1, 16, 16, 1), 200, "uint8")
    assert float(ssim(a, b)[0]) == pytest.approx(0.8, abs=1e-3)  # 2 * 100 * 200 / (100^2 + 200^2)


def test_distances_of_hand_computed_descriptors_of_unit_norm():
    descriptors, labels = np.stack([EAST, NORTH, WEST, WEST]), np.array([3, 3, 1, 1])
    assert float(positive_distance(labels, descriptors)) == pytest.approx(ROOT2 / 2, rel=1e-6)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    np.testing.assert_allclose(hardest, [2, ROOT2, ROOT2, ROOT2], rtol=1e-6)


def test_distances_of_hand_computed_triplets():
    descriptors, labels = TRIPLETS
    assert float(positive_distance(labels, descriptors)) == pytest.approx((5 + 12) / 2)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    # (0, 0) occurs twice; (3, 4) is nearest to (0, 1), (9, 12) to (3, 4), and (9, 0) to (3, 4).
    expected = [0, np.sqrt(18), 1, 10, np.sqrt(52), 0]
    np.testing.assert_allclose(hardest, expected, rtol=1e-6)


def test_rows_of_different_triplets_with_equal_labels_are_positives():
    descriptors, labels = TRIPLETS[0], np.array([5, 5, 8, 8, 8, 5])
    # Label 5: distances 5, 0 and 5; label 8: from (0, 1) to both others, and 12 between these.
    expected = np.mean([5, 0, 5, np.hypot(9, 11), np.hypot(9, 1), 12])
    assert float(positive_distance(labels, descriptors)) == pytest.approx(expected)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    expected = [1, np.sqrt(18), 1, 10, np.sqrt(52), 1]
    np.testing.assert_allclose(hardest, expected, rtol=1e-6)


def test_active_fraction_of_hand_computed_triplets():
    # Distances to positive and negative: 5 and 1, 12 and 15. Only the first negative is nearer.
    descriptors, labels = TRIPLETS
    active = ActiveFraction(TripletMargin(margin=0, distance="euclidean"))
    assert float(active(labels, descriptors)) == 0.5
    # The second negative is farther by 3; a margin of 3.1 makes both triplets active.
    active = ActiveFraction(TripletMargin(margin=3.1, distance="euclidean"))
    assert float(active(labels, descriptors)) == 1


def test_false_positive_rate_of_a_hand_computed_batch():
    # Distances of positives: 0.6 and 0; of negatives: twice 1 and twice 1.17.
    descriptors = np.array([[0, 0], [0.6, 0], [0, 1], [0, 1]], "float32")
    labels = np.array([0, 0, 1, 1])
    assert float(FalsePositiveRate()(labels, descriptors)) == 0
    descriptors[1] = [1.1, 0]  # positives 1.1 and 0, negatives 1 and 1.49, twice each
    assert float(FalsePositiveRate()(labels, descriptors)) == 0.5
    assert float(FalsePositiveRate(recall=0.5)(labels, descriptors)) == 0


def test_perfect_descriptors_have_no_false_positives_and_random_ones_95_percent():
    perfect, random = FalsePositiveRate(), FalsePositiveRate()
    labels = np.repeat(np.arange(32), 2)
    for seed in range(10):
        perfect.update_state(labels, np.eye(32, dtype="float32")[labels])
        values = np.random.default_rng(seed).normal(size=(64, 16))
        random.update_state(labels, values / np.linalg.norm(values, axis=1, keepdims=True))
    assert float(perfect.result()) == 0
    assert float(random.result()) == pytest.approx(0.95, abs=0.04)


def test_diagnostics_accept_batches_of_triplets():
    patches = toy_patches({"v_one": 8, "v_two": 8})
    loss = TripletMargin(0.1)
    model = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.AveragePooling2D(8), keras.layers.Flatten()]
    )
    model.compile("sgd", loss, metrics=diagnostics(loss))
    scores = model.evaluate(hk.batches.Triplets(patches, 12, 2), verbose=0, return_dict=True)
    assert 0 < scores["positive_distance"] < scores["hardest_negative_distance"]
    assert set(scores) == {"loss", *NAMES}

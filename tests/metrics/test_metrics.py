import keras
import numpy as np
import pytest
from keras import ops
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from toy_data import toy_patches

import hpatches_kit as hk
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

EAST, NORTH, WEST = np.array([[1, 0], [0, 1], [-1, 0]], "float32")
ROOT2 = np.sqrt(2)
BIN = 1.0116  # a bin ends so many times farther away than it begins
NAMES = ["positive_distance", "hardest_negative_distance", "active_fraction", "fpr95"]

# Two batches with lengths one can take with a ruler, as `Pairs` and as `Triplets` lay them out.
PAIRS = np.array([[0, 0], [3, 4], [6, 8], [6, 8]], "float32"), np.array([0, 0, 1, 1])
TRIPLETS = (
    np.array([[0, 0], [3, 4], [0, 1], [9, 12], [9, 0], [0, 0]], "float32"),
    np.array([5, 5, 2, 8, 8, 3]),
)


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def patches(count=4, height=32, width=32, channels=1, seed=0):
    """Smooth patches and the same with noise, grey levels 0..255."""
    rng = np.random.default_rng(seed)
    shape = (count, height, width, channels)
    ramp = rng.uniform(1, 9, (count, 1, 1, 1)) * np.linspace(0, 1, width)[:, None]
    clean = 128 + 90 * np.sin(ramp + rng.uniform(0, 6, (count, height, 1, channels)))
    noise = rng.normal(0, 1, shape) * np.linspace(3, 60, count)[:, None, None, None]
    return clean.astype("uint8"), np.clip(clean + noise, 0, 255).astype("uint8")


def pairs(places, spread=0.5, dim=8, length=1.0, seed=0):
    """Descriptors of two views of each of some places, and labels, as of a batch of `Pairs`."""
    rng = np.random.default_rng(seed)
    values = np.repeat(rng.normal(size=(places, dim)), 2, axis=0)
    values = values + spread * rng.normal(size=values.shape)
    values *= length / np.linalg.norm(values, axis=1, keepdims=True)
    return values.astype("float32"), np.repeat(np.arange(places), 2)


def distances_slowly(descriptors, labels):
    """Distances of all rows to all others: those to rows of the same label, and of another."""
    rows = np.asarray(descriptors, "float64")
    same, other = [[] for _ in rows], [[] for _ in rows]
    for i in range(len(rows)):
        for j in range(len(rows)):
            if i != j:
                kind = same if labels[i] == labels[j] else other
                kind[i].append(np.linalg.norm(rows[i] - rows[j]))
    return same, other


def test_psnr_agrees_with_scikit_image():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 5, 32, 32, 1)).astype("float32")
    expected = [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b)]
    np.testing.assert_allclose(numpy(psnr(a, b)), expected, rtol=1e-4)


def test_psnr_of_other_grey_levels_and_types():
    a, b = patches()
    expected = [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b)]
    for y_true, y_pred in [(a, b), (a, b.astype("float32")), (a, ops.cast(b, "float16"))]:
        np.testing.assert_allclose(numpy(psnr(y_true, y_pred)), expected, rtol=1e-4)
    np.testing.assert_allclose(numpy(psnr(a / 255, b / 255, max_value=1)), expected, rtol=1e-4)


def test_an_error_of_one_grey_level_is_48_db_and_equal_patches_are_finite():
    a = np.full((2, 4, 4, 1), 100, "uint8")
    b = a + np.array([1, 0], "uint8")[:, None, None, None]
    one, same = numpy(psnr(a, b))
    assert one == pytest.approx(48.13, abs=0.01) and 140 < same < 150


@pytest.mark.parametrize("function", [psnr, ssim, positive_distance, hardest_negative_distance])
def test_metrics_are_found_by_their_registered_names(function):
    assert keras.saving.get_registered_object(f"hpatches_kit>{function.__name__}") is function


def ssim_by_scikit_image(a, b, data_range=255):
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    options |= {"data_range": data_range, "channel_axis": -1}
    return [structural_similarity(x, y, **options) for x, y in zip(a, b)]


@pytest.mark.parametrize("size", [(32, 32, 1), (11, 11, 1), (13, 24, 1), (20, 16, 3)])
def test_ssim_agrees_with_scikit_image(size):
    a, b = patches(5, *size)
    expected = ssim_by_scikit_image(a.astype("float64"), b.astype("float64"))
    assert max(expected) - min(expected) > 0.2
    for x, y in [(a, b), (a, b.astype("float32")), (a.astype("float32"), b), (a, b * 1.0)]:
        np.testing.assert_allclose(numpy(ssim(x, y)), expected, atol=2e-4)
    np.testing.assert_allclose(numpy(ssim(b, a)), expected, atol=2e-4)


def test_ssim_of_other_grey_levels_and_half_precision():
    a, b = patches()
    expected = ssim_by_scikit_image(a / 255, b / 255, data_range=1)
    np.testing.assert_allclose(numpy(ssim(a / 255, b / 255, max_value=1)), expected, atol=2e-4)
    np.testing.assert_allclose(numpy(ssim(a, ops.cast(b, "float16"))), expected, atol=2e-4)


def test_ssim_of_equal_patches_is_1_and_of_unrelated_ones_near_0():
    a, _ = patches()
    flat = np.zeros_like(a)
    for same in (a, flat, flat + np.uint8(255)):
        np.testing.assert_allclose(numpy(ssim(same, same)), np.ones(4), atol=1e-5)
    noise = np.random.default_rng(0).integers(0, 256, (2, 4, 32, 32, 1))
    assert np.abs(numpy(ssim(*noise))).max() < 0.1


def test_flat_patches_are_as_alike_as_their_means():
    a, b = np.full((1, 16, 16, 1), 100, "uint8"), np.full((1, 16, 16, 1), 200, "uint8")
    assert float(ssim(a, b)[0]) == pytest.approx(0.8, abs=1e-3)  # 2 * 100 * 200 / (100^2 + 200^2)


def test_distances_of_pairs_by_hand():
    descriptors, labels = PAIRS
    assert float(positive_distance(labels, descriptors)) == pytest.approx((5 + 0) / 2)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    np.testing.assert_allclose(hardest, [10, 5, 5, 5], rtol=1e-6)


def test_distances_of_descriptors_of_length_1_by_hand():
    descriptors, labels = np.stack([EAST, NORTH, WEST, WEST]), np.array([3, 3, 1, 1])
    assert float(positive_distance(labels, descriptors)) == pytest.approx(ROOT2 / 2, rel=1e-6)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    np.testing.assert_allclose(hardest, [2, ROOT2, ROOT2, ROOT2], rtol=1e-6)


def test_distances_of_triplets_by_hand():
    descriptors, labels = TRIPLETS
    assert float(positive_distance(labels, descriptors)) == pytest.approx((5 + 12) / 2)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    # (0, 0) stands at both ends; (3, 4) is nearest to (0, 1); (9, 12) to (3, 4); (9, 0) to (3, 4)
    expected = [0, np.sqrt(18), 1, 10, np.sqrt(52), 0]
    np.testing.assert_allclose(hardest, expected, rtol=1e-6)


def test_a_negative_of_the_same_label_as_an_anchor_elsewhere_is_its_positive():
    descriptors, labels = TRIPLETS[0], np.array([5, 5, 8, 8, 8, 5])
    # label 5: 5, 0 and 5 apart; label 8: from (0, 1) to the others, and these 12
    expected = np.mean([5, 0, 5, np.hypot(9, 11), np.hypot(9, 1), 12])
    assert float(positive_distance(labels, descriptors)) == pytest.approx(expected)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    expected = [1, np.sqrt(18), 1, 10, np.sqrt(52), 1]
    np.testing.assert_allclose(hardest, expected, rtol=1e-6)


@pytest.mark.parametrize("length", [1.0, 0.01, 30.0])
@pytest.mark.parametrize("layout", ["pairs", "triplets"])
def test_distances_agree_with_a_loop_whatever_the_length(layout, length):
    descriptors, labels = pairs(12, length=length)
    descriptors *= np.random.default_rng(1).uniform(0.5, 1, (24, 1)).astype("float32")
    if layout == "triplets":
        labels = np.random.default_rng(2).integers(6, size=(8, 3))
        labels[:, 1] = labels[:, 0]
        labels = labels.ravel()
    same, other = distances_slowly(descriptors, labels)
    positive = float(positive_distance(labels, descriptors))
    assert positive == pytest.approx(np.mean(np.concatenate(same)), rel=1e-4)
    hardest = numpy(hardest_negative_distance(labels, descriptors))
    np.testing.assert_allclose(hardest, [min(d) for d in other], rtol=1e-3)


def test_labels_may_stand_in_a_column():
    descriptors, labels = pairs(6)
    for metric in [positive_distance, hardest_negative_distance, FalsePositiveRate()]:
        row, column = metric(labels, descriptors), metric(labels[:, None], descriptors)
        np.testing.assert_array_equal(numpy(row), numpy(column))


def test_descriptors_of_half_precision_are_read_as_they_are():
    descriptors, labels = pairs(12)
    for metric in [positive_distance, hardest_negative_distance, FalsePositiveRate()]:
        half = ops.cast(descriptors, "float16")
        expected = numpy(metric(labels, ops.cast(half, "float32")))
        if isinstance(metric, FalsePositiveRate):
            metric.reset_state()
        np.testing.assert_allclose(numpy(metric(labels, half)), expected, rtol=1e-6)


def test_a_batch_without_positives_or_negatives_is_finite():
    descriptors, _ = pairs(3)
    assert float(positive_distance(np.arange(6), descriptors)) == 0
    assert np.isfinite(numpy(hardest_negative_distance(np.zeros(6), descriptors))).all()
    for labels in (np.arange(6), np.zeros(6)):
        assert np.isfinite(float(FalsePositiveRate()(labels, descriptors)))


def test_active_share_by_hand():
    # Of the triplets' distances 5 and 1, 12 and 15, the first alone has the negative nearer
    descriptors, labels = TRIPLETS
    share = ActiveFraction(TripletMargin(margin=0, distance="euclidean"))
    assert float(share(labels, descriptors)) == 0.5
    # by 3 the second negative is farther; a margin of 3.1 makes both active
    share = ActiveFraction(TripletMargin(margin=3.1, distance="euclidean"))
    assert float(share(labels, descriptors)) == 1


def test_active_share_counts_the_pairs_of_all_batches_alike():
    one_of_two = np.stack([EAST, NORTH, WEST, WEST]), np.array([0, 0, 1, 1])
    none_of_three = np.eye(6, dtype="float32")[[0, 0, 1, 1, 2, 2]], np.repeat(np.arange(3), 2)
    share = ActiveFraction(HardNegativeTriplet(margin=0.5, negative="minimum"))
    share.update_state(one_of_two[1], one_of_two[0])
    assert float(share.result()) == 0.5
    share.update_state(none_of_three[1], none_of_three[0])
    assert float(share.result()) == pytest.approx(1 / 5)
    share.reset_state()
    share.update_state(none_of_three[1], none_of_three[0])
    assert float(share.result()) == 0


@pytest.mark.parametrize(
    "loss", [HardNegativeTriplet(0.3, "minimum"), TripletMargin(0.1, swap=True)]
)
def test_active_share_is_the_share_of_losses_above_0(loss):
    descriptors, labels = pairs(30)
    alone = type(loss).from_config({**loss.get_config(), "reduction": None})(labels, descriptors)
    expected = np.mean(numpy(alone) > 0)
    assert 0.1 < expected < 0.9
    assert float(ActiveFraction(loss)(labels, descriptors)) == pytest.approx(expected)
    half = ops.cast(descriptors, "float16")
    assert float(ActiveFraction(loss)(labels, half)) == pytest.approx(expected, abs=0.07)


def false_positive_rates(batches, recall):
    """The least and the largest rate that a threshold exact to a bin may give."""
    same, other = zip(*(distances_slowly(*batch) for batch in batches))
    same, other = (np.concatenate([row for rows in d for row in rows]) for d in (same, other))
    threshold = np.sort(same)[int(np.ceil(recall * len(same))) - 1]
    # a ten-thousandth more and less, as distances in float32 are not those of float64
    least, largest = np.mean(other < threshold - 1e-4), np.mean(other < threshold * BIN + 1e-4)
    return least - 1e-6, largest + 1e-6


@pytest.mark.parametrize("recall", [0.95, 0.5, 1.0])
@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
def test_false_positive_rate_agrees_with_sorting_all_distances(spread, recall):
    batches = [pairs(10, spread, seed=seed) for seed in range(4)]
    rate = FalsePositiveRate(recall)
    for descriptors, labels in batches:
        rate.update_state(labels, descriptors)
    least, largest = false_positive_rates(batches, recall)
    assert least <= float(rate.result()) <= largest < least + 0.05


def test_false_positive_rate_by_hand():
    # Positives are 0.6 and 0 apart, negatives twice 1 and twice 1.17
    descriptors = np.array([[0, 0], [0.6, 0], [0, 1], [0, 1]], "float32")
    labels = np.array([0, 0, 1, 1])
    assert float(FalsePositiveRate()(labels, descriptors)) == 0
    descriptors[1] = [1.1, 0]  # positives 1.1 and 0, negatives twice 1 and twice 1.49
    assert float(FalsePositiveRate()(labels, descriptors)) == 0.5
    assert float(FalsePositiveRate(recall=0.5)(labels, descriptors)) == 0


def test_false_positive_rate_begins_anew_after_a_reset():
    rate = FalsePositiveRate()
    assert float(rate.result()) == 0
    good, bad = pairs(10, spread=0.1), pairs(10, spread=3.0)
    alone = float(rate(good[1], good[0]))
    both = float(rate(bad[1], bad[0]))
    assert alone < 0.1 < 0.5 < both
    rate.reset_state()
    assert float(rate(good[1], good[0])) == alone


def test_perfect_descriptors_have_no_false_positives_and_random_ones_95_percent():
    perfect, random = FalsePositiveRate(), FalsePositiveRate()
    labels = np.repeat(np.arange(32), 2)
    for seed in range(10):
        perfect.update_state(labels, np.eye(32, dtype="float32")[labels])
        values = np.random.default_rng(seed).normal(size=(64, 16))
        random.update_state(labels, values / np.linalg.norm(values, axis=1, keepdims=True))
    assert float(perfect.result()) == 0
    assert float(random.result()) == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("length", [0.01, 10.0, 300.0])
def test_the_false_positive_rate_does_not_depend_on_the_length_of_descriptors(length):
    descriptors, labels = pairs(10, spread=0.5)
    one = float(FalsePositiveRate()(labels, descriptors))
    assert 0.05 < one < 0.95
    scaled = float(FalsePositiveRate()(labels, length * descriptors))
    assert scaled == pytest.approx(one, abs=0.03)


def test_collapsed_descriptors_are_all_false_positives():
    labels, same = np.repeat(np.arange(6), 2), np.tile(EAST, (12, 1))
    assert float(FalsePositiveRate()(labels, same)) == 1
    assert float(positive_distance(labels, same)) == pytest.approx(0, abs=1e-3)
    assert numpy(hardest_negative_distance(labels, same)) == pytest.approx(np.zeros(12), abs=1e-3)


def test_metrics_are_serialised_with_their_settings():
    for metric in (
        FalsePositiveRate(0.8, name="fpr80"),
        ActiveFraction(HardNegativeTriplet(0.3, "minimum", 5)),
    ):
        again = keras.metrics.deserialize(keras.metrics.serialize(metric))
        assert type(again) is type(metric) and again.get_config() == metric.get_config()
    assert again.loss.percentile == 5 and FalsePositiveRate(0.8).recall == 0.8


def test_diagnostics_are_fresh_for_every_model():
    loss = HardNegativeTriplet()
    one, other = diagnostics(loss), diagnostics(loss)
    assert one is not other
    assert [type(m) for m in one[2:]] == [ActiveFraction, FalsePositiveRate]
    assert not {id(m) for m in one[2:]} & {id(m) for m in other[2:]}
    descriptors, labels = pairs(10, spread=3.0)
    one[3].update_state(labels, descriptors)
    assert float(one[3].result()) > 0.5 and float(other[3].result()) == 0


def untouched():
    """A model that hands on the descriptors of length 1 that it is given."""
    return keras.Sequential([keras.Input((8,)), keras.layers.UnitNormalization()])


@pytest.mark.parametrize("loss", [HardNegativeTriplet(0.5, "minimum"), TripletMargin(0.1)])
def test_diagnostics_of_an_epoch_are_those_of_its_batches(loss):
    size = 3 * 2 * 4
    batches = [pairs(size // 2, spread=0.6, seed=seed) for seed in range(3)]
    if isinstance(loss, TripletMargin):
        for _, labels in batches:
            labels[2::3] += 100
            labels[1::3] = labels[0::3]
    rows, labels = (np.concatenate(parts) for parts in zip(*batches))
    model = untouched()
    model.compile("sgd", loss, metrics=diagnostics(loss))
    scores = model.evaluate(rows, labels, batch_size=size, verbose=0, return_dict=True)
    same, other = zip(*(distances_slowly(*batch) for batch in batches))
    positive = np.mean([np.mean(np.concatenate(d)) for d in same])
    assert scores["positive_distance"] == pytest.approx(positive, rel=1e-3)
    hardest = np.mean([min(d) for rows in other for d in rows])
    assert scores["hardest_negative_distance"] == pytest.approx(hardest, rel=1e-3)
    alone = type(loss).from_config({**loss.get_config(), "reduction": None})
    active = np.concatenate([numpy(alone(labels, rows)) > 0 for rows, labels in batches])
    assert scores["active_fraction"] == pytest.approx(active.mean(), abs=1e-5)
    least, largest = false_positive_rates(batches, 0.95)
    assert least <= scores["fpr95"] <= largest


def test_diagnostics_are_logged_of_training_and_validation_each_epoch():
    loss = HardNegativeTriplet(1.0, "minimum")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(8), keras.layers.UnitNormalization()]
    )
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=diagnostics(loss))
    rows, labels = pairs(20, spread=0.6)
    options = {"batch_size": 20, "shuffle": False, "verbose": 0}
    history = model.fit(rows, labels, epochs=2, validation_data=(rows, labels), **options).history
    assert set(history) == {"loss", *NAMES} | {f"val_{name}" for name in ["loss", *NAMES]}
    for name in NAMES:  # nothing is learnt at a rate of 0, so four times the same, each epoch anew
        four = history[name] + history[f"val_{name}"]
        assert four == pytest.approx([four[0]] * 4, rel=1e-4), name
    assert 0 < history["fpr95"][0] < 1


def test_diagnostics_read_the_batches_of_the_kit():
    data = toy_patches({"v_one": 8, "v_two": 8})
    loss = TripletMargin(0.1)
    model = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.AveragePooling2D(8), keras.layers.Flatten()]
    )
    model.compile("sgd", loss, metrics=diagnostics(loss))
    scores = model.evaluate(hk.batches.Triplets(data, 12, 2), verbose=0, return_dict=True)
    assert 0 < scores["positive_distance"] < scores["hardest_negative_distance"]
    assert set(scores) == {"loss", *NAMES}


def test_psnr_and_ssim_of_an_epoch_are_means_over_patches():
    clean, noisy = patches(10)
    model = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Rescaling(1.0)])
    model.compile("sgd", "mae", metrics=[psnr, ssim])
    scores = model.evaluate(noisy, clean, batch_size=4, verbose=0, return_dict=True)
    assert scores["psnr"] == pytest.approx(numpy(psnr(clean, noisy)).mean(), rel=1e-4)
    assert scores["ssim"] == pytest.approx(numpy(ssim(clean, noisy)).mean(), rel=1e-4)


def test_ssim_of_patches_smaller_than_its_window_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 10, 32, 1\): expected 11 pixels or more"):
        hk.metrics.ssim(np.zeros((2, 10, 32, 1)), np.zeros((2, 10, 32, 1)))


def test_a_recall_in_percent_is_refused():
    with pytest.raises(ValueError, match="recall=95: expected a share above 0"):
        hk.metrics.FalsePositiveRate(recall=95)

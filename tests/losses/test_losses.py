import json

import keras
import numpy as np
import pytest
from keras import ops
from keras_tools import EAST, NORTH, WEST, as_array, unreduced
from skimage.metrics import structural_similarity

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.losses import (
    AnchorSwapTriplet,
    HardNegativeTriplet,
    HyNetLoss,
    RandomNegativeTriplet,
    SOSNetLoss,
    SSIMAndMAE,
    TripletMargin,
)


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")), "float64")


ROOT2 = np.sqrt(2)

TRIPLET = [
    TripletMargin(margin, distance, swap, reduction=None)
    for margin, distance in [(0.1, "mean_squared"), (0.7, "euclidean"), (1.0, "squared")]
    for swap in (False, True)
]
ANCHOR_SWAP = [
    AnchorSwapTriplet(margin, distance, reduction=None)
    for margin, distance in [(0.1, "mean_squared"), (0.7, "euclidean"), (1.0, "squared")]
]
HARD = [
    HardNegativeTriplet(margin, negative, percentile, reduction=None)
    for margin, negative in [(0.2, "average"), (1.0, "minimum")]
    for percentile in (0, 15, 100)
]
RANDOM = [RandomNegativeTriplet(0.6, kind, reduction=None) for kind in ("average", "minimum")]
SOSNET = [
    SOSNetLoss(margin, neighbours, weight, reduction=None)
    for margin, neighbours, weight in [(1.0, 8, 1.0), (0.5, 1, 3.0), (1.0, 500, 0.5), (1.0, 8, 0)]
]
HYNET = [HyNetLoss(1.2, 2.0, reduction=None), HyNetLoss(0.5, 0.0, reduction=None)]
MINING = HARD + RANDOM + SOSNET + HYNET
ONE_OF_EACH = [
    TripletMargin(0.7, "euclidean", swap=True),
    AnchorSwapTriplet(0.7, "euclidean"),
    HardNegativeTriplet(0.3, "minimum"),
    HardNegativeTriplet(0.3, "average", percentile=15),
    RandomNegativeTriplet(0.8, "minimum"),
    SOSNetLoss(0.9, neighbours=3, weight=2.0),
    HyNetLoss(1.1, alpha=1.5),
]


def case_name(loss):
    """Class and settings of a loss, as the name of its test case."""
    config = loss.get_config().items()
    settings = [str(value) for key, value in config if key not in ("name", "reduction", "dtype")]
    return "-".join([type(loss).__name__, *settings])


def each(losses):
    return pytest.mark.parametrize("loss", losses, ids=case_name)


def unit(rows, dim, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype("float32")


def rows_per_group(loss):
    return 3 if isinstance(loss, TripletMargin) else 2


def batch_for(loss, places, dim=8, seed=0):
    """Labels and descriptors in the layout of the loss; descriptors of one place are similar."""
    labels = np.repeat(np.arange(places), rows_per_group(loss))
    if isinstance(loss, TripletMargin):
        labels[2::3] += places
    descriptors = unit(2 * places, dim, seed)[labels] + 0.7 * unit(len(labels), dim, seed + 1)
    return labels, descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)


def rotate(descriptors, angle):
    """Rotate descriptors in the plane of their first two dimensions."""
    rotation = np.eye(descriptors.shape[1])
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return descriptors @ rotation


def tiny_model():
    """A network from 4 numbers to a 3-D descriptor."""
    dense = keras.layers.Dense(3, bias_initializer="ones")
    return keras.Sequential([keras.Input((4,)), dense, keras.layers.UnitNormalization()])


def tiny_patch_model():
    """A network from a patch to a 3-D descriptor."""
    flatten, dense = keras.layers.Flatten(), keras.layers.Dense(3)
    return keras.Sequential([keras.Input((32, 32, 1)), flatten, dense])


def all_finite(model):
    return all(np.isfinite(as_array(w)).all() for w in model.weights)


# Reference implementations: one pair at a time, in float64, as in the docstrings of the losses.


def distance_of(a, b):
    return np.sqrt(max(2 - 2 * a @ b, 1e-6))


def triplet_reference(loss, labels, x):
    distance = {
        "mean_squared": lambda a, b: np.mean((a - b) ** 2),
        "euclidean": lambda a, b: np.linalg.norm(a - b),
        "squared": lambda a, b: np.sum((a - b) ** 2),
    }[loss.distance]
    losses = []
    for anchor, positive, negative in zip(x[0::3], x[1::3], x[2::3]):
        to_negative = distance(anchor, negative)
        if loss.swap:
            to_negative = min(to_negative, distance(positive, negative))
        losses.append(max(0, loss.margin + distance(anchor, positive) - to_negative))
    return losses


def anchor_swap_reference(loss, labels, x):
    """The negative of a pair is the first row of the pair before or after it."""
    triplets = [
        x[[2 * k, 2 * k + 1, 2 * (k + 1 if k % 2 == 0 else k - 1)]] for k in range(len(x) // 2)
    ]
    return triplet_reference(
        TripletMargin(loss.margin, loss.distance), None, np.concatenate(triplets)
    )


def other_pairs(labels, i):
    """Pairs of another place, in batch order from pair i onwards."""
    order = [(i + k) % len(labels) for k in range(1, len(labels))]
    return [j for j in order if labels[j] != labels[i]]


def in_batch_reference(loss, labels, x):
    """Report A, equation 6, and its variants."""
    a, p, labels, losses = x[::2], x[1::2], labels[::2], []
    for i in range(len(labels)):
        row = [distance_of(a[i], p[j]) for j in other_pairs(labels, i)]
        column = [distance_of(a[j], p[i]) for j in other_pairs(labels, i)]
        if isinstance(loss, RandomNegativeTriplet):
            negatives = [row[0], column[0]]
        else:
            negatives = [np.percentile(distances, loss.percentile) for distances in (row, column)]
        negative = {"average": np.mean, "minimum": np.min}[loss.negative](negatives)
        losses.append(max(0, loss.margin + np.linalg.norm(a[i] - p[i]) - negative))
    return losses


def hardest_negative(labels, a, p, i):
    return min(
        distance_of(own, other)
        for j in other_pairs(labels, i)
        for own in (a[i], p[i])
        for other in (a[j], p[j])
    )


def sosnet_reference(loss, labels, x):
    a, p, labels, losses = x[::2], x[1::2], labels[::2], []
    for i in range(len(labels)):
        neighbours = set()
        for rows in (a, p):
            others = other_pairs(labels, i)
            distances = [distance_of(rows[i], rows[j]) for j in others]
            neighbours.update(others[k] for k in np.argsort(distances)[: loss.neighbours])
        changes = [distance_of(a[i], a[j]) - distance_of(p[i], p[j]) for j in neighbours]
        positive, negative = np.linalg.norm(a[i] - p[i]), hardest_negative(labels, a, p, i)
        first_order = max(0, loss.margin + positive - negative) ** 2
        losses.append(first_order + loss.weight * np.sqrt(np.sum(np.square(changes))))
    return losses


def hynet_reference(loss, labels, x):
    a, p, labels, losses = x[::2], x[1::2], labels[::2], []
    for i in range(len(labels)):
        positive, negative = (
            distance + loss.alpha * distance**2 / 2
            for distance in (np.linalg.norm(a[i] - p[i]), hardest_negative(labels, a, p, i))
        )
        losses.append(max(0, loss.margin + positive - negative))
    return losses


REFERENCES = {
    TripletMargin: triplet_reference,
    AnchorSwapTriplet: anchor_swap_reference,
    HardNegativeTriplet: in_batch_reference,
    RandomNegativeTriplet: in_batch_reference,
    SOSNetLoss: sosnet_reference,
    HyNetLoss: hynet_reference,
}


def assert_equals_reference(loss, labels, descriptors):
    expected = REFERENCES[type(loss)](loss, labels, as_array(descriptors))
    np.testing.assert_allclose(as_array(loss(labels, descriptors)), expected, atol=1e-4)


def test_triplet_margin_of_a_hand_computed_batch():
    anchor, positive, negative = [0.0, 0.0], [1.0, 1.0], [2.0, 0.0]
    # Mean squares: 1 to the positive, 2 to the negative; with margin 1 the loss is exactly 0.
    batch = np.array([anchor, positive, negative, anchor, negative, positive], "float32")
    losses = TripletMargin(1.0, reduction=None)(np.zeros(6), batch)
    np.testing.assert_allclose(as_array(losses), [0, 2])
    assert float(TripletMargin(margin=1.5)(np.zeros(6), batch)) == pytest.approx((0.5 + 2.5) / 2)


@pytest.mark.parametrize(
    ("distance", "plain", "swapped"),
    [("mean_squared", 1 + 8 - 12.5, 1 + 8 - 4.5), ("squared", 0, 1 + 16 - 9), ("euclidean", 0, 2)],
)
def test_swap_uses_the_smaller_of_the_distances_from_anchor_and_positive(distance, plain, swapped):
    # The anchor is 4 from the positive and 5 from the negative; the positive is 3 from the negative.
    batch = np.array([[0, 0], [4, 0], [4, 3]], "float32")
    losses = [TripletMargin(1.0, distance, swap)(np.zeros(3), batch) for swap in (False, True)]
    assert list(map(float, losses)) == pytest.approx([max(0, plain), swapped], abs=1e-5)


def test_anchor_swap_of_two_hand_computed_pairs():
    first, second = [[0.0, 0.0], [1.0, 1.0]], [[2.0, 0.0], [2.0, 2.0]]
    # Mean squares: 1 and 2 within the pairs, 2 between their first rows, which are the anchors.
    batch = np.array(first + second, "float32")
    losses = AnchorSwapTriplet(1.5, reduction=None)(np.zeros(4), batch)
    np.testing.assert_allclose(as_array(losses), [1.5 + 1 - 2, 1.5 + 2 - 2])
    assert float(AnchorSwapTriplet(margin=1.5)(np.zeros(4), batch)) == pytest.approx(1.0)
    # With margin 1, only the second triplet has a loss above 0.
    assert float(AnchorSwapTriplet()(np.zeros(4), batch)) == pytest.approx(0.5)
    active = hk.metrics.ActiveFraction(AnchorSwapTriplet())
    assert float(active(np.array([0, 0, 1, 1]), batch)) == 0.5


@each(ANCHOR_SWAP)
def test_anchor_swap_is_the_mean_over_both_triplets_of_each_two_pairs(loss):
    descriptors = 5 * unit(32, 8)  # unrelated, of any norm: about half of the triplets are active
    rows = [row for k in range(0, 32, 4) for row in (k, k + 1, k + 2, k + 2, k + 3, k)]
    triplets = TripletMargin(loss.margin, loss.distance)(np.zeros(48), descriptors[rows])
    swapped = AnchorSwapTriplet(loss.margin, loss.distance)(np.zeros(32), descriptors)
    assert float(triplets) > 0.1
    assert float(swapped) == pytest.approx(float(triplets), rel=1e-5)


@each(TRIPLET + ANCHOR_SWAP)
def test_losses_of_given_triplets_ignore_labels(loss):
    _, descriptors = batch_for(loss, 6)
    rows = len(descriptors)
    equal_labels, all_different = (loss(y, descriptors) for y in (np.zeros(rows), np.arange(rows)))
    np.testing.assert_array_equal(as_array(equal_labels), as_array(all_different))


def test_hard_negatives_of_a_hand_computed_batch():
    # Anchors east and west, positives north and west: d = [[sqrt 2, 2], [sqrt 2, 0]].
    # Hardest negatives of pair 0: 2 and sqrt 2; of pair 1: sqrt 2 and 2.
    batch, labels = np.stack([EAST, NORTH, WEST, WEST]), np.array([0, 0, 1, 1])
    for negative, expected in {"average": [ROOT2 / 2 - 0.5, 0], "minimum": [0.5, 0]}.items():
        loss = HardNegativeTriplet(0.5, negative, reduction=None)
        np.testing.assert_allclose(as_array(loss(labels, batch)), expected, atol=2e-3)


def test_sosnet_loss_of_a_hand_computed_batch():
    # The distance of the anchors is 2, that of the positives sqrt 2: they differ by 2 - sqrt 2.
    batch, labels = np.stack([EAST, EAST, WEST, NORTH]), np.array([0, 0, 1, 1])
    loss = SOSNetLoss(2.0, weight=3.0, reduction=None)
    # Both hardest negatives are at sqrt 2; the positives are at 0 and sqrt 2.
    expected = [(2 - ROOT2) ** 2 + 3 * (2 - ROOT2), 4 + 3 * (2 - ROOT2)]
    np.testing.assert_allclose(as_array(loss(labels, batch)), expected, atol=5e-3)


def test_hynet_loss_of_a_hand_computed_batch():
    # Pair 0: h(0) = 0 for the positive, h(sqrt 2) = sqrt 2 + 2 for the negative. Pair 1: both sqrt 2.
    batch, labels = np.stack([EAST, EAST, WEST, NORTH]), np.array([0, 0, 1, 1])
    loss = HyNetLoss(4.0, alpha=2.0, reduction=None)
    np.testing.assert_allclose(as_array(loss(labels, batch)), [2 - ROOT2, 4], atol=5e-3)


@pytest.mark.parametrize("places", [2, 32])
@each(TRIPLET + ANCHOR_SWAP + MINING)
def test_losses_equal_their_reference_implementation(loss, places):
    assert_equals_reference(loss, *batch_for(loss, places))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@each(ONE_OF_EACH)
def test_losses_of_every_precision_equal_their_reference_implementation(loss, dtype):
    labels, descriptors = batch_for(loss, 8)
    assert_equals_reference(unreduced(loss), labels, ops.cast(descriptors, dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@each(ONE_OF_EACH)
def test_distances_of_half_precision_descriptors_are_computed_in_float32(loss, dtype):
    labels, descriptors = batch_for(loss, 8)
    half = ops.cast(descriptors, dtype)
    expected = as_array(loss.call(labels, ops.cast(half, "float32")))
    np.testing.assert_allclose(as_array(loss.call(labels, half)), expected, rtol=1e-6)


@each(TRIPLET)
def test_triplet_margin_accepts_one_triplet_and_any_norm(loss):
    labels, descriptors = batch_for(loss, 1)
    assert_equals_reference(loss, labels, descriptors)
    labels, descriptors = batch_for(loss, 7)
    assert_equals_reference(loss, labels, 5 * descriptors)


@each(MINING)
def test_a_batch_without_negatives_has_loss_0(loss):
    one_pair = np.zeros(2), np.stack([EAST, WEST])
    one_place = np.full(14, 5), unit(14, 8)
    for labels, descriptors in (one_pair, one_place):
        losses = as_array(loss(labels, descriptors))
        np.testing.assert_array_equal(losses, np.zeros(len(labels) // 2))


def test_sosnet_loss_of_perfect_descriptors_is_exactly_0_with_no_active_triplets():
    """Perfect: each positive equals its anchor, and different places are orthogonal."""
    labels = np.repeat(np.arange(6), 2)
    descriptors = np.eye(6, dtype="float32")[labels]
    losses = SOSNetLoss(reduction=None)(labels, descriptors)
    np.testing.assert_array_equal(as_array(losses), np.zeros(6))
    assert float(hk.metrics.ActiveFraction(SOSNetLoss())(labels, descriptors)) == 0
    dense = keras.layers.Dense(6, kernel_initializer="identity", use_bias=False)
    model = keras.Sequential([keras.Input((6,)), dense, keras.layers.UnitNormalization()])
    model.compile(keras.optimizers.SGD(0.1), SOSNetLoss(), run_eagerly=True)
    assert float(model.train_on_batch(descriptors, labels)) == 0
    np.testing.assert_array_equal(as_array(dense.kernel), np.eye(6))  # the gradient is 0, not NaN


@pytest.mark.one_backend
def test_losses_with_random_and_hard_negatives_have_different_defaults():
    hard, random = HardNegativeTriplet(), RandomNegativeTriplet()
    assert not isinstance(random, HardNegativeTriplet)
    assert (hard.margin, hard.negative, hard.percentile) == (0.01, "average", 0)
    assert (random.margin, random.negative) == (1.0, "average")


@pytest.mark.one_backend
def test_these_tests_cover_every_loss():
    classes = {type(loss) for loss in ONE_OF_EACH} | {SSIMAndMAE}
    assert classes == {getattr(hk.losses, name) for name in hk.losses.__all__}


@pytest.mark.one_backend
def test_every_loss_of_descriptors_names_its_batch_class():
    assert TripletMargin.batch_class == "Triplets"
    assert {type(loss).batch_class for loss in ANCHOR_SWAP + MINING} == {"Pairs"}
    assert not hasattr(SSIMAndMAE, "batch_class")


@each(MINING)
def test_pairs_with_equal_labels_are_not_negatives_of_each_other(loss):
    labels, descriptors = batch_for(loss, 7)
    labels[[8, 9]] = labels[0]
    descriptors[[8, 9]] = rotate(descriptors[:2], 0.01)  # pair 4 is nearly a copy of pair 0
    assert_equals_reference(loss, labels, descriptors)


@each(MINING)
def test_labels_may_have_any_value_and_shape(loss):
    labels, descriptors = batch_for(loss, 7)
    expected = as_array(loss(labels, descriptors))
    for other_labels in (3_000_000 - labels, labels[:, None], labels.astype("int32")):
        np.testing.assert_allclose(as_array(loss(other_labels, descriptors)), expected, rtol=1e-6)


def patches(count=3, seed=0):
    """Clean patches and denoised versions of them, grey levels 0..255."""
    rng = np.random.default_rng(seed)
    clean = np.kron(rng.uniform(40, 215, (count, 4, 4)), np.ones((5, 5)))[..., None]
    return clean.astype("float32"), (clean + rng.normal(0, 20, clean.shape)).astype("float32")


@pytest.mark.parametrize("weight", [0, 0.3, 0.84, 1])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_ssim_and_mae_equals_scikit_image(dtype, weight):
    clean, denoised = (ops.cast(x, dtype) for x in patches())
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = [
        weight * (1 - structural_similarity(x, y, data_range=255, **options))
        + (1 - weight) * np.abs(x - y).mean() / 255
        for x, y in zip(as_array(clean)[..., 0], as_array(denoised)[..., 0])
    ]
    loss = SSIMAndMAE(weight, reduction=None)(clean, denoised)
    np.testing.assert_allclose(as_array(loss), expected, atol=1e-4)


@each(ONE_OF_EACH + [TripletMargin(), TripletMargin(1.0, "squared"), HardNegativeTriplet()])
def test_the_gradient_is_finite_if_descriptors_coincide(loss):
    """After a step on each of three such batches, all weights are finite."""
    keras.utils.set_random_seed(0)
    model = tiny_model()
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    labels, rows = batch_for(loss, 4, dim=4)
    group = rows_per_group(loss)
    all_equal, equal_pairs, equal_negatives = np.tile(rows[0], (len(rows), 1)), rows.copy(), rows
    equal_pairs[1::group] = rows[::group]
    equal_negatives[2::group] = rows[0]
    for batch in (all_equal, equal_pairs, equal_negatives):
        assert np.isfinite(float(model.train_on_batch(batch, labels))) and all_finite(model)


@each(ONE_OF_EACH)
def test_the_gradient_is_not_0_if_anchors_coincide(loss):
    keras.utils.set_random_seed(0)
    model = tiny_model()
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    labels, rows = batch_for(loss, 4, dim=4)
    rows[2 :: rows_per_group(loss)] = rows[0]
    before = as_array(model.weights[0])
    model.train_on_batch(rows, labels)
    assert np.abs(as_array(model.weights[0]) - before).max() > 1e-4


@pytest.mark.parametrize("black", [False, True])
def test_the_gradient_is_finite_if_patches_coincide(black):
    identity = keras.layers.Conv2D(1, 1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((20, 20, 1)), identity])
    model.compile("sgd", SSIMAndMAE(), run_eagerly=True)
    clean = np.zeros((2, 20, 20, 1), "float32") if black else patches(2)[0]
    assert float(model.train_on_batch(clean, clean)) == pytest.approx(0, abs=1e-3)
    assert all_finite(model)


def train_in_half_precision(model, loss, size, metrics=()):
    """Train eight steps; the loss scaling may skip the first."""
    labels, _ = batch_for(loss, 4)
    rows = np.random.default_rng(0).integers(0, 256, (len(labels), size, size, 1), "uint8")
    model.compile(keras.optimizers.SGD(0.01), loss, metrics=list(metrics))
    before = [as_array(weight) for weight in model.trainable_weights]
    logs = [model.train_on_batch(rows, labels, return_dict=True) for _ in range(8)]
    values = np.array([[float(value) for value in log.values()] for log in logs])
    assert values.shape == (8, 1 + len(metrics)) and np.isfinite(values).all()
    assert all_finite(model)
    after = [as_array(weight) for weight in model.trainable_weights]
    assert any(np.any(new != old) for new, old in zip(after, before))


@pytest.mark.slow
@each(ONE_OF_EACH)
def test_training_works_with_half_precision_descriptors(loss, set_precision):
    set_precision("mixed_float16")
    keras.utils.set_random_seed(0)
    scaled, tanh = keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(4, 3, activation="tanh")
    model = keras.Sequential([keras.Input((8, 8, 1)), scaled, tanh, keras.layers.Flatten()])
    model.add(keras.layers.Dense(8))
    model.add(keras.layers.UnitNormalization())
    assert model.compute_dtype == "float16" and model.outputs[0].dtype == "float16"
    train_in_half_precision(model, loss, 8)


def test_tfeat_trains_in_half_precision(set_precision):
    set_precision("mixed_float16")
    keras.utils.set_random_seed(0)
    loss = HardNegativeTriplet(1.0, "minimum")
    train_in_half_precision(hk.models.tfeat(dim=16), loss, 32, hk.metrics.diagnostics(loss))


def small_denoiser(weight):
    model = keras.Sequential([keras.Input((20, 20, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    model.compile("sgd", SSIMAndMAE(weight), metrics=[hk.metrics.psnr, hk.metrics.ssim])
    return model


def test_a_denoiser_trains_in_half_precision(set_precision):
    set_precision("mixed_float16")
    model = small_denoiser(0.84)
    clean, noisy = patches(4)
    history = model.fit(noisy, clean.astype("uint8"), epochs=3, verbose=0).history
    assert np.isfinite(list(history.values())).all() and all_finite(model)


@each(TRIPLET + ANCHOR_SWAP + MINING + [SSIMAndMAE(0.3), SSIMAndMAE()])
@pytest.mark.one_backend
def test_losses_are_registered_and_settings_survive_serialisation(loss):
    saved = json.loads(json.dumps(keras.losses.serialize(loss)))
    assert saved["registered_name"] == f"hpatches_kit>{type(loss).__name__}"
    loaded = keras.losses.deserialize(saved)
    assert type(loaded) is type(loss) and loaded.get_config() == loss.get_config()


@each(ONE_OF_EACH)
@pytest.mark.one_backend
def test_a_loss_is_a_mean_over_pairs_and_its_name_and_reduction_survive_serialisation(loss):
    config = {**loss.get_config(), "name": "custom", "reduction": "sum"}
    loaded = keras.losses.deserialize(keras.losses.serialize(type(loss).from_config(config)))
    assert loaded.name == "custom" and loaded.reduction == "sum"
    labels, descriptors = batch_for(loss, 8)
    losses = as_array(unreduced(loss)(labels, descriptors))
    assert losses.shape == (8,)
    assert float(loss(labels, descriptors)) == pytest.approx(losses.mean(), rel=1e-5)
    assert float(loaded(labels, descriptors)) == pytest.approx(losses.sum(), rel=1e-5)


@pytest.mark.slow
@each(ONE_OF_EACH)
@pytest.mark.one_backend
def test_a_compiled_model_is_saved_with_its_loss_and_diagnostics(loss, tmp_path):
    model, (labels, rows) = tiny_model(), batch_for(loss, 8, dim=4)
    model.compile("sgd", loss, metrics=hk.metrics.diagnostics(loss), run_eagerly=True)
    options = {"batch_size": len(rows) // 2, "verbose": 0, "return_dict": True}
    scores = model.evaluate(rows, labels, **options)
    diagnostics = {"positive_distance", "hardest_negative_distance", "active_fraction", "fpr95"}
    assert set(scores) == diagnostics | {"loss"}
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is type(loss) and loaded.loss.get_config() == loss.get_config()
    assert loaded.evaluate(rows, labels, **options) == pytest.approx(scores, rel=1e-5)


@pytest.mark.slow
@pytest.mark.one_backend
def test_a_compiled_denoiser_is_saved_with_its_loss_and_metrics(tmp_path):
    model = small_denoiser(0.3)
    clean, noisy = patches(4)
    scores = model.evaluate(noisy, clean, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss.weight == 0.3 and set(scores) == {"loss", "psnr", "ssim"}
    assert loaded.evaluate(noisy, clean, verbose=0, return_dict=True) == pytest.approx(scores)


@pytest.mark.one_backend
def test_invalid_settings_are_refused():
    for loss_class in (HardNegativeTriplet, RandomNegativeTriplet):
        with pytest.raises(UserError, match="negative='median': expected 'average' or 'minimum'"):
            loss_class(negative="median")
    for percentile in (-1, 100.5, float("nan")):
        with pytest.raises(UserError, match=rf"percentile={percentile}: expected 0 .* to 100"):
            HardNegativeTriplet(percentile=percentile)
    expected = "distance='cosine': expected one of mean_squared, squared, euclidean"
    for loss_class in (TripletMargin, AnchorSwapTriplet):
        with pytest.raises(UserError, match=expected):
            loss_class(distance="cosine")
    for neighbours in (0, -1, 2.5):
        with pytest.raises(UserError, match=f"neighbours={neighbours}: expected a whole number"):
            SOSNetLoss(neighbours=neighbours)
    with pytest.raises(TypeError, match="percentile"):
        RandomNegativeTriplet(percentile=5)


@pytest.mark.one_backend
def test_batches_of_another_layout_are_refused():
    rows = np.ones((7, 4), np.float32)
    with pytest.raises(UserError, match=r"\(7, 4\): expected a multiple of 3 .*Triplets"):
        TripletMargin()(np.arange(7), rows)
    with pytest.raises(UserError, match=r"\(7,\): expected a multiple of 2 .*Pairs"):
        HardNegativeTriplet()(np.arange(7), rows)
    three_pairs = np.ones((6, 4), np.float32)
    with pytest.raises(UserError, match=r"\(6, 4\): expected a multiple of 4 .*Pairs"):
        AnchorSwapTriplet()(np.arange(6), three_pairs)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_ssim_and_mae_of_half_precision_equals_that_of_float32(dtype):
    a, b = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16, 1)).astype("float32")
    expected = float(SSIMAndMAE()(a, b))
    assert float(SSIMAndMAE(dtype=dtype)(a, b)) == pytest.approx(expected, rel=2e-2)


def test_the_hardest_negatives_come_from_row_and_column():
    # Anchors east, east; positives east, north. Pair 0 has sqrt 2 in its row, 0 in its column.
    batch, labels = np.stack([EAST, EAST, EAST, NORTH]), np.array([0, 0, 1, 1])
    average, minimum = (
        HardNegativeTriplet(1.0, kind, reduction=None) for kind in ("average", "minimum")
    )
    expected = [1 - ROOT2 / 2, 1 + ROOT2 / 2]
    np.testing.assert_allclose(numpy(average(labels, batch)), expected, atol=2e-3)
    np.testing.assert_allclose(numpy(minimum(labels, batch)), [1, 1 + ROOT2], atol=2e-3)


def test_percentiles_interpolate_between_negatives():
    # The distances of pair 0 to its two negatives are 0 and 2, from anchor and positive alike.
    batch, labels = np.stack([EAST, EAST, EAST, EAST, WEST, WEST]), np.repeat(np.arange(3), 2)
    for percentile, negative in [(0, 0), (25, 0.5), (50, 1), (100, 2)]:
        loss = HardNegativeTriplet(2.0, percentile=percentile, reduction=None)(labels, batch)
        assert numpy(loss)[0] == pytest.approx(2 - negative, abs=2e-3)


def test_random_negatives_come_from_the_next_pair_of_another_place():
    # Pairs 0 and 1 show one place: the negative of both is pair 2, and its negative is pair 0.
    batch, labels = np.stack([EAST, EAST, NORTH, NORTH, WEST, WEST]), np.array([0, 0, 0, 0, 1, 1])
    loss = RandomNegativeTriplet(2.5, reduction=None)
    np.testing.assert_allclose(numpy(loss(labels, batch)), [0.5, 2.5 - ROOT2, 0.5], atol=2e-3)


@each(HARD + SOSNET + HYNET)
def test_the_order_of_pairs_does_not_matter(loss):
    labels, descriptors = batch_for(loss, 7)
    order = np.random.default_rng(0).permutation(7)
    rows = (2 * order[:, None] + [0, 1]).ravel()
    shuffled = numpy(loss(labels[rows], descriptors[rows]))
    np.testing.assert_allclose(shuffled, numpy(loss(labels, descriptors))[order], atol=1e-5)


@pytest.mark.parametrize("percentile", [3, 37.5, 50, 99])
def test_percentiles_equal_those_of_numpy(percentile):
    for places in (2, 3, 20):
        loss = HardNegativeTriplet(1.0, "average", percentile, reduction=None)
        assert_equals_reference(loss, *batch_for(loss, places))


def test_a_higher_percentile_gives_a_lower_loss():
    labels, descriptors = batch_for(HARD[0], 32)
    losses = [
        float(HardNegativeTriplet(1.0, percentile=p)(labels, descriptors)) for p in (0, 5, 50, 100)
    ]
    assert losses == sorted(losses, reverse=True) and losses[0] > losses[-1] + 0.1


def test_ssim_and_mae_of_a_hand_computed_batch():
    # Constant patches of 100 and of 200: SSIM depends only on the means, the error is 100 of 255.
    clean, denoised = np.full((2, 12, 12, 1), 100, "uint8"), np.full((2, 12, 12, 1), 100.0)
    denoised[1] += 100
    ssim = (2 * 100 * 200 + 2.55**2) / (100**2 + 200**2 + 2.55**2)  # 0.8
    loss = SSIMAndMAE(0.25, reduction=None)(clean, denoised)
    expected = [0, 0.25 * (1 - ssim) + 0.75 * 100 / 255]
    np.testing.assert_allclose(numpy(loss), expected, atol=1e-4)


@each([SOSNetLoss(), HyNetLoss(), AnchorSwapTriplet(1.0, "squared")])
def test_a_few_steps_reduce_the_loss(loss):
    labels, rows = batch_for(loss, 6, dim=4)
    keras.utils.set_random_seed(0)
    model = tiny_model()
    model.compile(keras.optimizers.Adam(0.02), loss)
    losses = [float(model.train_on_batch(rows, labels)) for _ in range(30)]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("pairs", [3, 5])
def test_anchor_swap_never_trains_on_an_odd_number_of_pairs(pairs, patches):
    """A compiled step may know the number of rows only when it runs; then it is a backend's error."""
    model = tiny_patch_model()
    model.compile("sgd", AnchorSwapTriplet())
    with pytest.raises(Exception, match=rf"multiple of 4 rows|{2 * pairs * 3} values.*multiple"):
        model.fit(hk.batches.Pairs(patches, pairs, 1), verbose=0)


def test_a_network_learns_from_batches_of_pairs_with_anchor_swap(patches):
    keras.utils.set_random_seed(0)
    model = hk.models.tfeat(dim=16)
    model.compile(keras.optimizers.Adam(1e-3), AnchorSwapTriplet(1.0, "squared"))
    history = model.fit(hk.batches.Pairs(patches, 8, 4), epochs=3, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0] and all_finite(model)

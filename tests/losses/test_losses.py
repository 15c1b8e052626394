import json

import keras
import numpy as np
import pytest
from keras import ops
from skimage.metrics import structural_similarity

import hpatches_kit as hk
from hpatches_kit.losses import (
    HardNegativeTriplet,
    HyNetLoss,
    RandomNegativeTriplet,
    SOSNetLoss,
    SSIMAndMAE,
    TripletMargin,
)

EAST, NORTH, WEST = np.array([[1, 0], [0, 1], [-1, 0]], "float32")
ROOT2 = np.sqrt(2)

TRIPLET = [
    TripletMargin(margin, distance, swap, reduction=None)
    for margin, distance in [(0.1, "mean_squared"), (0.7, "euclidean"), (1.0, "squared")]
    for swap in (False, True)
]
HARD = [
    HardNegativeTriplet(margin, negative, percentile, reduction=None)
    for margin, negative in [(0.2, "average"), (1.0, "minimum")]
    for percentile in (0, 2, 5, 10, 15, 100)
]
RANDOM = [RandomNegativeTriplet(0.6, kind, reduction=None) for kind in ("average", "minimum")]
SECOND = [
    SOSNetLoss(margin, neighbours, weight, reduction=None)
    for margin, neighbours, weight in [(1.0, 8, 1.0), (0.5, 1, 3.0), (1.0, 500, 0.5), (1.0, 8, 0)]
]
HYBRID = [HyNetLoss(1.2, 2.0, reduction=None), HyNetLoss(0.5, 0.0, reduction=None)]
MINING = HARD + RANDOM + SECOND + HYBRID
ONE_OF_EACH = [
    TripletMargin(0.7, "euclidean", swap=True),
    HardNegativeTriplet(0.3, "minimum"),
    HardNegativeTriplet(0.3, "average", percentile=15),
    RandomNegativeTriplet(0.8, "minimum"),
    SOSNetLoss(0.9, neighbours=3, weight=2.0),
    HyNetLoss(1.1, alpha=1.5),
]


def named(value):
    """What a test is called in pytest's list: the class and settings of a loss."""
    if not isinstance(value, keras.losses.Loss):
        return None
    kept = {k: v for k, v in value.get_config().items() if k not in ("name", "reduction", "dtype")}
    return "-".join([type(value).__name__, *map(str, kept.values())])


def each(name, losses):
    return pytest.mark.parametrize(name, losses, ids=named)


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")), "float64")


def unit(rows, dim, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype("float32")


def views(loss, places, dim=8, seed=0):
    """A batch as the loss wants it: labels, and descriptors of length 1 that are near by place."""
    count = 3 if isinstance(loss, TripletMargin) else 2
    labels = np.repeat(np.arange(places), count)
    if isinstance(loss, TripletMargin):
        labels[2::3] += places
    near = unit(2 * places, dim, seed)[labels] + 0.7 * unit(len(labels), dim, seed + 1)
    return labels, near / np.linalg.norm(near, axis=1, keepdims=True)


def turned(descriptors, angle):
    """Every descriptor turned a little in the plane of its first two numbers."""
    turn = np.eye(descriptors.shape[1])
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return descriptors @ turn


def tiny_model(start="glorot_uniform"):
    """Four numbers to a descriptor of three."""
    dense = keras.layers.Dense(3, kernel_initializer=start, bias_initializer="ones")
    return keras.Sequential([keras.Input((4,)), dense, keras.layers.UnitNormalization()])


def all_finite(model):
    return all(np.isfinite(numpy(w)).all() for w in model.weights)


# The same losses one pair at a time, in float64, as their docstrings have them.


def apart(a, b):
    return np.sqrt(max(2 - 2 * a @ b, 1e-6))


def triplet_slowly(loss, labels, x):
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


def other_pairs(labels, i):
    """The pairs that show another place, those that follow in the batch first."""
    order = [(i + k) % len(labels) for k in range(1, len(labels))]
    return [j for j in order if labels[j] != labels[i]]


def mining_slowly(loss, labels, x):
    """Report A, equation 6, and what stands beside it in the reports."""
    a, p, labels, losses = x[::2], x[1::2], labels[::2], []
    for i in range(len(labels)):
        row = [apart(a[i], p[j]) for j in other_pairs(labels, i)]
        column = [apart(a[j], p[i]) for j in other_pairs(labels, i)]
        if isinstance(loss, RandomNegativeTriplet):
            two = [row[0], column[0]]
        else:
            two = [np.percentile(row, loss.percentile), np.percentile(column, loss.percentile)]
        negative = {"average": np.mean, "minimum": np.min}[loss.negative](two)
        losses.append(max(0, loss.margin + np.linalg.norm(a[i] - p[i]) - negative))
    return losses


def nearest_of_all(labels, a, p, i):
    return min(
        apart(mine, theirs)
        for j in other_pairs(labels, i)
        for mine in (a[i], p[i])
        for theirs in (a[j], p[j])
    )


def second_order_slowly(loss, labels, x):
    a, p, labels, losses = x[::2], x[1::2], labels[::2], []
    for i in range(len(labels)):
        others = other_pairs(labels, i)
        among_anchors = sorted(others, key=lambda j: apart(a[i], a[j]))[: loss.neighbours]
        among_positives = sorted(others, key=lambda j: apart(p[i], p[j]))[: loss.neighbours]
        change = [apart(a[i], a[j]) - apart(p[i], p[j]) for j in {*among_anchors, *among_positives}]
        first = (
            max(0, loss.margin + np.linalg.norm(a[i] - p[i]) - nearest_of_all(labels, a, p, i)) ** 2
        )
        losses.append(first + loss.weight * np.sqrt(np.sum(np.square(change))))
    return losses


def hybrid_slowly(loss, labels, x):
    a, p, labels, losses = x[::2], x[1::2], labels[::2], []
    for i in range(len(labels)):
        positive, negative = np.linalg.norm(a[i] - p[i]), nearest_of_all(labels, a, p, i)
        h = [d + loss.alpha * d**2 / 2 for d in (positive, negative)]
        losses.append(max(0, loss.margin + h[0] - h[1]))
    return losses


SLOWLY = {
    TripletMargin: triplet_slowly,
    HardNegativeTriplet: mining_slowly,
    RandomNegativeTriplet: mining_slowly,
    SOSNetLoss: second_order_slowly,
    HyNetLoss: hybrid_slowly,
}


def assert_agrees_with_a_loop(loss, labels, descriptors):
    expected = SLOWLY[type(loss)](loss, labels, numpy(descriptors))
    np.testing.assert_allclose(numpy(loss(labels, descriptors)), expected, atol=1e-4)


def test_triplet_by_hand():
    anchor, positive, negative = [0.0, 0.0], [1.0, 1.0], [2.0, 0.0]
    # mean squares: to the positive 1, to the negative 2; with margin 1 the loss is just 0
    batch = np.array([anchor, positive, negative, anchor, negative, positive], "float32")
    np.testing.assert_allclose(
        numpy(TripletMargin(1.0, reduction=None)(np.zeros(6), batch)), [0, 2]
    )
    assert float(TripletMargin(margin=1.5)(np.zeros(6), batch)) == pytest.approx((0.5 + 2.5) / 2)


@pytest.mark.parametrize(
    ("distance", "plain", "swapped"),
    [("mean_squared", 1 + 8 - 12.5, 1 + 8 - 4.5), ("squared", 0, 1 + 16 - 9), ("euclidean", 0, 2)],
)
def test_swap_takes_the_nearer_of_anchor_and_positive(distance, plain, swapped):
    # from 0 the positive is 4 away and the negative 5; from the positive the negative is 3 away
    batch = np.array([[0, 0], [4, 0], [4, 3]], "float32")
    losses = [
        float(TripletMargin(1.0, distance, swap)(np.zeros(3), batch)) for swap in (False, True)
    ]
    assert losses == pytest.approx([max(0, plain), swapped], abs=1e-5)


def test_triplets_do_not_look_at_labels():
    _, descriptors = views(TRIPLET[0], 5)
    for loss in TRIPLET:
        one, other = (loss(labels, descriptors) for labels in (np.zeros(15), np.arange(15)))
        np.testing.assert_array_equal(numpy(one), numpy(other))


def test_hard_mining_by_hand():
    # Anchors east and west, positives north and west:
    # d = [[sqrt 2, 2], [sqrt 2, 0]], hardest negatives of pair 0: 2 and sqrt 2, of pair 1: sqrt 2 and 2
    batch, labels = np.stack([EAST, NORTH, WEST, WEST]), np.array([0, 0, 1, 1])
    average, minimum = (
        HardNegativeTriplet(0.5, kind, reduction=None) for kind in ("average", "minimum")
    )
    expected = [0.5 + ROOT2 - (2 + ROOT2) / 2, 0]
    np.testing.assert_allclose(numpy(average(labels, batch)), expected, atol=2e-3)
    np.testing.assert_allclose(numpy(minimum(labels, batch)), [0.5, 0], atol=2e-3)
    assert float(HardNegativeTriplet(0.5, "minimum")(labels, batch)) == pytest.approx(
        0.25, abs=2e-3
    )


def test_the_hardest_negative_is_that_of_row_and_column():
    # Anchors east, east, positives east, north: pair 0 has sqrt 2 in its row, 0 in its column
    batch, labels = np.stack([EAST, EAST, EAST, NORTH]), np.array([0, 0, 1, 1])
    average, minimum = (
        HardNegativeTriplet(1.0, kind, reduction=None) for kind in ("average", "minimum")
    )
    expected = [1 - ROOT2 / 2, 1 + ROOT2 / 2]
    np.testing.assert_allclose(numpy(average(labels, batch)), expected, atol=2e-3)
    np.testing.assert_allclose(numpy(minimum(labels, batch)), [1, 1 + ROOT2], atol=2e-3)


def test_half_way_between_two_negatives_is_the_percentile_of_50():
    # The anchor of pair 0 is 0 from one negative and 2 from the other, its positive likewise
    batch, labels = np.stack([EAST, EAST, EAST, EAST, WEST, WEST]), np.repeat(np.arange(3), 2)
    for percentile, negative in [(0, 0), (25, 0.5), (50, 1), (100, 2)]:
        loss = HardNegativeTriplet(2.0, percentile=percentile, reduction=None)(labels, batch)
        assert numpy(loss)[0] == pytest.approx(2 - negative, abs=2e-3)


def test_second_order_by_hand():
    # Anchors are 2 apart, positives sqrt 2: each pair's neighbour has come nearer by 2 - sqrt 2
    batch, labels = np.stack([EAST, EAST, WEST, NORTH]), np.array([0, 0, 1, 1])
    loss = SOSNetLoss(2.0, weight=3.0, reduction=None)
    # nearest to any row of the other pair: sqrt 2 both; positives are 0 and sqrt 2 away
    expected = [(2 - ROOT2) ** 2 + 3 * (2 - ROOT2), 4 + 3 * (2 - ROOT2)]
    np.testing.assert_allclose(numpy(loss(labels, batch)), expected, atol=5e-3)


def test_hybrid_similarity_by_hand():
    # pair 0: h(0) = 0 against h(sqrt 2) = sqrt 2 + 2; pair 1: both are sqrt 2 away
    batch, labels = np.stack([EAST, EAST, WEST, NORTH]), np.array([0, 0, 1, 1])
    loss = HyNetLoss(4.0, alpha=2.0, reduction=None)
    np.testing.assert_allclose(numpy(loss(labels, batch)), [2 - ROOT2, 4], atol=5e-3)


def test_random_negatives_are_those_of_the_next_pair_of_another_place():
    # Pairs 0 and 1 show one place, so both are held against pair 2, and that against pair 0
    batch, labels = np.stack([EAST, EAST, NORTH, NORTH, WEST, WEST]), np.array([0, 0, 0, 0, 1, 1])
    loss = RandomNegativeTriplet(2.5, reduction=None)
    np.testing.assert_allclose(numpy(loss(labels, batch)), [0.5, 2.5 - ROOT2, 0.5], atol=2e-3)


@pytest.mark.parametrize(
    ("places", "dtype"),
    [(2, "float32"), (32, "float32")]
    + [(7, dtype) for dtype in ("float32", "float16", "bfloat16", "float64")],
)
@each("loss", TRIPLET + MINING)
def test_losses_agree_with_a_loop(loss, places, dtype):
    labels, descriptors = views(loss, places)
    assert_agrees_with_a_loop(loss, labels, ops.cast(descriptors, dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@each("loss", ONE_OF_EACH)
def test_half_precision_ends_where_distances_begin(loss, dtype):
    labels, descriptors = views(loss, 7)
    half = ops.cast(descriptors, dtype)
    expected = numpy(loss.call(labels, ops.cast(half, "float32")))
    np.testing.assert_allclose(numpy(loss.call(labels, half)), expected, rtol=1e-6)


@each("loss", TRIPLET)
def test_a_lone_triplet_and_descriptors_of_any_length(loss):
    labels, descriptors = views(loss, 1)
    assert_agrees_with_a_loop(loss, labels, descriptors)
    labels, descriptors = views(loss, 7)
    assert_agrees_with_a_loop(loss, labels, 5 * descriptors)


@each("loss", MINING)
def test_a_lone_pair_has_no_negatives_and_nothing_to_learn(loss):
    # SOSNetLoss takes the root of a millionth instead of 0
    np.testing.assert_allclose(numpy(loss(np.zeros(2), np.stack([EAST, WEST]))), [0], atol=4e-3)


@each("loss", MINING)
def test_a_batch_of_one_place_has_no_negatives_and_nothing_to_learn(loss):
    np.testing.assert_allclose(numpy(loss(np.full(14, 5), unit(14, 8))), np.zeros(7), atol=4e-3)


@each("loss", MINING)
def test_equal_labels_are_never_each_others_negatives(loss):
    labels, descriptors = views(loss, 7)
    labels[[8, 9]] = labels[0]
    descriptors[[8, 9]] = turned(descriptors[:2], 0.01)  # pair 4 is pair 0 once more, almost
    assert_agrees_with_a_loop(loss, labels, descriptors)
    rest = np.delete(np.arange(14), [8, 9])
    alone, twice = loss(labels[rest], descriptors[rest]), loss(labels, descriptors)
    assert numpy(alone)[0] == pytest.approx(numpy(twice)[0], abs=1e-5)


@each("loss", MINING)
def test_labels_are_names_of_any_size_and_shape(loss):
    labels, descriptors = views(loss, 7)
    expected = numpy(loss(labels, descriptors))
    for other in (3_000_000 - labels, labels[:, None], labels.astype("int32")):
        np.testing.assert_allclose(numpy(loss(other, descriptors)), expected, rtol=1e-6)


@each("loss", HARD + SECOND + HYBRID)
def test_the_order_of_pairs_does_not_matter(loss):
    labels, descriptors = views(loss, 7)
    order = np.random.default_rng(0).permutation(7)
    rows = (2 * order[:, None] + [0, 1]).ravel()
    shuffled = numpy(loss(labels[rows], descriptors[rows]))
    np.testing.assert_allclose(shuffled, numpy(loss(labels, descriptors))[order], atol=1e-5)


@each("loss", ONE_OF_EACH)
def test_the_loss_of_a_batch_is_the_mean_over_its_pairs(loss):
    labels, descriptors = views(loss, 7)
    alone = type(loss).from_config({**loss.get_config(), "reduction": None})(labels, descriptors)
    assert alone.shape == (7,)
    assert float(loss(labels, descriptors)) == pytest.approx(numpy(alone).mean(), rel=1e-5)


@pytest.mark.parametrize("percentile", [3, 37.5, 50, 99])
def test_a_percentile_is_numpys(percentile):
    for places in (2, 3, 20):
        loss = HardNegativeTriplet(1.0, "average", percentile, reduction=None)
        assert_agrees_with_a_loop(loss, *views(loss, places))


def test_the_higher_the_percentile_the_lower_the_loss():
    labels, descriptors = views(HARD[0], 32)
    losses = [
        float(HardNegativeTriplet(1.0, percentile=p)(labels, descriptors)) for p in (0, 5, 50, 100)
    ]
    assert losses == sorted(losses, reverse=True) and losses[0] > losses[-1] + 0.1


def patches(count=3, seed=0):
    """Clean patches and what a denoiser makes of them, grey levels 0..255."""
    rng = np.random.default_rng(seed)
    clean = np.kron(rng.uniform(40, 215, (count, 4, 4)), np.ones((5, 5)))[..., None]
    return clean.astype("float32"), (clean + rng.normal(0, 20, clean.shape)).astype("float32")


@pytest.mark.parametrize("weight", [0, 0.3, 0.84, 1])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_structure_and_error_agrees_with_scikit_image(dtype, weight):
    clean, denoised = (ops.cast(x, dtype) for x in patches())
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = [
        weight * (1 - structural_similarity(x, y, data_range=255, **options))
        + (1 - weight) * np.abs(x - y).mean() / 255
        for x, y in zip(numpy(clean)[..., 0], numpy(denoised)[..., 0])
    ]
    loss = SSIMAndMAE(weight, reduction=None)(clean, denoised)
    np.testing.assert_allclose(numpy(loss), expected, atol=1e-4)


def test_structure_and_error_by_hand():
    # Flat patches of 100 and of 200: structure knows means alone, the error is 100 of 255
    clean, denoised = np.full((2, 12, 12, 1), 100, "uint8"), np.full((2, 12, 12, 1), 100.0)
    denoised[1] += 100
    ssim = (2 * 100 * 200 + 2.55**2) / (100**2 + 200**2 + 2.55**2)  # 0.8
    loss = SSIMAndMAE(0.25, reduction=None)(clean, denoised)
    expected = [0, 0.25 * (1 - ssim) + 0.75 * 100 / 255]
    np.testing.assert_allclose(numpy(loss), expected, atol=1e-4)


@each("loss", ONE_OF_EACH + [TripletMargin(), TripletMargin(1.0, "squared"), HardNegativeTriplet()])
def test_the_gradient_is_finite_where_descriptors_coincide(loss):
    """A step on each of three such batches: weights stay finite."""
    keras.utils.set_random_seed(0)
    model = tiny_model()
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    labels, rows = views(loss, 4, dim=4)
    step = 3 if isinstance(loss, TripletMargin) else 2
    all_equal, pairs_equal, negatives_equal = np.tile(rows[0], (len(rows), 1)), rows.copy(), rows
    pairs_equal[1::step] = rows[::step]
    negatives_equal[2::step] = rows[0]
    for batch in (all_equal, pairs_equal, negatives_equal):
        assert np.isfinite(float(model.train_on_batch(batch, labels))) and all_finite(model)


@each("loss", ONE_OF_EACH)
def test_there_is_something_to_learn_where_anchors_coincide(loss):
    keras.utils.set_random_seed(0)
    model = tiny_model()
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    labels, rows = views(loss, 4, dim=4)
    rows[2 :: 3 if isinstance(loss, TripletMargin) else 2] = rows[0]
    before = numpy(model.weights[0])
    model.train_on_batch(rows, labels)
    assert np.abs(numpy(model.weights[0]) - before).max() > 1e-4


@pytest.mark.parametrize("flat", [False, True])
def test_the_gradient_is_finite_where_patches_coincide(flat):
    same = keras.layers.Conv2D(1, 1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((20, 20, 1)), same])
    model.compile("sgd", SSIMAndMAE(), run_eagerly=True)
    clean = np.zeros((2, 20, 20, 1), "float32") if flat else patches(2)[0]
    assert float(model.train_on_batch(clean, clean)) == pytest.approx(0, abs=1e-4)
    assert all_finite(model)


@each("loss", [SOSNetLoss(), HyNetLoss()])
def test_a_few_steps_bring_pairs_together(loss):
    labels, rows = views(loss, 6, dim=4)
    keras.utils.set_random_seed(0)
    model = tiny_model()
    model.compile(keras.optimizers.Adam(0.02), loss)
    losses = [float(model.train_on_batch(rows, labels)) for _ in range(30)]
    assert losses[-1] < 0.9 * losses[0]


@pytest.fixture
def half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def train_in_half_precision(model, loss, size, metrics=()):
    """Eight steps, of which the first may be too large for half precision and be left out."""
    labels, _ = views(loss, 4)
    rows = np.random.default_rng(0).integers(0, 256, (len(labels), size, size, 1), "uint8")
    model.compile(keras.optimizers.SGD(0.01), loss, metrics=list(metrics))
    before = [numpy(w) for w in model.trainable_weights]
    logs = [model.train_on_batch(rows, labels, return_dict=True) for _ in range(8)]
    values = np.array([[float(value) for value in log.values()] for log in logs])
    assert values.shape == (8, 1 + len(metrics)) and np.isfinite(values).all()
    assert all_finite(model)
    assert any(np.any(numpy(w) != old) for w, old in zip(model.trainable_weights, before))


@each("loss", ONE_OF_EACH)
def test_half_precision_trains_even_with_descriptors_of_half_precision(loss, half_precision):
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((8, 8, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, activation="tanh"),
        keras.layers.Flatten(),
        keras.layers.Dense(8),
        keras.layers.UnitNormalization(),
    ]
    model = keras.Sequential(layers)
    assert model.compute_dtype == "float16" and model.outputs[0].dtype == "float16"
    train_in_half_precision(model, loss, 8)


def test_half_precision_trains_a_network_of_the_kit(half_precision):
    keras.utils.set_random_seed(0)
    loss = HardNegativeTriplet(1.0, "minimum")
    train_in_half_precision(hk.models.tfeat(dim=16), loss, 32, hk.metrics.diagnostics(loss))


def test_half_precision_trains_a_denoiser(half_precision):
    model = keras.Sequential([keras.Input((20, 20, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    model.compile("sgd", SSIMAndMAE(), metrics=[hk.metrics.psnr, hk.metrics.ssim])
    clean, noisy = patches(4)
    history = model.fit(noisy, clean.astype("uint8"), epochs=3, verbose=0).history
    assert np.isfinite(list(history.values())).all() and all_finite(model)


@each("loss", TRIPLET + MINING + [SSIMAndMAE(0.3), SSIMAndMAE()])
def test_losses_are_registered_and_keep_their_settings(loss):
    saved = json.loads(json.dumps(keras.losses.serialize(loss)))
    assert saved["registered_name"] == f"hpatches_kit>{type(loss).__name__}"
    again = keras.losses.deserialize(saved)
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


@each("loss", ONE_OF_EACH)
def test_names_and_reductions_are_kept(loss):
    settings = {**loss.get_config(), "name": "mine", "reduction": "sum"}
    again = keras.losses.deserialize(keras.losses.serialize(type(loss).from_config(settings)))
    assert again.name == "mine" and again.reduction == "sum"
    labels, descriptors = views(loss, 7)
    total = float(again(labels, descriptors))
    assert total == pytest.approx(7 * float(loss(labels, descriptors)), rel=1e-5)


@each("loss", ONE_OF_EACH)
def test_a_compiled_model_is_saved_with_its_loss_and_diagnostics(loss, tmp_path):
    model, (labels, rows) = tiny_model(), views(loss, 8, dim=4)
    model.compile("sgd", loss, metrics=hk.metrics.diagnostics(loss), run_eagerly=True)
    options = {"batch_size": len(rows) // 2, "verbose": 0, "return_dict": True}
    scores = model.evaluate(rows, labels, **options)
    assert {"positive_distance", "hardest_negative_distance", "active_fraction", "fpr95"} < set(
        scores
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.loss) is type(loss) and again.loss.get_config() == loss.get_config()
    assert again.evaluate(rows, labels, **options) == pytest.approx(scores, rel=1e-5)


def test_a_compiled_denoiser_is_saved_with_its_loss_and_metrics(tmp_path):
    model = keras.Sequential([keras.Input((20, 20, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    model.compile("sgd", SSIMAndMAE(0.3), metrics=[hk.metrics.psnr, hk.metrics.ssim])
    clean, noisy = patches(4)
    scores = model.evaluate(noisy, clean, verbose=0, return_dict=True)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.loss.weight == 0.3 and set(scores) == {"loss", "psnr", "ssim"}
    assert again.evaluate(noisy, clean, verbose=0, return_dict=True) == pytest.approx(scores)


@pytest.mark.parametrize("kind", [HardNegativeTriplet, RandomNegativeTriplet])
def test_an_unknown_kind_of_negative_is_refused(kind):
    with pytest.raises(ValueError, match="negative='median': expected 'average' or 'minimum'"):
        kind(negative="median")


@pytest.mark.parametrize("percentile", [-1, 100.5, float("nan")])
def test_a_percentile_beyond_0_and_100_is_refused(percentile):
    with pytest.raises(ValueError, match=rf"percentile={percentile}: expected 0 .* to 100"):
        HardNegativeTriplet(percentile=percentile)


def test_an_unknown_distance_is_refused():
    expected = "distance='cosine': expected one of mean_squared, squared, euclidean"
    with pytest.raises(ValueError, match=expected):
        TripletMargin(distance="cosine")


def test_settings_that_make_no_sense_are_refused():
    for neighbours in (0, -1, 2.5):
        with pytest.raises(ValueError, match=f"neighbours={neighbours}: expected a whole number"):
            hk.losses.SOSNetLoss(neighbours=neighbours)
    with pytest.raises(TypeError, match="percentile"):
        hk.losses.RandomNegativeTriplet(percentile=5)


def test_batches_of_another_layout_are_refused():
    rows = np.ones((7, 4), np.float32)
    with pytest.raises(ValueError, match=r"\(7, 4\): expected a multiple of 3 .*Triplets"):
        hk.losses.TripletMargin()(np.arange(7), rows)
    with pytest.raises(ValueError, match=r"\(7,\): expected a multiple of 2 .*Pairs"):
        hk.losses.HardNegativeTriplet()(np.arange(7), rows)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_structure_and_error_of_half_precision_is_that_of_float32(dtype):
    a, b = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16, 1)).astype("float32")
    expected = float(hk.losses.SSIMAndMAE()(a, b))
    assert float(hk.losses.SSIMAndMAE(dtype=dtype)(a, b)) == pytest.approx(expected, rel=2e-2)

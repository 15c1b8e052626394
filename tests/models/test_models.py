import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.models.hynet import FilterResponseNormalization

# Inputs, filters and size of each convolution of L2-Net and HyNet.
CONVOLUTIONS = [
    (1, 32, 3),
    (32, 32, 3),
    (32, 64, 3),
    (64, 64, 3),
    (64, 128, 3),
    (128, 128, 3),
    (128, 128, 8),
]
KERNELS = sum(i * o * k * k for i, o, k in CONVOLUTIONS)
FILTERS = sum(o for _, o, _ in CONVOLUTIONS[:6])  # 448

ZEROS = {"kernel_initializer": "zeros"}  # to look at: this takes no time

DESCRIPTORS = {"hynet": hk.models.hynet, "l2net": hk.models.l2net, "tfeat": hk.models.tfeat}
NETWORKS = {
    **DESCRIPTORS,
    "unet": hk.models.unet,
    "unet_plus_plus": lambda: hk.models.unet_plus_plus((6, 6, 6)),
    "framing_unet": lambda: hk.models.framing_unet((6, 6, 6)),
    "end_to_end": lambda: hk.models.end_to_end(small_denoiser(), hk.models.tfeat()),
}
VARIANTS = {
    "unet, transposed": lambda: small_denoiser(up_convolution="transposed"),
    "unet, residual": lambda: small_denoiser(up_convolution="bilinear", residual=True),
    "unet, deep": lambda: hk.models.unet("deep"),
    "l2net, as HardNet": lambda: hk.models.l2net(
        standardise=True, affine=False, final_batch_norm=True
    ),
    "end_to_end, frozen": lambda: frozen(NETWORKS["end_to_end"]()),
}


def networks(**of):
    return pytest.mark.parametrize("make", of.values(), ids=of)


def small_denoiser(**options):
    return hk.models.unet(encoder=(6, 6), decoder=(6,), **options)


def frozen(model):
    model.trainable = False
    return model


def some_patches(count=2):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 1)).astype("float32")


def answers(model, patches, training=False):
    return keras.ops.convert_to_numpy(model(patches, training=training))


def values(weights):
    return [keras.ops.convert_to_numpy(weight) for weight in weights]


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def fixed(model):
    return model.count_params() - trainable(model)


def of_type(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def weights_of(model):
    """Kernels as arrays, by the names of their layers."""
    return {
        x.name: keras.ops.convert_to_numpy(x.kernel) for x in model.layers if hasattr(x, "kernel")
    }


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16"])
def mixed_precision(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("normalise", [True, False])
def test_l2net_has_1_34_million_parameters_with_and_without_normalisation(normalise):
    model = hk.models.l2net(normalise=normalise, **ZEROS)
    # Seven convolutions with biases; for each of the first six a batch norm, with a scale and a shift.
    assert trainable(model) == KERNELS + (FILTERS + 128) + 2 * FILTERS == 1_336_032
    assert fixed(model) == 2 * FILTERS  # means and variances
    assert model.count_params() == pytest.approx(1.337e6, rel=1e-3)
    assert model.output_shape == (None, 128)


@pytest.mark.parametrize("standardise", [True, False])
def test_l2net_as_hardnet_has_it_learns_nothing_but_kernels(standardise):
    model = hk.models.l2net(affine=False, final_batch_norm=True, standardise=standardise, **ZEROS)
    assert trainable(model) == KERNELS == 1_334_560
    assert fixed(model) == 2 * FILTERS + 2 * 128
    assert all(weight.name == "kernel" for weight in model.trainable_weights)


def test_without_scale_only_a_last_convolution_that_no_batch_norm_follows_has_biases():
    model = hk.models.l2net(affine=False, **ZEROS)
    assert [x.use_bias for x in of_type(model, layers.Conv2D)] == [False] * 6 + [True]
    assert not any(x.center or x.scale for x in of_type(model, layers.BatchNormalization))
    assert trainable(model) == KERNELS + 128


def test_last_norm_is_a_batch_norm_without_scale_and_shift_after_the_last_convolution():
    without, model = hk.models.l2net(**ZEROS), hk.models.l2net(final_batch_norm=True, **ZEROS)
    norms = of_type(model, layers.BatchNormalization)
    assert len(norms) == 7 and [x.scale for x in norms] == [x.center for x in norms]
    assert [x.center for x in norms] == [True] * 6 + [False]
    assert norms[-1].input is of_type(model, layers.Conv2D)[-1].output
    assert trainable(model) == trainable(without) - 128  # no bias before it
    assert fixed(model) == fixed(without) + 2 * 128


def test_last_norm_gives_each_number_mean_0_and_variance_1_over_a_batch():
    model = hk.models.l2net(normalise=False, final_batch_norm=True, dropout=0)
    batch = answers(model, some_patches(12), training=True)
    np.testing.assert_allclose(batch.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(batch.var(axis=0), 1, atol=0.02)


@pytest.mark.parametrize("make", [hk.models.l2net, hk.models.hynet])
def test_dropout_stands_before_the_last_convolution_at_its_rate(make):
    model = make(dropout=0.1, **ZEROS)
    (dropout,) = of_type(model, layers.Dropout)
    assert dropout.rate == 0.1
    assert of_type(model, layers.Conv2D)[-1].input is dropout.output
    (usual,) = of_type(make(**ZEROS), layers.Dropout)
    assert usual.rate == 0.3


@networks(**DESCRIPTORS)
def test_a_descriptor_is_as_long_as_dim_says(make):
    assert make(**ZEROS).output_shape == (None, 128)
    assert answers(make(dim=20), some_patches(2)).shape == (2, 20)


def test_dim_changes_the_last_layer_only():
    last = 128 * 64 + 1  # kernel and bias, for each number of the descriptor
    l2net, shorter = hk.models.l2net(**ZEROS), hk.models.l2net(dim=20, **ZEROS)
    assert l2net.count_params() - shorter.count_params() == 108 * last


@networks(l2net=hk.models.l2net, tfeat=hk.models.tfeat)
def test_descriptors_have_length_one_only_with_the_normalisation_layer(make):
    patches = some_patches(6).astype("uint8")
    lengths = {
        n: np.linalg.norm(make(normalise=n).predict(patches, verbose=0), axis=1)
        for n in (True, False)
    }
    np.testing.assert_allclose(lengths[True], 1, rtol=1e-5)
    assert np.abs(lengths[False] - 1).max() > 0.1


def test_descriptors_of_hynet_have_length_one():
    lengths = np.linalg.norm(answers(hk.models.hynet(), some_patches(6)), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)


def change(a, b):
    """How far the descriptors of two versions of the same patches are apart, at most."""
    return np.linalg.norm(a - b, axis=1).max()


@networks(
    l2net=lambda: hk.models.l2net(standardise=True),
    hardnet=lambda: hk.models.l2net(standardise=True, affine=False, final_batch_norm=True),
    tfeat=hk.models.tfeat,
)
def test_a_network_that_standardises_does_not_see_brightness_and_contrast(make):
    model, patches = make(), some_patches(4)
    darker = 0.4 * patches + 25
    assert change(answers(model, patches), answers(model, darker)) < 1e-3


def test_l2net_without_standardisation_sees_them():
    keras.utils.set_random_seed(0)
    model, patches = hk.models.l2net(), some_patches(4)
    keras.utils.set_random_seed(0)
    standardised = hk.models.l2net(standardise=True)
    brighter, negative = patches + 200, 255 - patches
    assert change(answers(model, patches), answers(model, brighter)) > 0.1
    assert change(answers(standardised, patches), answers(standardised, brighter)) < 1e-3
    assert change(answers(standardised, patches), answers(standardised, negative)) > 0.1


def test_hynet_does_not_see_contrast_and_sees_brightness():
    keras.utils.set_random_seed(0)
    model, patches = hk.models.hynet(), some_patches(4)
    assert change(answers(model, patches), answers(model, 0.3 * patches)) < 1e-3
    assert change(answers(model, patches), answers(model, patches + 200)) > 0.1


@networks(**DESCRIPTORS)
@pytest.mark.parametrize("grey", [0, 100, 255])
def test_a_patch_of_one_grey_has_a_finite_descriptor(make, grey):
    patches = np.full((1, 32, 32, 1), grey, "float32")
    assert np.isfinite(answers(make(), patches)).all()


@networks(**DESCRIPTORS)
def test_a_descriptor_does_not_depend_on_the_other_patches(make):
    model, patches = make(), some_patches(5)
    alone = np.concatenate([answers(model, patches[k : k + 1]) for k in range(2)])
    np.testing.assert_allclose(alone, answers(model, patches)[:2], atol=1e-5)


def test_tfeat_has_599_808_parameters():
    convolutions = (1 * 32 * 7 * 7 + 32) + (32 * 64 * 6 * 6 + 64)
    dense = 64 * 8 * 8 * 128 + 128
    assert hk.models.tfeat().count_params() == convolutions + dense == 599_808
    assert hk.models.tfeat(normalise=False).count_params() == 599_808


def test_tfeat_goes_from_32_pixels_to_26_13_8():
    model = hk.models.tfeat()
    first, second = of_type(model, layers.Conv2D)
    (pool,) = of_type(model, layers.MaxPooling2D)
    (dense,) = of_type(model, layers.Dense)
    assert [x.output.shape[1] for x in (first, pool, second)] == [26, 13, 8]
    assert {x.activation.__name__ for x in (first, second, dense)} == {"tanh"}


def test_hynet_has_the_convolutions_of_l2net_and_three_numbers_for_each_channel():
    model = hk.models.hynet()
    # gamma, beta and tau of the patch and of six convolutions; no bias in the last one.
    assert trainable(model) == KERNELS + FILTERS + 3 * (1 + FILTERS) == 1_336_355
    assert fixed(model) == 2 * 128
    kernels = [x.kernel.shape for x in of_type(model, layers.Conv2D)]
    assert [tuple(shape) for shape in kernels] == [(k, k, i, o) for i, o, k in CONVOLUTIONS]
    assert len(of_type(model, FilterResponseNormalization)) == 7


def frn_slowly(x, gamma, beta, tau, epsilon):
    """Singh and Krishnan, one channel of one patch at a time."""
    y = np.empty_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[3]):
            mean_square = (x[n, :, :, c] ** 2).mean()
            response = gamma[c] * x[n, :, :, c] / np.sqrt(mean_square + epsilon) + beta[c]
            y[n, :, :, c] = np.maximum(response, tau[c])
    return y


def test_filter_response_normalization_agrees_with_a_loop():
    rng = np.random.default_rng(0)
    x = rng.normal(3, 20, (3, 4, 6, 5)).astype("float32")
    gamma, beta, tau = rng.normal(0, 1, (3, 5)).astype("float32")
    layer = FilterResponseNormalization(epsilon=0.5)
    layer.build(x.shape)
    layer.set_weights([gamma, beta, tau])
    expected = frn_slowly(x, gamma, beta, tau, 0.5)
    for training in (True, False):
        np.testing.assert_allclose(answers(layer, x, training), expected, rtol=1e-4, atol=1e-5)


def test_filter_response_normalization_by_hand():
    x = np.array([[3.0, -4.0], [0.0, 5.0]], "float32").reshape(1, 2, 2, 1)
    response = answers(FilterResponseNormalization(), x).ravel()  # over the root of 50 / 4
    np.testing.assert_allclose(response, [3 / 12.5**0.5, -1, 0, 5 / 12.5**0.5], rtol=1e-5)
    response = answers(FilterResponseNormalization(threshold=0.25), x).ravel()
    np.testing.assert_allclose(response, [3 / 12.5**0.5, 0.25, 0.25, 5 / 12.5**0.5], rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_filter_response_normalization_does_not_depend_on_the_other_patches(training):
    layer, patches = FilterResponseNormalization(), some_patches(4)
    batch, alone = answers(layer, patches, training), answers(layer, patches[:1], training)
    np.testing.assert_allclose(batch[:1], alone, rtol=1e-5)


def test_filter_response_normalization_of_white_is_finite_in_half_precision():
    white = np.full((1, 8, 8, 2), 60_000, "float16")
    layer = FilterResponseNormalization(dtype="mixed_float16")
    np.testing.assert_allclose(answers(layer, white), 1, rtol=1e-3)


def test_filter_response_normalization_is_registered_and_keeps_its_settings():
    layer = FilterResponseNormalization(epsilon=1e-3, threshold=-0.5, name="frn")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is FilterResponseNormalization
    assert (again.epsilon, again.threshold, again.name) == (1e-3, -0.5, "frn")
    assert again.get_config() == layer.get_config()


def is_orthogonal(kernel):
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype("float64")
    return np.allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-3)


@networks(**DESCRIPTORS)
def test_every_layer_of_a_descriptor_starts_as_the_initialiser_says(make):
    for name, kernel in weights_of(make(kernel_initializer="lecun_uniform")).items():
        limit = np.sqrt(3 / np.prod(kernel.shape[:-1]))
        assert 0.9 * limit < np.abs(kernel).max() <= 1.0001 * limit, name
    # Of the first convolution of L2-Net, 9 x 32, the rows are orthonormal instead of the columns.
    for name, kernel in weights_of(make(kernel_initializer="orthogonal")).items():
        wide = np.prod(kernel.shape[:-1]) < kernel.shape[-1]
        assert is_orthogonal(kernel.reshape(-1, kernel.shape[-1]).T if wide else kernel), name


def test_layers_of_equal_shape_do_not_start_with_equal_weights():
    kernels = list(weights_of(hk.models.l2net()).values())
    assert len({tuple(kernel.ravel()[:200]) for kernel in kernels}) == 7


@pytest.mark.parametrize("kind", ["pairs", "triplets"])
def test_a_descriptor_learns_to_tell_a_dozen_points_apart(kind):
    patches = toy_patches({"v_one": 16})
    keras.utils.set_random_seed(0)
    if kind == "pairs":
        model = hk.models.l2net(dropout=0)
        loss = hk.losses.HardNegativeTriplet(margin=1.0, negative="minimum")
        batches = hk.batches.Pairs(patches, 16, 8)
    else:
        model, loss = hk.models.l2net(normalise=False, dropout=0), hk.losses.TripletMargin()
        batches = hk.batches.Triplets(patches, 16, 8)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    losses = model.fit(batches, epochs=2, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_end_to_end_describes_what_the_denoiser_returns():
    denoiser, descriptor = small_denoiser(), hk.models.tfeat()
    expected = answers(descriptor, answers(denoiser, some_patches(3)))
    model = hk.models.end_to_end(denoiser, descriptor)
    np.testing.assert_allclose(answers(model, some_patches(3)), expected, atol=1e-5)
    assert model.output_shape == (None, 128)


@pytest.mark.parametrize("joint", [True, False])
def test_a_loss_of_descriptors_trains_the_denoiser_unless_it_is_frozen(joint):
    keras.utils.set_random_seed(0)
    denoiser, descriptor = small_denoiser(residual=True), tiny()
    denoiser.trainable = joint
    model = hk.models.end_to_end(denoiser, descriptor)
    model.compile(keras.optimizers.SGD(0.1), hk.losses.HardNegativeTriplet(1.0, "minimum"))
    before = values(denoiser.weights), values(descriptor.weights)
    model.train_on_batch(some_patches(8), np.repeat(np.arange(4), 2))
    after = values(denoiser.weights), values(descriptor.weights)
    assert all(np.isfinite(weight).all() for weight in after[0] + after[1])
    assert not np.array_equal(before[1][0], after[1][0])
    unchanged = [np.array_equal(a, b) for a, b in zip(before[0], after[0])]
    assert not any(unchanged) if joint else all(unchanged)


def tiny():
    """A descriptor of one dense layer."""
    patch = keras.Input((32, 32, 1))
    x = layers.Dense(8)(layers.Flatten()(layers.Rescaling(1 / 255)(patch)))
    return keras.Model(patch, layers.UnitNormalization(dtype="float32")(x))


def test_end_to_end_shares_its_weights_with_both():
    denoiser, descriptor = small_denoiser(), tiny()
    model = hk.models.end_to_end(denoiser, descriptor, name="both")
    assert model.name == "both"
    assert model.count_params() == denoiser.count_params() + descriptor.count_params()
    assert {id(x) for x in model.weights} == {id(x) for x in denoiser.weights + descriptor.weights}


def test_no_network_is_missing_from_the_tests_of_all_networks():
    functions = {name for name in hk.models.__all__ if callable(getattr(hk.models, name))}
    about_trained_networks = {"pretrained", "card"}  # See test_pretrained.py.
    assert set(NETWORKS) == functions - about_trained_networks


@networks(**NETWORKS, **VARIANTS)
def test_a_saved_model_loads_without_custom_code_and_gives_the_same(make, tmp_path):
    model = make()
    # Weights that are no longer those a fresh model begins with.
    model.set_weights([x + np.float32(0.01) for x in values(model.weights)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    patches = some_patches(2)
    expected = answers(model, patches)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(answers(loaded, patches), expected, rtol=1e-5, atol=1e-6 * scale)
    assert loaded.name == model.name and loaded.count_params() == model.count_params()
    assert trainable(loaded) == trainable(model)


@networks(**NETWORKS, **VARIANTS)
def test_outputs_are_float32_under_mixed_precision(make, mixed_precision):
    model = make()
    assert model.output.dtype == "float32"
    assert model.compute_dtype == mixed_precision.removeprefix("mixed_")


@pytest.mark.parametrize("name", ["6-layer", "8-layer", "deeper"])
def test_outputs_of_the_large_unets_are_float32_under_mixed_precision(name, mixed_precision):
    assert hk.models.unet(name, **ZEROS).output.dtype == "float32"


@networks(**NETWORKS)
def test_numbers_under_mixed_precision_are_near_those_of_full_precision(make, mixed_float16):
    keras.utils.set_random_seed(0)
    half = answers(model := make(), some_patches(1))
    assert half.dtype == "float32"
    weights = values(model.weights)
    keras.config.set_dtype_policy("float32")
    full = make()
    full.set_weights(weights)
    expected = answers(full, some_patches(1))
    assert np.abs(half - expected).max() < 0.02 * np.abs(expected).max()


@networks(**NETWORKS, deep=VARIANTS["unet, deep"])
def test_a_step_under_mixed_float16_leaves_every_weight_finite(make, mixed_float16):
    model, patches = make(), some_patches(4)
    if len(model.output_shape) == 2:
        model.compile("adam", hk.losses.HardNegativeTriplet(1.0, "minimum"))
        loss = model.train_on_batch(patches, np.array([0, 0, 1, 1]))
    else:
        model.compile("adam", "mae")
        loss = model.train_on_batch(patches[:2], patches[:2])
    assert np.isfinite(float(loss))
    assert all(np.isfinite(weight).all() for weight in values(model.weights))


LOAD = """
import sys
import keras, hpatches_kit
import numpy as np

model = keras.models.load_model(sys.argv[1])
rows, labels = np.load(sys.argv[2]), np.repeat(np.arange(4), 2)
loss = model.evaluate(rows, labels, batch_size=8, verbose=0, return_dict=True)["loss"]
print("Loss:", type(model.loss).__name__, model.loss.margin, loss)
"""


def test_a_compiled_model_loads_in_a_new_session_that_imports_keras_and_the_kit(tmp_path):
    x = patch = keras.Input((32, 32, 1))
    x = layers.Dense(8)(layers.Flatten()(FilterResponseNormalization()(x)))
    model = keras.Model(patch, layers.UnitNormalization()(x))
    metrics = [hk.metrics.positive_distance]
    model.compile("adam", hk.losses.HardNegativeTriplet(0.7, "minimum"), metrics=metrics)
    rows, labels = some_patches(8), np.repeat(np.arange(4), 2)
    loss = model.evaluate(rows, labels, batch_size=8, verbose=0, return_dict=True)["loss"]
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "rows.npy", rows)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, tmp_path / "model.keras", tmp_path / "rows.npy"],
        capture_output=True,
        text=True,
        cwd=Path(hk.__file__).parent.parent,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    )
    assert done.returncode == 0, done.stderr
    _, name, margin, again = done.stdout.strip().splitlines()[-1].split()
    assert (name, float(margin)) == ("HardNegativeTriplet", 0.7)
    assert float(again) == pytest.approx(loss, rel=1e-5)


def test_a_patch_of_one_grey_leaves_tfeat_alive():
    rows = np.random.default_rng(0).uniform(0, 255, (8, 32, 32, 1)).astype("float32")
    rows[0] = 0
    keras.utils.set_random_seed(0)
    model = hk.models.tfeat()
    model.compile("sgd", hk.losses.HardNegativeTriplet(1.0, "minimum"))
    for _ in range(3):
        model.train_on_batch(rows, np.repeat(np.arange(4), 2))
    largest = max(np.abs(weight).max() for weight in model.get_weights())
    assert np.isfinite(largest) and largest < 10

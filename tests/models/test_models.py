import keras
import numpy as np
import pytest
from keras import layers
from keras_tools import ZEROS, is_orthogonal, kernels_of, layers_of, outputs
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.models.hynet import FilterResponseNormalization

# Inputs, filters and size of each convolution of L2-Net and HyNet.
CONVOLUTIONS = [(1, 32, 3), (32, 32, 3), (32, 64, 3), (64, 64, 3), (64, 128, 3), (128, 128, 3)]
CONVOLUTIONS += [(128, 128, 8)]
KERNELS = sum(i * o * k * k for i, o, k in CONVOLUTIONS)
FILTERS = sum(o for _, o, _ in CONVOLUTIONS[:6])  # 448

DESCRIPTORS = {"hynet": hk.models.hynet, "l2net": hk.models.l2net, "tfeat": hk.models.tfeat}
HARDNET = {"standardise": True, "affine": False, "final_batch_norm": True}
NETWORKS = {
    **DESCRIPTORS,
    "unet": hk.models.unet,
    "unet_plus_plus": lambda: hk.models.unet_plus_plus((6, 6, 6)),
    "framing_unet": lambda: hk.models.framing_unet((6, 6, 6)),
    "nafnet": lambda: hk.models.nafnet((6, 6)),
    "end_to_end": lambda: hk.models.end_to_end(small_denoiser(), hk.models.tfeat()),
    "reduced": lambda: hk.models.reduced(hk.models.tfeat(dim=6), np.eye(6), 4),
}
VARIANTS = {
    "unet, transposed": lambda: small_denoiser(up_convolution="transposed"),
    "unet, residual": lambda: small_denoiser(up_convolution="bilinear", residual=True),
    "unet, deep": lambda: hk.models.unet("deep", encoder=(6, 6, 6), decoder=(6, 6)),
    "l2net, as HardNet": lambda: hk.models.l2net(**HARDNET),
    "end_to_end, frozen": lambda: frozen(NETWORKS["end_to_end"]()),
}


def networks(**functions):
    return pytest.mark.parametrize("make", functions.values(), ids=functions)


def small_denoiser(**options):
    return hk.models.unet(encoder=(6, 6), decoder=(6,), **options)


def frozen(model):
    model.trainable = False
    return model


def random_patches(count=2):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 1)).astype("float32")


def values(weights):
    return [keras.ops.convert_to_numpy(weight) for weight in weights]


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def not_trainable(model):
    return model.count_params() - trainable(model)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.one_backend
def test_l2net_has_1_34_million_parameters_with_and_without_normalisation(normalise):
    model = hk.models.l2net(normalise=normalise, **ZEROS)
    # Seven convolutions with biases; batch normalisation with scale and shift after the first six.
    assert trainable(model) == KERNELS + (FILTERS + 128) + 2 * FILTERS == 1_336_032
    assert not_trainable(model) == 2 * FILTERS  # means and variances
    assert model.count_params() == pytest.approx(1.337e6, rel=1e-3)
    assert model.output_shape == (None, 128)


@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.one_backend
def test_l2net_as_in_hardnet_learns_only_kernels(standardise):
    model = hk.models.l2net(**HARDNET | {"standardise": standardise}, **ZEROS)
    assert trainable(model) == KERNELS == 1_334_560
    assert not_trainable(model) == 2 * FILTERS + 2 * 128
    assert all(weight.name == "kernel" for weight in model.trainable_weights)


@pytest.mark.one_backend
def test_without_affine_only_a_convolution_without_batch_norm_after_it_has_biases():
    model = hk.models.l2net(affine=False, **ZEROS)
    assert [conv.use_bias for conv in layers_of(model, layers.Conv2D)] == [False] * 6 + [True]
    norms = layers_of(model, layers.BatchNormalization)
    assert not any(norm.center or norm.scale for norm in norms)
    assert trainable(model) == KERNELS + 128


@pytest.mark.one_backend
def test_the_final_batch_norm_has_no_scale_and_shift_and_follows_the_last_convolution():
    without, model = hk.models.l2net(**ZEROS), hk.models.l2net(final_batch_norm=True, **ZEROS)
    norms = layers_of(model, layers.BatchNormalization)
    assert [norm.scale for norm in norms] == [True] * 6 + [False]
    assert [norm.center for norm in norms] == [True] * 6 + [False]
    assert norms[-1].input is layers_of(model, layers.Conv2D)[-1].output
    assert trainable(model) == trainable(without) - 128  # no bias before it
    assert not_trainable(model) == not_trainable(without) + 2 * 128


@pytest.mark.one_backend
def test_the_batch_norm_momentum_is_an_argument_with_default_0_9():
    for options, momentum in (({}, 0.9), ({"batch_norm_momentum": 0.99}, 0.99)):
        model = hk.models.l2net(final_batch_norm=True, **options, **ZEROS)
        norms = layers_of(model, layers.BatchNormalization)
        assert [norm.momentum for norm in norms] == [momentum] * 7


@pytest.mark.parametrize("make", [hk.models.l2net, hk.models.hynet])
@pytest.mark.one_backend
def test_dropout_precedes_the_last_convolution_with_the_given_rate(make):
    model = make(dropout=0.1, **ZEROS)
    (dropout,) = layers_of(model, layers.Dropout)
    assert dropout.rate == 0.1
    assert layers_of(model, layers.Conv2D)[-1].input is dropout.output
    (default,) = layers_of(make(**ZEROS), layers.Dropout)
    assert default.rate == 0.3


@networks(**DESCRIPTORS)
@pytest.mark.one_backend
def test_dim_is_the_dimension_of_the_descriptor(make):
    assert make(**ZEROS).output_shape == (None, 128)
    assert outputs(make(dim=20), random_patches(2)).shape == (2, 20)


@networks(l2net=hk.models.l2net, tfeat=hk.models.tfeat)
def test_descriptors_have_unit_norm_only_with_the_normalisation_layer(make):
    patches = random_patches(6)
    unit, other = (
        np.linalg.norm(outputs(make(**k), patches), axis=1) for k in ({}, {"normalise": False})
    )
    np.testing.assert_allclose(unit, 1, rtol=1e-5)
    assert np.abs(other - 1).max() > 0.1


def test_descriptors_of_hynet_have_unit_norm():
    norms = np.linalg.norm(outputs(hk.models.hynet(), random_patches(6)), axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


def change(model, patches, changed):
    """The largest distance between the descriptors of a patch and of its changed version."""
    return np.linalg.norm(outputs(model, patches) - outputs(model, changed), axis=1).max()


@networks(
    l2net=lambda: hk.models.l2net(standardise=True),
    hardnet=lambda: hk.models.l2net(**HARDNET),
    tfeat=hk.models.tfeat,
)
def test_networks_with_standardisation_are_invariant_to_brightness_and_contrast(make):
    patches = random_patches(4)
    assert change(make(), patches, 0.4 * patches + 25) < 1e-3


def test_l2net_without_standardisation_depends_on_brightness():
    keras.utils.set_random_seed(0)
    model, patches = hk.models.l2net(), random_patches(4)
    keras.utils.set_random_seed(0)
    standardised = hk.models.l2net(standardise=True)
    brighter, negative = patches + 200, 255 - patches
    assert change(model, patches, brighter) > 0.1
    assert change(standardised, patches, brighter) < 1e-3
    assert change(standardised, patches, negative) > 0.1


def test_hynet_is_invariant_to_contrast_but_not_to_brightness():
    keras.utils.set_random_seed(0)
    model, patches = hk.models.hynet(), random_patches(4)
    assert change(model, patches, 0.3 * patches) < 1e-3
    assert change(model, patches, patches + 200) > 0.1


@networks(**DESCRIPTORS)
def test_the_descriptor_of_a_constant_patch_is_finite(make):
    grey_levels = np.array([0, 100, 255], "float32")[:, None, None, None]
    patches = np.broadcast_to(grey_levels, (3, 32, 32, 1))
    assert np.isfinite(outputs(make(), patches)).all()


@networks(**DESCRIPTORS)
def test_a_descriptor_does_not_depend_on_the_rest_of_the_batch(make):
    model, patches = make(), random_patches(5)
    single = np.concatenate([outputs(model, patches[k : k + 1]) for k in range(2)])
    np.testing.assert_allclose(single, outputs(model, patches)[:2], atol=1e-5)


@pytest.mark.one_backend
def test_tfeat_has_599_808_parameters():
    convolutions = (1 * 32 * 7 * 7 + 32) + (32 * 64 * 6 * 6 + 64)
    dense = 64 * 8 * 8 * 128 + 128
    assert hk.models.tfeat().count_params() == convolutions + dense == 599_808


@pytest.mark.one_backend
def test_the_layers_of_tfeat_have_26_13_and_8_pixels():
    model = hk.models.tfeat()
    first, second = layers_of(model, layers.Conv2D)
    (pool,) = layers_of(model, layers.MaxPooling2D)
    (dense,) = layers_of(model, layers.Dense)
    assert [layer.output.shape[1] for layer in (first, pool, second)] == [26, 13, 8]
    assert {layer.activation.__name__ for layer in (first, second, dense)} == {"tanh"}


@pytest.mark.one_backend
def test_hynet_has_the_convolutions_of_l2net_and_three_parameters_per_channel():
    model = hk.models.hynet()
    # gamma, beta and tau of the patch and of six convolutions; the last one has no bias.
    assert trainable(model) == KERNELS + FILTERS + 3 * (1 + FILTERS) == 1_336_355
    assert not_trainable(model) == 2 * 128
    kernels = [conv.kernel.shape for conv in layers_of(model, layers.Conv2D)]
    assert [tuple(shape) for shape in kernels] == [(k, k, i, o) for i, o, k in CONVOLUTIONS]
    assert len(layers_of(model, FilterResponseNormalization)) == 7


def frn_reference(x, gamma, beta, tau, epsilon):
    """Filter response normalisation (Singh and Krishnan), one channel of one patch at a time."""
    y = np.empty_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[3]):
            mean_square = (x[n, :, :, c] ** 2).mean()
            response = gamma[c] * x[n, :, :, c] / np.sqrt(mean_square + epsilon) + beta[c]
            y[n, :, :, c] = np.maximum(response, tau[c])
    return y


def test_filter_response_normalization_equals_its_reference():
    rng = np.random.default_rng(0)
    x = rng.normal(3, 20, (3, 4, 6, 5)).astype("float32")
    gamma, beta, tau = rng.normal(0, 1, (3, 5)).astype("float32")
    layer = FilterResponseNormalization(epsilon=0.5)
    layer.build(x.shape)
    layer.set_weights([gamma, beta, tau])
    expected = frn_reference(x, gamma, beta, tau, 0.5)
    for training in (True, False):
        np.testing.assert_allclose(outputs(layer, x, training), expected, rtol=1e-4, atol=1e-5)


def test_filter_response_normalization_of_a_hand_computed_patch():
    x = np.array([[3.0, -4.0], [0.0, 5.0]], "float32").reshape(1, 2, 2, 1)
    response = outputs(FilterResponseNormalization(), x).ravel()  # divided by sqrt(50 / 4)
    np.testing.assert_allclose(response, [3 / 12.5**0.5, -1, 0, 5 / 12.5**0.5], rtol=1e-5)
    response = outputs(FilterResponseNormalization(threshold=0.25), x).ravel()
    np.testing.assert_allclose(response, [3 / 12.5**0.5, 0.25, 0.25, 5 / 12.5**0.5], rtol=1e-5)


def test_filter_response_normalization_of_large_values_is_finite_in_half_precision():
    large = np.full((1, 8, 8, 2), 60_000, "float16")
    layer = FilterResponseNormalization(dtype="mixed_float16")
    np.testing.assert_allclose(outputs(layer, large), 1, rtol=1e-3)


@pytest.mark.one_backend
def test_settings_of_filter_response_normalization_survive_serialisation():
    layer = FilterResponseNormalization(epsilon=1e-3, threshold=-0.5, name="frn")
    loaded = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(loaded) is FilterResponseNormalization
    assert (loaded.epsilon, loaded.threshold, loaded.name) == (1e-3, -0.5, "frn")
    assert loaded.get_config() == layer.get_config()


@networks(**DESCRIPTORS)
@pytest.mark.one_backend
def test_every_layer_of_a_descriptor_network_uses_the_initialiser(make):
    for name, kernel in kernels_of(make(kernel_initializer="lecun_uniform")).items():
        limit = np.sqrt(3 / np.prod(kernel.shape[:-1]))
        assert 0.9 * limit < np.abs(kernel).max() <= 1.0001 * limit, name
    for name, kernel in kernels_of(make(kernel_initializer="orthogonal")).items():
        assert is_orthogonal(kernel), name


@pytest.mark.one_backend
def test_layers_of_equal_shape_have_different_initial_weights():
    kernels = list(kernels_of(hk.models.l2net()).values())
    assert len({tuple(kernel.ravel()[:200]) for kernel in kernels}) == 7


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["pairs", "triplets"])
@pytest.mark.one_backend
def test_l2net_learns_to_distinguish_16_points(layout):
    patches = toy_patches({"v_one": 16})
    keras.utils.set_random_seed(0)
    if layout == "pairs":
        model = hk.models.l2net(dropout=0)
        loss = hk.losses.HardNegativeTriplet(margin=1.0, negative="minimum")
        batches = hk.batches.Pairs(patches, 16, 8)
    else:
        model, loss = hk.models.l2net(normalise=False, dropout=0), hk.losses.TripletMargin()
        batches = hk.batches.Triplets(patches, 16, 8)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    losses = model.fit(batches, epochs=2, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_end_to_end_describes_the_output_of_the_denoiser():
    denoiser, descriptor = small_denoiser(), hk.models.tfeat()
    expected = outputs(descriptor, outputs(denoiser, random_patches(3)))
    model = hk.models.end_to_end(denoiser, descriptor)
    np.testing.assert_allclose(outputs(model, random_patches(3)), expected, atol=1e-5)
    assert model.output_shape == (None, 128)


@pytest.mark.one_backend
def test_end_to_end_needs_a_denoiser_of_patches_alone():
    with pytest.raises(UserError, match="takes the sigma of the noise as a second input"):
        hk.models.end_to_end(small_denoiser(noise_map=True), hk.models.tfeat())


@pytest.mark.parametrize("trainable", [True, False])
def test_a_descriptor_loss_trains_the_denoiser_unless_it_is_frozen(trainable):
    keras.utils.set_random_seed(0)
    denoiser, descriptor = small_denoiser(residual=True), tiny_descriptor()
    denoiser.trainable = trainable
    model = hk.models.end_to_end(denoiser, descriptor)
    model.compile(keras.optimizers.SGD(0.1), hk.losses.HardNegativeTriplet(1.0, "minimum"))
    before = values(denoiser.weights), values(descriptor.weights)
    model.train_on_batch(random_patches(8), np.repeat(np.arange(4), 2))
    after = values(denoiser.weights), values(descriptor.weights)
    assert all(np.isfinite(weight).all() for weight in after[0] + after[1])
    assert not np.array_equal(before[1][0], after[1][0])
    unchanged = [np.array_equal(old, new) for old, new in zip(before[0], after[0])]
    assert not any(unchanged) if trainable else all(unchanged)


def tiny_descriptor():
    """A descriptor network with one dense layer."""
    patch = keras.Input((32, 32, 1))
    x = layers.Dense(8)(layers.Flatten()(layers.Rescaling(1 / 255)(patch)))
    return keras.Model(patch, layers.UnitNormalization(dtype="float32")(x))


@pytest.mark.one_backend
def test_the_tests_of_all_networks_cover_every_network():
    functions = {name for name in hk.models.__all__ if callable(getattr(hk.models, name))}
    elsewhere = {"pretrained", "card", "from_torch", "to_torch", "with_resize"}  # in own files
    assert set(NETWORKS) == functions - elsewhere


@networks(**NETWORKS, **VARIANTS)
@pytest.mark.one_backend
def test_a_saved_model_loads_without_custom_objects_and_has_the_same_outputs(make, tmp_path):
    model = make()
    # Not the initial weights, which a model built anew could also have.
    model.set_weights([weight + np.float32(0.01) for weight in values(model.weights)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    patches = random_patches(2)
    expected = outputs(model, patches)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(outputs(loaded, patches), expected, rtol=1e-5, atol=1e-6 * scale)
    assert loaded.name == model.name and loaded.count_params() == model.count_params()
    assert trainable(loaded) == trainable(model)


LARGE_UNETS = {
    name: lambda name=name: hk.models.unet(name, **ZEROS)
    for name in ("6-layer", "8-layer", "6-layer-wide", "8-layer-wide", "deeper")
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@networks(**NETWORKS, **VARIANTS, **LARGE_UNETS)
@pytest.mark.one_backend
def test_outputs_are_float32_under_mixed_precision(make, dtype, set_precision):
    set_precision(f"mixed_{dtype}")
    model = make()
    assert model.output.dtype == "float32" and model.compute_dtype == dtype


@pytest.mark.slow
@pytest.mark.one_backend
@networks(**NETWORKS)
def test_outputs_under_mixed_precision_are_close_to_those_of_full_precision(make, set_precision):
    set_precision("mixed_float16")
    keras.utils.set_random_seed(0)
    half = outputs(model := make(), random_patches(1))
    assert half.dtype == "float32"
    weights = values(model.weights)
    set_precision("float32")
    full = make()
    full.set_weights(weights)
    expected = outputs(full, random_patches(1))
    assert np.abs(half - expected).max() < 0.02 * np.abs(expected).max()


@pytest.mark.slow
@networks(**NETWORKS, deep=lambda: hk.models.unet("deep"))
@pytest.mark.one_backend
def test_a_step_under_mixed_float16_leaves_every_weight_finite(make, set_precision):
    set_precision("mixed_float16")
    model, patches = make(), random_patches(4)
    # Compiling one step takes several times as long as running it.
    if len(model.output_shape) == 2:
        model.compile("adam", hk.losses.HardNegativeTriplet(1.0, "minimum"), run_eagerly=True)
        loss = model.train_on_batch(patches, np.array([0, 0, 1, 1]))
    else:
        model.compile("adam", "mae", run_eagerly=True)
        loss = model.train_on_batch(patches[:2], patches[:2])
    assert np.isfinite(float(loss))
    assert all(np.isfinite(weight).all() for weight in values(model.weights))


def test_training_tfeat_on_a_constant_patch_leaves_its_weights_finite():
    patches = np.random.default_rng(0).uniform(0, 255, (8, 32, 32, 1)).astype("float32")
    patches[0] = 0
    keras.utils.set_random_seed(0)
    model = hk.models.tfeat()
    model.compile("sgd", hk.losses.HardNegativeTriplet(1.0, "minimum"))
    for _ in range(3):
        model.train_on_batch(patches, np.repeat(np.arange(4), 2))
    largest = max(np.abs(weight).max() for weight in model.get_weights())
    assert np.isfinite(largest) and largest < 10


def test_the_final_batch_norm_gives_each_dimension_mean_0_and_variance_1_over_a_batch():
    model = hk.models.l2net(normalise=False, final_batch_norm=True, dropout=0)
    batch = outputs(model, random_patches(12), training=True)
    np.testing.assert_allclose(batch.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(batch.var(axis=0), 1, atol=0.02)


@pytest.mark.one_backend
def test_dim_changes_only_the_last_layer():
    per_dimension = 128 * 64 + 1  # kernel and bias
    l2net, smaller = hk.models.l2net(**ZEROS), hk.models.l2net(dim=20, **ZEROS)
    assert l2net.count_params() - smaller.count_params() == 108 * per_dimension


@pytest.mark.parametrize("training", [True, False])
def test_filter_response_normalization_does_not_depend_on_the_rest_of_the_batch(training):
    layer, patches = FilterResponseNormalization(), random_patches(4)
    batch, single = outputs(layer, patches, training), outputs(layer, patches[:1], training)
    np.testing.assert_allclose(batch[:1], single, rtol=1e-5)


@pytest.mark.one_backend
def test_end_to_end_shares_the_weights_of_both_networks():
    denoiser, descriptor = small_denoiser(), tiny_descriptor()
    model = hk.models.end_to_end(denoiser, descriptor, name="both")
    assert model.name == "both"
    assert model.count_params() == denoiser.count_params() + descriptor.count_params()
    parts = denoiser.weights + descriptor.weights
    assert {id(weight) for weight in model.weights} == {id(weight) for weight in parts}


def test_a_reduced_network_projects_on_the_principal_components():
    rng = np.random.default_rng(0)
    model, patches = hk.models.tfeat(dim=6), random_patches(9)
    examples = rng.normal(size=(200, 6)) * [9, 1, 7, 1, 5, 1] + 4  # three directions matter
    small = hk.models.reduced(model, examples, 3)
    centred = outputs(model, patches) - examples.mean(0)
    _, vectors = np.linalg.eigh(np.cov(examples.T))
    expected = centred @ vectors[:, :-4:-1]  # the largest eigenvalues come last
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(outputs(small, patches)), np.abs(expected), atol=1e-4)
    assert small.output_shape == (None, 3) and small.name == model.name


@pytest.mark.parametrize(
    ("examples", "dim", "message"),
    [
        ((50, 5), 3, r"The examples have shape \(50, 5\): expected \(count, 6\)"),
        ((50,), 3, r"The examples have shape \(50,\): expected \(count, 6\)"),
        ((50, 6), 6, "dim=6: expected 1 to 5, less than the descriptor has"),
        ((50, 6), 0, "dim=0: expected 1 to 5"),
        ((4, 6), 4, "4 examples: expected more than dim=4"),
    ],
)
@pytest.mark.one_backend
def test_a_reduced_network_needs_enough_examples_of_its_dimension(examples, dim, message):
    with pytest.raises(UserError, match=message):
        hk.models.reduced(hk.models.tfeat(dim=6), np.ones(examples), dim)

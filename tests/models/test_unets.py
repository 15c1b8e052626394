import re
from functools import cache, partial

import keras
import numpy as np
import pytest
from keras import layers
from keras_tools import ZEROS, is_orthogonal, kernels_of, layers_of, outputs
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.models.unet import UNET_PRESETS
from hpatches_kit.models.unet_variants import haar_details


def conv_parameters(inputs, filters, size):
    """Parameters of a convolution with biases."""
    return inputs * filters * size * size + filters


def chain_parameters(filters):
    """Parameters of 3x3 convolutions one after the other, from a grey patch on."""
    return sum(conv_parameters(i, o, 3) for i, o in zip((1, *filters), filters))


def unet_parameters(encoder, decoder):
    """Parameters of a U-Net, added up convolution by convolution."""
    total, below = chain_parameters(encoder), encoder[-1]
    for width, skip in zip(decoder, encoder[-2::-1]):
        total += conv_parameters(below, width, 2) + conv_parameters(width + skip, width, 3)
        below = width
    return total + conv_parameters(below, 1, 3)


CHANNELS = {
    "shallow": ((16, 32), (64,)),
    "6-layer": ((16, 32, 64), (128, 64)),
    "8-layer": ((16, 32, 64, 128), (256, 128, 64)),
    "6-layer-wide": ((16, 32, 64), (128, 256)),
    "8-layer-wide": ((16, 32, 64, 128), (256, 512, 1024)),
    "deep": ((64, 128, 256, 512), (256, 128, 64)),
    "deeper": ((64, 128, 256, 512, 1024), (512, 256, 128, 64)),
}
# Few different shapes, because JAX compiles each separately.
SMALL = {
    "unet": lambda **options: hk.models.unet(encoder=(6, 6, 6), decoder=(6, 6), **options),
    "unet_plus_plus": lambda **options: hk.models.unet_plus_plus((6, 6, 6), **options),
    "framing_unet": lambda **options: hk.models.framing_unet((6, 6, 6), **options),
}
small_networks = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)


@cache
def preset(name, **options):
    return hk.models.unet(name, **ZEROS, **options)


@cache
def nested_unet():
    return hk.models.unet_plus_plus((4, 6, 8, 10), **ZEROS)


def inputs_of(model, name):
    """Names of the layers that are inputs of a layer."""
    inputs = model.get_layer(name).input
    inputs = inputs if isinstance(inputs, list) else [inputs]
    return [
        next(layer.name for layer in model.layers if layer.output is tensor) for tensor in inputs
    ]


def layers_with_weights(model):
    return [layer for layer in model.layers if layer.weights]


def noisy_patches(count=2):
    return np.random.default_rng(0).uniform(0, 255, (count, 32, 32, 1)).astype("float32")


def predict_no_noise(model):
    kernel = model.get_layer("noise").kernel
    kernel.assign(np.zeros(kernel.shape, "float32"))


PARAMETERS = [59_777, 320_193, 1_361_217, 1_001_217, 15_691_137, 3_787_713, 15_324_097]


@pytest.mark.parametrize(("name", "parameters"), zip(CHANNELS, PARAMETERS))
@pytest.mark.one_backend
def test_each_preset_has_the_parameters_of_its_channels(name, parameters):
    assert preset(name).count_params() == unet_parameters(*CHANNELS[name]) == parameters
    assert preset(name).input_shape == preset(name).output_shape == (None, 32, 32, 1)
    assert preset(name).name == f"unet_{name}"


@pytest.mark.one_backend
def test_these_tests_cover_every_preset():
    presets = {name: (preset.encoder, preset.decoder) for name, preset in UNET_PRESETS.items()}
    assert presets == CHANNELS


@pytest.mark.parametrize("name", ["shallow", "6-layer", "8-layer"])
@pytest.mark.one_backend
def test_the_decoder_has_four_times_the_filters_of_the_encoder_at_each_level(name):
    model, levels = preset(name), len(CHANNELS[name][0])
    for level in range(1, levels):
        filters = model.get_layer(f"enc_conv{level}").filters
        assert model.get_layer(f"upsamp{level}").filters == 4 * filters
        assert model.get_layer(f"dec_conv{level}").filters == 4 * filters


@pytest.mark.one_backend
def test_a_wide_decoder_doubles_its_filters_with_each_step_up():
    for name in ("6-layer", "8-layer"):
        decoder = UNET_PRESETS[f"{name}-wide"].decoder
        assert decoder[0] == UNET_PRESETS[name].decoder[0]
        assert all(after == 2 * before for before, after in zip(decoder, decoder[1:]))


@pytest.mark.one_backend
def test_additional_layers_add_parameters_with_each_kind_of_decoder():
    for suffix in ("", "-wide"):
        names = ("shallow", f"6-layer{suffix}", f"8-layer{suffix}")
        shallow, six, eight = (preset(name).count_params() for name in names)
        assert shallow < six < eight


TABLE_3 = """
    enc_conv1 64 3 relu
    enc_conv2 128 3 relu
    enc_conv3 256 3 relu
    enc_conv4 512 3 relu
    upsamp3 256 2 linear
    dec_conv3 256 3 relu
    upsamp2 128 2 linear
    dec_conv2 128 3 relu
    upsamp1 64 2 linear
    dec_conv1 64 3 relu
    out 1 3 linear
"""


@pytest.mark.one_backend
def test_the_deep_unet_has_the_layers_of_table_3():
    model = preset("deep")
    convolutions = layers_with_weights(model)
    rows = [
        f"{conv.name} {conv.filters} {conv.kernel_size[0]} {conv.activation.__name__}"
        for conv in convolutions
    ]
    assert sorted(rows) == sorted(line.strip() for line in TABLE_3.strip().splitlines())
    for conv in convolutions:
        assert conv.kernel_size[0] == conv.kernel_size[1]
        assert (conv.padding, conv.strides, conv.use_bias) == ("same", (1, 1), True)


@small_networks
@pytest.mark.one_backend
def test_the_default_initialiser_is_he_normal(make):
    initialisers = {type(conv.kernel_initializer) for conv in layers_with_weights(make())}
    assert initialisers == {keras.initializers.HeNormal}


@pytest.mark.one_backend
def test_the_layers_of_the_deep_unet_are_connected_as_in_table_3():
    model = preset("deep")
    assert inputs_of(model, "enc_conv1") == ["noisy"]
    for level in (1, 2, 3):
        pool, doubled = model.get_layer(f"pool{level}"), model.get_layer(f"upsamp{level}_size")
        assert type(pool) is layers.MaxPooling2D and pool.pool_size == (2, 2)
        assert type(doubled) is layers.UpSampling2D and doubled.size == (2, 2)
        assert doubled.interpolation == "nearest"
        assert inputs_of(model, pool.name) == [f"enc_conv{level}"]
        assert inputs_of(model, f"enc_conv{level + 1}") == [pool.name]
        below = "enc_conv4" if level == 3 else f"dec_conv{level + 1}"
        assert inputs_of(model, doubled.name) == [below]
        assert inputs_of(model, f"upsamp{level}") == [doubled.name]
        assert inputs_of(model, f"concat{level}") == [f"upsamp{level}", f"enc_conv{level}"]
        assert inputs_of(model, f"dec_conv{level}") == [f"concat{level}"]
        size = 64 // 2**level
        assert model.get_layer(f"dec_conv{level}").output.shape[1:3] == (size, size)
    assert inputs_of(model, "out") == ["dec_conv1"]
    assert len(model.layers) == 1 + 11 + 3 + 3 + 3  # input, convolutions, pools, doublings, concats


@pytest.mark.one_backend
def test_only_the_deep_unets_of_report_a_have_no_relu_between_upsampling_and_concatenation():
    for name, (_, decoder) in CHANNELS.items():
        convolutions = layers_with_weights(preset(name))
        names = [conv.activation.__name__ for conv in convolutions if "upsamp" in conv.name]
        assert names == ["linear" if "deep" in name else "relu"] * len(decoder)


@pytest.mark.one_backend
def test_encoder_and_decoder_replace_the_filters_of_a_preset():
    model = hk.models.unet("deep", encoder=[8, 12, 20], decoder=[10, 6], name="custom", **ZEROS)
    assert model.count_params() == unet_parameters((8, 12, 20), (10, 6))
    assert model.name == "custom"
    assert model.get_layer("upsamp2").activation.__name__ == "linear"  # still the preset's
    wider = hk.models.unet(encoder=(5, 7), **ZEROS)  # the decoder is still the preset's
    assert wider.count_params() == unet_parameters((5, 7), (64,))


@pytest.mark.one_backend
def test_six_levels_end_at_one_pixel_and_seven_are_refused():
    model = hk.models.unet(encoder=(2,) * 6, decoder=(2,) * 5, **ZEROS)
    assert model.get_layer("enc_conv6").output.shape == (None, 1, 1, 2)
    assert model.output_shape == (None, 32, 32, 1)
    with pytest.raises(UserError, match="7 levels, .*: expected 2 to 6"):
        hk.models.unet(encoder=(2,) * 7, decoder=(2,) * 6)


@pytest.mark.parametrize(
    "filters", [{"encoder": (16, 32, 64)}, {"decoder": (64, 64)}, {"decoder": ()}]
)
@pytest.mark.one_backend
def test_an_encoder_and_a_decoder_that_do_not_match_are_refused(filters):
    encoder, decoder = ({"encoder": (16, 32), "decoder": (64,)} | filters).values()
    expected = f"encoder={encoder} with decoder={decoder}: expected one level more than steps up"
    with pytest.raises(UserError, match=re.escape(expected)):
        hk.models.unet(**filters)


@pytest.mark.parametrize("build", [hk.models.unet_plus_plus, hk.models.framing_unet])
@pytest.mark.parametrize("filters", [(), (8,), (2,) * 7])
@pytest.mark.one_backend
def test_fewer_than_2_and_more_than_6_levels_are_refused(build, filters):
    with pytest.raises(UserError, match=f"{len(filters)} levels, .*: expected 2 to 6"):
        build(filters)


@pytest.mark.one_backend
def test_an_unknown_unet_is_refused():
    names = "shallow, 6-layer, 8-layer, 6-layer-wide, 8-layer-wide, deep, deeper"
    with pytest.raises(UserError, match=f"Unknown U-Net 'deepest': expected one of {names}"):
        hk.models.unet("deepest")


@pytest.mark.parametrize("make", [hk.models.unet, hk.models.unet_plus_plus])
@pytest.mark.one_backend
def test_an_unknown_up_convolution_is_refused(make):
    expected = "Unknown up_convolution='cubic': expected one of nearest, bilinear, transposed."
    with pytest.raises(UserError, match=expected):
        make(up_convolution="cubic")


@pytest.mark.parametrize("network", ["unet", "unet_plus_plus"])
def test_every_up_convolution_doubles_the_size_with_the_same_number_of_parameters(network):
    names = ("nearest", "bilinear", "transposed")
    models = {name: SMALL[network](up_convolution=name) for name in names}
    assert len({model.count_params() for model in models.values()}) == 1
    for model in models.values():
        assert outputs(model, noisy_patches(1)).shape == (1, 32, 32, 1)
    for name in ("nearest", "bilinear"):
        upsampling = layers_of(models[name], layers.UpSampling2D)
        assert {layer.interpolation for layer in upsampling} == {name}
    assert not layers_of(models["transposed"], layers.UpSampling2D)
    transposed = layers_of(models["transposed"], layers.Conv2DTranspose)
    assert {(layer.kernel_size, layer.strides) for layer in transposed} == {((2, 2), (2, 2))}


@pytest.mark.parametrize(
    "make", [SMALL["unet"], partial(hk.models.nafnet, (2, 2))], ids=["unet", "nafnet"]
)
def test_with_a_noise_map_a_denoiser_sees_the_strength_of_the_noise_at_each_pixel(make, tmp_path):
    model = make(noise_map=True)
    assert model.input_shape == [(None, 32, 32, 1), (None, 1)]
    assert model.output_shape == (None, 32, 32, 1)
    seen = keras.Model(model.inputs, model.get_layer("with_noise_map").output)
    noisy, sigma = np.full((2, 32, 32, 1), 100, np.float32), np.array([[25], [45]], np.float32)
    patch, strength = np.moveaxis(keras.ops.convert_to_numpy(seen([noisy, sigma])), -1, 0)
    np.testing.assert_array_equal(patch, noisy[..., 0])
    np.testing.assert_allclose(strength, hk.patches.noise_map(sigma[:, 0]), rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded([noisy, sigma]), model([noisy, sigma]), atol=1e-4)


@pytest.mark.one_backend
def test_a_noise_map_adds_one_input_channel_to_the_first_convolution():
    plain, with_map = (SMALL["unet"](noise_map=noise_map) for noise_map in (False, True))
    assert with_map.count_params() == plain.count_params() + 6 * 3 * 3


@small_networks
def test_a_residual_denoiser_that_predicts_no_noise_returns_its_input(make):
    model = make(residual=True)
    predict_no_noise(model)
    np.testing.assert_array_equal(outputs(model, noisy_patches()), noisy_patches())


@pytest.mark.one_backend
@small_networks
def test_a_residual_denoiser_keeps_fractions_of_grey_levels_under_mixed_precision(
    make, set_precision
):
    set_precision("mixed_bfloat16")
    model = make(residual=True)
    predict_no_noise(model)
    np.testing.assert_array_equal(outputs(model, noisy_patches()), noisy_patches())


@small_networks
def test_a_residual_denoiser_subtracts_the_output_of_the_plain_one(make):
    plain, residual = make(), make(residual=True)
    assert residual.count_params() == plain.count_params()
    residual.set_weights(plain.get_weights())
    noisy = noisy_patches()
    expected = noisy - outputs(plain, noisy)
    np.testing.assert_allclose(outputs(residual, noisy), expected, rtol=1e-4, atol=1e-2)


def is_uniform(kernel, fan):
    """Whether values reach up to sqrt(3 / fan), as those of Keras's uniform initialisers do."""
    limit, largest = np.sqrt(3 / fan), np.abs(kernel).max()
    return largest <= limit * 1.0001 and (kernel.size < 100 or largest > 0.9 * limit)


# Fans as Keras defines them: the second to last axis of a kernel counts as its inputs.
FANS = {
    "glorot_uniform": lambda shape: np.prod(shape[:2]) * (shape[2] + shape[3]) / 2,
    "lecun_uniform": lambda shape: np.prod(shape[:3]),
}


@pytest.mark.parametrize("initialiser", ["orthogonal", "glorot_uniform", "lecun_uniform"])
@pytest.mark.one_backend
def test_every_convolution_of_a_denoiser_uses_the_initialiser(initialiser):
    options = {"kernel_initializer": initialiser}
    models = [make(**options) for make in SMALL.values()]
    for network in ("unet", "unet_plus_plus"):
        models.append(SMALL[network](up_convolution="transposed", **options))
    for kernel in [kernel for model in models for kernel in kernels_of(model).values()]:
        if initialiser == "orthogonal":
            assert is_orthogonal(kernel)
        else:
            assert is_uniform(kernel, FANS[initialiser](kernel.shape))


@small_networks
@pytest.mark.parametrize("name", ["he_normal", "orthogonal"])
@pytest.mark.one_backend
def test_layers_of_equal_shape_have_different_initial_weights(make, name):
    kernels = list(kernels_of(make(kernel_initializer=name)).values())
    shapes = [kernel.shape for kernel in kernels]
    assert len(set(shapes)) < len(shapes)
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels)


@pytest.mark.one_backend
def test_unet_plus_plus_is_a_triangle_of_nodes():
    model = nested_unet()
    nodes = {layer.name for layer in model.layers if layer.name.startswith("node")}
    assert nodes == {
        *("node1_0", "node1_1", "node1_2", "node1_3"),
        *("node2_0", "node2_1", "node2_2"),
        *("node3_0", "node3_1"),
        "node4_0",
    }
    assert inputs_of(model, "node1_0") == ["noisy"]
    assert inputs_of(model, "node3_0") == ["pool2"] and inputs_of(model, "pool2") == ["node2_0"]
    assert inputs_of(model, "out") == ["node1_3"]


@pytest.mark.parametrize(
    ("node", "left", "below"),
    [
        ("1_1", ["node1_0"], "node2_0"),
        ("1_2", ["node1_0", "node1_1"], "node2_1"),
        ("1_3", ["node1_0", "node1_1", "node1_2"], "node2_2"),
        ("2_1", ["node2_0"], "node3_0"),
        ("2_2", ["node2_0", "node2_1"], "node3_1"),
        ("3_1", ["node3_0"], "node4_0"),
    ],
)
@pytest.mark.one_backend
def test_the_inputs_of_a_node_are_the_nodes_to_its_left_and_the_one_below(node, left, below):
    model = nested_unet()
    assert inputs_of(model, f"node{node}") == [f"concat{node}"]
    assert inputs_of(model, f"concat{node}") == [f"upsamp{node}", *left]
    assert inputs_of(model, f"upsamp{node}_size") == [below]


@pytest.mark.parametrize("filters", [(32, 64, 128, 256), (4, 6)])
@pytest.mark.one_backend
def test_unet_plus_plus_has_the_parameters_of_its_nodes(filters):
    expected = chain_parameters(filters) + conv_parameters(filters[0], 1, 3)
    for level in range(len(filters) - 1):
        width, below = filters[level : level + 2]
        for column in range(1, len(filters) - level):
            expected += conv_parameters(below, width, 2)
            expected += conv_parameters((1 + column) * width, width, 3)
    assert hk.models.unet_plus_plus(filters, **ZEROS).count_params() == expected


@pytest.mark.parametrize("filters", [(64, 128, 256), (4, 6)])
@pytest.mark.one_backend
def test_framing_unet_has_the_parameters_of_its_convolutions(filters):
    expected = chain_parameters(filters) + conv_parameters(filters[0], 1, 3)
    for width, below in zip(filters, filters[1:]):
        expected += conv_parameters(below, width, 3) + conv_parameters(5 * width, width, 3)
    model = hk.models.framing_unet(filters, **ZEROS)
    assert model.count_params() == expected
    assert model.output_shape == (None, 32, 32, 1)


@pytest.mark.one_backend
def test_a_framing_unet_sends_means_down_and_details_through_the_skip_connections():
    model = hk.models.framing_unet((4, 6, 8), **ZEROS)
    for level, below in ((1, "dec_conv2"), (2, "enc_conv3")):
        details = [f"haar{level}_{kind}" for kind in ("across", "along", "diagonal")]
        concatenated = [f"mean_back{level}", f"enc_conv{level}", *details]
        assert inputs_of(model, f"concat{level}") == concatenated
        assert inputs_of(model, f"mean{level}") == [f"enc_conv{level}"]
        assert inputs_of(model, f"enc_conv{level + 1}") == [f"mean{level}"]
        assert inputs_of(model, f"mean_back{level}") == [f"low_conv{level}"]
        assert inputs_of(model, f"low_conv{level}") == [below]
    assert inputs_of(model, "out") == ["dec_conv1"]


def haar(level):
    """Block mean and the three details of a level: `(n, h, w, c)` each."""
    x = keras.Input(level.shape[1:])
    mean = layers.UpSampling2D(2)(layers.AveragePooling2D(2)(x))
    split = keras.Model(x, [mean, *haar_details(x, "haar")])
    return [keras.ops.convert_to_numpy(part) for part in split(level.astype("float32"))]


def test_the_haar_details_of_a_hand_computed_patch():
    patch = np.array([[7, 3, 0, 8], [1, 5, 0, 8], [9, 9, 2, 2], [1, 1, 2, 2]])
    mean, across, along, diagonal = (part[0, :, :, 0] for part in haar(patch[None, :, :, None]))
    # The first block has mean (7 + 3 + 1 + 5) / 4 = 4, left minus right (7 - 3 + 1 - 5) / 4 = 0,
    # upper minus lower (7 + 3 - 1 - 5) / 4 = 1, and diagonal (7 - 3 - 1 + 5) / 4 = 2.
    left_minus_right = np.array([[0, -4], [0, 0]])
    upper_minus_lower = np.array([[1, 0], [4, 0]])
    diagonals = np.array([[2, 0], [0, 0]])
    np.testing.assert_array_equal(mean, np.kron([[4, 4], [5, 2]], [[1, 1], [1, 1]]))
    np.testing.assert_array_equal(across, np.kron(left_minus_right, [[1, -1], [1, -1]]))
    np.testing.assert_array_equal(along, np.kron(upper_minus_lower, [[1, 1], [-1, -1]]))
    np.testing.assert_array_equal(diagonal, np.kron(diagonals, [[1, -1], [-1, 1]]))


def test_mean_and_details_are_orthogonal_and_add_up_to_the_level():
    level = np.random.default_rng(0).integers(0, 256, (3, 8, 16, 5))
    np.testing.assert_array_equal(sum(haar(level)), level)
    level = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 1)).astype("float64")
    parts = np.stack([part.ravel() for part in haar(level)]).astype("float64")
    products = parts @ parts.T
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.one_backend
def test_a_denoiser_learns_96_patches_and_its_compiled_model_can_be_saved(tmp_path):
    patches = toy_patches({"v_one": 6})
    keras.utils.set_random_seed(0)
    model = hk.models.unet("shallow")
    model.compile(keras.optimizers.Adam(1e-3), "mae", metrics=[hk.metrics.psnr])
    history = model.fit(hk.batches.NoisyClean(patches, 16), epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert history["psnr"][-1] > history["psnr"][0] + 3
    model.save(tmp_path / "unet.keras")
    loaded = keras.models.load_model(tmp_path / "unet.keras")  # finds psnr by its registered name
    batches = hk.batches.NoisyClean(patches, 16, redraw=False)
    expected = model.evaluate(batches, verbose=0, return_dict=True)
    scores = loaded.evaluate(batches, verbose=0, return_dict=True)
    assert scores == pytest.approx(expected, rel=1e-4)


@pytest.mark.one_backend
def test_the_deep_unet_has_three_times_the_parameters_that_report_a_states():
    assert preset("deep").count_params() / 1.3e6 == pytest.approx(2.9, abs=0.05)
    assert UNET_PRESETS["deep"].reported == "1.3 M" and UNET_PRESETS["deeper"].reported == "13 M"


def test_nearest_repeats_pixels_and_bilinear_interpolates_between_them():
    edge = np.repeat([[0.0], [100.0]], 8, axis=0).reshape(1, 16, 1, 1).repeat(16, axis=2)
    for name, expected in {"nearest": [0, 0, 100, 100], "bilinear": [0, 25, 75, 100]}.items():
        upsampling = preset("shallow", up_convolution=name).get_layer("upsamp1_size")
        values = keras.ops.convert_to_numpy(upsampling(edge.astype("float32")))
        assert values.shape == (1, 32, 32, 1)
        np.testing.assert_allclose(values[0, 14:18, 0, 0], expected, atol=1e-4)

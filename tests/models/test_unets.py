from functools import cache

import keras
import numpy as np
import pytest
from keras import layers
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.models.unet import UNET_PRESETS
from hpatches_kit.models.unet_variants import differences


def conv(inputs, filters, size):
    """Parameters of a convolution with biases."""
    return inputs * filters * size * size + filters


def unet_parameters(encoder, decoder):
    """What the channels of a U-Net add up to, convolution by convolution."""
    total = sum(conv(i, o, 3) for i, o in zip((1, *encoder), encoder))
    below = encoder[-1]
    for width, skip in zip(decoder, encoder[-2::-1]):
        total += conv(below, width, 2) + conv(width + skip, width, 3)
        below = width
    return total + conv(below, 1, 3)


CHANNELS = {
    "shallow": ((16, 32), (64,)),
    "6-layer": ((16, 32, 64), (128, 256)),
    "8-layer": ((16, 32, 64, 128), (256, 512, 1024)),
    "deep": ((64, 128, 256, 512), (256, 128, 64)),
    "deeper": ((64, 128, 256, 512, 1024), (512, 256, 128, 64)),
}
# Few different shapes: JAX compiles something for each.
SMALL = {
    "unet": lambda **options: hk.models.unet(encoder=(6, 6, 6), decoder=(6, 6), **options),
    "unet_plus_plus": lambda **options: hk.models.unet_plus_plus((6, 6, 6), **options),
    "framing_unet": lambda **options: hk.models.framing_unet((6, 6, 6), **options),
}
small = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)

ZEROS = {"kernel_initializer": "zeros"}  # to look at, not to train: this takes no time


@cache
def preset(name, **options):
    return hk.models.unet(name, **ZEROS, **options)


@cache
def triangle():
    return hk.models.unet_plus_plus((4, 6, 8, 10), **ZEROS)


def answers(model, patches):
    return keras.ops.convert_to_numpy(model(patches, training=False))


def inputs_of(model, name):
    """Names of the layers whose outputs a layer reads."""
    read = model.get_layer(name).input
    read = read if isinstance(read, list) else [read]
    return [next(x.name for x in model.layers if x.output is tensor) for tensor in read]


def noisy_patches(count=2):
    return np.random.default_rng(0).uniform(0, 255, (count, 32, 32, 1)).astype("float32")


def zero_the_noise(model):
    kernel = model.get_layer("noise").kernel
    kernel.assign(np.zeros(kernel.shape, "float32"))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("shallow", 59_777),  # 160 + 4,640 + 8,256 + 46,144 + 577
        ("6-layer", 1_001_217),
        ("8-layer", 15_691_137),
        ("deep", 3_787_713),
        ("deeper", 15_324_097),
    ],
)
def test_each_preset_has_the_parameters_that_its_channels_add_up_to(name, parameters):
    assert preset(name).count_params() == unet_parameters(*CHANNELS[name]) == parameters
    assert preset(name).input_shape == preset(name).output_shape == (None, 32, 32, 1)
    assert preset(name).name == f"unet_{name}"


def test_no_preset_is_missing_from_these_tests():
    assert {name: (x.encoder, x.decoder) for name, x in UNET_PRESETS.items()} == CHANNELS


def test_the_deep_unet_has_three_times_what_report_a_says_of_it():
    assert preset("deep").count_params() / 1.3e6 == pytest.approx(2.9, abs=0.05)
    assert UNET_PRESETS["deep"].reported == "1.3 M" and UNET_PRESETS["deeper"].reported == "13 M"


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


def test_the_deep_unet_is_table_3_layer_by_layer():
    model = preset("deep")
    rows = [
        f"{x.name} {x.filters} {x.kernel_size[0]} {x.activation.__name__}"
        for x in model.layers
        if x.weights
    ]
    assert sorted(rows) == sorted(line.strip() for line in TABLE_3.strip().splitlines())
    for layer in model.layers:
        if layer.weights:
            assert layer.kernel_size[0] == layer.kernel_size[1]
            assert (layer.padding, layer.strides, layer.use_bias) == ("same", (1, 1), True)


@small
def test_every_convolution_starts_with_he_normal_unless_told_otherwise(make):
    kinds = [type(x.kernel_initializer) for x in make().layers if x.weights]
    assert set(kinds) == {keras.initializers.HeNormal}


def test_the_deep_unet_is_wired_as_table_3():
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
        side = 64 // 2**level
        assert model.get_layer(f"dec_conv{level}").output.shape[1:3] == (side, side)
    assert inputs_of(model, "out") == ["dec_conv1"]
    assert len(model.layers) == 1 + 11 + 3 + 3 + 3  # input, convolutions, pools, doublings, concats


@pytest.mark.parametrize(
    ("name", "activation"),
    [("shallow", "relu"), ("6-layer", "relu"), ("8-layer", "relu"), ("deeper", "linear")],
)
def test_only_report_as_deep_unets_have_no_relu_between_upsampling_and_concatenation(
    name, activation
):
    steps = [x for x in preset(name).layers if x.weights and x.name.startswith("upsamp")]
    assert {x.activation.__name__ for x in steps} == {activation}
    assert len(steps) == len(CHANNELS[name][1])


def test_encoder_and_decoder_replace_the_filters_of_a_preset():
    model = hk.models.unet("deep", encoder=[8, 12, 20], decoder=[10, 6], name="mine", **ZEROS)
    assert model.count_params() == unet_parameters((8, 12, 20), (10, 6))
    assert model.name == "mine"
    assert model.get_layer("upsamp2").activation.__name__ == "linear"  # still the preset's
    wider = hk.models.unet(encoder=(5, 7), **ZEROS)  # the decoder is still the preset's
    assert wider.count_params() == unet_parameters((5, 7), (64,))


def test_five_steps_down_leave_one_pixel_and_six_are_refused():
    model = hk.models.unet(encoder=(2,) * 6, decoder=(2,) * 5, **ZEROS)
    assert model.get_layer("enc_conv6").output.shape == (None, 1, 1, 2)
    assert model.output_shape == (None, 32, 32, 1)
    with pytest.raises(ValueError, match="7 levels, .*: expected 2 to 6"):
        hk.models.unet(encoder=(2,) * 7, decoder=(2,) * 6)


@pytest.mark.parametrize(
    "filters",
    [{"encoder": (16, 32, 64)}, {"decoder": (64, 64)}, {"decoder": ()}],
)
def test_an_encoder_and_a_decoder_that_do_not_fit_are_refused_with_both_in_the_message(filters):
    encoder, decoder = ({"encoder": (16, 32), "decoder": (64,)} | filters).values()
    with pytest.raises(ValueError) as refused:
        hk.models.unet(**filters)
    expected = f"encoder={encoder} with decoder={decoder}: expected one level more than steps up"
    assert expected in str(refused.value)


@pytest.mark.parametrize("build", [hk.models.unet_plus_plus, hk.models.framing_unet])
@pytest.mark.parametrize("filters", [(), (8,), (2,) * 7])
def test_too_few_and_too_many_levels_are_refused(build, filters):
    with pytest.raises(ValueError, match=f"{len(filters)} levels, .*: expected 2 to 6"):
        build(filters)


def test_an_unknown_unet_is_refused():
    names = "shallow, 6-layer, 8-layer, deep, deeper"
    with pytest.raises(ValueError, match=f"Unknown U-Net 'deepest': expected one of {names}"):
        hk.models.unet("deepest")


@pytest.mark.parametrize("make", [hk.models.unet, hk.models.unet_plus_plus])
def test_an_unknown_up_convolution_is_refused(make):
    with pytest.raises(ValueError) as refused:
        make(up_convolution="cubic")
    expected = "Unknown up_convolution='cubic': expected one of nearest, bilinear, transposed."
    assert str(refused.value) == expected


@pytest.mark.parametrize("network", ["unet", "unet_plus_plus"])
def test_every_up_convolution_doubles_the_size_with_the_same_number_of_parameters(network):
    models = [SMALL[network](up_convolution=kind) for kind in ("nearest", "bilinear", "transposed")]
    assert len({model.count_params() for model in models}) == 1
    for model in models:
        assert answers(model, noisy_patches(1)).shape == (1, 32, 32, 1)
    for model in models[:2]:
        kinds = {x.interpolation for x in model.layers if isinstance(x, layers.UpSampling2D)}
        assert kinds == {"nearest" if model is models[0] else "bilinear"}
    assert not any(isinstance(x, layers.UpSampling2D) for x in models[2].layers)
    steps = [x for x in models[2].layers if isinstance(x, layers.Conv2DTranspose)]
    assert steps and all(x.kernel_size == x.strides == (2, 2) for x in steps)


def test_nearest_repeats_pixels_and_bilinear_interpolates_between_them():
    edge = np.repeat([[0.0], [100.0]], 8, axis=0).reshape(1, 16, 1, 1).repeat(16, axis=2)
    rows = {}
    for kind in ("nearest", "bilinear"):
        doubled = preset("shallow", up_convolution=kind).get_layer("upsamp1_size")
        values = keras.ops.convert_to_numpy(doubled(edge.astype("float32")))
        assert values.shape == (1, 32, 32, 1)
        rows[kind] = values[0, 14:18, 0, 0]
    np.testing.assert_allclose(rows["nearest"], [0, 0, 100, 100])
    np.testing.assert_allclose(rows["bilinear"], [0, 25, 75, 100], atol=1e-4)


@small
def test_a_residual_denoiser_that_predicts_no_noise_returns_its_input_exactly(make):
    model = make(residual=True)
    zero_the_noise(model)
    np.testing.assert_array_equal(answers(model, noisy_patches()), noisy_patches())


@small
def test_a_residual_denoiser_keeps_fractions_of_grey_levels_under_mixed_precision(make):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = make(residual=True)
        zero_the_noise(model)
        np.testing.assert_array_equal(answers(model, noisy_patches()), noisy_patches())
    finally:
        keras.config.set_dtype_policy("float32")


@small
def test_a_residual_denoiser_subtracts_what_the_other_one_would_return(make):
    plain, residual = make(), make(residual=True)
    assert residual.count_params() == plain.count_params()
    residual.set_weights(plain.get_weights())
    noisy = noisy_patches()
    expected = noisy - answers(plain, noisy)
    np.testing.assert_allclose(answers(residual, noisy), expected, rtol=1e-4, atol=1e-2)


def kernels_of(model):
    return [x.kernel for x in model.layers if x.weights]


def is_orthogonal(kernel):
    """As a matrix with a column for each filter: the columns, or else the rows, are orthonormal."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype("float64")
    matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    return np.allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-4)


def fills(kernel, fan):
    """Uniform from -limit to limit, with limit^2 = 3 / fan; all of it once there are 100 values."""
    limit, largest = np.sqrt(3 / fan), np.abs(kernel).max()
    return largest <= limit * 1.0001 and (kernel.size < 100 or largest > 0.9 * limit)


# Keras counts the inputs of any kernel by its last axis but one.
FANS = {
    "glorot_uniform": lambda k: np.prod(k.shape[:2]) * (k.shape[2] + k.shape[3]) / 2,
    "lecun_uniform": lambda k: np.prod(k.shape[:3]),
}


@pytest.mark.parametrize("up_convolution", ["nearest", "transposed"])
@pytest.mark.parametrize("name", ["orthogonal", "glorot_uniform", "lecun_uniform"])
def test_every_convolution_of_a_unet_starts_as_the_initialiser_says(name, up_convolution):
    options = {"kernel_initializer": name, "up_convolution": up_convolution}
    for network in ("unet", "unet_plus_plus"):
        check_kernels(SMALL[network](**options), name)


@pytest.mark.parametrize("name", ["orthogonal", "glorot_uniform", "lecun_uniform"])
def test_every_convolution_of_a_framing_unet_starts_as_the_initialiser_says(name):
    check_kernels(SMALL["framing_unet"](kernel_initializer=name), name)


def check_kernels(model, name):
    for kernel in map(keras.ops.convert_to_numpy, kernels_of(model)):
        assert is_orthogonal(kernel) if name == "orthogonal" else fills(kernel, FANS[name](kernel))


@small
@pytest.mark.parametrize("name", ["he_normal", "orthogonal"])
def test_layers_of_equal_shape_do_not_start_with_equal_weights(make, name):
    kernels = [
        keras.ops.convert_to_numpy(kernel) for kernel in kernels_of(make(kernel_initializer=name))
    ]
    shapes = [kernel.shape for kernel in kernels]
    assert len(set(shapes)) < len(shapes)
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels)


def test_unet_plus_plus_is_a_triangle_of_nodes():
    model = triangle()
    nodes = {x.name for x in model.layers if x.name.startswith("node")}
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
def test_a_node_sees_all_nodes_to_its_left_and_the_one_below(node, left, below):
    model = triangle()
    assert inputs_of(model, f"node{node}") == [f"concat{node}"]
    assert inputs_of(model, f"concat{node}") == [f"upsamp{node}", *left]
    assert inputs_of(model, f"upsamp{node}_size") == [below]


@pytest.mark.parametrize("filters", [(32, 64, 128, 256), (4, 6)])
def test_unet_plus_plus_has_the_parameters_of_its_nodes(filters):
    expected = sum(conv(i, o, 3) for i, o in zip((1, *filters), filters)) + conv(filters[0], 1, 3)
    for level in range(len(filters) - 1):
        width, below = filters[level : level + 2]
        for column in range(1, len(filters) - level):
            expected += conv(below, width, 2) + conv((1 + column) * width, width, 3)
    assert hk.models.unet_plus_plus(filters, **ZEROS).count_params() == expected


@pytest.mark.parametrize("filters", [(64, 128, 256), (4, 6)])
def test_framing_unet_has_the_parameters_of_its_convolutions(filters):
    expected = sum(conv(i, o, 3) for i, o in zip((1, *filters), filters)) + conv(filters[0], 1, 3)
    for width, below in zip(filters, filters[1:]):
        expected += conv(below, width, 3) + conv(5 * width, width, 3)
    model = hk.models.framing_unet(filters, **ZEROS)
    assert model.count_params() == expected
    assert model.output_shape == (None, 32, 32, 1)


def test_a_framing_unet_sends_means_down_and_differences_across():
    model = hk.models.framing_unet((4, 6, 8), **ZEROS)
    for level, below in ((1, "dec_conv2"), (2, "enc_conv3")):
        details = [f"haar{level}_{kind}" for kind in ("across", "along", "diagonal")]
        beside = [f"mean_back{level}", f"enc_conv{level}", *details]
        assert inputs_of(model, f"concat{level}") == beside
        assert inputs_of(model, f"mean{level}") == [f"enc_conv{level}"]
        assert inputs_of(model, f"enc_conv{level + 1}") == [f"mean{level}"]
        assert inputs_of(model, f"mean_back{level}") == [f"low_conv{level}"]
        assert inputs_of(model, f"low_conv{level}") == [below]
    assert inputs_of(model, "out") == ["dec_conv1"]


def haar(level):
    """Block mean and three details, as `framing_unet` splits a level: `(n, h, w, c)` each."""
    x = keras.Input(level.shape[1:])
    mean = layers.UpSampling2D(2)(layers.AveragePooling2D(2)(x))
    split = keras.Model(x, [mean, *differences(x, "haar")])
    return [keras.ops.convert_to_numpy(part) for part in split(level.astype("float32"))]


def test_the_haar_details_of_a_patch_by_hand():
    patch = np.array([[7, 3, 0, 8], [1, 5, 0, 8], [9, 9, 2, 2], [1, 1, 2, 2]])
    mean, across, along, diagonal = (part[0, :, :, 0] for part in haar(patch[None, :, :, None]))
    # Block by block (7 + 3 + 1 + 5) / 4 = 4, (0 + 8 + 0 + 8) / 4 = 4, 5 and 2; left minus right,
    # (7 - 3 + 1 - 5) / 4 = 0, ...; upper minus lower (7 + 3 - 1 - 5) / 4 = 1; (7 - 3 - 1 + 5) / 4 = 2.
    left_minus_right = np.array([[0, -4], [0, 0]])
    upper_minus_lower = np.array([[1, 0], [4, 0]])
    crossed = np.array([[2, 0], [0, 0]])
    np.testing.assert_array_equal(mean, np.kron([[4, 4], [5, 2]], [[1, 1], [1, 1]]))
    np.testing.assert_array_equal(across, np.kron(left_minus_right, [[1, -1], [1, -1]]))
    np.testing.assert_array_equal(along, np.kron(upper_minus_lower, [[1, 1], [-1, -1]]))
    np.testing.assert_array_equal(diagonal, np.kron(crossed, [[1, -1], [-1, 1]]))


def test_mean_and_details_add_up_to_the_level_exactly():
    level = np.random.default_rng(0).integers(0, 256, (3, 8, 16, 5))
    np.testing.assert_array_equal(sum(haar(level)), level)


def test_mean_and_details_are_orthogonal_and_share_out_the_energy():
    level = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 1)).astype("float64")
    parts = np.stack([part.ravel() for part in haar(level)]).astype("float64")
    products = parts @ parts.T
    np.testing.assert_allclose(products - np.diag(np.diag(products)), 0, atol=1e-6)
    assert np.trace(products) == pytest.approx(np.square(level).sum(), rel=1e-12)


def test_a_denoiser_learns_a_dozen_patches_and_its_compiled_model_is_saved_whole(tmp_path):
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
    for name, value in loaded.evaluate(batches, verbose=0, return_dict=True).items():
        assert value == pytest.approx(expected[name], rel=1e-4)

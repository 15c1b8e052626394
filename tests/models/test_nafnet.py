import keras
import numpy as np
import pytest
from keras import layers
from keras_tools import ZEROS, layers_of, outputs
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError


def noisy_patches(count=2):
    return np.random.default_rng(0).uniform(0, 255, (count, 32, 32, 1)).astype("float32")


def weights_of(model, name):
    """The weights of a layer, which a test can replace."""
    return model.get_layer(name).weights


def block_parameters(width):
    """Parameters of a block: two normalisations, five 1x1 convolutions and a depthwise one."""
    norms, depthwise = 2 * 2 * width, (9 + 1) * 2 * width
    wide, narrow = 2 * (width + 1) * 2 * width, 2 * (width + 1) * width
    return norms + depthwise + wide + narrow + (width + 1) * width


@pytest.mark.parametrize(("filters", "blocks"), [((16, 32, 64, 128), 1), ((4, 6, 10), 2)])
@pytest.mark.one_backend
def test_it_has_the_parameters_of_its_blocks(filters, blocks):
    expected = (9 + 1) * filters[0] + 9 * filters[0] + 1  # first and last convolution
    for width, below in zip(filters, filters[1:]):
        expected += (4 * width + 1) * below + (4 * below + 1) * width  # down and up
    for width in (*filters, *filters[:-1]):
        expected += blocks * block_parameters(width)
    model = hk.models.nafnet(filters, blocks, **ZEROS)
    assert model.count_params() == expected
    assert model.input_shape == model.output_shape == (None, 32, 32, 1)


def test_an_untrained_block_changes_nothing():
    model = hk.models.nafnet((4, 6))
    block = keras.Model(model.input, [model.get_layer(n).output for n in ("first", "enc1_1_add2")])
    before, after = block(noisy_patches())
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (before, after)))


def test_one_half_of_the_channels_multiplies_the_other():
    model = hk.models.nafnet((2, 2))
    kernel, bias = weights_of(model, "enc1_1_wide2")
    kernel.assign(np.zeros(kernel.shape, "float32"))
    bias.assign(np.array([2, 3, 5, 7], "float32"))
    gate = keras.Model(model.input, model.get_layer("enc1_1_gate2").output)
    np.testing.assert_allclose(outputs(gate, noisy_patches())[0, 0, 0], [2 * 5, 3 * 7])


def test_a_block_multiplies_each_channel_by_a_weight_that_depends_on_the_means_of_all():
    model = hk.models.nafnet((2, 2))
    kernel, bias = weights_of(model, "enc1_1_weights")
    kernel.assign(np.array([[0, 1], [1, 0]], "float32").reshape(kernel.shape))  # the other mean
    bias.assign(np.array([0, 10], "float32"))
    names = ("enc1_1_gate1", "enc1_1_weighted")
    both = keras.Model(model.input, [model.get_layer(name).output for name in names])
    x, weighted = map(keras.ops.convert_to_numpy, both(noisy_patches()))
    means = x.mean((1, 2), keepdims=True)
    expected = x * (means[..., ::-1] + [0, 10])
    np.testing.assert_allclose(weighted, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.one_backend
def test_both_parts_of_a_block_start_at_about_the_same_scale():
    keras.utils.set_random_seed(0)
    model = hk.models.nafnet()
    for block in ("enc1_1", "enc3_1"):
        ends = [model.get_layer(f"{block}_{name}").output for name in ("weighted", "gate2")]
        first, second = (
            keras.ops.convert_to_numpy(part).std()
            for part in keras.Model(model.input, ends)(noisy_patches())
        )
        assert 0.2 < first / second < 5 and 0.5 < second < 10


@pytest.mark.one_backend
def test_each_level_has_half_the_size_of_the_one_above():
    model = hk.models.nafnet((2, 4, 6), **ZEROS)
    sizes = [model.get_layer(name).output.shape[1:] for name in ("first", "down1", "down2")]
    assert sizes == [(32, 32, 2), (16, 16, 4), (8, 8, 6)]
    sizes = [model.get_layer(name).output.shape[1:] for name in ("up2", "up1")]
    assert sizes == [(16, 16, 4), (32, 32, 2)]
    for level in (1, 2):
        skip = model.get_layer(f"skip{level}").input
        ends = [model.get_layer(name).output for name in (f"up{level}", f"enc{level}_1_add2")]
        assert [a is b for a, b in zip(skip, ends)] == [True, True]


@pytest.mark.one_backend
def test_it_has_no_activation_functions():
    model = hk.models.nafnet((2, 2, 2), **ZEROS)
    kinds = layers.Conv2D, layers.DepthwiseConv2D, layers.Conv2DTranspose
    convolutions = [layer for kind in kinds for layer in layers_of(model, kind)]
    assert len(convolutions) > 20
    assert {layer.activation.__name__ for layer in convolutions} == {"linear"}
    assert not layers_of(model, layers.ReLU) and not layers_of(model, layers.Activation)


def test_it_predicts_the_noise_unless_residual_is_false():
    model, plain = hk.models.nafnet((2, 2)), hk.models.nafnet((2, 2), residual=False)
    plain.set_weights(model.get_weights())
    noisy = noisy_patches()
    expected = noisy - outputs(plain, noisy)
    np.testing.assert_allclose(outputs(model, noisy), expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("filters", [(), (8,), (2,) * 7])
@pytest.mark.one_backend
def test_fewer_than_2_and_more_than_6_levels_are_refused(filters):
    with pytest.raises(UserError, match=f"{len(filters)} levels, .*: expected 2 to 6"):
        hk.models.nafnet(filters)


@pytest.mark.slow
@pytest.mark.one_backend
def test_it_learns_96_patches():
    patches = toy_patches({"v_one": 6})
    keras.utils.set_random_seed(0)
    model = hk.models.nafnet((8, 8))
    model.compile(keras.optimizers.Adam(3e-3), "mae", metrics=[hk.metrics.psnr])
    history = model.fit(hk.batches.NoisyClean(patches, 16), epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]

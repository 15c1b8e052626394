import keras
import numpy as np
import pytest
from conftest import toy_patches

import hpatches_kit as hk


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_the_shallow_unet_has_the_parameters_of_the_course():
    model = hk.models.unet("shallow")
    assert model.count_params() == 59_777
    assert model.output_shape == (None, 32, 32, 1)


@pytest.mark.parametrize("normalise", [True, False])
def test_l2net_has_1_34_million_parameters_with_and_without_normalisation(normalise):
    model = hk.models.l2net(normalise=normalise)
    # Seven convolutions with biases, and for each of the first six a batch norm.
    convolutions = [
        (1, 32, 3),
        (32, 32, 3),
        (32, 64, 3),
        (64, 64, 3),
        (64, 128, 3),
        (128, 128, 3),
        (128, 128, 8),
    ]
    weights = sum(i * o * k * k + o for i, o, k in convolutions)
    assert trainable(model) == weights + 2 * sum(o for _, o, _ in convolutions[:6])
    assert model.count_params() == pytest.approx(1.337e6, rel=1e-3)
    assert model.output_shape == (None, 128)


def test_descriptors_have_length_one_only_with_the_normalisation_layer():
    patches = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 1)).astype("uint8")
    lengths = {
        n: np.linalg.norm(hk.models.l2net(normalise=n).predict(patches, verbose=0), axis=1)
        for n in (True, False)
    }
    np.testing.assert_allclose(lengths[True], 1, rtol=1e-5)
    assert np.abs(lengths[False] - 1).max() > 0.1


def test_descriptors_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert hk.models.l2net().output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("make", [hk.models.unet, hk.models.l2net])
def test_a_saved_model_loads_without_custom_code_and_gives_the_same(make, tmp_path):
    model = make()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    patches = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 1)).astype("uint8")
    np.testing.assert_allclose(
        loaded.predict(patches, verbose=0), model.predict(patches, verbose=0), rtol=1e-5, atol=1e-5
    )


def test_layers_of_equal_shape_do_not_start_with_equal_weights():
    model = hk.models.l2net()
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    flat = [np.asarray(keras.ops.convert_to_numpy(kernel)).ravel()[:200] for kernel in kernels]
    assert len({tuple(values) for values in flat}) == 7


def test_an_unknown_unet_is_refused():
    with pytest.raises(ValueError, match="Unknown U-Net 'deepest': expected one of shallow"):
        hk.models.unet("deepest")


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


@pytest.mark.parametrize("kind", ["pairs", "triplets"])
def test_a_descriptor_learns_to_tell_a_dozen_points_apart(kind):
    patches = toy_patches({"v_one": 16})
    keras.utils.set_random_seed(0)
    if kind == "pairs":
        model, loss = (
            hk.models.l2net(dropout=0),
            hk.losses.HardMining(margin=1.0, negative="minimum"),
        )
        batches = hk.batches.Pairs(patches, 16, 8)
    else:
        model, loss = hk.models.l2net(normalise=False, dropout=0), hk.losses.Triplet()
        batches = hk.batches.Triplets(patches, 16, 8)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    losses = model.fit(batches, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]

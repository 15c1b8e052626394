"""The regulariser of the norms of pairs, alone and as an option of L2-Net and HyNet."""

import keras
import numpy as np
import pytest
from keras import layers
from keras_tools import layers_of

import hpatches_kit as hk
from hpatches_kit.models.pair_norms import PairNormRegularizer

networks = pytest.mark.parametrize("make", [hk.models.l2net, hk.models.hynet])


def added_loss(weight, descriptors):
    """The loss that a layer with the regulariser adds for these descriptors."""
    layer = layers.Identity(activity_regularizer=PairNormRegularizer(weight))
    layer(np.array(descriptors, "float32"))
    (loss,) = layer.losses
    return float(loss)


def random_patches(count):
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 1)).astype("float32")


def compiled(model):
    model.compile("sgd", hk.losses.RandomNegativeTriplet())
    return model


def loss_of(model, patches):
    """The loss of a compiled model on one batch of pairs."""
    labels = np.repeat(np.arange(len(patches) // 2), 2)
    return model.evaluate(patches, labels, batch_size=len(patches), verbose=0)


def norms_before_normalisation(model, patches):
    """Norms of the descriptors before the last layer of a network, which normalises them."""
    (flatten,) = layers_of(model, layers.Flatten)
    return np.linalg.norm(
        keras.Model(model.input, flatten.output).predict(patches, verbose=0), axis=1
    )


def test_the_loss_of_hand_computed_norms_is_the_weighted_mean_over_pairs():
    pair, similar_pair = [[3, 4], [0, 1]], [[0, 2], [4, 0]]  # norms 5 and 1, 2 and 4
    assert added_loss(1.0, pair) == pytest.approx(16)
    assert added_loss(0.1, pair) == pytest.approx(1.6)
    assert added_loss(1.0, pair + similar_pair) == pytest.approx((16 + 4) / 2)
    assert added_loss(1.0, pair * 50) == pytest.approx(16)


def test_equal_norms_have_loss_0_in_every_direction():
    assert added_loss(1.0, [[3, 4], [-5, 0], [0, 2], [2, 0]]) == 0
    assert added_loss(1.0, [[3, 4], [0, 6], [0, 2], [2, 0]]) == pytest.approx(1 / 2)


def test_a_last_single_row_is_ignored():
    assert added_loss(1.0, [[3, 4], [0, 1], [0, 90]]) == pytest.approx(16)
    assert added_loss(1.0, [[3, 4]]) == 0


@networks
def test_a_network_describes_an_odd_number_of_patches(make):
    model, patches = make(dim=8, norm_regularizer=0.1), random_patches(5)
    descriptors = model.predict(patches, batch_size=3, verbose=0)
    assert descriptors.shape == (5, 8)
    single = model.predict(patches[4:], verbose=0)
    np.testing.assert_allclose(descriptors[4:], single, atol=1e-5)


def linear_model(weight):
    """A linear map of the plane, at first the identity, trained by the regulariser alone."""
    dense = layers.Dense(
        2,
        use_bias=False,
        kernel_initializer="identity",
        activity_regularizer=PairNormRegularizer(weight),
    )
    model = keras.Sequential([keras.Input((2,)), dense])
    model.compile(keras.optimizers.SGD(0.0125), lambda y_true, y_pred: 0 * y_pred[:, 0])
    return model, dense


def test_a_step_of_gradient_descent_is_that_computed_by_hand():
    model, dense = linear_model(1.0)
    rows = np.array([[3, 4], [0, 1]], "float32")
    assert float(model.train_on_batch(rows, np.zeros(2))) == pytest.approx(16)
    # The gradient is 2 (5 - 1) times that of the first norm, [[9, 12], [12, 16]] / 5, minus that of
    # the second, [[0, 0], [0, 1]]; 8 times the learning rate is 0.1.
    expected = np.eye(2) - 0.1 * np.array([[1.8, 2.4], [2.4, 3.2 - 1]])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(dense.kernel), expected, atol=1e-5)


def test_the_gradient_at_a_descriptor_of_norm_0_is_0():
    model, dense = linear_model(1.0)
    rows = np.array([[0, 0], [0, 1]], "float32")
    assert float(model.train_on_batch(rows, np.zeros(2))) == pytest.approx(1, abs=1e-4)
    # The second norm alone has a gradient, 2 (1 - 0) times [[0, 0], [0, 1]].
    expected = [[1, 0], [0, 1 - 2 * 0.0125]]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(dense.kernel), expected, atol=1e-5)
    assert float(linear_model(1.0)[0].train_on_batch(0 * rows, np.zeros(2))) == 0


@networks
def test_the_option_adds_the_loss_of_the_norms_before_normalisation(make):
    keras.utils.set_random_seed(0)
    model, patches = compiled(make(dim=8, norm_regularizer=0.5)), random_patches(6)
    plain = compiled(make(dim=8))
    plain.set_weights(model.get_weights())
    norms = norms_before_normalisation(model, patches)
    expected = 0.5 * np.mean((norms[::2] - norms[1::2]) ** 2)
    assert expected > 1e-3
    assert loss_of(model, patches) - loss_of(plain, patches) == pytest.approx(expected, rel=0.01)
    np.testing.assert_allclose(
        model.predict(patches, verbose=0), plain.predict(patches, verbose=0), atol=1e-6
    )


@networks
@pytest.mark.one_backend
def test_without_weight_no_loss_is_added(make):
    for options in ({}, {"norm_regularizer": 0}):
        model = make(dim=8, **options)
        model(random_patches(4))
        assert model.losses == []
    weighted = make(dim=8, norm_regularizer=0.1)
    weighted(random_patches(4))
    assert len(weighted.losses) == 1


@networks
@pytest.mark.one_backend
def test_a_saved_model_has_the_same_loss(make, tmp_path):
    model, patches = compiled(make(dim=8, norm_regularizer=0.5)), random_patches(6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loss_of(loaded, patches) == pytest.approx(loss_of(model, patches), rel=1e-5)
    (flatten,) = layers_of(loaded, layers.Flatten)
    assert flatten.activity_regularizer.weight == 0.5


@pytest.mark.one_backend
def test_the_regulariser_is_registered_and_its_weight_survives_serialisation():
    saved = keras.regularizers.serialize(PairNormRegularizer(0.3))
    assert saved["registered_name"] == "hpatches_kit>PairNormRegularizer"
    loaded = keras.regularizers.deserialize(saved)
    assert type(loaded) is PairNormRegularizer and loaded.weight == 0.3
    assert PairNormRegularizer().weight == 0.1  # that of the paper

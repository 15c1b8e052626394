"""Keras models as PyTorch state dicts."""

import keras
import numpy as np
import numpy_networks
import pytest
from keras_tools import outputs
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.models import torch_networks

# `from_torch` and the layers are compared on each backend elsewhere.
pytestmark = pytest.mark.one_backend
HARDNET = {"standardise": True, "affine": False, "final_batch_norm": True}
# Networks of the kit, that of PyTorch with the same arithmetic, and whether patches are rotated.
COUNTERPARTS = {
    "l2net": (lambda: hk.models.l2net(**HARDNET), "hardnet", True),
    "pretrained": (lambda: hk.models.pretrained("descriptor"), "hardnet", True),
    "hynet": (hk.models.hynet, "hynet", True),
    "tfeat": (lambda: hk.models.tfeat(normalise=False), "tfeat", False),
}


def patches():
    return toy_patches({"v_one": 6}).clean[:, 0]


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("hardnet", "hardnet"),
        ("hardnet", "hardnetps"),
        ("sosnet", "sosnet"),
        ("hynet", "hynet"),
        ("tfeat", "tfeat"),
        ("tfeat", "hardtfeat"),
    ],
)
def test_the_state_dict_of_a_model_is_the_one_it_was_made_of(network, name):
    state = numpy_networks.random_state(name)
    model = hk.models.from_torch(network, state)
    returned = hk.models.to_torch(model)
    assert set(returned) == set(state)
    for key, array in state.items():
        assert returned[key].dtype == "float32"
        np.testing.assert_array_equal(returned[key], array, err_msg=key)


@pytest.mark.parametrize("network", ["hardnet", "hynet"])  # the second has a layer of the kit
def test_a_saved_and_renamed_model_keeps_its_descriptors_and_names_in_pytorch(network, tmp_path):
    state = numpy_networks.random_state(network)
    if network == "hynet":
        state["layer3.1.eps"][:] = 0.125
    model = hk.models.from_torch(network, state)
    keras.Model(model.input, model.output, name="mine").save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = outputs(model, patches()[..., None])
    np.testing.assert_allclose(outputs(loaded, patches()[..., None]), expected, atol=1e-6)
    for name, array in hk.models.to_torch(loaded).items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)


@pytest.mark.parametrize(
    ("make", "network", "rotated"), COUNTERPARTS.values(), ids=list(COUNTERPARTS)
)
def test_networks_of_the_kit_give_the_same_descriptors_in_pytorch(make, network, rotated):
    model = make()
    rng = np.random.default_rng(0)
    if model.name != "l2net":  # whose batch normalisation needs consistent statistics
        weights = [np.asarray(keras.ops.convert_to_numpy(weight)) for weight in model.weights]
        model.set_weights([weight + rng.normal(0, 0.01, weight.shape) for weight in weights])
    state = hk.models.to_torch(model, rotated=rotated)
    assert {name: array.shape for name, array in state.items()} == numpy_networks.shapes(network)
    given = patches()[:, ::-1, ::-1] if rotated else patches()
    expected = numpy_networks.describe(network, state, given)
    np.testing.assert_allclose(outputs(model, patches()[..., None]), expected, atol=2e-5)


def test_rotated_patches_have_to_be_asked_for_where_they_are_needed():
    with pytest.raises(UserError, match="patches rotated by 180 degrees. Pass rotated=True"):
        hk.models.to_torch(hk.models.l2net(**HARDNET))
    for model in (
        hk.models.tfeat(),
        hk.models.from_torch("hardnet", numpy_networks.random_state("hardnet")),
    ):
        with pytest.raises(UserError, match="needs no rotated patches: pass rotated=False"):
            hk.models.to_torch(model, rotated=True)


def with_other_activation(model):
    model.layers[-2].activation = keras.activations.relu
    return model


def with_another_layer(model):
    return keras.Model(model.input, keras.layers.Dense(8)(model.output), name=model.name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: with_another_layer(torch_networks.tfeat()),
        lambda: hk.models.with_resize(torch_networks.tfeat()),
        hk.models.l2net,
        lambda: hk.models.l2net(**HARDNET | {"standardise": False}),
        lambda: hk.models.tfeat(64),
        lambda: with_other_activation(hk.models.tfeat()),
        lambda: hk.models.unet(encoder=(2, 2), decoder=(2,)),
    ],
)
def test_networks_without_a_counterpart_are_refused(make):
    with pytest.raises(UserError, match="has no counterpart in PyTorch: expected a network of"):
        hk.models.to_torch(make())


@pytest.mark.parametrize(
    ("make", "network", "rotated"), COUNTERPARTS.values(), ids=list(COUNTERPARTS)
)
def test_kornia_loads_the_state_dict_and_gives_the_same_descriptors(make, network, rotated):
    torch, feature = (pytest.importorskip(name) for name in ("torch", "kornia.feature"))
    classes = {"hardnet": feature.HardNet, "hynet": feature.HyNet, "tfeat": feature.TFeat}
    model, published = make(), classes[network](pretrained=False).eval()
    state = hk.models.to_torch(model, rotated=rotated)
    published.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    given = torch.from_numpy(patches()[:, None]).float()
    with torch.no_grad():
        expected = published(given.flip(2, 3) if rotated else given).numpy()
    np.testing.assert_allclose(outputs(model, patches()[..., None]), expected, atol=1e-5)

"""Published PyTorch weights as Keras models: the same descriptors, and clear errors."""

import os
from pathlib import Path

import keras
import numpy as np
import numpy_networks
import pytest
import torch_pickles
from keras_tools import outputs
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.torch_files import read_tensors

# A folder with tfeat-liberty.params (github.com/vbalnt/tfeat) and HardTFeat.pth
# (github.com/ducha-aiki/affnet), which are not part of the kit.
PUBLISHED = Path(os.environ.get("HPATCHES_KIT_WEIGHTS", "."))
VARIANTS = ["hardnetps", "sosnet", "hardtfeat"]  # which have no layers of their own
NETWORKS = ["hardnet", "hynet", "tfeat"]
NETWORKS += [pytest.param(name, marks=pytest.mark.one_backend) for name in VARIANTS]
CLASSES = {"hardnet": "HardNet", "sosnet": "SOSNet", "hynet": "HyNet", "tfeat": "TFeat"}


def argument(network):
    return {"hardtfeat": "tfeat", "hardnetps": "hardnet"}.get(network, network)


def patches(count=6):
    """Patches `uint8 (count, 32, 32)`, the last one with a standard deviation of about 5."""
    result = toy_patches({"v_one": count}).clean[:, 0].copy()
    result[-1] = result[-1] // 8 + 180
    return result


def assert_same_descriptors(model, expected, grey_levels):
    descriptors = outputs(model, grey_levels[..., None])
    assert descriptors.shape == (len(grey_levels), 128) and descriptors.dtype == "float32"
    assert expected.std(axis=0).mean() > 0.01  # the descriptors of different patches differ
    np.testing.assert_allclose(descriptors, expected, atol=1e-5, rtol=0)


@pytest.mark.one_backend
@pytest.mark.parametrize("network", NETWORKS)
def test_descriptors_are_those_of_the_published_code(network, tmp_path):
    state = numpy_networks.random_state(network)
    file = torch_pickles.write_state_dict(tmp_path / "weights.pth", state)
    expected = numpy_networks.describe(network, state, patches() / 255)
    model = hk.models.from_torch(argument(network), file)
    assert model.name == network
    assert_same_descriptors(model, expected, patches())
    unit_norm = np.allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-5)
    assert unit_norm == (network != "tfeat")
    constant = np.full((1, 32, 32, 1), 100, "uint8")
    assert np.isfinite(outputs(model, constant)).all()


@pytest.mark.one_backend
@pytest.mark.parametrize("network", ["hynet", "tfeat"])
def test_outputs_are_float32_under_mixed_precision(network, set_precision):
    set_precision("mixed_float16")
    state = numpy_networks.random_state(network)
    model = hk.models.from_torch(argument(network), state)
    half = outputs(model, patches()[..., None])
    assert half.dtype == "float32"
    expected = numpy_networks.describe(network, state, patches() / 255)
    np.testing.assert_allclose(half, expected, atol=0.02)


@pytest.mark.one_backend
def test_the_epsilon_of_hynet_is_read_without_its_sign():
    state = numpy_networks.random_state("hynet")
    state["layer2.1.eps"] = np.array([-0.25], "float32")
    model = hk.models.from_torch("hynet", state)
    assert model.get_layer("layer2_1").epsilon == 0.25


@pytest.mark.one_backend
@pytest.mark.parametrize("network", CLASSES)
def test_descriptors_are_those_of_kornia(network):
    torch, feature = (pytest.importorskip(name) for name in ("torch", "kornia.feature"))
    published = getattr(feature, CLASSES[network])(pretrained=False)
    state = numpy_networks.random_state(network)
    tensors = {name: torch.from_numpy(array) for name, array in state.items()}
    published.eval().load_state_dict(tensors)
    with torch.no_grad():
        expected = published(torch.from_numpy(patches()[:, None] / 255).float()).numpy()
    model = hk.models.from_torch(network, published.state_dict())
    assert_same_descriptors(model, expected, patches())


def published_file(name):
    if not (PUBLISHED / name).is_file():
        pytest.skip(f"HPATCHES_KIT_WEIGHTS has no {name}")
    return PUBLISHED / name


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("network", "name"), [("tfeat", "tfeat-liberty.params"), ("hardtfeat", "HardTFeat.pth")]
)
def test_published_files_give_the_descriptors_of_the_published_code(network, name):
    file = published_file(name)
    state = {n: a for n, a in read_tensors(file).items() if not n.startswith("SIFT")}
    assert {n: a.shape for n, a in state.items()} == numpy_networks.shapes(network)
    expected = numpy_networks.describe(network, state, patches() / 255)
    assert_same_descriptors(hk.models.from_torch("tfeat", file), expected, patches())


@pytest.mark.one_backend
@pytest.mark.parametrize("name", ["tfeat-liberty.params", "HardTFeat.pth"])
def test_published_files_have_the_tensors_that_pytorch_reads(name):
    torch = pytest.importorskip("torch")
    file = published_file(name)
    expected = torch.load(file, map_location="cpu", weights_only=True)
    expected = expected.get("state_dict", expected)
    tensors = read_tensors(file)
    assert list(tensors) == list(expected)
    for key, tensor in expected.items():
        np.testing.assert_array_equal(tensors[key], tensor.numpy())


@pytest.mark.one_backend
def test_an_unknown_network_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(UserError, match="'l2net': expected one of hardnet, sosnet, hynet, tfeat"):
        hk.models.from_torch("l2net", tmp_path / "any.pth")


@pytest.mark.one_backend
def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"HardNet\.pth is missing"):
        hk.models.from_torch("hardnet", tmp_path / "HardNet.pth")


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("network", "other"),
    [("hardnet", "sosnet"), ("sosnet", "hardnetps"), ("hynet", "hardtfeat"), ("tfeat", "hynet")],
)
def test_weights_of_another_network_are_refused_with_its_name(network, other):
    message = rf"no weights of '{network}': .* the names of '{argument(other)}'"
    with pytest.raises(UserError, match=message):
        hk.models.from_torch(network, numpy_networks.random_state(other))


@pytest.mark.one_backend
def test_missing_and_unknown_names_are_listed(tmp_path):
    state = numpy_networks.random_state("hardnet")
    state |= {"features.1.num_batches_tracked": np.array(9)}  # of later PyTorch versions: ignored
    assert hk.models.from_torch("hardnet", state)
    del state["features.19.weight"], state["features.20.running_var"]
    state["head.weight"] = np.zeros(3, "float32")
    file = torch_pickles.write_state_dict(tmp_path / "cut.pth", state)
    message = (
        r"cut\.pth has no weights of 'hardnet': it lacks 'features\.19\.weight' and 1 more"
        r" and it has 'head\.weight', unknown to this network\.$"
    )
    with pytest.raises(UserError, match=message):
        hk.models.from_torch("hardnet", file)


@pytest.mark.one_backend
def test_wrong_shapes_are_named_with_both_shapes():
    state = numpy_networks.random_state("hardnet")
    state["features.0.weight"] = np.zeros((32, 3, 3, 3), "float32")
    message = r"features\.0\.weight has shape \(32, 3, 3, 3\): expected \(32, 1, 3, 3\)"
    with pytest.raises(UserError, match=message):
        hk.models.from_torch("hardnet", state)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.float32("nan"), "has values that are not finite in float32"),
        (np.float64(1e300), "has values that are not finite in float32"),
        (np.int64(1), "is of type int64: expected float32"),
        (np.complex64(1), "is of type complex64: expected float32"),
        ("text", "is of type <U4: expected float32"),
    ],
)
def test_values_that_are_no_float32_numbers_are_refused(value, message):
    state = numpy_networks.random_state("tfeat")
    state["descr.0.bias"] = np.full(128, value)
    with pytest.raises(UserError, match=rf"The state dict: descr\.0\.bias {message}"):
        hk.models.from_torch("tfeat", state)


@pytest.mark.one_backend
def test_numbers_of_half_and_double_precision_are_read(tmp_path):
    state = numpy_networks.random_state("tfeat")
    state["descr.0.bias"] = np.full(128, 0.5)
    state["features.1.bias"] = np.full(32, 0.25, "float16")
    file = torch_pickles.write_state_dict(tmp_path / "weights.pth", state)
    model = hk.models.from_torch("tfeat", file)
    assert np.all(keras.ops.convert_to_numpy(model.get_layer("descr_0").bias) == 0.5)
    assert np.all(keras.ops.convert_to_numpy(model.get_layer("features_1").bias) == 0.25)


@pytest.mark.one_backend
def test_what_is_neither_a_file_nor_a_state_dict_is_refused():
    with pytest.raises(UserError, match=r"list is neither a file nor .*network\.state_dict\(\)"):
        hk.models.from_torch("tfeat", [1, 2])

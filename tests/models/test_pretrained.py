"""Pretrained networks: weights in float16, cards and checksums."""

import json

import keras
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.models.pretrained import FOLDER, build, write

SMALL = ["unet", {"encoder": [2, 2], "decoder": [2], "residual": True}]
CARD = {"what": "a test", "scores": {"PSNR": 30.0}, "network": [SMALL]}


@pytest.fixture
def written(tmp_path):
    """A small network, and the folder that its weights and card were written to."""
    keras.utils.set_random_seed(0)
    model = build([SMALL])
    write(model, CARD, "small", tmp_path)
    return model, tmp_path


def test_weights_are_loaded_with_the_precision_of_float16(written):
    model, folder = written
    loaded = hk.models.pretrained("small", folder)
    for before, after in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert after.dtype == np.float32
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-4)


@pytest.mark.one_backend
def test_the_card_contains_the_settings_and_a_checksum(written):
    card = hk.models.card("small", written[1])
    assert len(card.pop("sha256")) == 64
    assert card == {"what": "a test", "scores": {"PSNR": 30.0}, "network": [SMALL]}


@pytest.mark.one_backend
def test_the_list_has_one_row_per_network(written):
    table = hk.models.pretrained(folder=written[1])
    assert table.to_dict("index") == {"small": {"what": "a test", "PSNR": 30}}


@pytest.mark.one_backend
def test_an_unknown_name_is_refused_with_the_known_ones(written):
    with pytest.raises(UserError, match="Unknown network 'large': expected one of small"):
        hk.models.pretrained("large", written[1])
    with pytest.raises(UserError, match="Unknown network 'large'"):
        hk.models.card("large", written[1])


@pytest.mark.one_backend
def test_weights_that_are_missing_or_do_not_match_the_card_are_refused(written):
    _, folder = written
    (folder / "small.npz").write_bytes((folder / "small.npz").read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match="small.npz does not match its card: its SHA-256 begins"):
        hk.models.pretrained("small", folder)
    (folder / "small.npz").unlink()
    with pytest.raises(UserError, match="small.npz is missing, although its card exists"):
        hk.models.pretrained("small", folder)


@pytest.mark.one_backend
def test_weights_too_large_for_float16_are_not_written(tmp_path):
    model = build([SMALL])
    model.set_weights([weights + 1e5 for weights in model.get_weights()])
    with pytest.raises(UserError, match="outside the range of float16"):
        write(model, CARD, "small", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.one_backend
def test_a_denoiser_and_a_descriptor_are_built_end_to_end():
    model = build([SMALL, ["l2net", {}]])
    assert model.input_shape == (None, 32, 32, 1) and model.output_shape == (None, 128)


NAMES = ("denoiser", "descriptor", "noisy-descriptor")


@pytest.mark.parametrize("name", NAMES)
def test_every_pretrained_network_loads_and_has_a_complete_card(name):
    card = hk.models.card(name)
    for key in ("what", "network", "data", "command", "environment", "date", "scores", "licence"):
        assert card[key], key
    model = hk.models.pretrained(name)
    patches = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)
    assert np.isfinite(model.predict(patches, verbose=0)).all()


@pytest.mark.one_backend
def test_the_list_has_a_denoiser_and_two_descriptors():
    assert tuple(hk.models.pretrained().index) == NAMES
    assert {file.stem for file in FOLDER.glob("*.npz")} == set(NAMES)


@pytest.mark.one_backend
def test_the_page_shows_the_networks_of_the_cards():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        card = hk.models.card(name)
        for line in (f"network: `{json.dumps(card['network'])}`", f"command: `{card['command']}`"):
            assert line in page


@pytest.mark.one_backend
def test_the_weights_take_less_than_12_mb():
    assert sum(file.stat().st_size for file in FOLDER.glob("*")) < 12e6

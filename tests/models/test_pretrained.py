"""Weights that come with the kit: cards, checksums, the same numbers after float16."""

import json

import keras
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.models.pretrained import FOLDER, build, write

SMALL = ["unet", {"encoder": [2, 2], "decoder": [2], "residual": True}]
CARD = {"what": "a test", "scores": {"PSNR": 30.0}}


@pytest.fixture
def kept(tmp_path):
    keras.utils.set_random_seed(0)
    model = build([SMALL])
    write(model, {**CARD, "network": [SMALL]}, "small", tmp_path)
    return model, tmp_path


def test_weights_come_back_to_the_precision_of_float16(kept):
    model, folder = kept
    loaded = hk.models.pretrained("small", folder)
    for before, after in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert after.dtype == np.float32
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-4)


def test_the_card_is_what_was_kept(kept):
    card = hk.models.card("small", kept[1])
    assert card["what"] == "a test" and len(card["sha256"]) == 64


def test_the_list_has_a_row_for_each_network(kept):
    table = hk.models.pretrained(folder=kept[1])
    assert table.loc["small", "PSNR"] == 30 and table.loc["small", "what"] == "a test"


def test_an_unknown_name_is_told_with_those_that_there_are(kept):
    with pytest.raises(ValueError, match="Unknown network 'large': expected one of small"):
        hk.models.pretrained("large", kept[1])
    with pytest.raises(ValueError, match="Unknown network 'large'"):
        hk.models.card("large", kept[1])


def test_weights_of_another_file_are_refused(kept):
    _, folder = kept
    (folder / "small.npz").write_bytes((folder / "small.npz").read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="not the file of its card"):
        hk.models.pretrained("small", folder)


def test_weights_too_large_for_float16_are_not_kept(tmp_path):
    model = build([SMALL])
    model.set_weights([weights + 1e5 for weights in model.get_weights()])
    with pytest.raises(ValueError, match="beyond the range of float16"):
        write(model, {**CARD, "network": [SMALL]}, "small", tmp_path)


def test_two_parts_are_one_network():
    chain = build([SMALL, ["l2net", {}]])
    assert chain.output_shape == (None, 128)


@pytest.mark.parametrize("card", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_every_network_that_comes_with_the_kit_loads_and_says_what_it_is(card):
    about = json.loads(card.read_text())
    for key in ("what", "network", "data", "command", "made with", "date", "scores", "licence"):
        assert about[key], key
    model = hk.models.pretrained(card.stem)
    patches = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)
    assert np.isfinite(model.predict(patches, verbose=0)).all()


def test_a_denoiser_and_two_descriptors_come_with_the_kit():
    assert {"denoiser", "descriptor", "noisy-descriptor"} <= set(hk.models.pretrained().index)


def test_all_weights_together_are_small():
    assert sum(file.stat().st_size for file in FOLDER.glob("*")) < 12e6


def test_weights_that_are_missing_beside_their_card_are_named(tmp_path):
    write(build([SMALL]), {**CARD, "network": [SMALL]}, "small", tmp_path)
    (tmp_path / "small.npz").unlink()
    with pytest.raises(ValueError, match="small.npz, which belongs to a card, is missing"):
        hk.models.pretrained("small", tmp_path)

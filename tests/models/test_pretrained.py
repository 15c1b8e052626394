"""Pretrained networks: weights in float16, cards and checksums."""

import json

import keras
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.models.pretrained import FOLDER, build, write

SMALL = ["unet", {"encoder": [2, 2], "decoder": [2], "residual": True}]
NOISY = {"data": "toy", "points": 40, "points per sequence": 20, "kind": "noisy"}
DENOISED = NOISY | {"kind": "denoised"}
SCORES = [
    NOISY | {"denoiser": "noisy input", "PSNR in dB": 20.0, "PSNR in dB, easy": 21.0},
    DENOISED | {"denoiser": "small", "PSNR in dB": 30.0, "PSNR in dB, easy": 31.0},
]
CARD = {"what": "a test", "scores": SCORES, "network": [SMALL]}


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
    assert card == CARD


@pytest.mark.one_backend
def test_the_list_has_a_row_for_each_score_and_says_what_it_is_of(written):
    table = hk.models.pretrained(folder=written[1])
    about = {"data": "toy", "points per sequence": 20}
    tasks = dict.fromkeys(("verification", "matching", "retrieval"))
    rows = table.astype(object).where(table.notna(), None).to_dict("index")
    assert rows == {
        "noisy input": {**about, "kind": "noisy", **tasks, "PSNR in dB": 20.0},
        "small": {**about, "kind": "denoised", **tasks, "PSNR in dB": 30.0},
    }


@pytest.mark.one_backend
def test_the_list_has_baselines_once_next_to_the_networks_on_the_same_patches(written):
    model, folder = written
    numbers = {"verification": 0.8, "matching": 0.4, "retrieval": 0.6}
    for name in ("one", "two"):
        scores = [
            NOISY | {"kind": kind, "descriptor": label} | numbers
            for kind in ("clean", "noisy")
            for label in ("RootSIFT", name)
        ]
        write(model, CARD | {"scores": scores}, name, folder)
    (folder / "small.json").unlink()
    table = hk.models.pretrained(folder=folder)
    expected = [(name, kind) for kind in ("clean", "noisy") for name in ("RootSIFT", "one", "two")]
    assert list(zip(table.index, table.kind)) == expected
    assert (table.matching == 0.4).all()


@pytest.mark.one_backend
def test_a_card_of_version_0_1_or_with_other_scores_is_refused(written):
    file = written[1] / "small.json"
    for scores, message in (
        ({"PSNR": 30.0}, "'scores' is of another type"),
        ([3], "objects in 's"),
    ):
        file.write_text(json.dumps(hk.models.card("small", written[1]) | {"scores": scores}))
        with pytest.raises(UserError, match=message):
            hk.models.pretrained(folder=written[1])
        write(written[0], CARD, "small", written[1])


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
@pytest.mark.parametrize(
    "network",
    [
        [],
        [["large", {}]],
        ["l2net"],
        [["l2net"]],
        [[["l2net"], {}]],
        [["l2net", 1]],
        [SMALL] * 3,
        [1],
    ],
    ids=str,
)
def test_a_card_with_an_unknown_network_is_refused_with_the_known_ones(network):
    with pytest.raises(UserError, match="expected one part, or denoiser .* Known names: unet, "):
        build(network)


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
REAL = "v_dogman, v_wormhole, i_leuven, i_bikes, v_boat"
KEYS = "what network row data command environment date licence scored".split() + ["chosen by"]


@pytest.mark.parametrize("name", NAMES)
def test_every_pretrained_network_loads_and_has_a_complete_card(name):
    card = hk.models.card(name)
    for key in KEYS:
        assert card[key], key
    model = hk.models.pretrained(name)
    patches = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)
    assert np.isfinite(model.predict(patches, verbose=0)).all()


def groups(name):
    """The scores on a card, by the patches that they are of: `{(data, kind): {name: score}}`."""
    result = {}
    for row in hk.models.card(name)["scores"]:
        kind = "" if name == "denoiser" else row["kind"]  # noisy input and denoised are compared
        label = row.get("denoiser") or row["descriptor"]
        assert label not in result.setdefault((row["data"], kind), {}), "scored twice"
        result[row["data"], kind][label] = row
    return result


@pytest.mark.one_backend
def test_a_denoiser_is_ahead_of_its_input_by_more_than_5_db_at_each_level():
    scores = groups("denoiser")
    assert (REAL, "") in scores
    for rows in scores.values():
        noisy, denoised = rows["noisy input"], rows["denoiser"]
        levels = [key for key in noisy if key.startswith("PSNR")]
        assert len(levels) == 5 and all(noisy[key] + 5 < denoised[key] for key in levels)
        assert noisy["points"] == denoised["points"] >= noisy["points per sequence"] > 0


@pytest.mark.one_backend
@pytest.mark.parametrize("name", NAMES[1:])
def test_a_descriptor_is_ahead_of_the_baselines_on_all_patches(name):
    for (data, kind), rows in groups(name).items():
        assert set(rows) == {"pixels", "RootSIFT", name}, (data, kind)
        assert len({row["points"] for row in rows.values()}) == 1
        assert rows["pixels"]["matching"] < rows["RootSIFT"]["matching"]
        assert rows["RootSIFT"]["matching"] < rows[name]["matching"] < 1


@pytest.mark.one_backend
@pytest.mark.parametrize("name", NAMES)
def test_every_network_is_scored_on_real_sequences(name):
    kinds = {"denoiser": [""], "descriptor": ["clean", "noisy", "denoised"]}
    expected = {(REAL, kind) for kind in kinds.get(name, ["clean", "noisy"])}
    assert {key for key in groups(name) if key[0] == REAL} == expected
    assert name in hk.models.pretrained().index


@pytest.mark.one_backend
@pytest.mark.parametrize("columns", ["40", "80", "300"])
def test_the_list_is_printed_with_all_scores_and_what_they_are_of(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    table = hk.models.pretrained()
    printed = repr(table)
    assert "..." not in printed and "NaN" not in printed
    for value in [*table.columns, *table.index, *table["data"], *table["points per sequence"]]:
        assert str(value) in printed
    for matching in table.matching.dropna():
        assert f"{matching:.3f}" in printed


@pytest.mark.one_backend
def test_the_folder_has_the_weights_of_these_networks_and_no_others():
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

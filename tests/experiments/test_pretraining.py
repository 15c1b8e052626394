"""From complete runs to the weights and cards of pretrained networks."""

import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import Denoiser, Descriptor, Run, Scale, pretraining
from hpatches_kit.experiments.trained_models import load_trained
from hpatches_kit.models.pretrained import FOLDER

pytestmark = pytest.mark.slow

PRETRAINED = list(pretraining.NETWORKS)
TINY = Scale("tiny", 1, 100, 64, validation_patches=50, train_points=20, test_sequences=1)
FILTERS = {"encoder": (2, 2), "decoder": (2,), "residual": True}
UNET = Denoiser("tiny-unet", network_options=FILTERS, optimizer="Adam")
BOTH = Descriptor("tiny-both", batch_size=8, kind="noisy", denoiser=UNET, end_to_end=True)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of patches; the networks to train are two tiny ones."""
    monkeypatch.setitem(experiments.SCALES, "tiny", TINY)
    networks = {"denoiser": (UNET, "a small U-Net"), "both": (BOTH, "two in one")}
    monkeypatch.setattr(pretraining, "NETWORKS", networks)
    sides = {"train": ["v_one"], "validation": ["i_two"], "test": ["v_three", "i_four"]}
    lengths = {name: 20 for names in sides.values() for name in names}
    toy_patches(lengths, splits={"own": sides}).save(tmp_path / "toy")
    return str(tmp_path / "toy")


def test_pretrained_weights_are_those_of_the_run_and_the_card_says_how_it_was_trained(
    data, tmp_path
):
    root, folder = tmp_path / "results", tmp_path / "weights"
    card = pretraining.train_pretrained("both", root, data, "tiny", folder, seed=3)
    assert (card["seed"], card["epochs"], card["scale"]) == (3, 1, "tiny")
    assert card["training patches"] == TINY.descriptor_patches
    assert card["initial weights"] == "denoiser"
    assert card["command"].endswith(f"--data {data} --scale tiny")
    assert {"verification", "matching"} <= set(card["scores"])  # a toy is too small for retrieval
    assert hk.models.card("both", folder)["scores"] == card["scores"]

    patches = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 1), np.uint8)
    run = Run(BOTH, data, TINY, 3)
    before = load_trained(run, root).predict(patches, verbose=0)
    after = hk.models.pretrained("both", folder).predict(patches, verbose=0)
    np.testing.assert_allclose((before * after).sum(1), 1, atol=1e-4)


def test_the_score_of_a_denoiser_is_its_psnr_on_the_test_set(data, tmp_path):
    card = pretraining.train_pretrained("denoiser", tmp_path / "results", data, "tiny", tmp_path)
    assert card["initial weights"] == "random"
    assert card["scored on"].startswith("20 points of the test photographs of ")
    test_set = hk.load(data).split()[2].sample(1)
    denoiser = hk.models.pretrained("denoiser", tmp_path)
    psnr = hk.metrics.quality(test_set, denoiser).loc["all", "PSNR in dB"]
    assert card["scores"]["PSNR in dB"] == pytest.approx(psnr, abs=0.006)


def test_the_command_writes_a_folder_that_pretrained_loads_from(
    data, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pretraining, "BUILTIN", [data])
    pretraining.main(["--data", data, "--scale", "tiny"])
    assert "both: {'verification'" in capsys.readouterr().out
    listed = hk.models.pretrained(folder="results/weights")
    assert list(listed.index) == ["both", "denoiser"]
    assert "a small U-Net" in (tmp_path / "results" / "weights" / "README.md").read_text()


def test_the_command_on_the_cards_is_this_module():
    assert pretraining.COMMAND == f"python -m {pretraining.__name__}"


def test_the_page_lists_the_entries_of_the_cards():
    card = {
        "what": "a test",
        "network": [["unet", {}]],
        "command": "do it",
        "scores": {"PSNR": 3.5},
    }
    page = pretraining.cards_page({"small": card})
    for line in ("## small: a test", "- scores: PSNR 3.5", "- command: `do it`"):
        assert line in page


def test_the_page_of_the_pretrained_networks_is_up_to_date():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page == pretraining.cards_page({name: hk.models.card(name) for name in PRETRAINED})


@pytest.mark.parametrize("name", PRETRAINED)
def test_the_card_of_a_pretrained_network_names_its_row(name):
    card, (row, what) = hk.models.card(name), pretraining.NETWORKS[name]
    assert card["what"] == what and card["licence"] == pretraining.LICENCE
    assert card["network"][-1] == [
        row.network,
        {key: list(v) if isinstance(v, tuple) else v for key, v in row.network_options.items()},
    ]


def test_a_record_without_a_model_and_an_address_are_errors(data, tmp_path):
    pretraining.train_pretrained("denoiser", tmp_path, data, "tiny", tmp_path / "weights")
    (model,) = tmp_path.rglob("weights.npz")
    model.unlink()
    with pytest.raises(ValueError, match="holds a record without a model"):
        pretraining.train_pretrained("denoiser", tmp_path, data, "tiny", tmp_path / "weights")
    with pytest.raises(ValueError, match="s3://bucket is an address"):
        pretraining.train_pretrained("denoiser", "s3://bucket", data, "tiny", tmp_path)


def test_only_the_built_in_photographs_have_the_licence_of_the_cards(capsys):
    with pytest.raises(SystemExit):
        pretraining.main(["--data", "hpatches"])
    assert "invalid choice: 'hpatches'" in capsys.readouterr().err

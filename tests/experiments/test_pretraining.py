"""From complete runs to the weights that come with the kit."""

import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import Denoiser, Descriptor, Run, Scale
from hpatches_kit.experiments import pretraining as shipping
from hpatches_kit.experiments.training import load_trained
from hpatches_kit.models.pretrained import FOLDER

WITH_THE_KIT = list(shipping.NETWORKS)
TINY = Scale("tiny", 1, 100, 64, validation_patches=50, train_points=20, test_points=12)
NET = {"encoder": (2, 2), "decoder": (2,), "residual": True}
UNET = Denoiser("tiny-unet", network_options=NET, optimizer="Adam")
BOTH = Descriptor("tiny-both", batch_size=8, kind="noisy", denoiser=UNET, end_to_end=True)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setitem(experiments.SCALES, "tiny", TINY)
    networks = {"denoiser": (UNET, "a small U-Net"), "both": (BOTH, "two in one")}
    monkeypatch.setattr(shipping, "NETWORKS", networks)
    lengths = {"v_one": 20, "i_two": 20, "v_three": 20}
    splits = {"own": {"train": ["v_one", "i_two"], "test": ["v_three"]}}
    toy_patches(lengths, splits=splits).save(tmp_path / "toy")
    return str(tmp_path / "toy")


def test_what_is_shipped_is_what_was_trained_and_its_card_says_how(data, tmp_path):
    root, folder = tmp_path / "results", tmp_path / "weights"
    about = shipping.ship("both", root, data, "tiny", folder, seed=3)
    assert (about["seed"], about["epochs"], about["scale"]) == (3, 1, "tiny")
    assert about["patches"] == TINY.descriptor_patches
    assert about["begins with"] == "denoiser"
    assert about["command"].endswith(f"--data {data} --scale tiny")
    assert {"verification", "matching"} <= set(about["scores"])  # a toy is too small for retrieval
    assert hk.models.card("both", folder)["scores"] == about["scores"]

    patches = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 1), np.uint8)
    run = Run(BOTH, data, TINY, 3)
    before = load_trained(run, root).predict(patches, verbose=0)
    after = hk.models.preload_trained("both", folder).predict(patches, verbose=0)
    np.testing.assert_allclose((before * after).sum(1), 1, atol=1e-4)


def test_the_score_of_a_denoiser_is_its_psnr_on_the_test_side(data, tmp_path):
    about = shipping.ship("denoiser", tmp_path / "results", data, "tiny", tmp_path)
    test = hk.load(data).split()[1].sample(12, 0)
    loaded = hk.models.preload_trained("denoiser", tmp_path)
    psnr = hk.metrics.quality(test, loaded).loc["all", "PSNR in dB"]
    assert about["scores"]["PSNR in dB"] == pytest.approx(psnr, abs=0.006)


def test_the_command_makes_a_folder_of_its_own_to_load_from(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipping, "RECIPES", [data])
    shipping.main(["--data", data, "--scale", "tiny"])
    assert "both: {'verification'" in capsys.readouterr().out
    listed = hk.models.preload_trained(folder="results/weights")
    assert list(listed.index) == ["both", "denoiser"]
    assert "a small U-Net" in (tmp_path / "results" / "weights" / "README.md").read_text()


def test_the_page_of_cards_is_what_the_cards_say():
    about = {
        "what": "a test",
        "network": [["unet", {}]],
        "command": "do it",
        "scores": {"PSNR": 3.5},
    }
    text = shipping.page({"small": about})
    assert (
        "## small: a test" in text and "- scores: PSNR 3.5" in text and "- command: `do it`" in text
    )


def test_the_page_that_comes_with_the_kit_is_that_of_its_cards():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page == shipping.page({name: hk.models.card(name) for name in WITH_THE_KIT})


def test_a_network_is_not_made_of_numbers_alone_nor_at_an_address(data, tmp_path):
    shipping.ship("denoiser", tmp_path, data, "tiny", tmp_path / "weights")
    (model,) = tmp_path.rglob("model.keras")
    model.unlink()
    with pytest.raises(ValueError, match="has numbers without a model"):
        shipping.ship("denoiser", tmp_path, data, "tiny", tmp_path / "weights")
    with pytest.raises(ValueError, match="s3://bucket is an address"):
        shipping.ship("denoiser", "s3://bucket", data, "tiny", tmp_path)


def test_cards_speak_of_the_photographs_that_come_along_and_of_no_other_data(capsys):
    with pytest.raises(SystemExit):
        shipping.main(["--data", "hpatches"])
    assert "invalid choice: 'hpatches'" in capsys.readouterr().err

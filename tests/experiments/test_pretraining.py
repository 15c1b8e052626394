"""From complete runs to the weights and cards of pretrained networks."""

import json
from dataclasses import replace
from datetime import date
from importlib.util import find_spec

import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit._support.errors import UserError
from hpatches_kit.experiments import (
    SCALES,
    TABLES,
    Denoiser,
    Descriptor,
    Run,
    Scale,
    pretrained_networks,
    pretraining,
)
from hpatches_kit.experiments.cards_page import cards_page
from hpatches_kit.experiments.records import record_of
from hpatches_kit.experiments.tables.recipe_search import SEARCH_BASE
from hpatches_kit.experiments.trained_models import load_trained
from hpatches_kit.models.pretrained import FOLDER, write_card

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_figures")]

PRETRAINED = list(pretrained_networks.NETWORKS)
ROWS = {row.name: row for table in TABLES.values() for row in table.rows.values()}
ROWS |= {row.name: row for row, _ in pretrained_networks.NETWORKS.values()}
TINY = Scale("tiny", 1, 100, 64, validation_patches=50, train_points=20, test_sequences=1)
FILTERS = {"encoder": (2, 2), "decoder": (2,), "residual": True}
UNET = Denoiser("tiny-unet", network_options=FILTERS, optimizer="Adam")
SMALL = {"network": "tfeat", "batch_size": 8}
BOTH = Descriptor(
    "tiny-both", kind="noisy", denoiser=UNET, end_to_end=True, length_factor=2, **SMALL
)
CLEAN = Descriptor("tiny-clean", scored_on_noisy_too=True, **SMALL)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of patches; the networks to train are two tiny ones."""
    monkeypatch.setitem(experiments.SCALES, "tiny", TINY)
    networks = {"denoiser": (UNET, "a small U-Net"), "both": (BOTH, "two in one")}
    monkeypatch.setattr(pretrained_networks, "NETWORKS", networks)
    sides = {"train": ["v_one"], "validation": ["i_two"], "test": ["v_three", "i_four"]}
    lengths = {name: 20 for names in sides.values() for name in names}
    toy_patches(lengths, splits={"own": sides}).save(tmp_path / "toy")
    return str(tmp_path / "toy")


def test_pretrained_weights_are_those_of_the_run_and_the_card_says_how_it_was_trained(
    data, tmp_path
):
    root, folder = tmp_path / "results", tmp_path / "weights"
    card = pretrained_networks.train_pretrained("both", root, data, "tiny", folder, seed=3)
    assert (card["seed"], card["epochs"], card["scale"], card["row"]) == (3, 1, "tiny", "tiny-both")
    assert card["training patches"] == 2 * TINY.descriptor_patches  # its length_factor is 2
    assert card["initial weights"] == "denoiser"
    assert card["command"].endswith(f"--data {data} --scale tiny --policy float32 --only both")
    record = record_of(Run(BOTH, data, TINY, 3), root)
    hours = (record["core_seconds"] + record["other_core_seconds"]) / 3600
    assert card["training seconds"] == record["seconds"] > 0
    assert card["hours of processor time"] == pytest.approx(hours, abs=0.006)
    assert "cores of" in card["hardware"] and "other pictures judge" in card["chosen by"]
    assert hk.models.card("both", folder)["scores"] == card["scores"]

    patches = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 1), np.uint8)
    run = Run(BOTH, data, TINY, 3)
    before = load_trained(run, root).predict(patches, verbose=0)
    after = hk.models.pretrained("both", folder).predict(patches, verbose=0)
    np.testing.assert_allclose((before * after).sum(1), 1, atol=1e-4)


def test_scores_of_a_descriptor_say_what_they_are_of_and_baselines_are_beside_them(data, tmp_path):
    card = pretrained_networks.train_pretrained(
        "both", tmp_path, data, "tiny", tmp_path / "weights"
    )
    about = [(row["data"], row["points"], row["points per sequence"]) for row in card["scores"]]
    title = f"test photographs of {data}, 1 of 2 sequences"
    assert set(about) == {(title, 20, 20)}
    order = [(row["kind"], row["descriptor"]) for row in card["scores"]]
    labels = ["pixels", "RootSIFT", "both"] if find_spec("cv2") else ["pixels", "both"]
    assert order == [(kind, label) for kind in ("clean", "noisy") for label in labels]
    test_set = hk.load(data).split()[2].sample(1)
    model = hk.models.pretrained("both", tmp_path / "weights")
    for name, describer in (("both", model), ("pixels", hk.baselines.pixels)):
        (row,) = [
            row for row in card["scores"] if (row["kind"], row["descriptor"]) == ("noisy", name)
        ]
        scores = hk.benchmark.evaluate(hk.describe(describer, test_set, "noisy"), progress=False)
        expected = scores.by_task  # a toy is too small for retrieval
        assert "matching" in expected
        assert {task: row[task] for task in expected} == pytest.approx(expected, abs=6e-4)


def test_a_descriptor_for_clean_patches_is_also_scored_on_denoised_ones(
    data, tmp_path, monkeypatch
):
    monkeypatch.setitem(pretrained_networks.NETWORKS, "descriptor", (CLEAN, "a small network"))
    where = tmp_path / "results", data, "tiny", tmp_path / "weights"
    alone = pretrained_networks.train_pretrained("descriptor", *where)
    assert {row["kind"] for row in alone["scores"]} == {"clean", "noisy"}
    pretrained_networks.train_pretrained("denoiser", *where)
    again = pretrained_networks.train_pretrained("descriptor", *where)
    of_network = {r["kind"]: r for r in again["scores"] if r["descriptor"] == "descriptor"}
    assert set(of_network) == {"clean", "noisy", "denoised"}
    test_set = hk.load(data).split()[2].sample(1)
    model, denoiser = (hk.models.pretrained(n, where[3]) for n in ("descriptor", "denoiser"))
    scores = hk.benchmark.evaluate(hk.describe(model, test_set, denoiser=denoiser), progress=False)
    expected = pytest.approx(scores.by_task["matching"], abs=6e-4)
    assert of_network["denoised"]["matching"] == expected


def test_the_score_of_a_denoiser_is_its_psnr_by_level_beside_that_of_its_input(data, tmp_path):
    card = pretrained_networks.train_pretrained(
        "denoiser", tmp_path / "results", data, "tiny", tmp_path
    )
    assert card["initial weights"] == "random"
    noisy, denoised = card["scores"]
    assert (noisy["denoiser"], denoised["denoiser"]) == ("noisy input", "denoiser")
    test_set = hk.load(data).split()[2].sample(1)
    denoiser = hk.models.pretrained("denoiser", tmp_path)
    for row, model in ((noisy, None), (denoised, denoiser)):
        psnr = hk.metrics.quality(test_set, model)["PSNR in dB"]
        assert row["PSNR in dB"] == pytest.approx(psnr["all"], abs=0.03)
        for level in ("reference", "easy", "hard", "tough"):
            assert row[f"PSNR in dB, {level}"] == pytest.approx(psnr[level], abs=0.03)


def test_weights_trained_in_bfloat16_are_scored_in_float32(data, tmp_path):
    where = tmp_path / "results", data, "tiny", tmp_path / "weights"
    card = pretrained_networks.train_pretrained("both", *where, policy="mixed_bfloat16")
    assert card["policy"] == "mixed_bfloat16" and "--policy mixed_bfloat16" in card["command"]
    model = hk.models.pretrained("both", tmp_path / "weights")
    assert model.compute_dtype == "float32"
    test_set = hk.load(data).split()[2].sample(1)
    scores = hk.benchmark.evaluate(hk.describe(model, test_set, "noisy"), progress=False)
    expected = pytest.approx(scores.by_task["matching"], abs=6e-4)
    assert card["scores"][-1]["matching"] == expected


def test_real_sequences_are_scored_and_named_but_not_those_of_the_training(data, tmp_path):
    lengths = {"v_five": 12, "i_six": 10, "v_seven": 14}
    toy_patches(lengths, seed=5).save(tmp_path / "real")
    where = tmp_path / "results", data, "tiny", tmp_path / "weights"
    card = pretrained_networks.train_pretrained("denoiser", *where, real=str(tmp_path / "real"))
    assert card["command"].endswith("--only denoiser --real PATCHES")
    of_real = [row for row in card["scores"] if row["data"] == "v_five, i_six, v_seven"]
    assert [row["kind"] for row in of_real] == ["noisy", "denoised"]
    assert {(row["points"], row["points per sequence"]) for row in of_real} == {(36, 12)}
    with pytest.raises(UserError, match="shares .*: choose other sequences"):
        pretrained_networks.train_pretrained("denoiser", *where, real=data)


def test_the_command_writes_a_folder_that_pretrained_loads_from_and_scores_it_again(
    data, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pretraining, "BUILTIN", [data])
    arguments = ["--data", data, "--scale", "tiny"]
    pretraining.main([*arguments, "--only", "both"])
    assert f"both, noisy, test photographs of {data}" in capsys.readouterr().out
    folder = tmp_path / "results" / "weights"
    assert [file.stem for file in folder.glob("*.npz")] == ["both"]
    before = hk.models.card("both", folder)
    weights, page = (folder / "both.npz").read_bytes(), (folder / "README.md").read_text()
    assert "two in one" in page and "a small U-Net" not in page

    # One score is missing; another is not that of the weights, and stays unless asked otherwise.
    wrong, *others, last = before["scores"]
    wrong = wrong | {"matching": 0.123}
    changed = before | {"scores": [wrong, *others], "scored": "before"}
    write_card(changed, "both", folder)
    pretraining.main([*arguments, "--only", "both", "--score-only"])
    assert capsys.readouterr().out.count("both, noisy") == 1
    after = hk.models.card("both", folder)
    assert after["scored"].startswith(str(date.today()))
    assert after["scores"] == [wrong, *others, last]
    pretraining.main([*arguments, "--only", "both", "--score-only", "--again"])
    assert hk.models.card("both", folder)["scores"] == before["scores"]
    pretraining.main([*arguments, "--only", "both", "--score-only", "--test-sequences", "2"])
    after = hk.models.card("both", folder)
    count = len(before["scores"])
    assert [row["points"] for row in after["scores"]] == count * [20] + count * [40]
    same = {key: value for key, value in before.items() if key not in ("scored", "scores")}
    assert {key: after[key] for key in same} == same
    assert (folder / "both.npz").read_bytes() == weights


def test_an_unknown_network_is_refused_with_the_known_ones(data, monkeypatch):
    monkeypatch.setattr(pretraining, "BUILTIN", [data])
    with pytest.raises(UserError, match="network 'large': expected one of denoiser, both"):
        pretraining.main(["--data", data, "--only", "large"])


def test_the_command_on_the_cards_is_the_module_of_the_command():
    assert pretrained_networks.COMMAND == f"python -m {pretraining.__name__}"


def test_the_page_lists_the_entries_of_the_cards_and_a_table_of_scores():
    about = {"data": "toy", "points": 5000, "points per sequence": 500, "kind": "noisy"}
    card = {
        "what": "a test",
        "network": [["unet", {}]],
        "command": "do it",
        "licence": "MIT",
        "scores": [about | {"denoiser": "small", "PSNR in dB": 30.5, "PSNR in dB, easy": 31.0}],
    }
    page = cards_page({"small": card})
    for line in ("## small: a test", "- licence: MIT", "- command: `do it`"):
        assert line in page.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()[-3:]]
    heading = "data, points, per sequence, kind, denoiser, PSNR in dB, easy"
    assert rows[0] == heading.split(", ")
    assert rows[2] == ["toy", "5,000", "500", "noisy", "small", "30.50", "31.00"]


def test_the_page_of_the_pretrained_networks_is_up_to_date():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page == cards_page({name: hk.models.card(name) for name in PRETRAINED})


@pytest.mark.parametrize("name", PRETRAINED)
def test_the_card_of_a_pretrained_network_names_its_row(name):
    card, row = hk.models.card(name), ROWS[hk.models.card(name)["row"]]
    assert card["licence"] == pretrained_networks.LICENCE
    parts = [row.denoiser, row] if getattr(row, "end_to_end", False) else [row]
    network = [[part.network, part.network_options] for part in parts]
    assert card["network"] == json.loads(json.dumps(network))
    assert (row, card["what"]) == pretrained_networks.NETWORKS[name]


def test_the_rows_are_the_base_of_the_search_without_dropout_four_times_as_long_and_both_in_one():
    descriptor, both = (
        pretrained_networks.NETWORKS[n][0] for n in ("descriptor", "noisy-descriptor")
    )
    same = replace(descriptor, name=SEARCH_BASE.name, network_options={}, length_factor=1)
    assert same == replace(SEARCH_BASE, network_options={})
    changed = SEARCH_BASE.network_options | {"dropout": 0.0}
    assert descriptor.network_options == changed and descriptor.length_factor == 4
    assert pretrained_networks._training_patches(descriptor, SCALES["long"]) == 5_120_000
    assert pretrained_networks._training_patches(both, SCALES["long"]) == 1_280_000
    assert (both.kind, both.end_to_end) == ("noisy", True)
    assert (both.denoiser, both.init_from) == (
        pretrained_networks.NETWORKS["denoiser"][0],
        descriptor,
    )
    assert pretrained_networks._initial(both) == "denoiser, descriptor"
    names = {"descriptor": "pretrained-descriptor", "noisy-descriptor": both.name}
    assert {n: pretrained_networks.NETWORKS[n][0].name for n in names} == names


def test_a_record_without_a_model_and_an_address_are_errors(data, tmp_path):
    pretrained_networks.train_pretrained("denoiser", tmp_path, data, "tiny", tmp_path / "weights")
    (model,) = tmp_path.rglob("weights.npz")
    model.unlink()
    with pytest.raises(ValueError, match="holds a record without a model"):
        pretrained_networks.train_pretrained(
            "denoiser", tmp_path, data, "tiny", tmp_path / "weights"
        )
    with pytest.raises(ValueError, match="s3://bucket is an address"):
        pretrained_networks.train_pretrained("denoiser", "s3://bucket", data, "tiny", tmp_path)


def test_only_the_built_in_photographs_have_the_licence_of_the_cards(capsys):
    with pytest.raises(SystemExit):
        pretraining.main(["--data", "hpatches"])
    assert "invalid choice: 'hpatches'" in capsys.readouterr().err

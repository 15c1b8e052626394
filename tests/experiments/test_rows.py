"""Rows of the tables as data, and the runs made of them."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from tiny_rows import TINY, UNET

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import REPORTS, TABLES, Denoiser, Descriptor, Run, Scale, evidence


@pytest.mark.parametrize("name", TABLES)
def test_every_reported_number_has_a_row_and_a_column(name):
    table = TABLES[name]
    assert set(table.reported) <= set(table.rows)
    assert all(len(numbers) <= len(table.columns) for numbers in table.reported.values())


@pytest.mark.parametrize("name", TABLES)
def test_the_reported_numbers_agree_with_the_conclusions(name):
    """Of every claim whose cells the report has, and of none that says it is not in the report."""
    table = TABLES[name]
    lines = [
        (name, row, column, 0, value)
        for row, numbers in table.reported.items()
        for column, value in zip(table.columns, numbers)
    ]
    reported = pd.DataFrame(lines, columns=["table", "row", "column", "seed", "value"])
    effects = experiments.effects([name], reported)
    for claim in table.claims:
        known = effects[(effects.conclusion == claim.text) & effects["mean"].notna()]
        if "not in the report" not in claim.text and len(known):
            assert evidence.verdict(known, claim.within) == "holds in one seed", claim.text


def test_rows_with_one_name_are_equal():
    rows = {}
    for table in TABLES.values():
        for row in table.rows.values():
            assert rows.setdefault(row.name, row) == row
    assert len(rows) > 35


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_parts_that_exist(name):
    for row in TABLES[name].rows.values():
        assert callable(getattr(hk.models, row.network))
        if isinstance(row, Descriptor):
            loss = getattr(hk.losses, row.loss)(**row.loss_options)
            assert row.batch_class == loss.batch_class


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Denoiser("x", optimizer="adam"), "Unknown optimiser 'adam': expected one of SGD"),
        (
            lambda: Descriptor("x", batch_class="Quads"),
            "Unknown batch class for HardNegativeTriplet 'Quads'",
        ),
        (lambda: Descriptor("x", kind="clear"), "Unknown kind of patches 'clear'"),
        (lambda: Descriptor("x", scored_on="clear"), "Unknown kind of patches 'clear'"),
        (lambda: Descriptor("x", loss="mae"), "Unknown loss of descriptors 'mae': expected one of"),
        (lambda: Descriptor("x", loss="SSIMAndMAE"), "Unknown loss of descriptors"),
        (
            lambda: Descriptor("x", loss="TripletMargin"),
            "Unknown batch class for TripletMargin 'Pairs'",
        ),
        (lambda: Denoiser(""), "Name '': expected letters"),
        (lambda: Denoiser("../x"), "Name '../x': expected letters"),
        (lambda: Scale("a/b"), "Name 'a/b': expected letters"),
        (lambda: Descriptor("x", network="unet"), "Unknown network of descriptors 'unet'"),
        (lambda: Denoiser("x", network="l2net"), "Unknown network of denoisers 'l2net'"),
        (lambda: Denoiser("x", loss="nope"), "Unknown loss of denoisers 'nope'"),
        (lambda: Run(Denoiser("x"), "photos", "huge", 0), "Unknown scale 'huge'"),
        (lambda: Run(Denoiser("x"), "fotos", "quick", 0), "Unknown data 'fotos'"),
        (lambda: Run(Denoiser("x"), "photos", "quick", 0, "half"), "Unknown policy 'half'"),
        (lambda: hk.experiments.runs_of_tables(["C-table-1"]), "Unknown table 'C-table-1'"),
        (lambda: Descriptor("x", kind="denoised"), "x is trained or scored with a denoiser"),
        (
            lambda: Descriptor("x", init_from=Descriptor("y", end_to_end=True, denoiser=UNET)),
            "x has init_from='y', which is a denoiser and a descriptor in one network",
        ),
        (lambda: Descriptor("x", reduced_dim=128), "x has reduced_dim=128: expected 1 to 127"),
        (lambda: Descriptor("x", reduced_dim=0), "x has reduced_dim=0: expected 1 to 127"),
        (lambda: Descriptor("x", ema_momentum=5.0), "x has ema_momentum=5.0: expected 0 to 1"),
    ],
)
def test_an_impossible_row_is_an_error_at_once(make, message):
    with pytest.raises(hk.UserError, match=message):
        make()


def test_rows_can_name_every_network_of_the_kit():
    networks = {name for name in hk.models.__all__ if callable(getattr(hk.models, name))}
    in_rows = {*Denoiser.networks, *Descriptor.networks}
    made_of_others = {"end_to_end", "reduced", "with_resize", "pretrained", "from_torch"}
    assert in_rows == networks - made_of_others - {"card", "to_torch"}


def test_data_has_a_name_or_an_absolute_path(data, tmp_path, monkeypatch):
    run = Run(UNET, data, TINY, 0)
    monkeypatch.chdir(Path(data).parent)
    assert Run(UNET, Path(data).name, TINY, 0) == run
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Run(UNET, "photos", TINY, 0).data == "photos"


def test_all_tables_of_the_reports_are_present():
    expected = ["A-table-1", "A-table-2", "A-figure-2", "A-figure-3"]
    expected += [f"B-table-{k}" for k in range(1, 11)]
    expected += ["beyond-mining", "beyond-B", "beyond-B-losses", "beyond-B-denoisers", "recipe"]
    assert list(REPORTS) == expected
    # `all` does not train the searches.
    assert list(TABLES) == [*expected, "recipe-search", "denoiser-search"]


def test_the_defaults_of_rows_never_change():
    """The key of a run omits defaults: with another default, an old run would pass as a new one."""
    assert asdict(Denoiser("x")) == {
        "name": "x",
        "network": "unet",
        "network_options": {},
        "optimizer": "SGD",
        "learning_rate": None,
        "cosine_decay": False,
        "loss": "mae",
        "batch_size": 50,
        "batch_options": {},
        "epochs": 50,
        "patches_per_epoch": 40_000,
        "validation_patches": 30_000,
        "sequences": None,
    }
    assert asdict(Descriptor("x")) == {
        "name": "x",
        "network": "l2net",
        "network_options": {},
        "optimizer": "Adam",
        "learning_rate": None,
        "cosine_decay": False,
        "ema_momentum": None,
        "loss": "HardNegativeTriplet",
        "loss_options": {},
        "batch_class": "Pairs",
        "batch_size": 128,
        "batch_options": {},
        "epochs": 50,
        "samples": 12_800,
        "length_factor": 1,
        "kind": "clean",
        "scored_on": None,
        "scored_on_noisy_too": False,
        "denoiser": None,
        "init_from": None,
        "end_to_end": False,
        "teacher": None,
        "reduced_dim": None,
    }
    rates = {"RMSProp": 1e-3, "Adamax": 2e-3, "Adadelta": 1.0, "Adam": 1e-3, "Nadam": 2e-3}
    for row, sgd in ((Denoiser, 1e-5), (Descriptor, 0.1)):
        configs = row.optimizers.items()
        learning_rates = {name: config["config"]["learning_rate"] for name, config in configs}
        assert learning_rates == {"SGD": sgd, **rates}
    mining, triplet = hk.losses.HardNegativeTriplet(), hk.losses.TripletMargin()
    assert (mining.margin, mining.percentile, mining.negative) == (0.01, 0, "average")
    assert (triplet.margin, triplet.distance, triplet.swap) == (1.0, "mean_squared", False)

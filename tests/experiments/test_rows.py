"""The rows of the reports' tables, as data, and the runs that are made of them."""

from dataclasses import asdict
from pathlib import Path

import pytest
from tiny_rows import TINY, UNET

import hpatches_kit as hk
from hpatches_kit.experiments import TABLES, Denoiser, Descriptor, Run, Scale


@pytest.mark.parametrize("name", TABLES)
def test_every_reported_number_has_its_row_and_its_column(name):
    table = TABLES[name]
    assert set(table.reported) <= set(table.rows)
    assert {len(numbers) for numbers in table.reported.values()} <= {len(table.columns)}
    for claim in table.claims:
        assert {claim.better, claim.worse} <= set(table.rows)
        assert set(claim.columns) <= set(table.columns)


@pytest.mark.parametrize("name", TABLES)
def test_what_was_reported_agrees_with_what_was_concluded(name):
    table = TABLES[name]
    for claim in table.claims:
        for column in claim.columns:
            if not {claim.better, claim.worse} <= set(table.reported):
                continue
            at = list(table.columns).index(column)
            better, worse = (table.reported[row][at] for row in (claim.better, claim.worse))
            if claim.within is not None:
                assert abs(better - worse) <= claim.within
            else:
                assert better < worse if "MAE" in column else better > worse, (claim.text, column)


def test_rows_of_one_name_are_one_row():
    rows = {}
    for table in TABLES.values():
        for row in table.rows.values():
            assert rows.setdefault(row.name, row) == row
    assert len(rows) > 35


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_parts_that_exist(name):
    for row in TABLES[name].rows.values():
        assert hasattr(hk.models, row.network)
        if isinstance(row, Descriptor):
            getattr(hk.losses, row.loss)(**row.loss_options)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: Denoiser("x", optimizer="adam"), "Unknown optimiser 'adam': expected one of SGD"),
        (
            lambda: Descriptor("x", batch_class="Quads"),
            "Unknown kind of batches for HardNegativeTriplet 'Quads'",
        ),
        (lambda: Descriptor("x", patches="clear"), "Unknown kind of patches 'clear'"),
        (lambda: Descriptor("x", scored_on="clear"), "Unknown kind of patches 'clear'"),
        (lambda: Descriptor("x", loss="mae"), "Unknown loss of descriptors 'mae': expected one of"),
        (lambda: Descriptor("x", loss="SSIMAndMAE"), "Unknown loss of descriptors"),
        (
            lambda: Descriptor("x", loss="TripletMargin"),
            "Unknown kind of batches for TripletMargin 'Pairs'",
        ),
        (lambda: Denoiser(""), "Name '': expected letters"),
        (lambda: Denoiser("../x"), "Name '../x': expected letters"),
        (lambda: Scale("a/b"), "Name 'a/b': expected letters"),
        (lambda: Descriptor("x", network="unet"), "Unknown network of descriptors 'unet'"),
        (lambda: Denoiser("x", network="l2net"), "Unknown network of denoisers 'l2net'"),
        (lambda: Denoiser("x", loss="nope"), "nope"),
        (lambda: Run(Denoiser("x"), "photos", "huge", 0), "Unknown scale 'huge'"),
        (lambda: Run(Denoiser("x"), "fotos", "quick", 0), "Unknown data 'fotos'"),
        (lambda: Run(Denoiser("x"), "photos", "quick", 0, "half"), "half"),
        (lambda: hk.experiments.runs_of_tables(["C-table-1"]), "Unknown table 'C-table-1'"),
        (lambda: Descriptor("x", kind="denoised"), "x needs a denoiser="),
        (
            lambda: Descriptor("x", init_from=Descriptor("y", end_to_end=True, denoiser=UNET)),
            "x begins with two networks in one",
        ),
    ],
)
def test_a_row_that_cannot_be_is_refused_at_once(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_every_network_may_be_named_by_a_row():
    there = {name for name in hk.models.__all__ if callable(getattr(hk.models, name))}
    networks = {*Denoiser.networks, *Descriptor.networks}
    assert networks == there - {"end_to_end", "pretrained", "card"}


def test_data_are_known_by_name_or_by_their_whole_path(data, tmp_path, monkeypatch):
    here = Run(UNET, data, TINY, 0)
    monkeypatch.chdir(Path(data).parent)
    assert Run(UNET, Path(data).name, TINY, 0) == here
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Run(UNET, "photos", TINY, 0).data == "photos"


def test_the_lines_of_the_reports_are_all_there():
    expected = [f"A-table-{k}" for k in (1, 2)] + ["A-figure-3"]
    expected += [f"B-table-{k}" for k in range(1, 11)]
    assert list(TABLES) == [*expected, "recipe"]


def test_what_rows_leave_unsaid_never_changes():
    """The name of a run has only what differs from this: with another default, old runs would pass
    for new ones."""
    assert asdict(Denoiser("x")) == {
        "name": "x",
        "network": "unet",
        "network_options": {},
        "optimizer": "SGD",
        "rate": None,
        "decay": False,
        "loss": "mae",
        "batch_size": 50,
        "batch_options": {},
        "epochs": 50,
        "patches": 40_000,
        "validation": 30_000,
        "sequences": None,
    }
    assert asdict(Descriptor("x")) == {
        "name": "x",
        "network": "l2net",
        "network_options": {},
        "optimizer": "Adam",
        "rate": None,
        "decay": False,
        "loss": "HardNegativeTriplet",
        "loss_options": {},
        "batches": "Pairs",
        "size": 128,
        "batch_options": {},
        "epochs": 50,
        "samples": 12_800,
        "longer": 1,
        "patches": "clean",
        "scored_on": None,
        "denoiser": None,
        "start": None,
        "through": False,
    }
    rates = {"RMSProp": 1e-3, "Adamax": 2e-3, "Adadelta": 1.0, "Adam": 1e-3, "Nadam": 2e-3}
    for row, sgd in ((Denoiser, 1e-5), (Descriptor, 0.1)):
        named = {name: of["config"]["learning_rate"] for name, of in row.optimizers.items()}
        assert named == {"SGD": sgd, **rates}
    mining, triplet = hk.losses.HardNegativeTriplet(), hk.losses.TripletMargin()
    assert (mining.margin, mining.percentile, mining.negative) == (0.01, 0, "average")
    assert (triplet.margin, triplet.distance, triplet.swap) == (1.0, "mean_squared", False)

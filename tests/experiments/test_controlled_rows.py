"""Rows that are compared differ in what is compared, and claims name cells of their tables."""

from dataclasses import fields, replace

import pytest

import hpatches_kit as hk
from hpatches_kit.experiments import TABLES
from hpatches_kit.experiments.scales import SCALES
from hpatches_kit.experiments.tables.table import DENOISER, LOWER_IS_BETTER

SETTINGS = ["margin 0.01, average", "margin 1, average", "margin 1, minimum"]
MINING, BEYOND_B = TABLES["beyond-mining"].rows, TABLES["beyond-B"].rows
LOSSES = TABLES["beyond-B-losses"].rows
UNETS, FINAL = TABLES["beyond-B-denoisers"].rows, TABLES["B-table-10"].rows
BASELINE = "Report B's baseline"
each_table = pytest.mark.parametrize("name", TABLES)


def changes(row, other):
    """Names of the fields in which two rows differ."""
    return {
        field.name
        for field in fields(row)
        if getattr(row, field.name) != getattr(other, field.name)
    }


def loss_settings(row):
    """Settings of the loss of a row, those included that the row leaves at their defaults."""
    config = getattr(hk.losses, row.loss)(**row.loss_options).get_config()
    return {key: value for key, value in config.items() if key != "name"}


def patches_per_epoch(row, scale):
    """How many patches a descriptor sees in an epoch, as in `experiments.training`."""
    samples, views = row.samples, {"Pairs": 2, "Triplets": 3}[row.batch_class]
    if scale.descriptor_patches:
        samples = scale.descriptor_patches // (scale.epochs or row.epochs) // views
    return samples // row.batch_size * row.batch_size * views


@pytest.mark.parametrize("label", SETTINGS)
def test_random_and_hard_negatives_differ_in_the_loss_alone(label):
    random, hard = MINING[f"Random, {label}"], MINING[f"Hard, {label}"]
    assert {"name", "loss"} <= changes(random, hard) <= {"name", "loss", "loss_options"}
    assert (random.loss, hard.loss) == ("RandomNegativeTriplet", "HardNegativeTriplet")
    # The hard row may leave its settings at their defaults; only it has a percentile, 0.
    assert loss_settings(random) | {"percentile": 0} == loss_settings(hard)


def test_the_pairs_of_random_and_hard_negatives_have_the_settings_of_their_labels():
    assert set(MINING) == {
        f"{mining}, {label}" for mining in ("Random", "Hard") for label in SETTINGS
    }
    for label, row in MINING.items():
        settings = loss_settings(row)
        assert label.endswith(f"margin {settings['margin']:g}, {settings['negative']}")
        assert changes(row, MINING["Hard, margin 0.01, average"]) <= {
            "name",
            "loss",
            "loss_options",
        }


each_ending = pytest.mark.parametrize("end", ["", ", final batch normalisation"])


@each_ending
def test_sosnet_rows_differ_in_the_weight_of_the_second_order_term(end):
    without, row = LOSSES[f"SOSNet without second-order term{end}"], LOSSES[f"SOSNet{end}"]
    assert changes(without, row) == {"name", "loss_options"}
    assert loss_settings(without) == loss_settings(row) | {"weight": 0}
    assert loss_settings(row)["weight"] == 1


@each_ending
def test_hynet_rows_differ_in_the_regulariser(end):
    without, row = LOSSES[f"HyNet without regulariser{end}"], LOSSES[f"HyNet{end}"]
    assert changes(without, row) == {"name", "network_options"}
    assert row.network_options == without.network_options | {"norm_regularizer": 0.1}


@each_ending
@pytest.mark.parametrize(
    "label", ["SOSNet without second-order term", "SOSNet", "HyNet without regulariser"]
)
def test_losses_are_compared_on_the_same_network_and_training(label, end):
    row, hardnet = LOSSES[f"{label}{end}"], LOSSES[f"HardNet{end}"]
    assert changes(row, hardnet) == {"name", "loss", "loss_options"}


@pytest.mark.parametrize("label", [label for label in LOSSES if "normalisation" not in label])
def test_each_loss_is_trained_without_and_with_final_batch_normalisation(label):
    row, normalised = LOSSES[label], LOSSES[f"{label}, final batch normalisation"]
    assert changes(row, normalised) == {"name", "network_options"}
    assert normalised.network_options == row.network_options | {"final_batch_norm": True}


def test_the_two_kinds_of_anchor_swapping_change_the_loss_of_the_baseline():
    paper = BEYOND_B["... anchor swapping, BMVC 2016"]
    assert changes(paper, BEYOND_B[BASELINE]) == {"name", "loss_options"}
    assert loss_settings(paper) == loss_settings(BEYOND_B[BASELINE]) | {"swap": True}
    report = BEYOND_B["... anchor swapping as report B describes it"]
    of_batches = {"batch_class", "batch_size", "samples"}
    assert changes(report, BEYOND_B[BASELINE]) == {"name", "loss", *of_batches}
    assert loss_settings(report) | {"swap": False} == loss_settings(BEYOND_B[BASELINE])
    assert report.batch_size % 2 == 0  # pairs


@pytest.mark.parametrize("scale", SCALES)
def test_the_row_with_anchor_swapping_sees_as_many_patches_as_the_baseline(scale):
    baseline = BEYOND_B[BASELINE]
    report = BEYOND_B["... anchor swapping as report B describes it"]
    assert 2 * report.samples == 3 * baseline.samples == 300_000  # per epoch
    counts = [patches_per_epoch(row, SCALES[scale]) for row in (report, baseline)]
    assert abs(counts[0] - counts[1]) <= 2 * report.batch_size  # one batch


def test_other_unets_differ_in_the_network_alone():
    assert set(UNETS) == {"U-Net", "U-Net, 8 layers", "U-Net++", "Framing U-Net"}
    for label in ("U-Net++", "Framing U-Net"):
        assert changes(UNETS[label], UNETS["U-Net"]) == {"name", "network"}
    options = {"name", "network_options"}
    assert changes(UNETS["U-Net, 8 layers"], UNETS["U-Net"]) == options


def test_the_rows_between_the_baseline_and_report_bs_final_model_change_one_thing_at_a_time():
    chain = ["Baseline L2-Net", "Final denoiser", "Final denoiser, Adamax", "Final model"]
    changed = ["denoiser", "optimizer", "network_options"]
    for before, after, field in zip(chain, chain[1:], changed):
        assert changes(FINAL[before], FINAL[after]) == {"name", field}
    before, after = FINAL["Final denoiser, Adamax"], FINAL["Final model"]
    initializer = {"kernel_initializer": "glorot_uniform"}
    assert after.network_options == before.network_options | initializer
    assert changes(FINAL["Baseline L2-Net"], FINAL["Adamax (table 4)"]) == {"name", "optimizer"}


def test_different_rows_have_different_names_and_no_row_has_two():
    rows = list({id(row): row for table in TABLES.values() for row in table.rows.values()}.values())
    for k, row in enumerate(rows):
        for other in rows[:k]:
            # Names are folders, and some systems do not distinguish upper and lower case.
            same_name = row.name.lower() == other.name.lower()
            same_settings = type(row) is type(other) and not changes(row, other) - {"name"}
            assert same_name == same_settings, (row.name, other.name)


@each_table
def test_the_rows_of_a_table_are_different(name):
    rows = TABLES[name].rows
    assert len({row.name for row in rows.values()}) == len(rows)


def test_the_comparison_of_rows_sees_every_field():
    row = UNETS["U-Net"]
    assert changes(row, replace(row, name="other", epochs=row.epochs + 1)) == {"name", "epochs"}


@each_table
def test_every_cell_of_a_claim_is_a_cell_of_its_table(name):
    table = TABLES[name]
    for claim in table.claims:
        assert claim.effects
        for cells in claim.effects.values():
            assert len(cells) in (2, 4) and len(set(cells)) == len(cells), claim.text
            for row, column in cells:
                assert row in table.rows and column in table.columns, claim.text


@each_table
def test_an_effect_subtracts_cells_of_one_direction(name):
    table = TABLES[name]
    for claim in table.claims:
        for cells in claim.effects.values():
            keys = [table.columns[column][0].removeprefix(DENOISER) for _, column in cells]
            assert len({key.removeprefix("val_") in LOWER_IS_BETTER for key in keys}) == 1

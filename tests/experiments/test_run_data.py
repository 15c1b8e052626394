"""The sides of a patch set that a run trains on, validates on and is scored on."""

from dataclasses import replace

import pytest
from tiny_rows import DENOISED_TFEAT, TFEAT, TINY, UNET
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.experiments import Run, run_data, scoring, training
from hpatches_kit.experiments.training import train

SIDES = {
    "train": ["v_one", "i_two", "v_three"],
    "validation": ["i_four", "v_five"],
    "test": ["v_six", "i_seven", "v_eight"],
}


def save(folder, sides, label=None):
    """Save toy patches with 20 points in each sequence of these sides; returns the folder."""
    names = {name for side in sides.values() for name in side}
    toy_patches(dict.fromkeys(sorted(names), 20), label, splits={"own": sides}).save(folder)
    return str(folder)


def test_the_sides_are_those_of_the_split(data):
    sides = run_data.load_sides(data)
    assert dict(zip(SIDES, [side.names for side in sides])) == SIDES


@pytest.mark.parametrize(
    ("first", "second"), [("train", "validation"), ("train", "test"), ("validation", "test")]
)
def test_sides_that_share_a_photograph_are_refused_by_name(first, second, tmp_path):
    sides = {side: [*names] for side, names in SIDES.items()}
    sides[first].append("v_cat_1")
    sides[second].append("i_cat_1")
    data = save(tmp_path / "toy", sides)
    message = rf"The {first} and {second} sides of .*toy share 1 photograph \(cat\)"
    with pytest.raises(hk.UserError, match=message):
        run_data.load_sides(data)


def test_sides_that_share_a_sequence_or_places_are_refused(tmp_path):
    twice = {**SIDES, "test": ["v_six", "v_one"]}
    with pytest.raises(hk.UserError, match=r"share 1 photograph \(v_one\) and 20 places"):
        run_data.load_sides(save(tmp_path / "twice", twice))
    label = [k % 155 for k in range(160)]  # the last five places are also the first five
    with pytest.raises(hk.UserError, match="The .* and .* sides of .*places share 5 places"):
        run_data.load_sides(save(tmp_path / "places", SIDES, label))


def test_a_run_on_sides_that_share_a_photograph_is_refused_before_training(tmp_path):
    data = save(tmp_path / "toy", {"train": ["v_a_1"], "validation": ["v_b_1"], "test": ["i_a_1"]})
    run = Run(UNET, data, TINY, 0)
    with pytest.raises(hk.UserError, match=r"The train and test sides .* share 1 photograph \(a\)"):
        train(run, tmp_path, progress=False)
    assert not (tmp_path / run.folder).exists()


def test_an_empty_side_and_a_split_with_two_sides_are_refused(tmp_path):
    empty = save(tmp_path / "empty", {**SIDES, "validation": []})
    with pytest.raises(hk.UserError, match="The validation side of .*empty is empty"):
        run_data.load_sides(empty)
    two = save(tmp_path / "two", {"train": ["v_one"], "test": ["v_two"]})
    with pytest.raises(hk.UserError, match="Split 'own' has no validation side"):
        run_data.load_sides(two)


@pytest.mark.parametrize("prepare", ["_prepare_denoiser", "_prepare_descriptor"])
def test_epochs_train_on_the_training_side_and_validate_on_the_validation_side(
    prepare, data, tmp_path
):
    train_set, validation_set, _ = run_data.load_sides(data)
    row = UNET if prepare == "_prepare_denoiser" else TFEAT
    run = Run(row, data, TINY, 0)
    _, batches, validation = getattr(training, prepare)(run, tmp_path, train_set, validation_set)
    assert set(batches.patches.names) <= set(SIDES["train"])
    assert set(validation.patches.names) <= set(SIDES["validation"])


def test_report_b_validates_on_a_random_sequence_of_the_validation_side(data):
    train_set, validation_set, _ = run_data.load_sides(data)
    drawn = set()
    for seed in range(9):
        run = Run(replace(UNET, sequences=2), data, TINY, seed)
        chosen, validation = run_data.draw_sequences(run, train_set, validation_set)
        assert len(chosen.names) == 2 and set(chosen.names) <= set(SIDES["train"])
        drawn.add(tuple(validation.names))
    assert drawn == {("i_four",), ("v_five",)}


@pytest.mark.slow
@pytest.mark.parametrize("row", [TFEAT, DENOISED_TFEAT])
def test_a_descriptor_is_scored_on_whole_test_sequences(row, data, tmp_path, monkeypatch):
    scored = []
    evaluate = scoring.benchmark.evaluate

    def record(descriptors, *args, **options):
        scored.append(descriptors)
        return evaluate(descriptors, *args, **options)

    monkeypatch.setattr(scoring.benchmark, "evaluate", record)
    hk.experiments.run(row, tmp_path, data, TINY, progress=False)
    (descriptors,) = scored
    assert len(descriptors.names) == TINY.test_sequences == 2
    assert set(descriptors.names) <= set(SIDES["test"])
    assert descriptors.lengths == dict.fromkeys(descriptors.names, 20)


def test_the_test_sequences_of_a_scale_are_the_same_for_all_seeds_and_all_without_a_limit(data):
    *_, test_set = run_data.load_sides(data)
    names = [run_data.sample_test_sequences(test_set, TINY).names for _ in range(2)]
    assert names[0] == names[1] and len(names[0]) == 2
    for limit in (None, 3, 99):
        sample = run_data.sample_test_sequences(test_set, replace(TINY, test_sequences=limit))
        assert sample.names == SIDES["test"] and len(sample) == 60


def test_points_to_train_on_are_all_if_there_is_no_limit_or_a_large_one(data):
    train_set, *_ = run_data.load_sides(data)
    assert len(run_data.sample_points(train_set, 7, 0)) == 7
    assert len(run_data.sample_points(train_set, None, 0)) == len(train_set) == 60
    assert len(run_data.sample_points(train_set, 99, 0)) == 60

"""What a row of the search can do: a teacher, PCA, averaged weights, scores on noisy patches too."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras_tools import as_array
from tiny_rows import TFEAT, TINY, UNET
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit._support.errors import UserError
from hpatches_kit.experiments import Run, after_training, training
from hpatches_kit.experiments.distillation import Distillation, student_of, with_teacher
from hpatches_kit.experiments.records import record_of
from hpatches_kit.experiments.tables.recipe_search import BASE, ROWS, SEARCH_BASE
from hpatches_kit.experiments.tables.table import NOISY, REAL, Table
from hpatches_kit.experiments.trained_models import load_trained

CLEAN = replace(TFEAT, kind="clean")


@pytest.fixture
def few_statistics(monkeypatch):
    """A few batches are enough for the statistics of a tiny network."""
    monkeypatch.setattr(after_training, "STATISTICS_STEPS", 3)


def train_with_needs(run, root):
    assert experiments.train_runs(experiments.training_order([run]), root, progress=False) == {}


def unit(rows, dim, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype("float32")


def test_distillation_adds_the_squared_distance_to_the_teacher():
    student, teacher, labels = unit(8, 16), unit(8, 16, 1), np.repeat(np.arange(4), 2)
    alone = hk.losses.HardNegativeTriplet(1.0, "minimum")
    loss = Distillation(alone, weight=0.5)(labels, np.concatenate([student, teacher], 1))
    distance = ((student - teacher) ** 2).sum(1).mean()
    assert float(loss) == pytest.approx(float(alone(labels, student)) + 0.5 * distance, rel=1e-5)


def test_its_settings_survive_serialisation():
    loss = Distillation(hk.losses.SOSNetLoss(0.9, 3, 2.0), weight=0.3)
    loaded = keras.losses.deserialize(keras.losses.serialize(loss))
    assert loaded.get_config() == loss.get_config()
    assert isinstance(loaded.loss, hk.losses.SOSNetLoss)
    assert (loaded.weight, loaded.loss.neighbours) == (0.3, 3)


def dropping(dim):
    return hk.models.l2net(dim=dim, dropout=0.9)


@pytest.mark.parametrize(
    "make",
    [lambda: dropping(8), lambda: hk.models.reduced(dropping(12), np.eye(12), 8)],
    ids=["l2net", "reduced"],
)
def test_only_the_student_learns_and_the_teacher_has_no_dropout(make):
    student, teacher = hk.models.l2net(dim=8), make()
    model = with_teacher(student, teacher)
    assert student_of(model) is student and model.output_shape == (None, 16)
    patches = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 1)).astype("float32")
    expected, before = as_array(teacher(patches)), student.get_weights()[0]
    model.compile("adam", Distillation(hk.losses.HardNegativeTriplet(1.0, "minimum")))
    model.train_on_batch(patches, np.repeat(np.arange(4), 2))
    in_training = as_array(model(patches, training=True))[:, 8:]
    np.testing.assert_allclose(in_training, expected, atol=1e-5)
    assert np.abs(student.get_weights()[0] - before).max() > 1e-5


@pytest.mark.slow
@pytest.mark.usefixtures("without_figures")
def test_a_row_with_a_teacher_is_trained_after_it_and_saved_without_it(data, tmp_path):
    teacher = replace(CLEAN, name="teacher")
    run = Run(replace(CLEAN, name="taught", teacher=teacher), data, TINY, 0)
    assert [need.row for need in run.needs] == [teacher]
    alone = Run(replace(CLEAN, name="taught"), data, TINY, 0)
    for each in (run, alone):
        train_with_needs(each, tmp_path)
    model, other = (load_trained(each, tmp_path) for each in (run, alone))
    assert len(model.layers) == len(other.layers) == len(hk.models.tfeat().layers)
    assert np.abs(model.get_weights()[0] - other.get_weights()[0]).max() > 1e-6


def test_a_teacher_and_an_initial_network_give_different_runs(data):
    rows = [replace(CLEAN, name="x", **{field: CLEAN}) for field in ("teacher", "init_from")]
    assert len({Run(row, data, TINY, 0).folder for row in rows}) == 2


def test_student_and_teacher_have_the_same_dimension():
    with pytest.raises(UserError, match=r"output shapes \(None, 8\) and \(None, 6\)"):
        with_teacher(hk.models.tfeat(dim=8), hk.models.tfeat(dim=6))


def test_a_teacher_needs_pairs():
    with pytest.raises(UserError, match="has a teacher: expected batches of Pairs"):
        replace(CLEAN, loss="TripletMargin", batch_class="Triplets", teacher=CLEAN)


@pytest.mark.slow
@pytest.mark.usefixtures("without_figures")
def test_a_row_can_be_reduced_by_pca(data, tmp_path):
    run = Run(replace(CLEAN, network_options={"dim": 40}, reduced_dim=16), data, TINY, 0)
    train_with_needs(run, tmp_path)
    assert load_trained(run, tmp_path).output_shape == (None, 16)
    assert record_of(run, tmp_path)["scores"]["matching"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("without_figures", "few_statistics")
@pytest.mark.parametrize("options", [{"reduced_dim": 16}, {"ema_momentum": 0.9}], ids=str)
def test_an_interruption_after_the_last_epoch_changes_nothing(options, data, tmp_path, monkeypatch):
    row = replace(CLEAN, network="l2net", network_options={"dim": 40}, **options)
    run = Run(row, data, TINY, 0)
    train_with_needs(run, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(training, "finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            training.train(run, tmp_path / "resumed", progress=False)
    train_with_needs(run, tmp_path / "resumed")
    whole, resumed = (load_trained(run, tmp_path / name) for name in ("whole", "resumed"))
    for expected, weights in zip(whole.get_weights(), resumed.get_weights()):
        np.testing.assert_allclose(weights, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("without_figures", "few_statistics")
def test_averaged_weights_lie_between_the_first_and_the_last(data, tmp_path):
    rows = [replace(CLEAN, name=f"average-{m}", ema_momentum=m) for m in (1e-9, 0.99, 1 - 1e-9)]
    runs = [Run(row, data, TINY, 0) for row in [CLEAN, *rows]]
    for run in runs:
        train_with_needs(run, tmp_path)
    last, same, between, first = (load_trained(run, tmp_path).get_weights()[0] for run in runs)
    np.testing.assert_allclose(same, last, atol=1e-6)
    far = np.abs(first - last).mean()
    assert 0 < np.abs(between - first).mean() < far and np.abs(between - last).mean() < far


@pytest.mark.slow
@pytest.mark.usefixtures("without_figures")
def test_a_network_can_be_scored_on_noisy_patches_too(data, tmp_path, monkeypatch):
    run, real = Run(replace(CLEAN, scored_on_noisy_too=True), data, TINY, 0), tmp_path / "real"
    toy_patches({"v_real": 20, "i_real": 20}, seed=9).save(real)
    experiments.train_runs([run], tmp_path, progress=False, real=str(real))
    keys = [f"{kind}{noisy}matching" for kind in ("", REAL) for noisy in ("", NOISY)]
    columns = {key: (key, 1) for key in keys}
    table = Table("a test", columns, {"one": run.row}, {})
    monkeypatch.setitem(experiments.TABLES, "X", table)
    values = experiments.numbers(["X"], tmp_path, data, TINY).set_index("column").value
    model, patches = load_trained(run, tmp_path), hk.load(str(real))
    for kind, key in (("clean", "real matching"), ("noisy", "real noisy matching")):
        scores = hk.benchmark.evaluate(hk.describe(model, patches, kind), progress=False)
        assert values[key] == pytest.approx(scores.by_task["matching"], abs=1e-6)
    saved = {"scores": "clean", "noisy-scores": "noisy", "real-noisy-scores": "noisy"}
    for name, kind in saved.items():
        assert hk.benchmark.load_scores(tmp_path / run.folder / f"{name}.json")[0].kind == kind
    assert set(experiments.draws(["X"], tmp_path, data, TINY).column) == set(keys)


@pytest.mark.slow
def test_a_denoiser_with_a_noise_map_trains_and_denoises(data, tmp_path):
    options = UNET.network_options | {"noise_map": True}
    run = Run(replace(UNET, name="tiny-map", network_options=options), data, TINY, 0)
    train_with_needs(run, tmp_path)
    model, (_, validation, _) = load_trained(run, tmp_path), hk.load(data).split()
    assert len(model.inputs) == 2
    quality = hk.metrics.quality(validation, model)
    assert quality["PSNR in dB"].min() > 10
    assert {path.name for path in (tmp_path / run.folder).glob("*.png")} >= {"patches.png"}


@pytest.mark.slow
@pytest.mark.usefixtures("without_figures")
def test_a_scale_can_score_on_the_validation_side(data, tmp_path):
    runs = [Run(CLEAN, data, replace(TINY, scored_side=side), 0) for side in (None, "validation")]
    for run in runs:
        train_with_needs(run, tmp_path)
    test, validation = (set(record_of(run, tmp_path)["sequences"]) for run in runs)
    assert validation <= {"i_four", "v_five"} and test <= {"v_six", "i_seven", "v_eight"}
    with pytest.raises(UserError, match="Unknown side for scores 'train'"):
        replace(TINY, scored_side="train")


def settings_of(row):
    """`(field, value)` of a row, with a field for each entry of its options."""
    settings = set()
    for key, value in vars(row).items():
        if isinstance(value, dict):
            settings |= {(f"{key}.{name}", entry) for name, entry in value.items()}
        else:
            settings.add((key, None if value is None else str(value)))
    return settings


def test_the_denoisers_of_the_search_differ_in_network_and_noise_map_alone():
    rows = experiments.TABLES["denoiser-search"].rows
    for name, network in (("U-Net", "unet"), ("NAFNet", "nafnet")):
        row, with_map = rows[name], rows[f"{name}, noise map"]
        changed = {key for key, _ in settings_of(row) ^ settings_of(with_map)}
        assert changed == {"name", "network_options.noise_map"}
        assert row.network == network and with_map.network_options["noise_map"]
    changed = {key for key, _ in settings_of(rows["U-Net"]) ^ settings_of(rows["NAFNet"])}
    options = {f"network_options.{key}" for key in rows["U-Net"].network_options}
    assert changed == {"name", "network"} | options


def test_each_row_of_the_search_changes_one_thing():
    base = settings_of(SEARCH_BASE)
    for label, row in ROWS.items():
        fields = {key for key, _ in settings_of(row) ^ base} - {"name"}
        if label in ("SOSNet's loss", "HyNet's loss"):  # with the margin of its paper
            assert fields == {"loss", "loss_options.margin", "loss_options.negative"}
        elif row.reduced_dim:
            assert fields == {"network_options.dim", "reduced_dim"}
        else:
            assert len(fields) == (label != BASE), label


def test_kept_records_of_the_search_are_complete_except_for_a_row_that_needs_a_network(tmp_path):
    runs = experiments.runs_of_tables(["recipe-search"], "photos", "search", 1, "mixed_bfloat16")
    base = runs[0]
    line = {"run": base.folder, "record": {"settings": base.settings, "scores": {}}}
    (tmp_path / "runs.jsonl").write_text(json.dumps(line) + "\n")
    assert base.row == SEARCH_BASE
    distilled = next(run for run in runs if run.row.teacher)
    missing = experiments.missing_runs(runs, tmp_path)
    assert [run for run in missing if run != base] == runs[1:]
    assert missing.index(base) == missing.index(distilled) - 1  # its network is not kept
    others = [run for run in runs if run is not distilled]
    assert experiments.missing_runs(others, tmp_path) == others[1:]


def test_a_row_of_the_search_sees_as_many_patches_whatever_its_batch_size():
    scale, patches = experiments.SCALES["search"], 10 * 16 * 2 * 128
    assert scale.descriptor_patches == patches == 40_960
    for label, pairs in ((BASE, 128), ("256 pairs", 256), ("512 pairs", 512)):
        row = ROWS[label if label == BASE else f"{label} per batch"]
        assert row.batch_size == pairs
        assert (scale.descriptor_patches // scale.epochs // 2) % pairs == 0  # whole batches

"""Records, logs and weights of others: what does not fit the run is an error, and nothing is run."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from tiny_rows import TFEAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit._support.checksums import digest
from hpatches_kit._support.errors import UserError
from hpatches_kit.experiments import Run, engines, trained_models
from hpatches_kit.experiments.records import MODEL, log_of, record_of
from hpatches_kit.experiments.remote_results import local_folder
from hpatches_kit.experiments.trained_models import load_trained, save_trained

END_TO_END = replace(TFEAT, name="both", denoiser=UNET, end_to_end=True)
REDUCED = replace(TFEAT, name="reduced", reduced_dim=16)


@pytest.fixture
def run():
    return Run(UNET, "mini", TINY, 0)


def write_run(run, root, model=None, **changes):
    """Write the folder of a complete run without training it; returns the folder."""
    folder = root / run.folder
    folder.mkdir(parents=True)
    (folder / "log.csv").write_text("epoch,loss\n0,2.0\n1,1.0\n")
    if model is not None:
        save_trained(model, folder)
    sha256 = {file.name: digest(file) for file in folder.iterdir()}
    record = {"settings": run.settings, "scores": {}, "sha256": sha256} | changes
    (folder / "run.json").write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"seed": 1}}, r"run\.json is the record of a run with another .*seed"),
        ({"settings": "mine"}, "is the record of a run with another"),
        ({"scores": {"matching": 42}}, r"has scores .*42.*: expected numbers from 0 to 1"),
        ({"scores": {"matching": np.nan}}, "expected numbers from 0 to 1"),
        ({"real": {"scores": {"matching": -1}}}, "expected numbers from 0 to 1"),
        ({"scores": [0.5]}, "'scores' is of another type"),
        (
            {"draws": {"matching": [0.5, 42]}, "sequences": ["v_a"]},
            "draws that are no lists of scores",
        ),
        ({"draws": {"matching": "x"}, "sequences": ["v_a"]}, "draws that are no lists of scores"),
        ({"draws": {"matching": [0.5]}}, "draws that are no lists of scores"),
        ({"sequences": [1]}, r"sequences \[1\]: expected names"),
        ({"real": {"noisy": {"scores": {"matching": 2}}}}, "expected numbers from 0 to 1"),
        ({"core_seconds": "x"}, "has core_seconds 'x': expected a positive number"),
        ({"parameters": np.inf}, "has parameters inf: expected a positive number"),
        ({"environment": ["<b>"]}, "'environment' is of another type"),
        ({"sha256": "x"}, "'sha256' is of another type"),
    ],
)
def test_the_record_of_another_run_is_an_error(changes, message, run, tmp_path):
    write_run(run, tmp_path, **changes)
    for act in (record_of, log_of):
        with pytest.raises(UserError, match=message):
            act(run, tmp_path)


def test_a_kept_record_of_another_run_is_an_error(run, tmp_path):
    line = {"run": run.folder, "record": {"settings": {"seed": 1}, "scores": {}}}
    (tmp_path / "runs.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match=r"runs\.jsonl is the record of a run with another"):
        record_of(run, tmp_path)
    (tmp_path / "runs.jsonl").write_text('{"run": 3}\n')
    with pytest.raises(UserError, match=r"runs\.jsonl, line 1, is not a line of kept runs"):
        record_of(run, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch,loss\n0,2.0\n1,0.5\n", r"log\.csv has changed since the run was complete"),
        ("", r"log\.csv has changed"),
    ],
)
def test_a_log_that_has_changed_is_an_error(text, message, run, tmp_path):
    folder = write_run(run, tmp_path)
    assert log_of(run, tmp_path).loss.tolist() == [2.0, 1.0]
    (folder / "log.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        log_of(run, tmp_path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "lacks epochs of"),
        ([{"epoch": 0, "loss": 2.0}, {"epoch": 0, "loss": 2.0}], "lacks epochs of .* twice"),
        ([{"epoch": 1, "loss": 1.0}], "lacks epochs of"),
        ([{"epoch": 0, "loss": "x"}], "not made of numbers"),
    ],
)
def test_a_kept_log_that_is_not_whole_is_an_error(lines, message, run, tmp_path):
    (tmp_path / "logs.jsonl").write_text(
        "".join(json.dumps({"run": run.folder, **line}) + "\n" for line in lines)
    )
    with pytest.raises(UserError, match=rf"logs\.jsonl .*{message}"):
        log_of(run, tmp_path)


def test_two_kept_records_of_one_run_are_an_error(run, tmp_path):
    line = json.dumps({"run": run.folder, "record": {"settings": run.settings, "scores": {}}})
    (tmp_path / "runs.jsonl").write_text(f"{line}\n{line}\n")
    with pytest.raises(UserError, match=r"runs\.jsonl has 2 records of .*: expected one"):
        record_of(run, tmp_path)


@pytest.mark.parametrize("text", ["", "epoch,loss\n0,x\n", '"', "epoch\n1,2,3\n1,2\n1,2,3,4\n"])
def test_a_damaged_log_is_named(text, tmp_path):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(UserError, match=r"log\.csv is not the log of a run"):
        hk.callbacks.read_log(tmp_path)


@pytest.mark.parametrize("part", ["run", "row", "record", "log"])
def test_a_run_is_neither_read_nor_written_through_a_link(part, run, tmp_path):
    folder = write_run(run, tmp_path)
    linked = {"run": folder, "row": folder.parent, "record": folder / "run.json"}
    linked = linked.get(part, folder / "log.csv")
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a link"):
        log_of(run, tmp_path)
    if part in ("run", "row"):
        outcome = engines.train_run(run, tmp_path, progress=False)
        assert "is a link" in outcome


@pytest.mark.parametrize("row", [UNET, TFEAT, END_TO_END, REDUCED], ids=lambda row: row.name)
def test_a_trained_network_is_built_again_from_its_row_and_its_weights(row, tmp_path):
    keras.utils.set_random_seed(1)
    model = trained_models._build_trained(row)
    run = Run(row, "mini", TINY, 0)
    write_run(run, tmp_path, model)
    loaded = load_trained(run, tmp_path)
    patches = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1)).astype(np.float32)
    expected = model.predict(patches, verbose=0)
    np.testing.assert_array_equal(loaded.predict(patches, verbose=0), expected)
    assert loaded.name == model.name and not list((tmp_path / run.folder).glob("*.keras"))


def test_weights_in_half_precision_are_loaded_whatever_the_policy_of_the_session(tmp_path):
    run = Run(UNET, "mini", TINY, 0, "mixed_bfloat16")
    with trained_models.dtype_policy("mixed_bfloat16"):
        model = trained_models._build_trained(UNET)
    write_run(run, tmp_path, model)
    loaded = load_trained(run, tmp_path)
    assert [layer.compute_dtype for layer in loaded.layers] == [
        layer.compute_dtype for layer in model.layers
    ]
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("damage", ["NaN", "another network", "another order", "changed", "half"])
def test_weights_that_are_not_those_of_the_run_are_an_error(damage, run, tmp_path):
    model = trained_models.build_network(UNET)
    weights = model.get_weights()
    if damage == "NaN":
        weights[0][0] = np.nan
        model.set_weights(weights)
    if damage == "another network":
        model = trained_models.build_network(TFEAT)
    folder = write_run(run, tmp_path, model)
    if damage == "another order":
        np.savez(folder / MODEL, *weights)
    if damage == "changed":
        np.savez(folder / MODEL, **{str(k): array + 1 for k, array in enumerate(weights)})
    if damage == "half":
        (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:100])
        record = {"settings": run.settings, "scores": {}}  # of an earlier version: no checksums
        (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"weights\.npz"):
        load_trained(run, tmp_path)


@pytest.fixture
def old_folder(run, tmp_path, monkeypatch):
    """A function that writes the folder of a run as earlier versions did; returns the results."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "data"))

    def write(root):
        folder = write_run(run, root)
        trained_models.build_network(UNET).save(folder / "model.keras")
        return root

    return write


def test_a_folder_of_an_earlier_version_is_read_and_warned_of(
    run, old_folder, tmp_path, monkeypatch, recwarn
):
    root = old_folder(tmp_path / "results")
    monkeypatch.setattr(keras, "__version__", "3.15.0")
    assert load_trained(run, root).count_params()
    assert not [warning for warning in recwarn.list if "run code" in str(warning.message)]
    monkeypatch.setattr(keras, "__version__", "3.10.0")
    with pytest.warns(UserWarning, match=r"can run code that somebody has hidden .*model\.keras"):
        load_trained(run, root)


def test_a_keras_file_from_an_address_is_not_loaded(run, old_folder, monkeypatch):
    root = old_folder(local_folder("s3://bucket/results"))
    monkeypatch.setattr(keras.models, "load_model", None)
    with pytest.raises(UserError, match=r"model\.keras comes from an address and may run code"):
        load_trained(run, root)


@pytest.mark.parametrize(
    ("version", "leaks"),
    [("3.9.2", True), ("3.12.1", True), ("3.13.2", False), ("3.16.0.dev2026", False)],
)
def test_versions_whose_safe_mode_is_known_to_leak(version, leaks):
    assert trained_models.safe_mode_leaks(version) is leaks

"""The command `hpatches evaluate`."""

import json
import os
import zipfile

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.cli.main import main
from hpatches_kit.datasets.splits import split_names
from hpatches_kit.descriptors.csv_files import write_csv
from hpatches_kit.descriptors.npz_files import save_npz as save


@pytest.fixture
def folder(descriptors, tmp_path):
    write_csv(descriptors, tmp_path / "toy")
    return tmp_path / "toy"


def evaluate(*arguments, file):
    """Run `evaluate`; returns the content of its JSON file."""
    assert main(["evaluate", *map(str, arguments), "--quiet", "--json", str(file)]) == 0
    return json.loads(file.read_text())


def without_seconds(content):
    if isinstance(content, dict):
        return {k: without_seconds(v) for k, v in content.items() if k not in ("seconds", "name")}
    return content


def test_it_prints_the_table_and_writes_all_numbers(folder, tmp_path, capsys):
    content = evaluate(folder, file=tmp_path / "out" / "scores.json")
    printed = capsys.readouterr().out
    assert "verification" in printed and "official sampling rule, seed 42" in printed
    assert content["name"] == "toy" and content["sequences"] == ["i_b", "v_a", "v_c"]
    for level in "eht":
        for part in ("intra", "inter"):
            assert set(content["verification"][level][part]) == {"ap", "auc"}
        assert 0 < content["matching"][level] < 1 and content["retrieval"][level]["45"] > 0
    for task in ("verification", "matching", "retrieval"):
        assert content[task]["mean_ap"] > 0 and content[task]["seconds"] >= 0


def test_a_folder_a_zip_and_an_npz_file_get_the_same_scores(folder, tmp_path):
    expected = without_seconds(evaluate(folder, file=tmp_path / "folder.json"))
    with zipfile.ZipFile(tmp_path / "toy.zip", "w") as archive:
        for file in folder.rglob("*.csv"):
            archive.write(file, file.relative_to(folder.parent))
    save(hk.descriptors.load(folder), tmp_path / "toy.npz")
    for other in ("toy.zip", "toy.npz"):
        scores = without_seconds(evaluate(tmp_path / other, file=tmp_path / "other.json"))
        assert scores == expected


def test_only_the_chosen_tasks_and_sequences_are_scored(folder, tmp_path):
    arguments = ("--task", "matching", "--task", "verification", "--distance", "L1")
    content = evaluate(folder, *arguments, file=tmp_path / "scores.json")
    assert "retrieval" not in content and content["provenance"].startswith("L1 distance")
    single = evaluate(
        folder, "--sequences", "v_c", "--task", "matching", file=tmp_path / "one.json"
    )
    assert single["matching"]["sequences"].keys() == {"v_c"} and "verification" not in single
    assert single["provenance"].startswith("L2 distance, no ")


@pytest.mark.parametrize("protocol", ["python", "matlab", "paper"])
def test_the_chosen_protocol_is_used_printed_and_written(protocol, folder, tmp_path, capsys):
    content = evaluate(folder, "--protocol", protocol, file=tmp_path / "scores.json")
    scores = hk.benchmark.evaluate(hk.descriptors.load(folder), protocol=protocol)
    assert content["protocol"]["name"] == protocol
    assert f"mean AP; protocol: {protocol}; " in capsys.readouterr().out
    for task in scores.tasks:
        assert content[task]["mean_ap"] == scores[task]["mean_ap"]


def test_the_lists_of_tasks_are_used(folder, descriptors, tmp_path):
    tasks = hk.benchmark.draw_tasks(descriptors, pairs=80, seed=3)
    tasks.save(tmp_path / "lists", "b", descriptors.lengths)
    read = hk.descriptors.load(folder)
    scores = hk.benchmark.evaluate(read, hk.benchmark.load_tasks(tmp_path / "lists", "b", read))
    for split in ((), ("--split", "b")):
        arguments = (folder, "--tasks", tmp_path / "lists", *split)
        content = evaluate(*arguments, file=tmp_path / "scores.json")
        assert content["verification"]["mean_ap"] == scores["verification"]["mean_ap"]
        assert content["retrieval"]["e"] == scores["retrieval"]["e"]


def test_a_split_selects_its_test_sequences_in_the_official_order(tmp_path, capsys):
    names = split_names("c")
    values = hk.Descriptors(
        [[[float(i)]] * 16 for i in range(82)], [name for name in ["v_wall", *names] for _ in "ab"]
    )
    save(values, tmp_path / "all.npz")
    arguments = (tmp_path / "all.npz", "--split", "c", "--task", "matching")
    content = evaluate(*arguments, file=tmp_path / "scores.json")
    assert content["sequences"] == names
    save(hk.Descriptors(values.values[:8], values.sequence[:8]), tmp_path / "few.npz")
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "few.npz"), "--split", "c"]) == 2
    assert "lacks 37 of the 40 test sequences of split c" in capsys.readouterr().err


def test_without_test_sequences_of_the_split_all_sequences_are_used(folder, tmp_path, capsys):
    content = evaluate(folder, "--split", "a", file=tmp_path / "scores.json")
    assert content["sequences"] == ["i_b", "v_a", "v_c"]
    assert (
        "toy holds no test sequence of split a: all its 3 sequences are used"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is missing"),
        (["toy", "--delimiter", ";"], "line 1 has no delimiter ';' but ','"),
        (["toy", "--sequences", "v_a", "v_z"], "has no sequence v_z"),
        (["toy", "--sequences", "../toy/v_a"], "has no sequence ../toy/v_a"),
        (["toy", "--tasks", "lists"], "lists is not a folder of task lists"),
        (["toy", "--split", "z"], "Unknown split 'z'"),
        (["toy", "--protocol", "matlab", "--distance", "L1"], "squares L2 distances: expected L2"),
        (["toy", "--json", "toy"], "toy is a folder: expected the name of a file"),
        (["toy", "--json", "toy/v_a/ref.csv/x"], "toy/v_a/ref.csv is not a writable folder"),
    ],
)
def test_an_error_is_one_line_and_nothing_is_written(
    arguments, message, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--json", "scores.json", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and message in error and "\n" not in error
    assert [child.name for child in tmp_path.iterdir()] == ["toy"]


def test_lists_of_a_split_are_scored_on_its_test_sequences(tmp_path):
    names = split_names("c")
    rng = np.random.default_rng(0)
    of_split = hk.Descriptors(rng.normal(size=(80, 16, 3)), np.repeat(names, 2))
    tasks = hk.benchmark.draw_tasks(of_split, pairs=50)
    tasks.save(tmp_path / "lists", "c", of_split.lengths)
    values = np.concatenate([rng.normal(size=(3, 16, 3)), of_split.values])
    save(hk.Descriptors(values, ["v_wall"] * 3 + of_split.sequence.tolist()), tmp_path / "all.npz")
    arguments = (tmp_path / "all.npz", "--tasks", tmp_path / "lists")
    content = evaluate(*arguments, file=tmp_path / "scores.json")
    assert content["sequences"] == names == list(content["matching"]["sequences"])


def test_a_collapse_is_printed_and_is_not_a_warning(tmp_path, capsys):
    constant = hk.Descriptors([[[1.0]] * 16] * 40, ["v_a"] * 20 + ["i_b"] * 20)
    save(constant, tmp_path / "constant.npz")
    assert main(["evaluate", str(tmp_path / "constant.npz"), "--quiet"]) == 0
    output = capsys.readouterr()
    assert "The descriptor has collapsed" in output.out and not output.err


def test_the_scores_replace_nothing_but_a_file(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thesis").write_text("years")
    (tmp_path / "link.json").symlink_to(tmp_path / "thesis")
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("link.json", "pipe.json", "/dev/null"):
        assert main(["evaluate", "toy", "--quiet", "--json", name]) == 2
        assert f"{name} is a " in capsys.readouterr().err
    assert (tmp_path / "thesis").read_text() == "years"


def test_limits_are_named_on_the_command_line(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "toy", "--quiet", "--limit", "points=3"]) == 2
    assert "expected at most 3" in capsys.readouterr().err
    for wrong in ("points", "points=-1", "colour=3"):
        assert main(["evaluate", "toy", "--quiet", "--limit", wrong]) == 2
        assert f"--limit {wrong}: expected one of points," in capsys.readouterr().err

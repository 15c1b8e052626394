import json
import subprocess
import sys
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
    write_csv(descriptors, tmp_path / "mine")
    return tmp_path / "mine"


def numbers(*arguments, file):
    """What `evaluate` writes to JSON."""
    assert main(["evaluate", *map(str, arguments), "--quiet", "--json", str(file)]) == 0
    return json.loads(file.read_text())


def without_seconds(content):
    if isinstance(content, dict):
        return {k: without_seconds(v) for k, v in content.items() if k not in ("seconds", "name")}
    return content


def test_evaluate_prints_the_table_and_writes_every_number(folder, tmp_path, capsys):
    content = numbers(folder, file=tmp_path / "out" / "scores.json")
    printed = capsys.readouterr().out
    assert "verification" in printed and "official sampling rule, seed 42" in printed
    assert content["name"] == "mine" and content["sequences"] == ["i_b", "v_a", "v_c"]
    for level in "eht":
        for kind in ("intra", "inter"):
            assert set(content["verification"][level][kind]) == {"ap", "auc"}
        assert 0 < content["matching"][level] < 1 and content["retrieval"][level]["45"] > 0
    for task in ("verification", "matching", "retrieval"):
        assert content[task]["mean_ap"] > 0 and content[task]["seconds"] >= 0


def test_a_folder_a_zip_and_the_kits_own_file_score_the_same(folder, tmp_path):
    expected = without_seconds(numbers(folder, file=tmp_path / "folder.json"))
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for file in folder.rglob("*.csv"):
            archive.write(file, file.relative_to(folder.parent))
    save(hk.descriptors.load(folder), tmp_path / "mine.npz")
    for other in ("mine.zip", "mine.npz"):
        found = without_seconds(numbers(tmp_path / other, file=tmp_path / "other.json"))
        assert found == expected


def test_chosen_tasks_sequences_and_distance_are_scored_alone(folder, tmp_path):
    arguments = ("--task", "matching", "--task", "verification", "--distance", "L1")
    content = numbers(folder, *arguments, file=tmp_path / "scores.json")
    assert "retrieval" not in content and content["about"].startswith("L1 distance")
    one = numbers(folder, "--sequences", "v_c", "--task", "matching", file=tmp_path / "one.json")
    assert one["matching"]["sequences"].keys() == {"v_c"} and "verification" not in one
    assert one["about"] == "L2 distance, no lists"


def test_given_lists_are_used(folder, descriptors, tmp_path):
    tasks = hk.benchmark.draw_tasks(descriptors, pairs=80, seed=3)
    tasks.save(tmp_path / "lists", "b", descriptors.lengths)
    read = hk.descriptors.load(folder)
    scores = hk.benchmark.evaluate(read, hk.benchmark.load_tasks(tmp_path / "lists", "b", read))
    for split in ((), ("--split", "b")):
        arguments = (folder, "--tasks", tmp_path / "lists", *split)
        content = numbers(*arguments, file=tmp_path / "scores.json")
        assert content["verification"]["mean_ap"] == scores["verification"]["mean_ap"]
        assert content["retrieval"]["e"] == scores["retrieval"]["e"]


def test_a_split_takes_its_test_sequences_in_the_official_order(tmp_path, capsys):
    names = split_names("c")
    values = hk.Descriptors(
        [[[float(i)]] * 16 for i in range(82)], [name for name in ["v_wall", *names] for _ in "ab"]
    )
    save(values, tmp_path / "all.npz")
    arguments = (tmp_path / "all.npz", "--split", "c", "--task", "matching")
    content = numbers(*arguments, file=tmp_path / "scores.json")
    assert content["sequences"] == names
    save(hk.Descriptors(values.values[:8], values.sequence[:8]), tmp_path / "few.npz")
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "few.npz"), "--split", "c"]) == 2
    assert "lacks 37 of the 40 test sequences of split c" in capsys.readouterr().err


def test_a_split_that_is_not_there_gives_way_to_what_is_found(folder, tmp_path, capsys):
    content = numbers(folder, "--split", "a", file=tmp_path / "scores.json")
    assert content["sequences"] == ["i_b", "v_a", "v_c"]
    assert "None of the test sequences of split a is in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is missing"),
        (["mine", "--delimiter", ";"], "line 1 has no delimiter ';' but ','"),
        (["mine", "--sequences", "v_a", "v_z"], "has no sequence v_z"),
        (["mine", "--sequences", "../mine/v_a"], "has no sequence ../mine/v_a"),
        (["mine", "--tasks", "lists"], "lists is no folder of task lists"),
        (["mine", "--split", "z"], "Unknown split 'z'"),
        (["mine", "--json", "mine"], "mine is a folder: expected the name of a file"),
        (["mine", "--json", "mine/v_a/ref.csv/x"], "mine/v_a/ref.csv is not a folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(
    arguments, message, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--json", "scores.json", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and message in error and "\n" not in error
    assert [child.name for child in tmp_path.iterdir()] == ["mine"]


def test_lists_of_a_split_are_scored_on_its_test_sequences(tmp_path):
    names = split_names("c")
    rng = np.random.default_rng(0)
    some = hk.Descriptors(rng.normal(size=(80, 16, 3)), np.repeat(names, 2))
    tasks = hk.benchmark.draw_tasks(some, pairs=50)
    tasks.save(tmp_path / "lists", "c", some.lengths)
    more = np.concatenate([rng.normal(size=(3, 16, 3)), some.values])
    save(hk.Descriptors(more, ["v_wall"] * 3 + some.sequence.tolist()), tmp_path / "all.npz")
    arguments = (tmp_path / "all.npz", "--tasks", tmp_path / "lists")
    content = numbers(*arguments, file=tmp_path / "scores.json")
    assert content["sequences"] == names == list(content["matching"]["sequences"])


def test_collapse_is_printed_not_warned_of(tmp_path, capsys):
    constant = hk.Descriptors([[[1.0]] * 16] * 40, ["v_a"] * 20 + ["i_b"] * 20)
    save(constant, tmp_path / "constant.npz")
    assert main(["evaluate", str(tmp_path / "constant.npz"), "--quiet"]) == 0
    output = capsys.readouterr()
    assert "The descriptor has collapsed" in output.out and not output.err


def test_it_runs_as_a_module_and_without_keras():
    code = "import sys, hpatches_kit.cli.main; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    command = [sys.executable, "-m", "hpatches_kit", "evaluate", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "DESCRIPTORS" in done.stdout and "--delimiter" in done.stdout
    done = subprocess.run(command[:-2], capture_output=True, text=True)
    assert done.returncode == 2 and "usage" in done.stderr

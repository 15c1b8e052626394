"""Submissions: model cards, files of descriptors, folders, and the process that reads them."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from submissions import card, hostile_files, write_submission

import hpatches_kit as hk
from hpatches_kit.course.challenge.submissions import limited_reading, limits
from hpatches_kit.course.challenge.submissions.descriptor_files import read_descriptors
from hpatches_kit.course.challenge.submissions.folders import find_submissions
from hpatches_kit.course.challenge.submissions.model_cards import MODEL_CARD, parse_card, visible

HOSTILE = hostile_files(1040)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_with_anything_else_than_descriptors_is_refused_with_the_reason(
    what, tmp_path, monkeypatch
):
    content, message = HOSTILE[what]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(hk.UserError) as error:
        read_descriptors("x.npz", 1040)
    assert message in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_descriptors_are_read_as_they_were_saved(save, order, tmp_path):
    values = np.random.default_rng(0).normal(size=(1040, 128)).astype("f4", order=order)
    save(tmp_path / "x.npz", descriptors=values)
    np.testing.assert_array_equal(read_descriptors(tmp_path / "x.npz", 1040), values)


def test_subnormal_numbers_become_zero(tmp_path):
    values = np.float32([[1e-40, -1e-38, 1e-37], [0, 1, -1]])
    np.savez(tmp_path / "x.npz", descriptors=values)
    expected = np.float32([[0, 0, 1e-37], [0, 1, -1]])
    np.testing.assert_array_equal(read_descriptors(tmp_path / "x.npz", 2), expected)


def test_a_valid_card_is_returned_on_one_line_without_invisible_characters(challenge):
    fields = card(challenge.key, name="Ada\n \u202eevil\u200b", gpu_hours=1)
    parsed = parse_card(json.dumps(fields).encode(), "x.json", challenge.key.challenge)
    for encoding in ("utf-8-sig", "utf-16"):  # as editors on Windows write it
        assert parse_card(json.dumps(fields).encode(encoding), "x.json") == parsed
    assert parsed["name"] == "Ada \ufffdevil\ufffd" and parsed["gpu_hours"] == 1.0
    assert list(parsed) == list(MODEL_CARD)
    assert visible("\udcff<b>") == "?<b>"


def test_a_name_has_ink_and_stays_on_its_line():
    assert visible("Z" + 20 * "\u0336") == "Z\u0336\u0336"
    assert visible("\u3164\u2800\ufe0f") == 3 * "\ufffd"
    assert visible("A\u200d\u200d \u200db") == "A\u200d\ufffd \ufffdb"
    names = "Hồng Nhung", "Jürgen", "नमस्ते", "محمد", "علی\u200cرضا"
    assert tuple(map(visible, names)) == names


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"name": ""},
            "'name' of the model card x.json is '': expected text of 1 to 40 characters",
        ),
        ({"name": "x" * 41}, "1 to 40"),
        ({"name": ["Ada"]}, "expected text"),
        ({"parameters": 2_000_001}, "a whole number from 0 to 2,000,000"),
        ({"parameters": 1e3}, "is 1000.0: expected a whole number"),
        ({"parameters": True}, "is True: expected a whole number"),
        ({"parameters": -1}, "is -1"),
        ({"gpu_hours": 1.5}, "a number from 0 to 1"),
        ({"gpu_hours": "1"}, "is '1'"),
        ({"challenge": "123456789abc"}, "belongs to challenge '123456789abc': expected"),
        ({"rank": 1}, "has the unknown field 'rank'"),
    ],
)
def test_a_card_with_a_wrong_field_is_refused_with_the_field(fields, message, challenge):
    content = json.dumps(card(challenge.key, **fields)).encode()
    with pytest.raises(hk.UserError) as error:
        parse_card(content, "x.json", challenge.key.challenge)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"\xff\xfe", b'"text"', b"[" * 10_000, b'{"name": NaN}', b"null", b"{}"],
    ids=range(9),
)
def test_a_card_that_is_not_a_card_is_refused(content):
    with pytest.raises(hk.UserError, match=r"x\.json (is not a model card: .* Start from|lacks)"):
        parse_card(content, "x.json")


def test_saving_a_submission_checks_it_first(challenge, tmp_path):
    save = hk.course.challenge.save_submission
    good = np.ones((1040, 4))
    for values, fields in (
        (good * np.nan, {}),
        (np.ones((1040, 200)), {}),
        (np.ones(1040), {}),
        (good, {"name": ""}),
    ):
        with pytest.raises(hk.UserError):
            save(tmp_path / "x.npz", values, card(challenge.key, **fields))
    assert list(tmp_path.iterdir()) == []
    save(tmp_path / "x.npz", good, card(challenge.key))
    files = tmp_path / "x.npz", tmp_path / "x.json"
    assert hk.course.challenge.check_submission(*files, 1040)[0].shape == (1040, 4)
    files[1].write_text(" " * 20_000)
    with pytest.raises(hk.UserError, match="x.json has 20,000 bytes: expected at most 16.4 kB"):
        hk.course.challenge.check_submission(*files, 1040)


def test_submissions_are_found_as_pairs_of_files_and_as_folders(tmp_path):
    for name in (
        "bob.npz",
        "bob.JSON",
        "Ada/x.npz",
        "Ada/card.json",
        "Ada/report.pdf",
        "notes.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "__MACOSX").mkdir()
    ada, bob = find_submissions(tmp_path)
    assert (ada.name, ada.file.name, ada.card.name, ada.problem) == (
        "Ada",
        "x.npz",
        "card.json",
        "",
    )
    assert (bob.name, bob.file.name, bob.card.name, bob.problem) == (
        "bob",
        "bob.npz",
        "bob.JSON",
        "",
    )


def test_an_archive_or_a_table_instead_of_a_submission_is_a_problem(tmp_path):
    for name in ("ada.npz", "ada.json", "ada.zip", "bob.zip", "cem.csv", "grades.xlsx"):
        (tmp_path / name).touch()
    problems = {entry.name: entry.problem for entry in find_submissions(tmp_path)}
    assert list(problems) == ["ada", "bob.zip", "cem.csv"] and problems["ada"] == ""
    assert problems["bob.zip"].startswith("bob.zip is not a submission: expected one .npz and one")


def test_every_submission_has_a_name_of_its_own(tmp_path):
    for name in ("a/x.npz", "a (files)/x.npz", "a.npz", "b.zip.npz", "b.zip"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [entry.name for entry in find_submissions(tmp_path)]
    assert names == ["a", "a (files)", "a (files) (files)", "b.zip", "b.zip (files)"]


def test_missing_and_doubled_files_are_problems_of_their_submission(tmp_path):
    for name in (
        "a.npz",
        "b.json",
        "c/x.npz",
        "c/y.npz",
        "c/x.json",
        "d/readme.txt",
        "e.npz/x.npz",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    problems = {entry.name: entry.problem for entry in find_submissions(tmp_path)}
    assert "no file ending in .json" in problems["a"]
    assert "no file ending in .npz" in problems["b"]
    assert "2 files ending in .npz" in problems["c"]
    assert "no file ending in .npz" in problems["d"]
    assert "no file ending in .json" in problems["e.npz"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_links_and_pipes_are_never_followed(challenge, tmp_path):
    secret = challenge.folder / "key.npz"
    for name in ("a.npz", "b.json", "d/x.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(secret)
    for name in ("a.json", "b.npz", "d/x.json", "p.json"):
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "p.npz")
    (tmp_path / "folder").symlink_to(challenge.folder)
    problems = {entry.name: entry.problem for entry in find_submissions(tmp_path)}
    assert sorted(problems) == ["a", "b", "d", "folder", "p"]
    assert all("is a link" in problems[name] for name in ("a", "b", "d", "folder"))
    assert "is not a file" in problems["p"]


def test_names_of_files_are_safe_and_different(tmp_path):
    names = ["<img src=x>", "a..b", "=1+1", "a b", "a-b", "x" * 200, "CON", "a\nb"]
    for name in names:
        (tmp_path / f"{name}.npz").touch()
    with open(os.fsencode(tmp_path) + b"/\xff.npz", "w"):
        pass
    entries = find_submissions(tmp_path)
    safe = [entry.file_name for entry in entries]
    assert len(set(map(str.casefold, safe))) == len(safe) == len(names) + 1
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in safe)
    assert max(map(len, safe)) < 60


def test_a_folder_without_submissions_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is missing"):
        find_submissions(tmp_path / "nowhere")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(hk.UserError, match="has no submissions: expected NAME.npz and NAME.json"):
        find_submissions(tmp_path)
    with pytest.raises(hk.UserError, match="notes.txt is a file: expected a folder .* Unpack"):
        find_submissions(tmp_path / "notes.txt")


def test_submissions_one_folder_deeper_are_an_error_that_names_the_folder(tmp_path):
    deeper = tmp_path / "all" / "unpacked"
    deeper.mkdir(parents=True)
    for name in ("a.npz", "a.json", "b.npz", "b.json"):
        (deeper / name).touch()
    with pytest.raises(hk.UserError, match="one folder deeper, 2 of them in .*unpacked: score"):
        find_submissions(tmp_path / "all")
    (tmp_path / "all" / "c").mkdir()  # a second participant: then `unpacked` is the first
    problems = {entry.name: entry.problem for entry in find_submissions(tmp_path / "all")}
    assert "2 files ending in .npz" in problems["unpacked"] and "no file" in problems["c"]


def test_a_single_participant_with_a_mistake_is_listed(tmp_path):
    (tmp_path / "ada").mkdir()
    for name in ("x.npz", "y.npz", "x.json"):
        (tmp_path / "ada" / name).touch()
    (entry,) = find_submissions(tmp_path)
    assert "2 files ending in .npz" in entry.problem


def test_the_kit_is_a_folder_of_one_submission(tmp_path):
    for name in ("patches.npz", "RULES.md", "make_submission.py", "x.npz", "x.json"):
        (tmp_path / name).touch()
    (entry,) = find_submissions(tmp_path)
    assert (entry.name, entry.problem) == ("x", "")


def test_a_process_reads_a_submission_and_runs_nothing_that_lies_beside_it(challenge, tmp_path):
    values = np.random.default_rng(0).normal(size=(1040, 5)).astype("f4")
    file = write_submission(tmp_path, "x", values, card(challenge.key))
    for name in ("numpy.py", "json.py", "hpatches_kit.py", "sitecustomize.py"):
        (tmp_path / name).write_text("open('ran', 'w')")
    reading = limited_reading.read_limited(file, tmp_path / "x.json", 1040, challenge.key.challenge)
    assert reading.problem == ""
    np.testing.assert_array_equal(reading.values, values)
    assert reading.card == card(challenge.key) and len(reading.limits) >= 2
    assert not (tmp_path / "ran").exists()


def test_a_process_reports_a_problem_without_the_folders_of_the_teacher(challenge, tmp_path):
    file = write_submission(tmp_path, "x", np.ones((3, 5)), card(challenge.key))
    reading = limited_reading.read_limited(file, tmp_path / "x.json", 1040, challenge.key.challenge)
    assert reading.values is None and str(tmp_path) not in reading.problem
    assert reading.problem.startswith("x.npz is damaged or is not a file of descriptors: it holds")
    assert "an array of shape (3, 5): expected (1040, dim)" in reading.problem


@pytest.mark.parametrize(
    ("printed", "errors", "message"),
    [
        (b"", b"Traceback\nImportError: no numpy", "ended with 'ImportError: no numpy'"),
        (b"Beautiful is better than ugly.\n", b"", "which is not the fault of the submission"),
        (b'["memory"]\n', b"", "for a reason that the checks do not know"),
        (b'["memory"]\n{"problem": "', b"", "for a reason that the checks do not know"),
    ],
)
def test_a_process_that_ends_without_an_answer_says_whose_fault_it_is(printed, errors, message):
    process = subprocess.CompletedProcess([], -11, printed, errors)
    reading = limited_reading._reading(process, None, 1040, None)
    assert reading.values is None and message in reading.problem


def test_a_process_that_takes_too_long_is_a_problem_of_its_submission():
    process = subprocess.CompletedProcess([], -24, b'["memory"]\n', b"")
    reading = limited_reading._reading(process, None, 1040, limits.Limits(0, 0))
    assert "more than 30 s of processor time" in reading.problem


def test_a_process_imports_nothing_from_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    paths = limits.environment()["PYTHONPATH"].split(os.pathsep)
    assert str(tmp_path) not in paths and str(Path(hk.__file__).parents[1]) in paths


def run_limited(code, **values):
    """Run code in a process with limits; returns the exit status and what it prints."""
    start = (
        "from hpatches_kit.course.challenge.submissions.limits import Limits, apply\n"
        f"sentences = apply(Limits(**{values}))\n"
    )
    options = {"capture_output": True, "text": True, "env": limits.environment()}
    process = subprocess.run([sys.executable, "-c", start + code], **options)
    return process.returncode, process.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms enforce other limits")
def test_memory_time_and_files_are_limited_on_linux(tmp_path):
    few = {"memory": 1 << 30, "output": 1000, "cpu_seconds": 1}
    code = (
        "try: bytes(2 << 30)\n"
        "except MemoryError: print('memory')\n"
        f"try: open({str(tmp_path / 'x')!r}, 'wb').write(bytes(20_000))\n"
        "except OSError: print('file')\n"
        "print(sentences, flush=True)\n"
        "while True: pass"
    )
    status, printed = run_limited(code, **few)
    assert status == -24  # SIGXCPU
    assert printed.splitlines()[:2] == ["memory", "file"]
    assert "memory: at most 1.1 GB" in printed and "processor time: at most 1 s" in printed


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have no namespaces")
def test_the_network_is_gone_where_the_sentence_says_so():
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import socket\n"
            f"try: socket.create_connection({server.getsockname()}); print('reached')\n"
            "except OSError: print('cut off')\n"
            "print(sentences[-1])"
        )
        _, printed = run_limited(code, memory=1 << 31, output=1000, cpu_seconds=60)
    assert printed in (
        "cut off\nnetwork: none\n",
        "reached\nnetwork: not cut off on this platform\n",
    )

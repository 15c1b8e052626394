"""A sample of each campaign of `make campaign`: whatever happens to a file, the outcome is safe."""

import os
import time

import pytest
from campaigns import (
    bad_inputs,
    byte_flips,
    full_disk,
    kills,
    lying_server,
    saved_counts,
    two_processes,
)
from campaigns.outcomes import is_safe, outcome_of, summary
from campaigns.work import WORK

from hpatches_kit._support.errors import UserError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
CASES = list(bad_inputs.all_cases())
QUICK = {name: WORK[name] for name in ("replacing a file", "filling arrays")}


def assert_safe(outcomes):
    assert outcomes and is_safe(outcomes), summary(outcomes)


def test_a_sample_of_bad_inputs_has_the_expected_outcome(tmp_path):
    assert_safe(bad_inputs.run(tmp_path, step=23))


def test_there_are_enough_bad_inputs_and_their_labels_differ():
    assert len({label for label, *_ in CASES}) == len(CASES) >= 300


def test_flipped_bits_are_noticed_or_harmless(tmp_path):
    assert_safe(byte_flips.run(tmp_path, flips=1))


@pytest.mark.slow
def test_nothing_is_lost_when_processes_are_killed(tmp_path):
    assert_safe(kills.run(tmp_path, kills=2))


def test_two_processes_at_once_do_not_disturb_each_other(tmp_path):
    assert_safe(two_processes.run(tmp_path, 1, QUICK))


def test_a_disk_that_becomes_full_keeps_the_old_content(tmp_path):
    formats = ("npz of descriptors", "patch set", "record of a run")
    assert_safe(full_disk.run(tmp_path, formats, (0, 2000), full_disk.limit_files))


@pytest.mark.parametrize("part", range(3))
def test_a_server_that_lies_is_noticed(part, tmp_path, monkeypatch):
    monkeypatch.delenv("HPATCHES_KIT_MIRROR", raising=False)
    labels = [label for label in lying_server.CASES if label != "an endless file"]
    assert_safe(lying_server.run(tmp_path, labels[part::6]))


def lose(place):
    """Write a file, but not atomically: all except the first call are killed in the middle."""
    (place / "file").write_text("half of it")
    if (place.parent / "called").exists():
        time.sleep(100)
    (place.parent / "called").touch()
    (place / "file").write_text("all of it")


def test_work_that_loses_something_is_found(tmp_path):
    def read(place):
        return (place / "file").read_text()

    assert not is_safe(kills.run(tmp_path, 1, work={"losing": (lose, read)}))


def answer(kind):
    def read(path):
        if kind == "hang":
            time.sleep(100)
        if kind == "memory":
            return str(len(b"x" * (300 << 20)))
        if kind == "traceback":
            raise KeyError("x")
        if kind in ("refused", "unnamed"):
            raise UserError(f"{path if kind == 'refused' else 'It'} is wrong.")
        return "right" if kind == "equal" else "wrong"

    return read


@pytest.mark.parametrize(
    "kind", ["refused", "unnamed", "equal", "changed", "traceback", "hang", "memory"]
)
def test_each_outcome_is_recognised(kind):
    limits = {"seconds": 0.5 if kind == "hang" else 300, "memory": 200 << 20}
    assert outcome_of(answer(kind), "a.json", ["a.json"], "right", **limits)[0] == kind


def test_each_part_has_pieces_that_the_page_counts(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("<!-- campaign -->\n<!-- end -->\n")
    monkeypatch.setattr(saved_counts, "PAGE", page)
    monkeypatch.setattr(saved_counts, "FILE", tmp_path / "outcomes.json")
    outcomes = {"kill 0, in the middle": ("equal", ""), "416 in the middle: a": ("hang", "")}
    for piece in ("download", "training", "download"):  # the last one replaces the first
        saved_counts.save("kills", piece, outcomes, 90, {"kills": (("download", "training", "a"),)})
    assert saved_counts.is_saved("kills", "training") and not saved_counts.is_saved("kills", "a")
    assert "2 cases, 1 unsafe, 90 s" in saved_counts.text_of("kills", "download")
    assert "| kills, 2 in the middle of the work | 2 of 3 | 4 | 0 | 2 | 2 | 3 |" in page.read_text()

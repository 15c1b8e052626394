"""A sample of each campaign of `make campaign`: whatever happens to a file, the outcome is safe."""

import os

import pytest
from campaigns import bad_inputs, byte_flips, kills
from campaigns.outcomes import SAFE, outcome_of, summary

from hpatches_kit._support.errors import UserError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
CASES = list(bad_inputs.all_cases())


def assert_safe(outcomes):
    assert all(kind in SAFE for kind, _ in outcomes.values()), summary(outcomes)


@pytest.mark.parametrize("part", range(4))
def test_a_sample_of_bad_inputs_is_refused_or_harmless(part, tmp_path):
    assert_safe(bad_inputs.run(tmp_path, CASES[part::61]))


@pytest.mark.slow
def test_flipped_bits_are_noticed_or_harmless(tmp_path):
    assert_safe(byte_flips.run(tmp_path, flips=2))


@pytest.mark.slow
def test_nothing_is_lost_when_processes_are_killed(tmp_path):
    assert_safe(kills.run(tmp_path, kills=2))


def test_there_are_enough_bad_inputs_and_their_labels_differ():
    assert len({label for label, *_ in CASES}) == len(CASES) >= 300


def answer(kind):
    def read(path):
        if kind == "hang":
            import time

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
    limits = {"seconds": 3 if kind == "hang" else 300, "memory": 200 << 20}
    assert outcome_of(answer(kind), "a.json", ["a.json"], "right", **limits)[0] == kind

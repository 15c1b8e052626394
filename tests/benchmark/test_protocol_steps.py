"""The script behind the page on the two protocols: its steps lead from one to the other."""

import importlib
from pathlib import Path

import pytest

import hpatches_kit as hk
from hpatches_kit.benchmark import MATLAB

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    return importlib.import_module("protocols")


def test_the_steps_of_all_tasks_are_the_nine_differences(script):
    settings = {}
    for steps in script.STEPS.values():
        for step in steps.values():
            settings |= step
    assert settings == vars(MATLAB)


@pytest.mark.parametrize("task", ["verification", "matching", "retrieval"])
def test_the_first_step_is_the_python_protocol_and_the_last_that_of_matlab(
    task, script, descriptors
):
    tasks = hk.benchmark.draw_tasks(descriptors)
    scores = script.step_scores(task, descriptors, tasks)
    python = hk.benchmark.evaluate(descriptors, tasks, only=task)
    matlab = hk.benchmark.evaluate(descriptors, tasks, only=task, protocol="matlab")
    assert scores["Python"] == 100 * python[task]["mean_ap"]
    official = [score for step, score in scores.items() if not step.startswith("*")]
    assert official[-1] == pytest.approx(100 * matlab[task]["mean_ap"])
    table = script.step_table(task, {"random": scores}).splitlines()
    assert len(table) == 2 + len(scores) and table[2] == f"| Python | {scores['Python']:.2f} |"


def test_the_table_of_pools_has_every_pool_and_the_three_scores(script, descriptors):
    tasks = hk.benchmark.draw_tasks(descriptors)
    tasks.pools = (10, 20)
    table = script.pool_table({"random": descriptors}, tasks).splitlines()
    numbers = [float(row.split("|")[2]) for row in table[2:]]
    assert numbers[2] == pytest.approx((numbers[0] + numbers[1]) / 2, abs=0.01)
    assert len(numbers) == 5 and numbers[3] == numbers[4]  # fewer than 2,000 distractors

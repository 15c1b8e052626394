"""Solutions are right, stubs are not attempted, and planted mistakes are named."""

from pathlib import Path

import keras
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.exercises.checking import all_exercises
from hpatches_kit.course.exercises.exercise import YOUR_TURN

EXERCISES = all_exercises()


def load_answers(kind):
    """The planted mistakes (`"PLANTED"`) or other right answers (`"ALSO_RIGHT"`) of all lessons."""
    answers = []
    for path in sorted(Path(__file__).parent.glob("mistakes_*.py")):
        names = {}
        exec(compile(path.read_text(), str(path), "exec"), names)
        answers += names.get(kind, ())
    return answers


PLANTED, ALSO_RIGHT = load_answers("PLANTED"), load_answers("ALSO_RIGHT")


def run_code(exercise, code):
    """What a learner has after running code in a notebook: the function or class of the exercise."""
    names = {"np": np, "keras": keras, "hk": hk}
    exec(compile(code, "<learner>", "exec"), names)
    return names[exercise.solution.__name__]


@pytest.mark.parametrize("name", EXERCISES)
def test_a_solution_is_right_with_nothing_but_numpy_keras_and_the_kit(name):
    answer = run_code(EXERCISES[name], EXERCISES[name].source)
    assert str(hk.course.check(name, answer)) == f"{name}: right."


@pytest.mark.parametrize("name", EXERCISES)
def test_a_stub_is_not_attempted(name):
    assert YOUR_TURN in EXERCISES[name].stub
    verdict = hk.course.check(name, run_code(EXERCISES[name], EXERCISES[name].stub))
    assert str(verdict) == f'{name}: not attempted. A first hint: hk.course.hint("{name}")'


@pytest.mark.parametrize(
    "mistake", PLANTED, ids=[f"{k}-{mistake[0]}" for k, mistake in enumerate(PLANTED)]
)
def test_a_planted_mistake_is_named(mistake):
    name, old, new, reason = mistake
    exercise = EXERCISES[name]
    assert old in exercise.source
    verdict = hk.course.check(name, run_code(exercise, exercise.source.replace(old, new)))
    assert verdict.result == "wrong" and reason in verdict.reason


@pytest.mark.parametrize(
    ("name", "code"), ALSO_RIGHT, ids=[f"{k}-{name}" for k, (name, _) in enumerate(ALSO_RIGHT)]
)
def test_a_right_answer_that_is_written_in_another_way_is_right(name, code):
    assert str(hk.course.check(name, run_code(EXERCISES[name], code))) == f"{name}: right."


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_has_three_hints_and_a_short_stub(name):
    exercise = EXERCISES[name]
    assert [hk.course.hint(name, step).splitlines()[0] for step in (1, 2, 3)]
    assert len(exercise.cell.splitlines()) <= 20  # as for every cell of a notebook
    assert hk.course.solution(name) == exercise.source


def test_none_instead_of_a_result_asks_for_the_return():
    reason = hk.course.check("psnr", lambda clean, denoised: None).reason
    assert "None" in reason


def test_an_error_of_the_learners_code_is_the_reason_with_its_line():
    code = 'def psnr(clean, denoised):\n    return clean["a"]\n'
    reason = hk.course.check("psnr", run_code(EXERCISES["psnr"], code)).reason
    assert reason.startswith("it raised IndexError")


def test_an_unknown_exercise_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="Unknown exercise 'pnsr': expected one of psnr"):
        hk.course.check("pnsr", None)


def test_a_hint_other_than_one_two_or_three_is_refused():
    with pytest.raises(UserError, match="Hint 4: expected 1, 2 or 3."):
        hk.course.hint("psnr", 4)


def test_a_verdict_is_escaped_in_a_notebook():
    verdict = hk.course.check("psnr", lambda clean, denoised: 1 / 0)
    assert "<div" in verdict._repr_html_()
    raising = hk.course.check("psnr", lambda clean, denoised: {}["<script>"])
    assert "<script>" not in raising._repr_html_()

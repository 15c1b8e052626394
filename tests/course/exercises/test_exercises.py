"""Solutions are right, stubs are not attempted, and planted mistakes are named."""

import linecache
import random
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
    hints = [hk.course.hint(name, step).splitlines()[0] for step in (1, 2, 3)]
    assert all(hints) and len(set(hints)) == 3
    assert len(exercise.cell.splitlines()) <= 20  # as for every cell of a notebook
    assert hk.course.solution(name) == exercise.source


def test_none_instead_of_a_result_asks_for_the_return():
    reason = hk.course.check("psnr", lambda clean, denoised: None).reason
    assert reason == "psnr(clean, denoised) is None: is a `return` missing?"


def test_an_error_of_the_learners_code_is_the_reason_with_its_line(monkeypatch):
    code = "def psnr(clean, denoised):\n    return np.reshape(clean, 7)\n"
    lines = len(code), None, code.splitlines(True), "<learner>"  # as IPython stores its cells
    monkeypatch.setitem(linecache.cache, "<learner>", lines)
    reason = hk.course.check("psnr", run_code(EXERCISES["psnr"], code)).reason
    assert reason.startswith("it raised ValueError in the line `return np.reshape(clean, 7)`: ")


def test_an_error_of_keras_for_a_missing_method_is_an_attempt():
    class Empty(keras.Model):
        """Keras raises NotImplementedError, because there is no `call`."""

    verdict = hk.course.check("residual", lambda network: Empty())
    assert verdict.result == "wrong" and "NotImplementedError" in verdict.reason


def test_a_result_instead_of_the_function_is_wrong():
    assert str(hk.course.check("psnr", 28.1)) == (
        "psnr: wrong, because the answer is a float: hand over `psnr` itself, without calling it."
    )


def test_a_model_instead_of_the_function_that_builds_it_is_wrong():
    assert str(hk.course.check("l2net", hk.models.l2net())) == (
        "l2net: wrong, because the answer is a Functional: hand over `l2net` itself, without calling"
        " it."
    )


def test_a_check_runs_in_float32_and_leaves_precision_and_random_states_as_they_were():
    policy, policies = keras.config.dtype_policy(), []

    def psnr(clean, denoised):
        policies.append(keras.config.dtype_policy().name)
        random.random(), np.random.random()
        return hk.metrics.psnr(clean, denoised)

    keras.config.set_dtype_policy("mixed_float16")
    try:
        python, numpy = random.getstate(), np.random.get_state()
        assert hk.course.check("psnr", psnr).right
        assert set(policies) == {"float32"}
        assert keras.config.dtype_policy().name == "mixed_float16"
        assert random.getstate() == python
        assert all(map(np.array_equal, np.random.get_state(), numpy))
    finally:
        keras.config.set_dtype_policy(policy)


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

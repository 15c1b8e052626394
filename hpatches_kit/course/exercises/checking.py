"""Check what a learner wrote; show hints and solutions."""

import traceback
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.escaping import html_text
from hpatches_kit.course.exercises.exercise import Wrong, with_article

LESSONS = range(1, 9)
RIGHT, WRONG, NOT_ATTEMPTED = "right", "wrong", "not attempted"
ADVICE = {  # for messages of NumPy, Keras and pandas that do not help a beginner
    "only integer scalar arrays can be converted": "np.max(0, x) takes x for an axis: np.maximum(0, x)"
    " compares",
    "is not connected to `inputs`": "the output of a model belongs to its own input: call the model on"
    " the tensor before it",
    "truth value of a Series is ambiguous": "join conditions with &, each in brackets",
    "has no attribute 'trapz'": "NumPy 2 calls it np.trapezoid",
}
COLOURS = {RIGHT: "#2e7d32", WRONG: "#c62828", NOT_ATTEMPTED: "#757575"}


@dataclass(frozen=True)
class Verdict:
    """What a check found: `result` is right, wrong or not attempted."""

    name: str
    result: str
    reason: str = ""

    @property
    def right(self):
        return self.result == RIGHT

    def __str__(self):
        if self.result == NOT_ATTEMPTED:
            return f'{self.name}: not attempted. A first hint: hk.course.hint("{self.name}")'
        if not self.reason:
            return f"{self.name}: {self.result}."
        joint = ". " if self.reason[0].isupper() else ", because "  # a sentence of its own, or not
        return f"{self.name}: {self.result}{joint}{self.reason}"

    __repr__ = __str__

    def _repr_html_(self):
        colour = COLOURS[self.result]
        style = f"border-left: 4px solid {colour}; padding: 4px 10px"
        return f'<div style="{style}">{html_text(self)}</div>'


class Text(str):
    """Text that a notebook shows as it is, without quotes."""

    __repr__ = str.__str__


def check(name, answer):
    """Check the answer to an exercise.

        hk.course.check("psnr", hk.metrics.psnr)  # or the function that a learner wrote

    Args:
        name: of the exercise.
        answer: the function or class that the learner wrote.

    Returns a `Verdict`: right, wrong with the reason, or not attempted. It does not raise for an
    answer that fails: the error is the reason. Raises UserError for an unknown exercise.
    """
    from keras import Layer  # here: `find` needs no Keras

    from hpatches_kit.course.exercises.isolation import isolated

    exercise = find(name)
    try:
        if not callable(answer) or isinstance(answer, Layer):  # which includes models
            expected = f"`{exercise.solution.__name__}` itself, without calling it"
            raise Wrong(
                f"the answer is {with_article(type(answer).__name__)}: hand over {expected}."
            )
        with isolated():
            exercise.check(answer)
    except Wrong as wrong:
        return Verdict(name, WRONG, str(wrong))
    except Exception as error:  # a mistake in the learner's code
        if isinstance(error, NotImplementedError) and not str(error):  # Keras's has a message
            return Verdict(name, NOT_ATTEMPTED)
        return Verdict(name, WRONG, _sentence(error))
    return Verdict(name, RIGHT)


def hint(name, step=1):
    """A hint for an exercise: step 1 gives the idea, 2 the shapes, 3 one line of the solution."""
    hints = find(name).hints
    if step not in (1, 2, 3):
        raise UserError(f"Hint {step!r}: expected 1, 2 or 3.")
    following = f'\nNext: hk.course.hint("{name}", {step + 1})' if step < 3 else ""
    return Text(hints[step - 1] + following)


def solution(name):
    """The code of the solution of an exercise."""
    return Text(find(name).source)


def find(name):
    """The exercise of this name; raises UserError for an unknown one."""
    exercises = all_exercises()
    if name not in exercises:
        raise UserError(f"Unknown exercise {name!r}: expected one of {', '.join(exercises)}.")
    return exercises[name]


@lru_cache
def all_exercises():
    """`{name: exercise}` of all lessons, in their order."""
    modules = [import_module(f"hpatches_kit.course.exercises.lesson_{k}") for k in LESSONS]
    return {exercise.name: exercise for module in modules for exercise in module.EXERCISES}


def _sentence(error):
    """The error of a learner's code, with the line of that code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if frame.line and _is_answer(frame.filename)]
    place = f" in the line `{lines[-1]}`" if lines else ""
    first = (str(error).strip().splitlines() or [""])[0]
    advice = [f"({text})" for part, text in ADVICE.items() if part in first]
    return " ".join([f"it raised {type(error).__name__}{place}: {first}", *advice])


def _is_answer(file_name):
    """Whether code comes from a notebook or the console, not from an installed module."""
    return file_name.startswith("<") or "ipykernel" in file_name or "ipython" in file_name

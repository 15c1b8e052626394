"""Ask a question, and answer every option of it."""

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from hpatches_kit._support.errors import UserError
from hpatches_kit.course.exercises.checking import LESSONS, RIGHT, WRONG, Text, Verdict


@dataclass(frozen=True)
class Option:
    """An answer to choose, and what it is answered with."""

    text: str
    reply: str


@dataclass(frozen=True)
class Question:
    """One question of a lesson; its options are named a, b, c and so on."""

    name: str
    lesson: int
    text: str
    options: tuple[Option, ...]
    right: str  # the letter of the right option

    @property
    def letters(self):
        return "abcdefgh"[: len(self.options)]

    def __str__(self):
        options = [f"  {letter}  {o.text}" for letter, o in zip(self.letters, self.options)]
        return "\n".join([self.text, *options])


def question(name, answer=None):
    """Show a question, or the reply to an answer.

        hk.course.question("mutual-or-not", answer="b")

    Args:
        name: of the question.
        answer: the letter of an option; None shows the question.

    Raises UserError for an unknown question, or a letter that is not one of its options.
    """
    questions = all_questions()
    if name not in questions:
        raise UserError(f"Unknown question {name!r}: expected one of {', '.join(questions)}.")
    asked = questions[name]
    if answer is None:
        return Text(asked)
    answer = str(answer).strip().lower()
    if answer not in tuple(asked.letters):
        raise UserError(f"Answer {answer!r}: expected one of {', '.join(asked.letters)}.")
    reply = asked.options[asked.letters.index(answer)].reply
    return Verdict(name, RIGHT if answer == asked.right else WRONG, reply)


@lru_cache
def all_questions():
    """`{name: question}` of all lessons, in their order."""
    modules = [import_module(f"hpatches_kit.course.questions.lesson_{k}") for k in LESSONS]
    return {asked.name: asked for module in modules for asked in module.QUESTIONS}

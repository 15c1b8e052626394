"""Every lesson asks three questions, and every option has a reply."""

import re
from pathlib import Path

import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.questions.asking import LESSONS, all_questions

QUESTIONS = all_questions()
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_asks_three_questions(lesson):
    assert sum(asked.lesson == lesson for asked in QUESTIONS.values()) == 3


@pytest.mark.parametrize("name", QUESTIONS)
def test_one_option_is_right_and_each_has_its_own_reply(name):
    asked = QUESTIONS[name]
    replies = {letter: hk.course.question(name, letter) for letter in asked.letters}
    assert [letter for letter, reply in replies.items() if reply.right] == [asked.right]
    assert len({reply.reason for reply in replies.values()}) == len(asked.options) >= 3
    assert all(len(reply.reason) > 20 for reply in replies.values())
    assert all(option.text in repr(hk.course.question(name)) for option in asked.options)


def test_an_unknown_question_or_letter_is_refused():
    with pytest.raises(UserError, match="Unknown question 'x': expected one of "):
        hk.course.question("x")
    with pytest.raises(UserError, match="Answer 'z': expected one of a, b, c"):
        hk.course.question(next(iter(QUESTIONS)), "z")


def test_a_reply_is_a_sentence_of_its_own_or_goes_on_after_because():
    assert str(hk.course.question("zero-loss", "b")).startswith("zero-loss: right. The maximum")
    assert str(hk.course.question("flat-scenes", "a")).startswith(
        "flat-scenes: wrong, because turn"
    )


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_number_in_a_reply_stands_in_the_saved_lesson_as_well(name):
    asked = QUESTIONS[name]
    (lesson,) = NOTEBOOKS.glob(f"{asked.lesson}-*.ipynb")
    replies = " ".join(option.reply for option in asked.options)
    missing = [n for n in re.findall(r"\d+\.\d\d+", replies) if n not in lesson.read_text("utf-8")]
    assert missing == []

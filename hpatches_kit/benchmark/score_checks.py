"""Check scores that were read from a file: numbers that no evaluation gives are errors."""

import math
import re

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import check_fields
from hpatches_kit.benchmark.bootstrap import DRAWS
from hpatches_kit.benchmark.scores import Scores
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.patches.views import LEVELS

FIELDS = {"name": str, "kind": str, "protocol": str, "sequences": list, "warnings": list}
LONGEST = 1000  # characters of a text
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # would end a line, or move the cursor of a terminal
VARIANTS = (None, "tie_neutral", "matlab")
TOLERANCE = 1e-6  # rounding of a mean, and of a score that is 0 or 1


def check_scores(content, file, what):
    """Raise UserError unless the parsed content of a scores file can be the result of `evaluate`.

    Texts are short and have no control characters, every score is a number from 0 to 1, and every
    mean AP is the mean of its parts.
    """

    def refuse(reason):
        raise UserError(f"{file} is not {what}: {reason}.")

    if not isinstance(content, dict):
        refuse("expected an object for each descriptor")
    check_fields(content, FIELDS, file, what)
    texts = [content[field] for field in ("name", "kind", "protocol")]
    for text in [*texts, *content["sequences"], *content["warnings"]]:
        if not isinstance(text, str) or CONTROL.search(text) or len(text) > LONGEST:
            refuse(f"{str(text)[:40]!r} is not a short text without control characters")
    tasks = {task: content[task] for task in TASKS if task in content}
    if not tasks:
        refuse(f"it has none of {', '.join(TASKS)}")
    for task, numbers in tasks.items():
        try:
            for variant in VARIANTS:
                _check_numbers(task, numbers, variant)
            _check_draws(numbers["draws"])
            if task == "matching":
                _check_matching(numbers, content["sequences"])
        except (KeyError, TypeError, AttributeError) as error:
            refuse(f"{task} has other parts than expected, {error!r}")
        except ValueError as error:
            refuse(f"{task}: {error}")


def _check_numbers(task, numbers, variant):
    part = numbers[variant] if variant else numbers
    for level in LEVELS:
        _check_all_numbers(part[level], f"{variant or 'official'} {level}")
        if task == "retrieval" and not all(size.isdecimal() for size in part[level]):
            raise ValueError(f"the sizes of the pools are {', '.join(part[level])[:40]}")
    _check_number(part["mean_ap"], "mean_ap")
    levels = Scores("", {task: numbers}, "").levels(task, variant)
    _check_mean(part["mean_ap"], levels.values(), "mean_ap")


def _check_matching(numbers, sequences):
    by_sequence = numbers["sequences"]
    if list(by_sequence) != sequences:
        raise ValueError("its sequences are not those of the scores")
    for level in LEVELS:
        images = [levels[level] for levels in by_sequence.values()]
        _check_all_numbers(images, level)
        parts = [image["ap"] for of_sequence in images for image in of_sequence.values()]
        _check_mean(numbers[level], parts, level)


def _check_draws(draws):
    if not isinstance(draws, list) or len(draws) != DRAWS:
        raise ValueError(f"draws is not a list of {DRAWS} numbers")
    for number in draws:
        if number is not None:
            _check_number(number, "a draw")


def _check_all_numbers(part, name):
    """Check every number in nested lists and objects; there has to be one."""
    if isinstance(part, dict | list):
        children = part.values() if isinstance(part, dict) else part
        if not children:
            raise ValueError(f"{name} is empty")
        for child in children:
            _check_all_numbers(child, name)
    else:
        _check_number(part, name)


def _check_number(number, name):
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f"{name} is {str(number)[:40]}, expected a number from 0 to 1")
    if not -TOLERANCE <= number <= 1 + TOLERANCE:  # also for NaN
        raise ValueError(f"{name} is {str(number)[:40]}, expected a number from 0 to 1")


def _check_mean(mean, parts, name):
    parts = list(parts)
    expected = math.fsum(parts) / len(parts)
    if abs(mean - expected) > TOLERANCE:
        raise ValueError(f"{name} is {mean:.4f}, but the mean of its parts is {expected:.4f}")

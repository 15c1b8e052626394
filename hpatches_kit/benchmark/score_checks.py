"""Check scores that were read from a file: numbers that no evaluation gives are errors."""

import math
import re

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import check_fields
from hpatches_kit.benchmark.bootstrap import DRAWS
from hpatches_kit.benchmark.categories import sequence_categories
from hpatches_kit.benchmark.protocols import Protocol
from hpatches_kit.benchmark.scores import Scores
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.patches.views import LEVELS

FIELDS = {"name": str, "kind": str, "provenance": str, "protocol": dict}
FIELDS |= {"sequences": list, "warnings": list}
LONGEST = 1000  # characters of a text
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # would end a line, or move the cursor of a terminal
VARIANTS = (None, "tie_neutral")
NOT_SCORES = {"seconds", "draws", "queries", "pool_sizes", "spread", "categories"}
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
    texts = [content[field] for field in ("name", "kind", "provenance")]
    for text in [*texts, *content["sequences"], *content["warnings"]]:
        if not isinstance(text, str) or CONTROL.search(text) or len(text) > LONGEST:
            refuse(f"{str(text)[:40]!r} is not a short text without control characters")
    tasks = {task: content[task] for task in TASKS if task in content}
    if not tasks:
        refuse(f"it has none of {', '.join(TASKS)}")
    try:
        protocol = protocol_of(content)
    except (TypeError, ValueError) as error:
        refuse(f"its protocol has other settings than expected: {error}")
    for task, numbers in tasks.items():
        try:
            for variant in VARIANTS:
                _check_means(task, numbers, variant)
            _check_all_numbers(
                {key: part for key, part in numbers.items() if key not in NOT_SCORES}, task
            )
            _check_draws(numbers["draws"])
            if task == "matching":
                _check_matching(numbers, content["sequences"], protocol)
            elif task == "retrieval":
                _check_pools(numbers)
        except (KeyError, TypeError, AttributeError) as error:
            refuse(f"{task} has other parts than expected, {error!r}")
        except ValueError as error:
            refuse(f"{task}: {error}")


def protocol_of(content):
    """The `Protocol` in the content of a scores file. Raises TypeError or ValueError if damaged."""
    settings = {key: value for key, value in content["protocol"].items() if key != "name"}
    for name, value in settings.items():
        if name != "distractors" and not isinstance(value, bool):
            raise TypeError(f"{name} is {str(value)[:40]}, expected true or false")
    return Protocol(**settings)


def _check_means(task, numbers, variant):
    part = numbers[variant] if variant else numbers
    for level in LEVELS:
        _check_all_numbers(part[level], f"{variant or 'official'} {level}")
    _check_number(part["mean_ap"], "mean_ap")
    levels = Scores("", {task: numbers}, "").levels(task, variant)
    _check_mean(part["mean_ap"], levels.values(), "mean_ap")


def _check_matching(numbers, sequences, protocol):
    by_sequence = numbers["sequences"]
    if list(by_sequence) != sequences:
        raise ValueError("its sequences are not those of the scores")
    groups = {"": sequences}
    if protocol.categories:
        groups, found = sequence_categories(sequences), numbers["categories"]
        counts = {category: len(names) for category, names in groups.items()}
        if {category: part["sequences"] for category, part in found.items()} != counts:
            raise ValueError("its categories are not those of its sequences")
    for level in LEVELS:
        means = {}
        for category, names in groups.items():
            images = [image["ap"] for name in names for image in by_sequence[name][level].values()]
            means[category] = math.fsum(images) / len(images)
            if category:
                _check_mean(numbers["categories"][category][level], images, f"{category} {level}")
        _check_mean(numbers[level], means.values(), level)


def _check_pools(numbers):
    pools = list(numbers["e"])
    if not all(pool.isdecimal() for pool in pools):
        raise ValueError(f"the sizes of the pools are {', '.join(pools)[:40]}")
    if any(list(numbers[part]) != pools for part in (*LEVELS, "mean_per_pool", "pool_sizes")):
        raise ValueError("its parts have other pools")
    for low, high in numbers["pool_sizes"].values():
        if not (type(low) is type(high) is int and 0 <= low <= high):
            raise ValueError(f"the sizes of a pool are {str([low, high])[:40]}")


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

"""The model card of a submission: a JSON file with seven fields."""

import math
import unicodedata

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import parse_json
from hpatches_kit.course.challenge.submissions.rules import MOST_GPU_HOURS, MOST_PARAMETERS

# Field -> type, greatest length or number, and what it is.
MODEL_CARD = {
    "challenge": (str, 12, "the identifier of the challenge, from the rules"),
    "name": (str, 40, "the name that the page shows; it need not be your own"),
    "method": (str, 600, "the network, the loss and the training, in a few sentences"),
    "training_data": (str, 300, "everything that the network was trained on"),
    "command": (str, 300, "the one command that reproduces the descriptors"),
    "parameters": (int, MOST_PARAMETERS, "the trainable weights of all networks together"),
    "gpu_hours": (float, MOST_GPU_HOURS, "hours of training on one GPU; 0 for none"),
}

# Letters and marks without ink: fillers of Hangul, an empty Braille cell, variation selectors.
BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(k) for k in range(0xFE00, 0xFE10)
}
JOINERS = "\u200c\u200d"  # invisible, but a part of Persian, Sinhala and other names
MOST_MARKS = 2
MOST_OF_REFERENCE = 10**12  # weights, or hours


def parse_card(content, file, challenge=None, is_reference=False):
    """Check the bytes of a model card, and return it as a dictionary.

    Runs of white space become one space, and invisible characters become U+FFFD.

    Args:
        content: bytes of a JSON object with the fields of `MODEL_CARD`, no others.
        file: the name of its file, for messages.
        challenge: the expected identifier; None accepts any.
        is_reference: accept more weights and hours than a submission may have.

    Raises UserError, which names the file, the field, what is wrong and what is expected.
    """
    try:
        card = parse_json(content, file, "a model card")  # in UTF-8, 16 or 32
    except UserError as error:
        raise UserError(f"{error} Start from the card in the rules.") from error
    for problem, fields in (
        ("lacks", [field for field in MODEL_CARD if field not in card]),
        ("has the unknown field", [field for field in card if field not in MODEL_CARD]),
    ):
        if fields:
            raise UserError(
                f"The model card {file} {problem} {visible(fields[0])[:40]!r}: expected exactly the"
                f" fields {', '.join(MODEL_CARD)}."
            )
    card = {field: _checked(file, field, card[field], is_reference) for field in MODEL_CARD}
    if challenge not in (None, card["challenge"]):
        raise UserError(
            f"The model card {file} belongs to challenge {card['challenge']!r}: expected {challenge!r}."
            " Describe the patches of this challenge, and copy its identifier from the rules."
        )
    return card


def example_card(challenge):
    """Return the card of the example script."""
    return {
        "challenge": challenge,
        "name": "example",
        "method": "Patches of 6x6 pixels, minus the mean, divided by the standard deviation.",
        "training_data": "none",
        "command": "python make_submission.py",
        "parameters": 0,
        "gpu_hours": 0.0,
    }


def visible(text):
    """Return text on one line, with U+FFFD for characters that are invisible or change direction.

    One joiner after a letter or mark remains, as names have it. Of more than two marks above or below
    a letter, the first two remain: more of them would cover the lines of others.
    """
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    shown, marks = [], 0
    for letter in unicodedata.normalize("NFC", line):
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            is_joined = letter in JOINERS and shown and unicodedata.category(shown[-1])[0] in "LM"
            is_shown = is_joined or letter.isprintable() and letter not in BLANK
            shown.append(letter if is_shown else "\N{REPLACEMENT CHARACTER}")
    return "".join(shown)


def _checked(file, field, value, is_reference):
    kind, most, meaning = MODEL_CARD[field]
    if kind is str:
        if isinstance(value, str) and 0 < len(value := visible(value)) <= most:
            return value
        expected = f"text of 1 to {most} characters"
    else:
        allowed = (int,) if kind is int else (int, float)
        most = MOST_OF_REFERENCE if is_reference else most
        if type(value) in allowed and 0 <= value <= most and math.isfinite(value):
            return kind(value)
        expected = f"a {'whole ' * (kind is int)}number from 0 to {most:,}"
    raise UserError(
        f"{field!r} of the model card {file} is {visible(repr(value))[:60]}: expected {expected},"
        f" {meaning}."
    )

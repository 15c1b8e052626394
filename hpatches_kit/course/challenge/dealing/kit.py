"""The participant's kit: the dealt patches, the rules, and a script that makes a submission."""

from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hpatches_kit._support.atomic import atomic_folder
from hpatches_kit._support.units import format_bytes
from hpatches_kit.course.challenge.submissions.folders import PATCHES_FILE
from hpatches_kit.course.challenge.submissions.model_cards import example_card
from hpatches_kit.course.challenge.submissions.rules import (
    MOST_GPU_HOURS,
    MOST_NUMBERS,
    MOST_PARAMETERS,
    largest_file,
)

TEMPLATES = Path(__file__).parent / "templates"
TEXTS = ("RULES.md", "make_submission.py")


def write_kit(folder, key):
    """Write the kit to a new folder, atomically.

    `patches.npz` holds one array, `patches`, `uint8 (dealt, 32, 32)`: no labels and no names.
    Raises FileExistsError if the folder contains a file.
    """
    flat = key.patches.reshape(-1, *key.patches.shape[2:])
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    values = {
        "title": key.title,
        "kind": key.kind,
        "challenge": key.challenge,
        "patches": len(key.rows),
        "numbers": MOST_NUMBERS,
        "parameters": MOST_PARAMETERS,
        "gpu_hours": MOST_GPU_HOURS,
        "size": format_bytes(largest_file(len(key.rows))),
        "card": example_card(key.challenge),
    }
    with atomic_folder(folder, patterns=()) as partial:
        np.savez_compressed(partial / PATCHES_FILE, patches=flat[key.rows])
        for name in TEXTS:
            text = environment.get_template(f"{name}.jinja").render(values)
            (partial / name).write_text(text, encoding="utf-8")

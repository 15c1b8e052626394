"""The participant's kit: dealt patches, rules, and a script and a notebook that make a submission."""

import json
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
SETUP_CELL = Path(__file__).parents[2] / "setup_cell.py"  # of the lessons
SCRIPT = "make_submission.py"
CELL = "# %%\n"  # begins a cell of the script


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
    script = environment.get_template(f"{SCRIPT}.jinja")
    texts = {
        "RULES.md": environment.get_template("RULES.md.jinja").render(values),
        SCRIPT: script.render(values, notebook=False).replace(CELL, ""),
        "make_submission.ipynb": _as_notebook(script.render(values, notebook=True)),
    }
    with atomic_folder(folder, patterns=()) as partial:
        np.savez_compressed(partial / PATCHES_FILE, patches=flat[key.rows])
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")


def _as_notebook(script):
    """A script with cells as the text of a Jupyter notebook, after the setup cell of the lessons.

    The docstring is the first cell.
    """
    text, *codes = [cell.strip() for cell in script.split(CELL)]
    cells = [{"cell_type": "markdown", "source": text.strip('"').strip()}]
    codes = [SETUP_CELL.read_text(encoding="utf-8").strip(), *codes]
    cells += [
        {"cell_type": "code", "source": code, "outputs": [], "execution_count": None}
        for code in codes
    ]
    for number, cell in enumerate(cells):
        cell |= {"id": f"cell-{number}", "metadata": {}}
    cells[1]["metadata"] = {"cellView": "form", "jupyter": {"source_hidden": True}}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4}
    return json.dumps(notebook | {"nbformat_minor": 5}, indent=1, ensure_ascii=False) + "\n"

"""Read and write `Scores` as JSON files."""

import json

import numpy as np

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import read_json
from hpatches_kit.benchmark.score_checks import check_scores, protocol_of
from hpatches_kit.benchmark.scores import FORMAT, Scores
from hpatches_kit.benchmark.task_names import TASKS

WHAT = "a scores file"


def save_scores(scores, file):
    """Write a list of `Scores` to a JSON file; its folder is created if missing."""
    contents = [result.to_dict() for result in scores]
    content = contents[0] if len(contents) == 1 else {"format": FORMAT, "scores": contents}
    write_text(file, json.dumps(content, indent=1, allow_nan=False))


def load_scores(file):
    """Read a file of `Scores.save` or `save_scores`; returns a list of `Scores`.

    Raises UserError when it is not a scores file, when it is of another format, and when its numbers
    are no scores, or contradict each other.
    """
    content = read_json(file, WHAT, {"format": int})
    if content["format"] != FORMAT:
        found = f"format {content['format']}, this version reads format {FORMAT}"
        raise UserError(f"{file} is not {WHAT}: {found}.")
    results = content.get("scores", [content])
    if not isinstance(results, list) or not results:
        raise UserError(f"{file} is not {WHAT}: expected a list of scores.")
    for result in results:
        check_scores(result, file, WHAT)
    return [_from_dict(result) for result in results]


def _from_dict(content):
    tasks = {task: content[task] for task in TASKS if task in content}
    for numbers in tasks.values():
        numbers["draws"] = np.array(numbers["draws"], np.float64)  # None becomes NaN
    name, provenance, kind = (content[key] for key in ("name", "provenance", "kind"))
    sequences, sentences = tuple(content["sequences"]), content["warnings"]
    return Scores(name, tasks, provenance, kind, sequences, sentences, protocol_of(content))

"""Read and write `Scores` as JSON files."""

import json
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.protocols import Protocol
from hpatches_kit.benchmark.scores import FORMAT, Scores
from hpatches_kit.benchmark.task_names import TASKS


def save_scores(scores, file):
    """Write a list of `Scores` to a JSON file; its folder is created if missing."""
    contents = [result.to_dict() for result in scores]
    content = contents[0] if len(contents) == 1 else {"format": FORMAT, "scores": contents}
    write_text(file, json.dumps(content, indent=1, allow_nan=False))


def load_scores(file):
    """Read a file of `Scores.save` or `save_scores`; returns a list of `Scores`.

    Raises UserError when it is not a scores file, or of another format.
    """
    try:
        content = json.loads(Path(file).read_text())
        if content["format"] != FORMAT:
            raise UserError(f"format {content['format']}, this version reads format {FORMAT}")
        return [_from_dict(result) for result in content.get("scores", [content])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file} is not a scores file: {error!r}.") from error


def _from_dict(content):
    tasks = {task: content[task] for task in TASKS if task in content}
    for numbers in tasks.values():
        numbers["draws"] = np.array(numbers["draws"], np.float64)  # None becomes NaN
    settings = {key: value for key, value in content["protocol"].items() if key != "name"}
    protocol = Protocol(**settings)
    name, provenance, kind = (content[key] for key in ("name", "provenance", "kind"))
    sequences, sentences = tuple(content["sequences"]), content["warnings"]
    return Scores(name, tasks, provenance, kind, sequences, sentences, protocol)

"""All three tasks at once, and their numbers as a table, JSON or pandas."""

import json
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.tasks import generate
from hpatches_kit.benchmark.verification import verification
from hpatches_kit.files import write_text
from hpatches_kit.patches import LEVELS

TASKS = ("verification", "matching", "retrieval")
FORMAT = 1


@dataclass
class Scores:
    """Scores of one set of descriptors; in a notebook it shows itself as a table.

    Attributes:
        name: of the descriptors.
        tasks: `{"verification": {...}, "matching": {...}, "retrieval": {...}}` as the functions of
            these names return them, each also with its `seconds`.
        about: the task lists and the distance.
        patches: what was described: `"clean"`, `"noisy"`, `"denoised"`, or nothing.
    """

    name: str
    tasks: dict
    about: str
    patches: str = ""

    @property
    def title(self):
        """Name and patches in one."""
        return f"{self.name} ({self.patches})" if self.patches else self.name

    def __getitem__(self, task):
        return self.tasks[task]

    def levels(self, task):
        """Mean AP of a task at each level, `{"e": .., "h": .., "t": ..}`."""
        result = {}
        for level in LEVELS:
            ap = self.tasks[task][level]
            if task == "verification":
                ap = [ap["inter"]["ap"], ap["intra"]["ap"]]
            elif task == "retrieval":
                ap = list(ap.values())
            result[level] = float(np.mean(ap))
        return result

    def frame(self):
        """Mean AP of each task, by level and overall: a `pandas.DataFrame`."""
        rows = {
            task: {
                **{LEVELS[k]: v for k, v in self.levels(task).items()},
                "mean": self[task]["mean_ap"],
            }
            for task in self.tasks
        }
        return pd.DataFrame(rows).T.rename_axis(self.title)

    def _repr_html_(self):
        return (
            self.frame().to_html(float_format="{:.3f}".format)
            + f"<small>mean AP; {self.about}</small>"
        )

    def __repr__(self):
        return f"{self.frame().round(3)}\nmean AP; {self.about}"

    def to_dict(self):
        """Everything, ready for JSON."""
        return {"name": self.name, "patches": self.patches, "about": self.about, **self.tasks}


def save(scores, file):
    """Write several `Scores` to a JSON file; its folder is made when missing."""
    content = {"format": FORMAT, "scores": [one.to_dict() for one in scores]}
    write_text(file, json.dumps(content, indent=1))


def evaluate(descriptors, tasks=None, distance="L2"):
    """Score descriptors on verification, matching and retrieval.

    Args:
        descriptors: `Descriptors`.
        tasks: `Tasks`; default: drawn by the official rule at sizes that fit.
        distance: `"L2"` or `"L1"`.
    """
    tasks = tasks or generate(descriptors)
    if tasks.points != len(descriptors):
        raise ValueError(
            f"Tasks drawn for {tasks.points} points, {len(descriptors)} descriptors to score."
        )
    result = {}
    for name, score in (
        ("verification", lambda: verification(descriptors, tasks, distance)),
        ("matching", lambda: matching(descriptors, distance)),
        ("retrieval", lambda: retrieval(descriptors, tasks, distance)),
    ):
        began = time.perf_counter()
        result[name] = {**score(), "seconds": round(time.perf_counter() - began, 3)}
    return Scores(
        descriptors.name, result, f"{distance} distance, {tasks.about}", descriptors.patches
    )


def table(*scores):
    """Mean AP of several descriptors, a row each: a `pandas.DataFrame`."""
    rows = [
        {"patches": one.patches, "descriptor": one.name}
        | {task: one[task]["mean_ap"] for task in one.tasks}
        for one in scores
    ]
    return pd.DataFrame(rows)

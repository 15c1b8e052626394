"""All three tasks at once, and their numbers as a table, pandas and JSON."""

import json
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark import tie_warnings as collapse
from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.benchmark.tasks import draw_tasks
from hpatches_kit.benchmark.verification import verification
from hpatches_kit.patches.views import LEVELS

FORMAT = 3


@dataclass
class Scores:
    """Scores of one set of descriptors; in a notebook it shows itself as a table.

    Attributes:
        name: of the descriptors.
        tasks: `{"verification": {...}, "matching": {...}, "retrieval": {...}}` as the functions of
            these names return them, each also with its `seconds`. The numbers at the top of each
            are those of the official Python code. Two variants stand beside them: under
            `tie_neutral` ties count at their expected position, not in the order of the list;
            under `matlab` the average precision is the mean precision at the positives of the same
            ranking, the formula of the MATLAB code and of the paper's tables.
        protocol: the task lists and the distance.
        kind: what was described: `"clean"`, `"noisy"`, `"denoised"`, or nothing.
        sequences: that were scored.
        warnings: sentences about what is not scored, about ties and collapse.
    """

    name: str
    tasks: dict
    protocol: str
    kind: str = ""
    sequences: tuple = ()
    warnings: list = field(default_factory=list)

    def save(self, file):
        """Write every number to a JSON file; `hk.benchmark.load_scores(file)` reads it."""
        save_scores([self], file)

    @property
    def title(self):
        """Name and kind of patches in one."""
        return f"{self.name} ({self.kind})" if self.kind else self.name

    @property
    def mean_ap(self):
        """Mean of the tasks' mean AP: the final score that the course reports."""
        return float(np.mean(list(self.by_task.values())))

    @property
    def by_task(self):
        """Mean AP of each task: `{"verification": .., "matching": .., "retrieval": ..}`."""
        return {task: result["mean_ap"] for task, result in self.tasks.items()}

    def __getitem__(self, task):
        return self.tasks[task]

    def levels(self, task, variant=None):
        """Mean AP of a task at each level, `{"e": .., "h": .., "t": ..}`.

        Args:
            task: `"verification"`, `"matching"` or `"retrieval"`.
            variant: `"tie_neutral"`, `"matlab"`, or nothing for the official numbers.
        """
        numbers, result = self.tasks[task], {}
        numbers = numbers[variant] if variant else numbers
        for level in LEVELS:
            ap = numbers[level]
            if task == "verification":
                ap = [ap["inter"]["ap"], ap["intra"]["ap"]]
            elif task == "retrieval":
                ap = list(ap.values())
            result[level] = float(np.mean(ap))
        return result

    def frame(self, variant=None):
        """Mean AP of each task, by level and overall: a `pandas.DataFrame`."""
        rows = {}
        for task, numbers in self.tasks.items():
            mean = (numbers[variant] if variant else numbers)["mean_ap"]
            levels = {LEVELS[k]: v for k, v in self.levels(task, variant).items()}
            rows[task] = {**levels, "mean": mean}
        return pd.DataFrame(rows).T.rename_axis(self.title)

    def tidy(self):
        """Every number in a row of its own: a `pandas.DataFrame`.

        Columns: descriptor, kind, variant (official, tie_neutral, matlab), task, level, part
        (intra or inter, the size of the pool, the sequence and image), number (ap, auc, sr), value.
        """
        rows = []
        for task, numbers in self.tasks.items():
            for variant in ("official", "tie_neutral", "matlab"):
                every = numbers if variant == "official" else numbers[variant]
                for level, part, number, value in _each_number(task, every):
                    rows.append((self.name, self.kind, variant, task, level, part, number, value))
        names = ["descriptor", "kind", "variant", "task", "level", "part", "number", "value"]
        return pd.DataFrame(rows, columns=names)

    def _repr_html_(self):
        lines = [f"mean AP; {self.protocol}", *(f"<b>{sentence}</b>" for sentence in self.warnings)]
        return (
            self.frame().to_html(float_format="{:.3f}".format)
            + f"<small>{'<br>'.join(lines)}</small>"
        )

    def __repr__(self):
        return "\n".join([str(self.frame().round(3)), f"mean AP; {self.protocol}", *self.warnings])

    def to_markdown(self):
        """The table as Markdown."""
        return self.frame().to_markdown(floatfmt=".3f")

    def to_latex(self):
        """The table as LaTeX; needs the package booktabs there."""
        return self.frame().to_latex(float_format="%.3f")

    def to_dict(self):
        """Everything, ready for JSON."""
        tasks = {
            task: {
                **numbers,
                "draws": [round(x, 6) if x == x else None for x in map(float, numbers["draws"])],
            }
            for task, numbers in self.tasks.items()
        }
        return {
            "format": FORMAT,
            "name": self.name,
            "kind": self.kind,
            "protocol": self.protocol,
            "sequences": list(self.sequences),
            "warnings": self.warnings,
            **tasks,
        }


def _each_number(task, numbers):
    """Yield (level, part, name, value)."""
    for level in LEVELS:
        if task == "verification":
            for kind, values in numbers[level].items():
                yield from ((level, kind, name, value) for name, value in values.items())
        elif task == "retrieval":
            yield from ((level, pool, "ap", value) for pool, value in numbers[level].items())
        else:
            yield level, "all", "ap", numbers[level]
            for name, levels in numbers.get("sequences", {}).items():
                for image, values in levels[level].items():
                    part = f"{name}/{level}{image}"
                    yield from ((level, part, number, v) for number, v in values.items())


def evaluate(descriptors, tasks=None, distance="L2", only=None, progress=True):
    """Score descriptors on verification, matching and retrieval.

    Args:
        descriptors: `Descriptors`.
        tasks: `Tasks`; default: drawn by the official rule at sizes that fit.
        distance: `"L2"` or `"L1"`. L1 knows no short cut: minutes at the full size of HPatches.
            The official `masked_L1` is not here: its descriptors bring a mask of their own.
        only: name or names of the tasks to score; default: all that there are lists for.
        progress: show bars for what takes more than two seconds.

    Warns with `CollapseWarning` when ties or a collapse make the scores mean little.
    """
    only = [only] if isinstance(only, str) else only
    unknown = set(only or ()) - set(TASKS)
    if unknown:
        raise UserError(f"Unknown task {', '.join(unknown)}: expected some of {', '.join(TASKS)}.")
    if tasks is None and set(only or TASKS) != {"matching"}:  # which needs no lists
        tasks = draw_tasks(descriptors)
    if tasks and tasks.points != len(descriptors):
        raise UserError(
            f"Tasks drawn for {tasks.points} points, {len(descriptors)} descriptors to score."
        )
    left_out = []
    if not only:
        listed = {"verification": len(tasks.positive), "retrieval": len(tasks.queries)}
        only = [task for task in TASKS if listed.get(task, True)]
        left_out = [
            f"{task}: not scored, there are no lists." for task in TASKS if task not in only
        ]
    score = {
        "verification": lambda: verification(descriptors, tasks, distance, progress),
        "matching": lambda: matching(descriptors, distance, progress),
        "retrieval": lambda: retrieval(descriptors, tasks, distance, progress),
    }
    result = {}
    for task in (task for task in TASKS if task in only):
        began = time.perf_counter()
        result[task] = score[task]()
        result[task]["seconds"] = round(time.perf_counter() - began, 3)
    found = collapse.warnings(result)
    for sentence in found:
        warnings.warn(f"{descriptors.name}: {sentence}", collapse.CollapseWarning, stacklevel=2)
    protocol = f"{distance} distance, {tasks.provenance if tasks else 'no lists'}"
    name, kind = descriptors.name, descriptors.kind
    return Scores(name, result, protocol, kind, tuple(descriptors.names), left_out + found)


def save_scores(scores, file):
    """Write a list of `Scores` to a JSON file; its folder is created if missing."""
    several = [score.to_dict() for score in scores]
    content = several[0] if len(several) == 1 else {"format": FORMAT, "scores": several}
    write_text(file, json.dumps(content, indent=1, allow_nan=False))


def load_scores(file):
    """Read a file of `Scores.save` or `save_scores`: always a list of `Scores`.

    Raises UserError when the file is something else, or of another format.
    """
    try:
        content = json.loads(Path(file).read_text())
        if content["format"] != FORMAT:
            raise UserError(f"format {content['format']}, this version reads format {FORMAT}")
        return [_from_dict(one) for one in content.get("scores", [content])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file} is no file of scores: {error!r}.") from error


def _from_dict(one):
    tasks = {task: one[task] for task in TASKS if task in one}
    for numbers in tasks.values():
        numbers["draws"] = np.array(numbers["draws"], np.float64)  # nothing becomes NaN
    named = (one[key] for key in ("protocol", "kind"))
    return Scores(one["name"], tasks, *named, tuple(one["sequences"]), one["warnings"])

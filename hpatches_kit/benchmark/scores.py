"""`Scores`: the numbers of all tasks, as a table in a notebook, pandas, text and JSON."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from hpatches_kit._support.escaping import html_text, latex_text, markdown_text
from hpatches_kit.benchmark.protocols import PYTHON, Protocol
from hpatches_kit.benchmark.rules import rule_sentences
from hpatches_kit.patches.views import LEVELS

FORMAT = 4  # version of the scores file


@dataclass
class Scores:
    """Scores of one set of descriptors. In a notebook it is displayed as a table.

    Attributes:
        name, kind: of the descriptors.
        tasks: `{"verification": {...}, "matching": {...}, "retrieval": {...}}`: what the functions
            with these names return, and the `seconds` each took. The numbers at the top of each are
            those of the official code. A variant is beside them: `tie_neutral` counts ties at their
            expected position instead of their position in the list.
        provenance: the distance and the task lists.
        sequences: names of the scored sequences.
        warnings: sentences about tasks that are not scored, about ties and about collapse.
        protocol: the rules of scoring, a `Protocol`.
    """

    name: str
    tasks: dict
    provenance: str
    kind: str = ""
    sequences: tuple = ()
    warnings: list = field(default_factory=list)
    protocol: Protocol = PYTHON

    @property
    def title(self):
        """Name and kind, such as `"rootsift (noisy)"`."""
        return f"{self.name} ({self.kind})" if self.kind else self.name

    @property
    def mean_ap(self):
        """Mean of the mean AP of the tasks: the final score of the course."""
        return float(np.mean(list(self.by_task.values())))

    @property
    def by_task(self):
        """Mean AP of each task: `{"verification": .., "matching": .., "retrieval": ..}`."""
        return {task: result["mean_ap"] for task, result in self.tasks.items()}

    def __getitem__(self, task):
        return self.tasks[task]

    def levels(self, task, variant=None):
        """Mean AP of a task at each level, `{"e": .., "h": .., "t": ..}`.

        `variant` is `"tie_neutral"`, or None for the official numbers.
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
            levels = {LEVELS[level]: ap for level, ap in self.levels(task, variant).items()}
            rows[task] = {**levels, "mean": mean}
        return pd.DataFrame(rows).T.rename_axis(self.title)

    def tidy(self):
        """Every number in its own row: a `pandas.DataFrame`.

        Columns: descriptor, kind, protocol, variant (official, tie_neutral), task, level, part
        (intra or inter, the size of the pool, the category, the sequence and image), number (ap,
        auc, sr, balanced_ap, ratio_ap), value.
        """
        head = self.name, self.kind, self.protocol.name
        rows = []
        for task, numbers in self.tasks.items():
            for variant in ("official", "tie_neutral"):
                variant_numbers = numbers if variant == "official" else numbers[variant]
                for level, part, number, value in _every_number(task, variant_numbers):
                    rows.append((*head, variant, task, level, part, number, value))
        columns = ["descriptor", "kind", "protocol", "variant", "task", "level", "part", "number"]
        return pd.DataFrame(rows, columns=[*columns, "value"])

    @property
    def rules(self):
        """Sentences about the protocol, the task lists and the pools; printed below the table."""
        heading = f"mean AP; protocol: {self.protocol.name}; {self.provenance}"
        return [heading, *rule_sentences(self.protocol, self.tasks)]

    def _repr_html_(self):
        lines = [html_text(sentence) for sentence in self.rules]
        lines += [f"<b>{html_text(sentence)}</b>" for sentence in self.warnings]
        table = self.frame().to_html(float_format="{:.3f}".format)
        return f"{table}<small>{'<br>'.join(lines)}</small>"

    def __repr__(self):
        return "\n".join([str(self.frame().round(3)), *self.rules, *self.warnings])

    def to_markdown(self):
        title = markdown_text(self.title)
        return self.frame().rename_axis(title).to_markdown(floatfmt=".3f")

    def to_latex(self):
        """The table as LaTeX; the document needs the package booktabs."""
        return self.frame().rename_axis(latex_text(self.title)).to_latex(float_format="%.3f")

    def to_dict(self):
        """Everything, ready for JSON."""
        content = {"format": FORMAT, "name": self.name, "kind": self.kind}
        content["protocol"] = {"name": self.protocol.name, **vars(self.protocol)}
        content |= {"provenance": self.provenance, "sequences": list(self.sequences)}
        content["warnings"] = self.warnings
        for task, numbers in self.tasks.items():
            draws = [round(x, 6) if x == x else None for x in map(float, numbers["draws"])]
            content[task] = {**numbers, "draws": draws}
        return content

    def save(self, file):
        """Write every number to a JSON file; `hk.benchmark.load_scores(file)` reads it."""
        from hpatches_kit.benchmark.score_files import save_scores

        save_scores([self], file)


def _every_number(task, numbers):
    """Yield `(level, part, number, value)` as in `Scores.tidy`."""
    for level in LEVELS:
        if task == "verification":
            for kind, values in numbers[level].items():
                yield from ((level, kind, number, value) for number, value in values.items())
        elif task == "retrieval":
            yield from ((level, pool, "ap", value) for pool, value in numbers[level].items())
        else:
            yield level, "all", "ap", numbers[level]
            if "ratio" in numbers:
                yield level, "all", "ratio_ap", numbers["ratio"][level]
            for category, means in numbers.get("categories", {}).items():
                yield level, category, "ap", means[level]
            for name, levels in numbers.get("sequences", {}).items():
                for image, values in levels[level].items():
                    part = f"{name}/{level}{image}"
                    yield from ((level, part, number, value) for number, value in values.items())

"""Scores of one submission on one half of the challenge."""

from dataclasses import dataclass

import numpy as np

from hpatches_kit.benchmark.bootstrap import interval
from hpatches_kit.benchmark.evaluation import evaluate
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.benchmark.tasks import draw_tasks
from hpatches_kit.patches.views import VIEWS

VARIANT = "tie_neutral"  # equal descriptors gain nothing from the order of a list


@dataclass
class HalfScores:
    """Mean AP of one half: ties count at their expected position.

    Attributes:
        tasks: `{"verification": .., "matching": .., "retrieval": ..}`.
        levels: `{task: {"e": .., "h": .., "t": ..}}`.
        sequences: `{name: {"e": .., "h": .., "t": ..}}`, matching, with the official order of ties.
        draws: `(1000,)` means of the three tasks over resampled sequences, paired between
            submissions; their centre is `mean`.
        has_ties: whether the benchmark warns of ties or of collapsed descriptors.
    """

    tasks: dict
    levels: dict
    sequences: dict
    draws: np.ndarray
    has_ties: bool = False

    @property
    def mean(self):
        """Mean of the three tasks: the number that ranks."""
        return float(np.mean(list(self.tasks.values())))

    @property
    def interval(self):
        """95 % interval of the mean, `(low, high)`, over the choice of the sequences."""
        return interval(self.draws)


def draw_half_tasks(key, half):
    """Draw the task lists of a half, the same for all submissions."""
    points = int(key.points_of(half).sum())
    return draw_tasks(key.descriptors(np.zeros((points, len(VIEWS), 1), np.float32), half))


def score_half(key, half, tasks, values):
    """Score descriptors of the points of a half, `float32 (points of the half, 16, dim)`."""
    scores = evaluate(key.descriptors(values, half), tasks, progress=False)
    neutral = {task: scores[task][VARIANT]["mean_ap"] for task in TASKS}
    # The draws of the benchmark break ties in the official order: only their deviations are used.
    draws = [np.asarray(scores[task]["draws"]) - scores[task]["mean_ap"] for task in TASKS]
    sequences = {
        name: {
            level: float(np.mean([image["ap"] for image in images.values()]))
            for level, images in levels.items()
        }
        for name, levels in scores["matching"]["sequences"].items()
    }
    return HalfScores(
        neutral,
        {task: scores.levels(task, VARIANT) for task in TASKS},
        sequences,
        np.mean(draws, axis=0) + np.mean(list(neutral.values())),
        bool(scores.warnings),
    )

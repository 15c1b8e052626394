"""Score descriptors on all three tasks."""

import time
import warnings

from hpatches_kit._support.deadline import time_limit
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.protocols import find_protocol
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.scores import Scores
from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.benchmark.tasks import draw_tasks
from hpatches_kit.benchmark.tie_warnings import CollapseWarning, tie_warnings
from hpatches_kit.benchmark.verification import verification
from hpatches_kit.descriptors.limits import Limits


def evaluate(
    descriptors,
    tasks=None,
    distance="L2",
    only=None,
    progress=True,
    protocol="python",
    limits=None,
):
    """Score descriptors on verification, matching and retrieval.

        scores = hk.benchmark.evaluate(hk.describe(hk.baselines.pixels, test))

    Args:
        descriptors: `Descriptors`.
        tasks: `Tasks`; default: those of `draw_tasks(descriptors)`.
        distance: `"L2"` or `"L1"`. L1 has no fast path: expect minutes at full size. The
            `masked_L1` of the official code is not supported.
        only: name or names of the tasks to score; default: all for which there are task lists.
        progress: show progress bars for steps that take more than two seconds.
        protocol: the rules of scoring. `"python"`: those of the official Python evaluator;
            `"matlab"`: those of the MATLAB evaluator, with its default of 2,000 distractors;
            `"paper"`: the same with all distractors, as in the HPatches paper; or a `Protocol`.
        limits: `hk.descriptors.Limits`; default: those of `Limits()`.

    Returns `Scores`. Raises UserError for unknown tasks, distances or protocols, for task lists of
    other points, for squared L1 distances, and beyond the limits. Warns with `CollapseWarning` when
    ties or collapsed descriptors make scores misleading.
    """
    protocol, limits = find_protocol(protocol), limits or Limits()
    largest = max(descriptors.lengths.values(), default=0)
    limits.check(*descriptors.values.shape[::2], largest, descriptors.name)
    with time_limit(limits.seconds, f"The evaluation of {descriptors.name}"):
        return _evaluate(descriptors, tasks, distance, only, progress, protocol)


def _evaluate(descriptors, tasks, distance, only, progress, protocol):
    only = [only] if isinstance(only, str) else only
    unknown = set(only or ()) - set(TASKS)
    if unknown:
        raise UserError(f"Unknown task {', '.join(unknown)}: expected some of {', '.join(TASKS)}.")
    if tasks is None and set(only or TASKS) != {"matching"}:  # matching needs no task lists
        tasks = draw_tasks(descriptors)
    if tasks and tasks.points != len(descriptors):
        raise UserError(
            f"The tasks were drawn for {tasks.points} points: expected the {len(descriptors)} of"
            " the descriptors."
        )
    sentences = []
    if not only:
        listed = {"verification": len(tasks.positive), "retrieval": len(tasks.queries)}
        only = [task for task in TASKS if listed.get(task, True)]
        sentences = [
            f"{task}: not scored, there are no task lists." for task in TASKS if task not in only
        ]
    functions = {
        "verification": lambda: verification(descriptors, tasks, distance, progress, protocol),
        "matching": lambda: matching(descriptors, distance, progress, protocol),
        "retrieval": lambda: retrieval(descriptors, tasks, distance, progress, protocol),
    }
    results = {}
    for task in (task for task in TASKS if task in only):
        began = time.perf_counter()
        results[task] = functions[task]()
        results[task]["seconds"] = round(time.perf_counter() - began, 3)
    for sentence in tie_warnings(results):
        # The caller of `evaluate`.
        warnings.warn(f"{descriptors.name}: {sentence}", CollapseWarning, stacklevel=3)
        sentences.append(sentence)
    provenance = f"{distance} distance, {tasks.provenance if tasks else 'no lists'}"
    sequences, name, kind = tuple(descriptors.names), descriptors.name, descriptors.kind
    return Scores(name, results, provenance, kind, sequences, sentences, protocol)

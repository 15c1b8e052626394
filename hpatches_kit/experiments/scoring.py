"""Score the descriptor of a run: on the test set, and on real image sequences."""

import json
import time
from functools import lru_cache

from hpatches_kit import benchmark
from hpatches_kit._support.atomic import write_text
from hpatches_kit.datasets.loading import load
from hpatches_kit.descriptors.describe_patches import describe
from hpatches_kit.experiments.isolation import isolated_session
from hpatches_kit.experiments.records import RECORD, record_of
from hpatches_kit.experiments.rows import Denoiser
from hpatches_kit.experiments.run_data import check_not_shared, sample_test_sequences
from hpatches_kit.experiments.runs import TASKS_SPLIT
from hpatches_kit.experiments.trained_models import load_denoiser, load_trained

KEPT_DRAWS = 100  # of the bootstrap of a score, in a record: enough for a standard deviation


def load_tasks(run, test_set, progress):
    """The official task lists of a run; None if the lists are drawn.

    A denoiser's run loads them too, so that lists that do not fit stop the first run.
    """
    if run.tasks is None:
        return None
    is_name = run.tasks == TASKS_SPLIT
    folder = benchmark.download_tasks(TASKS_SPLIT, progress=progress) if is_name else run.tasks
    return benchmark.load_tasks(folder, TASKS_SPLIT, test_set)


def score(run, root, model, test_set, tasks):
    """Score a descriptor on the test side, or on that of its scale; save the scores in its folder.

    A denoiser has no scores: all numbers of its tables are in the log.
    """
    if isinstance(run.row, Denoiser):
        return {"scores": {}}
    test_set = sample_test_sequences(test_set, run.scale)
    return _scores_of_kinds(run, root, model, test_set, load_denoiser(run, root), tasks)


def add_real_scores(run, root, real, progress=True):
    """Score the descriptor of a complete run on patches of real image sequences.

    Adds scores, bootstrap draws, sequences, processor time and a checksum of the patches to its
    record. `real` is a name or path for `hk.load`. Raises UserError if the patches share sequences
    or places with those that the run was trained on or chosen by.
    """
    began, patches = time.process_time(), load(real, progress=progress)
    check_not_shared(patches, real, run.data)
    with isolated_session(run.seed, run.policy):
        model, denoiser = load_trained(run, root), load_denoiser(run, root)
        added = _scores_of_kinds(run, root, model, patches, denoiser, first_part="real-")
    added["patches"] = fingerprint_of(real)
    added["core_seconds"] = round(time.process_time() - began, 1)
    record = record_of(run, root) | {"real": added}
    write_text(root / run.folder / RECORD, json.dumps(record, indent=1) + "\n")


@lru_cache
def fingerprint_of(real):
    """The fingerprint of the patches with this name or path; raises UserError if there are none."""
    return load(real, progress=False).fingerprint


def _scores_of_kinds(run, root, model, patches, denoiser, tasks=None, first_part=""):
    """Score on the kind of the row, and on noisy patches where the row says so, for the record."""

    def score_kind(kind, file):
        scores = evaluate_row(run.row, model, patches, denoiser, tasks, kind)
        scores.save(root / run.folder / f"{first_part}{file}")
        return scores_and_draws(scores)

    result = score_kind(None, "scores.json")
    if run.row.scored_on_noisy_too:
        result["noisy"] = score_kind("noisy", "noisy-scores.json")
    return result


def scores_and_draws(scores):
    """The mean AP of each task, its first bootstrap draws, and the sequences, ready for JSON."""
    draws = {
        task: [round(float(draw), 4) for draw in scores[task]["draws"][:KEPT_DRAWS]]
        for task in scores.tasks
    }
    return {"scores": scores.by_task, "draws": draws, "sequences": list(scores.sequences)}


def evaluate_row(row, model, patches, denoiser=None, tasks=None, kind=None):
    """Score a row's descriptor on patches of one kind, by default that of the row, as `Scores`.

    `denoiser` makes denoised patches, unless `patches` already holds them. `tasks` are the lists for
    `patches`; default: drawn.
    """
    kind = kind or row.scored_on or row.kind
    descriptors = describe(model, patches, kind, denoiser, row.name)
    return benchmark.evaluate(descriptors, tasks, progress=False)

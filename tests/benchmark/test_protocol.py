"""The benchmark compared with its simplest form, `plain.py`, and both with official numbers."""

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from random_benchmark import random_descriptors, random_tasks

import hpatches_kit as hk
from hpatches_kit.benchmark import plain
from hpatches_kit.benchmark import retrieval as retrieval_module
from hpatches_kit.benchmark import verification as verification_module
from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.precision_recall import average_precision
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.tasks import PairList, Tasks
from hpatches_kit.benchmark.verification import verification

# Descriptors of 315 points, task lists, and every number that the official Python code gives.
GOLDEN = Path(__file__).parent / "golden_tiny.zip"


@pytest.mark.parametrize("distance", ["L2", "L1"])
@pytest.mark.parametrize("kind", ["distinct", "tied", "bits", "equal"])
@pytest.mark.parametrize("seed", range(3))
def test_every_number_agrees_with_the_simplest_form(seed, kind, distance, monkeypatch):
    monkeypatch.setattr(verification_module, "BLOCK", 64)  # several blocks
    monkeypatch.setattr(retrieval_module, "BLOCK", 500)
    descriptors = random_descriptors(seed, kind)
    tasks = random_tasks(descriptors, seed)
    for function, plain_function, arguments in (
        (verification, plain.verification, (descriptors, tasks)),
        (matching, plain.matching, (descriptors,)),
        (retrieval, plain.retrieval, (descriptors, tasks)),
    ):
        expected = plain_function(*arguments, distance=distance)
        assert plain.differences(expected, function(*arguments, distance=distance)) == []


def count_numbers(nested):
    if isinstance(nested, (dict, list)):
        return sum(map(count_numbers, nested.values() if isinstance(nested, dict) else nested))
    return 1


@pytest.mark.filterwarnings("ignore::hpatches_kit.benchmark.CollapseWarning")
def test_all_official_numbers_are_reproduced(tmp_path):
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(tmp_path)
    descriptors = hk.descriptors.load(tmp_path / "descriptors")
    tasks = hk.benchmark.load_tasks(tmp_path, "a", descriptors)
    official = json.loads((tmp_path / "numbers.json").read_text())
    del official["note"]
    assert (len(descriptors), count_numbers(official)) == (315, 1502)

    # The lengths of the curves: one point per pair, and the first point.
    pairs = len(tasks.positive)
    for level in "eht":
        for kind in ("inter", "intra"):
            assert official["verification"][level][kind].pop("points_pr") == 1.2 * pairs + 1
            assert official["verification"][level][kind].pop("points_roc") == 2 * pairs + 1

    scores = hk.benchmark.evaluate(descriptors, tasks)
    success_rates = {level: official["matching"].pop(f"{level}_sr") for level in "eht"}
    assert plain.differences(success_rates, scores["matching"]["success_rate"]) == []
    first_queries = official["retrieval"].pop("first_queries_ap")
    closer, *_ = retrieval_module._counts(descriptors, tasks, tasks.pools, "L2", progress=False)
    query_ap = average_precision(np.sort(closer, axis=3))
    np.testing.assert_allclose(query_ap[: len(first_queries)], first_queries, rtol=1e-9)
    for task in ("verification", "matching", "retrieval"):
        assert plain.differences(official[task], scores[task]) == []

    # `plain.py` has no means over the pools.
    del official["retrieval"]["mean_per_pool"], official["retrieval"]["queries"]
    assert plain.differences(official["verification"], plain.verification(descriptors, tasks)) == []
    assert plain.differences(official["matching"], plain.matching(descriptors)) == []
    assert plain.differences(official["retrieval"], plain.retrieval(descriptors, tasks)) == []


@pytest.mark.parametrize("seed", range(2))
def test_without_ties_the_tie_neutral_numbers_are_the_official_ones(seed):
    descriptors = random_descriptors(seed, "distinct")
    values = descriptors.values + np.random.default_rng(9).normal(0, 1e-2, descriptors.values.shape)
    descriptors = hk.Descriptors(values, descriptors.sequence)
    tasks = hk.benchmark.draw_tasks(descriptors, pairs=300)
    for result in (matching(descriptors), retrieval(descriptors, tasks)):
        assert result["ties"] == 0
        assert plain.differences(result["tie_neutral"], result) == []
    result = verification(descriptors, tasks)
    # A pair may be both a positive and a negative: that is one tie of many comparisons.
    assert result["ties"] < 1e-3
    assert result["tie_neutral"]["mean_ap"] == pytest.approx(result["mean_ap"], abs=0.01)


def test_equal_descriptors_have_a_retrieval_map_of_1_only_if_ties_are_not_neutral():
    descriptors = hk.Descriptors(np.ones((600, 16, 8)), np.repeat(["v_a", "v_b", "v_c"], 200))
    with pytest.warns(hk.benchmark.CollapseWarning) as caught:
        scores = hk.benchmark.evaluate(descriptors)
    assert scores["retrieval"]["mean_ap"] == 1
    pools = scores["retrieval"]["tie_neutral"]["e"]
    # Each has 5 positives, in pools of 100 and of about 270.
    assert list(pools.values()) == pytest.approx([5 / 100, 5 / 270], rel=0.15)
    assert scores["verification"]["mean_ap"] < scores["verification"]["tie_neutral"]["mean_ap"]
    assert scores["verification"]["tie_neutral"]["t"]["intra"]["auc"] == 0.5
    assert scores["verification"]["tie_neutral"]["mean_ap"] == pytest.approx(1 / 6, abs=0.01)
    chance = scores["matching"]["tie_neutral"]["success_rate"]
    assert chance["mean"] == pytest.approx(1 / 200) and scores["matching"]["ties"] == 1
    messages = " ".join(str(warning.message) for warning in caught)
    assert "retrieval: 100.0 % of the comparisons are exact ties" in messages
    assert "official mean AP of 1.000" in messages and "The descriptor has collapsed" in messages
    assert all(sentence in repr(scores) + scores._repr_html_() for sentence in scores.warnings)


def test_nearly_equal_descriptors_cause_a_warning_and_good_ones_do_not(descriptors):
    alike = hk.Descriptors(1 + 1e-4 * descriptors.values, descriptors.sequence)
    with pytest.warns(hk.benchmark.CollapseWarning, match="has collapsed: the mean distance"):
        hk.benchmark.evaluate(alike, only=["verification"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hk.benchmark.evaluate(descriptors).warnings == []


@pytest.mark.filterwarnings("ignore::hpatches_kit.benchmark.CollapseWarning")
def test_perfect_descriptors_score_one_and_random_ones_score_chance():
    rng = np.random.default_rng(0)
    sequence = np.repeat(["v_a", "v_b", "v_c"], 100)
    same = np.repeat(rng.normal(size=(300, 1, 16)), 16, axis=1)
    perfect = hk.benchmark.evaluate(hk.Descriptors(same, sequence))
    assert perfect["matching"]["mean_ap"] == perfect["retrieval"]["mean_ap"] == pytest.approx(1)
    assert perfect["verification"]["h"]["intra"]["ap"] == pytest.approx(1)
    # The official rule draws a few true matches as inter negatives, so 1 is out of reach.
    assert 0.9 < perfect["verification"]["h"]["inter"]["ap"] < 1
    noise = hk.benchmark.evaluate(hk.Descriptors(rng.normal(size=(300, 16, 16)), sequence))
    assert noise["verification"]["mean_ap"] == pytest.approx(1 / 6, abs=0.03)  # 1 positive in 6
    assert noise["matching"]["mean_ap"] < 0.03 and noise["retrieval"]["mean_ap"] < 0.12


def test_patches_of_the_same_place_are_never_distractors(descriptors):
    label = np.concatenate([np.arange(25), np.arange(20), np.arange(15)])
    # A twin in another sequence, equal to the query, would be the nearest distractor.
    values = np.repeat(np.random.default_rng(0).normal(size=(25, 1, 16)), 16, axis=1)
    twins = np.concatenate([values, values[:20], values[:15]])
    # The positives differ a little from the query, the `ref` of the twin does not.
    twins += np.linspace(0, 1e-3, 16)[:, None]
    shared = hk.Descriptors(twins, descriptors.sequence, label)
    tasks = hk.benchmark.draw_tasks(shared)
    for distance in ("L2", "L1"):
        assert retrieval(shared, tasks, distance)["mean_ap"] == pytest.approx(1)


def test_unknown_distances_unknown_tasks_and_tasks_of_other_points_are_refused(descriptors):
    with pytest.raises(ValueError, match="distance='cosine': expected one of L2, L1"):
        hk.benchmark.evaluate(descriptors, distance="cosine")
    with pytest.raises(ValueError, match="Unknown task naming: expected some of verification"):
        hk.benchmark.evaluate(descriptors, only=["naming"])
    with pytest.raises(ValueError, match="drawn for 60 points: expected the 25"):
        alone = hk.Descriptors(descriptors.values[:25], descriptors.sequence[:25])
        hk.benchmark.evaluate(alone, hk.benchmark.draw_tasks(descriptors))


def test_a_single_sequence_is_verified_and_matched_but_not_retrieved(descriptors):
    alone = hk.Descriptors(descriptors.values[:25], descriptors.sequence[:25])
    assert list(hk.benchmark.evaluate(alone).tasks) == ["verification", "matching"]
    with pytest.raises(ValueError, match="Retrieval has no queries: the task lists have none"):
        hk.benchmark.evaluate(alone, only=["retrieval"])
    tasks = hk.benchmark.draw_tasks(descriptors)
    tasks.distractors = tasks.distractors[descriptors.sequence[tasks.distractors] == "v_a"]
    with pytest.raises(ValueError, match="query of v_a has no distractor from another sequence"):
        hk.benchmark.evaluate(descriptors, tasks, only=["retrieval"])


def test_lists_without_pairs_or_with_too_few_positives_are_refused(descriptors):
    tasks = hk.benchmark.draw_tasks(descriptors, pairs=50)
    fields = vars(tasks.positive).values()
    tasks.positive = PairList(*(field[:20] for field in fields))
    with pytest.raises(ValueError, match="50 negative and 20 positive pairs: expected equal num"):
        verification(descriptors, tasks)
    tasks.positive = PairList(*(field[:0] for field in fields))
    with pytest.raises(ValueError, match="Verification has no pairs"):
        verification(descriptors, tasks)


def test_a_pool_has_its_size_and_no_distractor_of_the_own_sequence():
    # 1-D descriptors: the query at 0, its views at 1, distractors at 0.5, 2, 0.5, 2, ...
    values = np.ones((41, 16, 1))
    values[0, 0], values[1:, 0] = 0, np.tile([0.5, 2], 20)[:, None]
    descriptors = hk.Descriptors(values, np.repeat(["v_a", "i_b"], [1, 40]))
    empty = np.array([], int)
    tasks = Tasks(
        *[PairList(empty, empty, empty, empty)] * 3,
        np.array([0]),
        np.arange(41),
        (7, 11, 45),
        "",
        41,
    )
    result = retrieval(descriptors, tasks)
    expected = {"7": [1], "11": [3], "45": [20]}  # distractors before each of the five positives
    for pool, before in expected.items():
        assert result["e"][pool] == pytest.approx(average_precision(before * 5))

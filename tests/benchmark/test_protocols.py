"""Each difference between the two official evaluators, with numbers to check by hand."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.benchmark import MATLAB, PAPER, PYTHON
from hpatches_kit.benchmark.categories import sequence_categories
from hpatches_kit.benchmark.distance_ratio import ratio_precision, second_nearest
from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.protocols import find_protocol
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.retrieval_pools import pool_ends, pool_names
from hpatches_kit.benchmark.tasks import PairList, Tasks
from hpatches_kit.benchmark.verification import (
    select_imbalanced,
    verification,
    verification_distances,
)

EMPTY = np.array([], int)
NO_PAIRS = PairList(EMPTY, EMPTY, EMPTY, EMPTY)
TWO_SEQUENCES = ["v_a", "v_a", "i_b", "i_b"]


def pairs(first, second):
    """Pairs of reference patches of these points."""
    image = np.zeros(len(first), int)
    return PairList(np.array(first), image, np.array(second), image)


def one_dimensional(ref, views, sequence):
    """Descriptors of one number: `ref` of each point, and `views` for its 15 other patches."""
    values = np.repeat(np.array(views, float)[:, None], 16, axis=1)
    values[:, 0] = ref
    return hk.Descriptors(values[..., None], sequence)


def test_a_protocol_is_found_by_its_name_and_named_by_what_differs():
    for name, protocol in (("python", PYTHON), ("matlab", MATLAB), ("paper", PAPER)):
        assert find_protocol(name) is find_protocol(protocol) is protocol
        assert protocol.name == name
    assert replace(PYTHON, balanced_ap=True).name == "python with balanced_ap=True"
    assert replace(MATLAB, distractors=500).name == "matlab with distractors=500"
    other = replace(MATLAB, precision_at_positives=False, distractors="all")
    assert other.name == "paper with precision_at_positives=False"


def test_python_and_matlab_differ_in_all_nine_settings():
    assert all(getattr(PYTHON, name) != value for name, value in vars(MATLAB).items())
    assert len(vars(MATLAB)) == 9


@pytest.mark.parametrize("protocol", ["octave", "MATLAB", None, ["python"], 1])
def test_an_unknown_protocol_is_refused(protocol, descriptors):
    message = "Unknown protocol=.*: expected 'python', 'matlab', 'paper' or a Protocol"
    with pytest.raises(ValueError, match=message):
        hk.benchmark.evaluate(descriptors, protocol=protocol)


@pytest.mark.parametrize("number", [0, -1, 2.5, True, "2000", "none", np.inf])
def test_a_number_of_distractors_is_a_positive_integer_or_all(number):
    with pytest.raises(ValueError, match="distractors=.*: expected a positive integer, 'all' or"):
        replace(MATLAB, distractors=number)


def test_average_precision_is_an_area_or_the_mean_precision_at_the_positives():
    # One negative ranks before both positives, so the precision is 0, 1/2, 2/3.
    assert PYTHON.precision([1, 1]) == pytest.approx((0 + 1 / 2) / 4 + (1 / 2 + 2 / 3) / 4)
    assert MATLAB.precision([1, 1]) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_verification_ranks_distances_or_their_squares_in_single_precision():
    descriptors = one_dimensional([0, 3, 1, 1.0001], [0] * 4, TWO_SEQUENCES)
    tasks = Tasks(pairs([0, 0], [1, 2]), pairs([2], [3]), NO_PAIRS, EMPTY, EMPTY, (), "", 4)
    distances = verification_distances(descriptors, tasks)["e"]
    squares = verification_distances(descriptors, tasks, squared=True)["e"]
    assert distances["positive"].tolist() == [3, 1] and squares["positive"].tolist() == [9, 1]
    difference = np.float32(1) - np.float32(1.0001)
    assert squares["intra"][0] == difference * difference


def test_the_matlab_evaluator_has_only_l2(descriptors):
    for task in ("verification", "matching", "retrieval"):
        with pytest.raises(ValueError, match="squares L2 distances: expected L2, not distance='L1"):
            hk.benchmark.evaluate(descriptors, distance="L1", only=task, protocol="matlab")


def test_the_root_makes_ties_of_different_squares():
    """Near 1, two neighbouring numbers of single precision have the same root."""
    values = np.zeros((3, 16, 2), np.float32)
    values[1, 0] = 1, np.float32(3.4e-4)  # squared distance to 0: 1 + 1 / 2**23
    values[2, 0] = 1, 0
    descriptors = hk.Descriptors(values, ["v_a"] * 3)
    tasks = Tasks(pairs([0], [1]), pairs([0], [2]), NO_PAIRS, EMPTY, EMPTY, (), "", 3)
    distances = verification_distances(descriptors, tasks)["e"]
    squares = verification_distances(descriptors, tasks, squared=True)["e"]
    assert distances["positive"] == distances["intra"] == 1
    assert squares["positive"] > squares["intra"] == 1


def test_squares_are_added_in_single_precision_one_after_another():
    values = np.zeros((2, 16, 3))
    values[1] = 1, 2**-12, 2**-12  # each small square is lost, their sum would not be
    descriptors = hk.Descriptors(values, ["v_a"] * 2)
    pair = pairs([0], [1])
    tasks = Tasks(pair, pair, pair, EMPTY, EMPTY, (), "", 2)
    assert verification_distances(descriptors, tasks, squared=True)["e"]["intra"] == 1


def test_a_tie_favours_the_negative_in_python_and_the_positive_in_matlab():
    descriptors = one_dimensional([0] * 4, [0] * 4, TWO_SEQUENCES)  # all distances are 0
    same = pairs([0] * 5, [1] * 5)
    tasks = Tasks(same, same, same, EMPTY, EMPTY, (), "", 4)
    negatives_first = verification(descriptors, tasks)["e"]["intra"]
    assert negatives_first["auc"] == 0
    assert negatives_first["ap"] == pytest.approx((0 + 1 / 6) / 2)  # one positive, at rank 6
    protocol = replace(PYTHON, positives_first=True)
    positives_first = verification(descriptors, tasks, protocol=protocol)["e"]["intra"]
    assert positives_first["auc"] == positives_first["ap"] == 1


def test_the_imbalanced_selection_is_the_same_for_equal_numbers_of_pairs():
    negative, positive = np.arange(10), np.arange(100, 110)
    by_negatives = replace(PYTHON, imbalance_by_negatives=True)
    for protocol in (PYTHON, by_negatives):
        assert select_imbalanced(negative, positive, protocol)[1].tolist() == [100, 101]
    # The first 12 of 8 negatives and 10 positives, or a fifth of 8 negatives.
    assert len(select_imbalanced(negative[:8], positive, PYTHON)[1]) == 4
    assert len(select_imbalanced(negative[:8], positive, by_negatives)[1]) == 1
    for few in (positive[:1], positive[:0]):
        with pytest.raises(ValueError, match="10 negative and . positive pairs: expected equal"):
            select_imbalanced(negative, few, by_negatives)
    with pytest.raises(ValueError, match="4 negative and 10 positive pairs"):
        select_imbalanced(negative[:4], positive, by_negatives)  # a fifth of 4 is none


def test_the_balanced_ap_takes_all_positives():
    # Distances: negatives 1, 2, 3, 4, 5; positives 0, 1.5, 1.5, 1.5, 1.5.
    ref = [0, 1, 2, 3, 4, 5, 0, 1.5]
    descriptors = one_dimensional(ref, [0] * 8, ["v_a"] * 8)
    positive = pairs([0] * 5, [6, 7, 7, 7, 7])
    negative = pairs([0] * 5, [1, 2, 3, 4, 5])
    tasks = Tasks(positive, negative, negative, EMPTY, EMPTY, (), "", 8)
    protocol = replace(PYTHON, balanced_ap=True, precision_at_positives=True)
    result = verification(descriptors, tasks, protocol=protocol)
    numbers = result["h"]["inter"]
    assert numbers["ap"] == 1  # only the first positive
    assert numbers["balanced_ap"] == pytest.approx((1 + 2 / 3 + 3 / 4 + 4 / 5 + 5 / 6) / 5)
    # No negative is at the distance of a positive.
    assert result["tie_neutral"]["h"]["inter"] == pytest.approx(numbers)
    assert "balanced_ap" not in verification(descriptors, tasks)["h"]["inter"]


def test_categories_weigh_the_same_whatever_their_number_of_sequences():
    names = ["v_a", "v_b", "v_c", "i_d"]
    # All matches of the viewpoint sequences are right, none of the illumination sequence.
    ref, views = [0, 1] * 4, [0, 1] * 3 + [1, 0]
    descriptors = one_dimensional(ref, views, np.repeat(names, 2))
    by_sequence = matching(descriptors)
    assert by_sequence["mean_ap"] == pytest.approx(3 / 4)
    by_category = matching(descriptors, protocol=replace(PYTHON, categories=True))
    assert by_category["mean_ap"] == by_category["h"] == pytest.approx(1 / 2)
    assert by_category["categories"]["viewpoint"]["mean_ap"] == pytest.approx(1)
    assert by_category["categories"]["illumination"] == {
        "sequences": 1, "mean_ap": 0, "e": 0, "h": 0, "t": 0,
    }  # fmt: skip
    assert by_category["success_rate"]["mean"] == pytest.approx(1 / 2)
    assert np.isnan(by_category["draws"]).all()  # one sequence does not tell how much they vary


def test_sequences_with_other_names_are_a_category_of_their_own():
    assert sequence_categories(["v_a", "boat", "i_b", "v_c"]) == {
        "illumination": ["i_b"], "viewpoint": ["v_a", "v_c"], "other": ["boat"],
    }  # fmt: skip
    assert sequence_categories(["boat"]) == {"other": ["boat"]}


def test_the_interval_of_categories_is_that_of_their_mean():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 1, 6)) + rng.normal(0, 0.6, (80, 16, 6))
    names = np.repeat([f"{kind}_{k}" for kind in "iv" for k in range(4)], 10)
    descriptors = hk.Descriptors(values, names)
    result = matching(descriptors, protocol=replace(PYTHON, categories=True))
    # With as many sequences in each category, both protocols have the same mean.
    assert result["mean_ap"] == pytest.approx(matching(descriptors)["mean_ap"])
    draws = result["draws"][np.isfinite(result["draws"])]  # a draw may lack a category
    assert 900 < len(draws) < 1000
    assert draws.mean() == pytest.approx(result["mean_ap"], abs=0.01)


def test_the_ratio_ranks_reliable_matches_first():
    smallest, second = np.array([1.0, 2, 3, 1]), np.array([1.0, 6, 6, 2])  # ratios 1, 3, 2, 2
    is_right = np.array([False, True, False, True])
    assert ratio_precision(smallest, second, is_right, PYTHON) == pytest.approx(
        (1 + 1) / 2 / 4 + (1 / 2 + 2 / 3) / 2 / 4
    )
    assert ratio_precision(smallest, second, is_right, MATLAB) == pytest.approx((1 + 2 / 3) / 4)


def test_a_ratio_of_zero_by_zero_ranks_first_and_then_those_by_zero():
    smallest, second = np.array([1.0, 0, 0]), np.array([9.0, 1, 0])
    for best, expected in ((2, 1), (1, 1 / 2), (0, 1 / 3)):
        is_right = np.arange(3) == best
        assert ratio_precision(smallest, second, is_right, MATLAB) == pytest.approx(expected / 3)
    zeros = np.zeros(3)
    assert ratio_precision(zeros, zeros, np.ones(3, bool), MATLAB) == 0  # as vl_pr without scores


@pytest.mark.parametrize("distance", ["L2", "L1"])
def test_the_second_nearest_distance_is_exact(distance):
    rng = np.random.default_rng(0)
    queries, pools = np.round(rng.normal(size=(40, 3)), 1), np.round(rng.normal(size=(2, 40, 3)), 1)
    queries, pools = queries.astype("f4"), pools.astype("f4")
    pools[0, 5] = pools[0, 9] = queries[3]
    order = {"L2": 2, "L1": 1}[distance]
    difference = pools[:, None].astype(float) - queries[None, :, None].astype(float)
    distances = np.linalg.norm(difference, ord=order, axis=3)
    second = second_nearest(queries, pools, distances.argmin(axis=2), distance)
    np.testing.assert_allclose(second, np.sort(distances, axis=2)[..., 1], rtol=1e-12)
    assert second[0, 3] == 0
    assert second_nearest(queries[:1], pools[:, :1], np.zeros((2, 1), int), distance)[0] == np.inf


def test_one_pool_has_the_first_distractors_or_all():
    tasks = Tasks(NO_PAIRS, NO_PAIRS, NO_PAIRS, EMPTY, np.arange(300), (100, 305), "", 400)
    assert pool_names(tasks, PYTHON) == [100, 305]
    assert pool_names(tasks, replace(PYTHON, distractors=200)) == [205]
    assert pool_names(tasks, MATLAB) == pool_names(tasks, PAPER) == [305]  # fewer than 2,000


def test_masking_after_the_cut_leaves_fewer_distractors():
    is_foreign = np.array([True, False, True, False, True, True])
    for pool, filled, cut in ((5, 0, 0), (7, 2, 1), (9, 4, 2), (11, 4, 4), (99, 4, 4)):
        assert pool_ends([pool], is_foreign, mask_after_cut=False) == [filled]
        assert pool_ends([pool], is_foreign, mask_after_cut=True) == [cut]


def test_retrieval_of_one_pool_by_hand():
    # The query is at 0 and its views at 1. Distractors: own sequence, then 0.5, 2, 0.5, 2, ...
    ref = [0, 0.5, 0.5] + [0.5, 2] * 4
    descriptors = one_dimensional(ref, [1.0] * 11, ["v_a"] * 3 + ["i_b"] * 8)
    tasks = Tasks(*[NO_PAIRS] * 3, np.array([0]), np.arange(1, 11), (7, 11), "", 11)
    protocol = replace(PYTHON, precision_at_positives=True, distractors=4)
    # Four foreign distractors, two of them closer than the positives.
    filled = retrieval(descriptors, tasks, protocol=protocol)
    expected = np.mean([k / (k + 2) for k in range(1, 6)])
    assert filled["mean_ap"] == filled["t"]["9"] == pytest.approx(expected)
    assert filled["pool_sizes"] == {"9": [9, 9]}
    # The first four distractors, less two of the query's own sequence; one is closer.
    cut = retrieval(descriptors, tasks, protocol=replace(protocol, mask_after_cut=True))
    assert cut["mean_ap"] == pytest.approx(np.mean([k / (k + 1) for k in range(1, 6)]))
    assert cut["pool_sizes"] == {"9": [7, 7]}
    with pytest.raises(ValueError, match="query of v_a has no distractor from another sequence"):
        retrieval(descriptors, tasks, protocol=replace(MATLAB, distractors=2))


def test_pools_of_the_task_lists_can_be_masked_after_the_cut_too():
    ref = [0, 0.5, 0.5] + [0.5, 2] * 4
    descriptors = one_dimensional(ref, [1.0] * 11, ["v_a"] * 3 + ["i_b"] * 8)
    tasks = Tasks(*[NO_PAIRS] * 3, np.array([0]), np.arange(1, 11), (8, 15), "", 11)
    result = retrieval(descriptors, tasks, protocol=replace(PYTHON, mask_after_cut=True))
    assert result["pool_sizes"] == {"8": [6, 6], "15": [13, 13]}


def test_tie_neutral_numbers_use_the_formula_of_the_protocol(descriptors):
    """Without ties they are the official ones."""
    scores = hk.benchmark.evaluate(descriptors, protocol="matlab", progress=False)
    for task in ("matching", "retrieval"):
        neutral = scores[task]["tie_neutral"]["mean_ap"]
        assert neutral == pytest.approx(scores[task]["mean_ap"], abs=1e-12)


def test_equal_descriptors_score_higher_in_matlab_because_ties_favour_positives():
    equal = hk.Descriptors(np.ones((600, 16, 8)), np.repeat(["v_a", "v_b", "i_c"], 200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        python, matlab = (
            hk.benchmark.evaluate(equal, protocol=name, progress=False)["verification"]
            for name in ("python", "matlab")
        )
    # Negatives first: the area below t / (1 + t), for t up to a fifth, divided by a fifth.
    assert python["mean_ap"] == pytest.approx(1 - 5 * np.log(1.2), abs=1e-3)
    assert matlab["mean_ap"] == 1
    assert python["spread"] == matlab["spread"] == 0


def test_the_spread_is_the_same_with_squared_distances(descriptors):
    tasks = hk.benchmark.draw_tasks(descriptors)
    spreads = [
        verification(descriptors, tasks, protocol=protocol)["spread"]
        for protocol in (PYTHON, MATLAB)
    ]
    assert spreads[0] == pytest.approx(spreads[1], rel=1e-6)

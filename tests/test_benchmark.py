import json

import numpy as np
import pytest
from scipy.spatial.distance import euclidean
from sklearn.metrics import roc_auc_score

import hpatches_kit as hk
from hpatches_kit.benchmark import tasks as task_lists
from hpatches_kit.benchmark.average_precision import average_precision, negatives_before, roc_auc
from hpatches_kit.benchmark.matching import matching
from hpatches_kit.benchmark.retrieval import retrieval
from hpatches_kit.benchmark.verification import pair_distances, verification
from hpatches_kit.patches import VIEWS


def curve_slowly(distance, positive, positives=None):
    """Average precision by drawing the whole curve, as the protocol describes it."""
    order = sorted(range(len(distance)), key=lambda i: distance[i])  # stable
    positives = positives or sum(positive)
    tp = fp = 0
    area, recall, precision = 0.0, 0.0, 1.0
    for i in order:
        tp, fp = tp + bool(positive[i]), fp + (not positive[i])
        r, p = tp / positives, max(tp, 1e-10) / (tp + fp)
        area += (r - recall) * (p + precision) / 2
        recall, precision = r, p
    return area


def test_average_precision_by_hand():
    assert average_precision([0, 0, 0]) == pytest.approx(1)  # all positives first
    # one negative, then both positives: precision 0 -> 1/2, 1/2 -> 2/3
    assert average_precision([1, 1]) == pytest.approx((0.25 + (0.5 + 2 / 3) / 2) / 2)
    assert average_precision([0], positives=4) == pytest.approx(0.25)  # three never found
    assert average_precision([], positives=4) == 0
    assert average_precision(np.zeros((7, 5))).shape == (7,)


@pytest.mark.parametrize("seed", range(6))
def test_average_precision_agrees_with_the_whole_curve_ties_included(seed):
    rng = np.random.default_rng(seed)
    distance, positive = rng.integers(0, 15, 60), rng.random(60) < 0.4
    before = negatives_before(distance, positive)
    assert average_precision(before) == pytest.approx(curve_slowly(distance, positive), abs=1e-9)
    assert average_precision(before, 80) == pytest.approx(
        curve_slowly(distance, positive, 80), abs=1e-9
    )


def test_roc_area_agrees_with_scikit_learn_where_nothing_ties():
    rng = np.random.default_rng(0)
    distance, positive = rng.normal(size=200), rng.random(200) < 0.3
    before = negatives_before(distance, positive)
    assert roc_auc(before, (~positive).sum()) == pytest.approx(roc_auc_score(positive, -distance))


def test_at_equal_distance_what_stands_first_ranks_first():
    assert negatives_before([1, 1], [False, True]).tolist() == [1]
    assert negatives_before([1, 1], [True, False]).tolist() == [0]


def test_pair_distances_are_those_of_scipy_rounded_to_single_precision(descriptors):
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 60, (2, 200))
    a, b = rng.integers(0, 16, (2, 200))
    expected = [
        np.float32(euclidean(descriptors.values[i, v], descriptors.values[j, w]))
        for i, v, j, w in zip(one, a, other, b)
    ]
    np.testing.assert_array_equal(pair_distances(descriptors.values, one, a, other, b), expected)


def rounded(descriptors):
    """The same with few different values, so that many distances tie."""
    return hk.Descriptors(np.round(descriptors.values * 2) / 2, descriptors.sequence)


@pytest.fixture(params=["distinct", "tied"])
def either(request, descriptors):
    return descriptors if request.param == "distinct" else rounded(descriptors)


def test_verification_agrees_with_pair_by_pair(either):
    tasks = task_lists.generate(either, pairs=150)
    found = verification(either, tasks)
    for level in "eht":
        views = ["ref", *(f"{level}{k}" for k in range(1, 5))]

        def distances(rows, views=views):
            return [
                np.float32(
                    euclidean(
                        either.values[a, VIEWS.index(views[s])],
                        either.values[b, VIEWS.index(views[t])],
                    )
                )
                for a, s, b, t in zip(tasks.anchor, tasks.anchor_image, rows, tasks.other_image)
            ]

        positive = distances(tasks.positive)
        for kind in ("intra", "inter"):
            negative = distances(getattr(tasks, kind))
            some = negative + positive[:30]  # negatives first, a fifth of the positives
            expected = curve_slowly(some, [False] * 150 + [True] * 30)
            assert found[level][kind]["ap"] == pytest.approx(expected, abs=1e-9)
            before = sum(n <= p for p in positive for n in negative)  # negatives first at a tie
            assert found[level][kind]["auc"] == pytest.approx(1 - before / 150**2)
    assert found["mean_ap"] == pytest.approx(
        np.mean([found[level][kind]["ap"] for level in "eht" for kind in ("intra", "inter")])
    )


def test_matching_agrees_with_one_patch_at_a_time(either):
    found = matching(either)
    means = []
    for name in either.names:
        rows = range(either.start[name], either.start[name] + either.lengths[name])
        for level in "eht":
            for k in range(1, 6):
                view, nearest, correct = VIEWS.index(f"{level}{k}"), [], []
                for row in rows:
                    away = [euclidean(either.values[row, 0].astype(float), either.values[other, view].astype(float)) for other in rows]  # fmt: skip
                    nearest.append(min(away))
                    correct.append(away.index(min(away)) == row - rows[0])
                image = found["sequences"][name][level][str(k)]
                assert image["sr"] == pytest.approx(np.mean(correct))
                expected = curve_slowly(nearest, correct, len(rows))
                assert image["ap"] == pytest.approx(expected, abs=1e-9)
                assert image["ap"] <= image["sr"] + 1e-12
                means.append(image["ap"])
    assert found["mean_ap"] == pytest.approx(np.mean(means))


def test_retrieval_agrees_with_one_list_at_a_time(either):
    tasks = task_lists.generate(either, queries=20, distractors=40)
    tasks.pools = (10, 20, 100)
    found = retrieval(either, tasks)
    for level in "eht":
        for pool in tasks.pools:
            ap = []
            for query in tasks.queries:
                others = [
                    d for d in tasks.distractors if either.sequence[d] != either.sequence[query]
                ]
                listed = [either.values[query, VIEWS.index(f"{level}{k}")] for k in range(1, 6)]
                listed = (listed + [either.values[d, 0] for d in others])[:pool]
                away = [
                    euclidean(either.values[query, 0].astype(float), v.astype(float))
                    for v in listed
                ]
                ap.append(curve_slowly(away, [True] * 5 + [False] * (len(listed) - 5)))
            assert found[level][str(pool)] == pytest.approx(np.mean(ap), abs=1e-9)


def test_perfect_descriptors_score_one_and_random_ones_near_chance():
    rng = np.random.default_rng(0)
    sequence = np.repeat(["v_a", "v_b", "v_c"], 100)
    same = np.repeat(rng.normal(size=(300, 1, 16)), 16, axis=1)
    perfect = hk.benchmark.evaluate(hk.Descriptors(same, sequence))
    assert perfect["matching"]["mean_ap"] == perfect["retrieval"]["mean_ap"] == pytest.approx(1)
    assert perfect["verification"]["h"]["intra"]["ap"] == pytest.approx(1)
    # The official rule draws a few true matches as `inter` negatives: nobody reaches 1 there.
    assert 0.9 < perfect["verification"]["h"]["inter"]["ap"] < 1
    noise = hk.benchmark.evaluate(hk.Descriptors(rng.normal(size=(300, 16, 16)), sequence))
    assert noise["verification"]["mean_ap"] == pytest.approx(1 / 6, abs=0.03)  # 1 positive in 6
    assert noise["matching"]["mean_ap"] < 0.03 and noise["retrieval"]["mean_ap"] < 0.12


def test_the_official_rule_draws_what_it_says(descriptors):
    tasks = task_lists.generate(descriptors, pairs=600)
    sequence = descriptors.sequence
    np.testing.assert_array_equal(tasks.positive, tasks.anchor)
    assert (sequence[tasks.intra] == sequence[tasks.anchor]).all()
    assert (tasks.intra != tasks.anchor).all()
    assert (tasks.anchor_image != tasks.other_image).all()
    assert set(tasks.anchor_image) == set(tasks.other_image) == set(range(5))  # image 5 never
    assert 0.1 < (sequence[tasks.inter] == sequence[tasks.anchor]).mean() < 0.6  # same one allowed
    assert len(set(tasks.queries)) == len(tasks.queries) == 20
    assert set(tasks.queries).isdisjoint(tasks.distractors)
    again = task_lists.generate(descriptors, pairs=600)
    np.testing.assert_array_equal(tasks.inter, again.inter)


def test_the_stream_of_random_numbers_is_the_official_one(descriptors):
    """One sequence a pair, then two points a pair, then two images a pair, then the others."""
    names = descriptors.names
    tasks = task_lists.generate(descriptors, pairs=50)
    np.random.seed(42)
    sequence = np.random.choice(names, 50)
    index = [np.random.choice(descriptors.lengths[name], 2, replace=False) for name in sequence]
    image = [np.random.choice(5, 2, replace=False) for _ in sequence]
    other = np.random.choice(names, 50)
    other_index = [np.random.randint(descriptors.lengths[name]) for name in other]
    np.testing.assert_array_equal(tasks.anchor, descriptors.rows(sequence, [i for i, _ in index]))
    np.testing.assert_array_equal(tasks.intra, descriptors.rows(sequence, [i for _, i in index]))
    np.testing.assert_array_equal(tasks.anchor_image, [i for i, _ in image])
    np.testing.assert_array_equal(tasks.other_image, [i for _, i in image])
    np.testing.assert_array_equal(tasks.inter, descriptors.rows(other, other_index))


def test_flat_references_are_neither_queried_nor_distractors(descriptors):
    flat = np.arange(60) % 3 == 0
    marked = hk.Descriptors(descriptors.values, descriptors.sequence, flat=flat)
    tasks = task_lists.generate(marked)
    assert not flat[tasks.queries].any() and not flat[tasks.distractors].any()


def test_a_place_seen_in_two_sequences_is_never_held_against_itself(descriptors):
    label = np.concatenate([np.arange(25), np.arange(20), np.arange(15)])
    shared = hk.Descriptors(descriptors.values, descriptors.sequence, label)
    tasks = task_lists.generate(shared, pairs=2000)
    clash = (label[tasks.inter] == label[tasks.anchor]) & (tasks.inter != tasks.anchor)
    assert not clash.any()
    # A twin in another sequence, equal to the query, would be the hardest distractor of all.
    values = np.repeat(np.random.default_rng(0).normal(size=(25, 1, 16)), 16, axis=1)
    twins = np.concatenate([values, values[:20], values[:15]])
    twins = (
        twins + np.linspace(0, 1e-3, 16)[:, None]
    )  # positives a little off, the twin's ref exact
    found = retrieval(hk.Descriptors(twins, descriptors.sequence, label), tasks)
    assert found["mean_ap"] == pytest.approx(1)


@pytest.fixture
def official(descriptors, tmp_path):
    """Lists in the layout of the official ones, made from generated tasks."""
    tasks = task_lists.generate(descriptors, pairs=40)
    position = np.arange(60) - np.array([descriptors.start[name] for name in descriptors.sequence])
    name = descriptors.sequence

    def write(task, header, columns):
        lines = [header, *(",".join(map(str, row)) for row in zip(*columns))]
        (tmp_path / f"{task}_split-a.csv").write_text("\n".join(lines) + "\n")

    a = tasks.anchor
    for task, b in (
        ("pos", tasks.positive),
        ("neg_intra", tasks.intra),
        ("neg_inter", tasks.inter),
    ):
        write(f"verif_{task}", "s1,t1,idx1,s2,t2,idx2", (name[a], tasks.anchor_image, position[a], name[b], tasks.other_image, position[b]))  # fmt: skip
    for task, rows in (("queries", tasks.queries), ("distractors", tasks.distractors)):
        write(f"retr_{task}", "s,idx", (name[rows], position[rows]))
    return tasks, tmp_path


def test_official_lists_are_read(descriptors, official):
    tasks, folder = official
    read = task_lists.read(folder, "a", descriptors)
    for field in (
        "anchor",
        "anchor_image",
        "other_image",
        "positive",
        "intra",
        "inter",
        "queries",
        "distractors",
    ):
        np.testing.assert_array_equal(getattr(read, field), getattr(tasks, field))
    assert read.pools == (100, 500, 1000, 5000, 10000, 15000, 20000)


def test_lists_that_are_missing_or_point_nowhere_are_named(descriptors, official):
    _, folder = official
    queries = folder / "retr_queries_split-a.csv"
    queries.write_text("s,idx\nv_a,25\n")
    with pytest.raises(ValueError, match="Row 25 of v_a is wanted, the sequence has 25"):
        task_lists.read(folder, "a", descriptors)
    queries.write_text("s,idx\nv_z,0\n")
    with pytest.raises(ValueError, match="No descriptors of sequence 'v_z'"):
        task_lists.read(folder, "a", descriptors)
    queries.unlink()
    with pytest.raises(FileNotFoundError, match=r"retr_queries_split-a\.csv is missing"):
        task_lists.read(folder, "a", descriptors)


def test_too_few_points_and_unknown_distances_are_refused(descriptors):
    few = hk.Descriptors(descriptors.values[24:26], descriptors.sequence[24:26])
    with pytest.raises(ValueError, match="'v_a' has one point"):
        task_lists.generate(few)
    with pytest.raises(ValueError, match="distance='cosine': expected"):
        hk.benchmark.evaluate(descriptors, distance="cosine")


def test_without_foreign_distractors_or_with_foreign_tasks_nothing_is_scored(descriptors):
    alone = hk.Descriptors(descriptors.values[:25], descriptors.sequence[:25])
    with pytest.raises(ValueError, match="query of v_a has no distractor from another sequence"):
        hk.benchmark.evaluate(alone)
    with pytest.raises(ValueError, match="Tasks drawn for 60 points, 25 descriptors"):
        hk.benchmark.evaluate(alone, hk.benchmark.generate(descriptors))
    with pytest.raises(ValueError, match="3 pairs: expected 5 or more"):
        hk.benchmark.generate(descriptors, pairs=3)


def test_pools_are_the_official_ones_that_fit_and_the_whole(descriptors):
    assert hk.benchmark.generate(descriptors).pools == (45,)  # five positives, 40 distractors
    many = hk.Descriptors(np.zeros((4000, 16, 1)), np.repeat(["v_a", "v_b"], 2000))
    tasks = hk.benchmark.generate(many, pairs=10)
    whole = 5 + len(tasks.distractors)
    assert tasks.pools == (100, 500, 1000, whole) and whole > 2000


def test_l1_is_the_sum_of_absolute_differences():
    values = np.zeros((2, 16, 2))
    values[1] = [3, 4]
    zero, view = np.array([0]), np.array([0])
    assert pair_distances(values.astype(np.float32), zero, view, zero + 1, view, "L1") == [7]
    assert pair_distances(values.astype(np.float32), zero, view, zero + 1, view, "L2") == [5]


def test_scores_show_save_and_compare_themselves(descriptors, tmp_path):
    scores = hk.benchmark.evaluate(descriptors)
    frame = scores.frame()
    assert list(frame.columns) == ["easy", "hard", "tough", "mean"]
    np.testing.assert_allclose(frame[["easy", "hard", "tough"]].mean(axis=1), frame["mean"])
    assert "verification" in scores._repr_html_() and "1,200 pairs" in repr(scores)
    assert scores.title == "random"
    hk.benchmark.save([scores], tmp_path / "results" / "scores.json")
    content = json.loads((tmp_path / "results" / "scores.json").read_text())
    (one,) = content["scores"]
    assert content["format"] == 1 and one["retrieval"]["mean_ap"] == scores["retrieval"]["mean_ap"]
    assert one["verification"]["e"]["intra"]["ap"] > 0 and one["matching"]["seconds"] >= 0
    both = hk.benchmark.table(scores, hk.benchmark.evaluate(rounded(descriptors)))
    assert list(both.columns) == ["patches", "descriptor", "verification", "matching", "retrieval"]
    assert both.loc[0, "matching"] == scores["matching"]["mean_ap"] != both.loc[1, "matching"]

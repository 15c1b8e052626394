"""Marking: control patches, copies, ties, failures, and the score of one half."""

import numpy as np
import pytest
from submissions import SECRET

import hpatches_kit as hk
from hpatches_kit.course.challenge.dealing.secret_order import control_pairs, dealt_rows, undo
from hpatches_kit.course.challenge.marking.control_rows import depends_on_pixels_alone
from hpatches_kit.course.challenge.marking.copies import distance_profile, find_copies
from hpatches_kit.course.challenge.marking.failures import (
    QUERIES,
    choose_queries,
    find_failures,
)
from hpatches_kit.course.challenge.marking.half_scores import draw_half_tasks, score_half
from hpatches_kit.course.challenge.marking.ranking import (
    as_ranges,
    compare,
    ranks,
    tied_ranks,
)

pytestmark = pytest.mark.filterwarnings("ignore::hpatches_kit.benchmark.CollapseWarning")


@pytest.fixture(scope="module")
def resized(challenge):
    """An honest submission, `(dealt, 36)`."""
    return hk.baselines.resized(challenge.patches)


def score(challenge, dealt, half="private"):
    key = challenge.key
    values = undo(np.asarray(dealt, np.float32), key.rows, len(key.sequence))
    return score_half(key, half, draw_half_tasks(key, half), values[key.points_of(half)])


def test_the_score_of_a_half_is_that_of_the_benchmark_on_its_sequences(challenge, resized):
    patches = hk.load(challenge.folder / "set").select(challenge.key.names_of("private"))
    expected = hk.benchmark.evaluate(hk.describe(hk.baselines.resized, patches, "noisy"))
    scores = score(challenge, resized)
    assert scores.tasks == {
        task: pytest.approx(expected[task]["tie_neutral"]["mean_ap"]) for task in expected.tasks
    }
    assert scores.mean == pytest.approx(np.mean(list(scores.tasks.values())))
    assert scores.levels["matching"] == pytest.approx(expected.levels("matching"))
    assert list(scores.sequences) == challenge.key.names_of("private")
    low, high = scores.interval
    assert low < scores.mean < high and not scores.has_ties


def test_row_numbers_and_other_descriptors_that_do_not_look_score_at_chance(challenge, resized):
    rng, rows = np.random.default_rng(0), len(challenge.patches)
    per_point = rng.normal(size=(rows // 16 + 1, 8))
    blind = {
        "constant": np.ones((rows, 8)),
        "row numbers": np.arange(rows)[:, None],
        "a random vector per 16 rows": per_point[np.arange(rows) // 16],
        "a random vector per row modulo the points": per_point[np.arange(rows) % 64],
        "another order": resized[rng.permutation(rows)],
    }
    means = {name: score(challenge, values).mean for name, values in blind.items()}
    assert score(challenge, resized).mean > 0.8
    # Ties count at their expected position: the constant has exactly the score of chance.
    assert means == {name: pytest.approx(means["constant"], abs=0.05) for name in means}
    assert score(challenge, blind["constant"]).has_ties


def test_the_trick_that_works_in_the_official_layout_does_not_work_here(challenge):
    """A random vector per point, the same in all views, has a perfect score with known rows."""
    rng, key = np.random.default_rng(0), challenge.key
    vectors = np.repeat(rng.normal(size=(64, 1, 8)), 16, axis=1)
    known = hk.Descriptors(vectors, key.sequence)
    assert hk.benchmark.evaluate(known).mean_ap > 0.95
    dealt = np.resize(vectors.reshape(-1, 8), (len(key.rows), 8))
    assert score(challenge, dealt).mean < 0.25


def test_identical_patches_need_equal_descriptors(challenge, resized):
    rng, rows = np.random.default_rng(0), challenge.key.rows
    same = [resized, resized + rng.normal(0, 1e-4, resized.shape), np.ones((len(rows), 3))]
    assert [depends_on_pixels_alone(values, rows) for values in same] == [True] * 3
    other = [
        rng.normal(size=resized.shape),
        resized[rng.permutation(len(rows))],
        np.arange(len(rows))[:, None],
        resized + rng.normal(0, 0.3, resized.shape),
    ]
    assert [depends_on_pixels_alone(values, rows) for values in other] == [False] * 4


def test_copies_are_found_after_rotation_scale_and_noise(resized):
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(36, 36)))[0]
    noise = rng.normal(size=resized.shape)
    noise *= 0.1 * np.linalg.norm(resized, axis=1, keepdims=True) / np.sqrt(36)
    submissions = [
        resized,
        resized @ rotation * 7,
        resized + noise,
        np.pad(resized[:, ::-1], ((0, 0), (0, 9))),
        resized[:, :18],
        rng.normal(size=resized.shape),
        np.ones_like(resized),
        np.ones_like(resized),
    ]
    copies = find_copies([distance_profile(values, SECRET) for values in submissions])
    assert copies == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [], [], [], []]


def test_two_different_descriptors_of_the_same_patches_are_no_copies(challenge, resized):
    pixels = hk.baselines.pixels(challenge.patches)
    others = [resized, pixels[:, :512], hk.baselines.mean_std(challenge.patches)]
    assert find_copies([distance_profile(v, SECRET) for v in others]) == [[], [], []]


def test_equal_means_share_a_rank():
    assert ranks([0.5, 0.9, 0.5, 0.1]) == [2, 1, 2, 4]


def test_submissions_are_tied_if_the_interval_of_their_difference_contains_zero():
    rng = np.random.default_rng(0)
    common = rng.normal(0, 0.1, 1000)  # how easy the drawn sequences are, for everybody
    draws = [0.7 + common, 0.69 + common, 0.69 + common + rng.normal(0, 0.05, 1000), 0.2 + common]
    # The first is better in every draw than the second, though their own intervals overlap.
    assert tied_ranks(draws, [1, 2, 3, 4]) == [[3], [3], [1, 2], []]
    # Equal draws are tied, and those that rounding alone tells apart.
    assert tied_ranks([draws[0], draws[0]], [1, 1]) == [[1], [1]]
    assert tied_ranks([draws[0], draws[0] + 1e-5], [2, 1]) == [[1], [2]]
    assert compare(draws, draws[1]).tolist() == [1, 0, 0, -1]


def test_without_draws_nothing_tells_submissions_apart():
    assert tied_ranks(np.full((3, 1000), np.nan), [1, 2, 3]) == [[2, 3], [1, 3], [1, 2]]


def test_ranks_are_written_as_ranges():
    assert as_ranges([2, 3, 4, 7, 9, 10]) == "2–4, 7, 9–10" and as_ranges([]) == ""


def test_failures_are_the_queries_whose_nearest_neighbour_is_wrong(challenge):
    key, queries = challenge.key, choose_queries(challenge.key)
    assert len(queries) == min(QUERIES, key.points_of("public").sum())
    assert all(key.points_of("public")[point] and 1 <= view <= 15 for point, view in queries)
    values = np.zeros((64, 16, 2), np.float32)
    values[:, :, 0] = np.arange(64)[:, None]
    assert find_failures(key, values, queries) == []
    point, view = queries[0]
    neighbour = point - 1 if key.sequence[point - 1] == key.sequence[point] else point + 1
    values[point, view, 0] += 3 * (neighbour - point)  # now three away, and the neighbour one
    (failure,) = find_failures(key, values, queries)
    assert (failure.point, failure.view, failure.wrong) == (point, view, neighbour)
    assert failure.ratio == pytest.approx(1 / 3)
    wanted = [abs(k - point) < 3 for k in np.flatnonzero(key.sequence == key.sequence[point])]
    assert failure.closer == sum(wanted) - 1  # all nearer ones except the query's own point


def test_control_pairs_are_of_the_key(challenge):
    first, second = control_pairs(dealt_rows(SECRET, 64)).T
    np.testing.assert_array_equal(challenge.patches[first], challenge.patches[second])

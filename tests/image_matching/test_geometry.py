"""Homographies and fundamental matrices from right and wrong matches."""

import re
import sys

import numpy as np
import pytest
from two_views import TILT, corner_distance

from hpatches_kit._support.errors import UserError
from hpatches_kit.image_matching.geometry import estimate, log_false_alarms
from hpatches_kit.images.homographies import project

SHAPE = 480, 640


def matches_of_a_plane(right=60, wrong=90, noise=0.5, seed=0):
    """Points of two images; the first ones are right, up to noise in pixels."""
    rng = np.random.default_rng(seed)
    xy_a = rng.uniform([0, 0], SHAPE[::-1], (right + wrong, 2))
    xy_b = np.column_stack([c[0] for c in project(TILT[None], xy_a)])
    xy_b += rng.normal(0, noise, xy_b.shape)
    xy_b[right:] = rng.uniform([0, 0], SHAPE[::-1], (wrong, 2))
    return xy_a, xy_b


def matches_of_a_room(right=100, wrong=40, seed=0):
    """Points of a scene with depth, seen by two cameras; the first ones are right."""
    rng = np.random.default_rng(seed)
    room = rng.uniform([-2, -1.5, 4], [2, 1.5, 8], (right + wrong, 3))
    angle = 0.1
    rotation = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    moved = room @ rotation.T + [0.6, 0.1, 0.2]
    xy_a, xy_b = (500 * p[:, :2] / p[:, 2:] + [320, 240] for p in (room, moved))
    xy_b[right:] = rng.uniform([0, 0], SHAPE[::-1], (wrong, 2))
    return xy_a, xy_b


@pytest.mark.parametrize("estimator", ["ransac", "magsac"])
def test_a_homography_is_found_among_60_percent_wrong_matches(estimator):
    if estimator == "magsac":
        pytest.importorskip("cv2")
    matrix, inliers, reason = estimate(*matches_of_a_plane(), SHAPE, estimator=estimator)
    assert corner_distance(matrix, TILT, SHAPE) < 1.5 and reason == ""
    assert inliers[:60].all() and inliers[60:].sum() <= 2


@pytest.mark.parametrize("estimator", ["ransac", "magsac"])
def test_a_fundamental_matrix_maps_points_to_lines_through_their_matches(estimator):
    if estimator == "magsac":
        pytest.importorskip("cv2")
    xy_a, xy_b = matches_of_a_room()
    matrix, inliers, _ = estimate(xy_a, xy_b, SHAPE, "fundamental", estimator, threshold=1)
    a, b = (np.column_stack([xy, np.ones(len(xy))])[:100] for xy in (xy_a, xy_b))
    lines = a @ matrix.T
    assert (np.abs((b * lines).sum(1)) / np.hypot(lines[:, 0], lines[:, 1])).max() < 0.5
    assert inliers[:100].all() and inliers[100:].sum() <= 5


@pytest.mark.parametrize("geometry", ["homography", "fundamental"])
def test_random_matches_have_no_matrix(geometry):
    for seed in range(2):
        matches = matches_of_a_plane(right=0, wrong=150, seed=seed)
        matrix, inliers, reason = estimate(*matches, SHAPE, geometry, threshold=2)
        assert matrix is None and not inliers.any()
        assert f"matches agree with one {geometry}" in reason
        assert reason.endswith("no more than expected by chance")


@pytest.mark.parametrize("estimator", ["ransac", "magsac"])
def test_points_on_a_line_and_repeated_points_have_no_homography(estimator):
    if estimator == "magsac":
        pytest.importorskip("cv2")
    x = np.arange(30.0)
    for xy in (np.column_stack([x, 2 * x]), np.ones((30, 2))):
        matrix, inliers, reason = estimate(xy, xy, SHAPE, estimator=estimator)
        assert matrix is None and not inliers.any() and "homography" in reason


ON_PLANE = matches_of_a_plane(60, 30)
ON_LINE = (np.column_stack([np.arange(0, 300, 5.0), np.full(60, 50.0)]),) * 2


@pytest.mark.parametrize("estimator", ["ransac", "magsac"])
@pytest.mark.parametrize(
    ("matches", "reason"),
    [
        (ON_PLANE, "agree with more than one fundamental matrix.*use geometry='homography'"),
        (ON_LINE, "fundamental matrix"),
        ((np.ones((60, 2)),) * 2, "no fundamental matrix fits 8 of 60 matches at different places"),
        ((np.repeat(ON_PLANE[0][:7], 9, axis=0),) * 2, "fits 8 of 63 matches at different places"),
    ],
    ids=["plane", "line", "one point", "seven points"],
)
def test_points_that_do_not_determine_a_fundamental_matrix_are_named(matches, reason, estimator):
    if estimator == "magsac":
        pytest.importorskip("cv2")
    matrix, inliers, said = estimate(*matches, SHAPE, "fundamental", estimator)
    assert matrix is None and not inliers.any() and re.search(reason, said)


def test_a_plane_and_enough_points_off_it_determine_a_fundamental_matrix():
    """The camera moves along x: the plane by 20 pixels, points before it by more."""
    xy_a = np.random.default_rng(0).uniform([0, 0], SHAPE[::-1], (100, 2))
    parallax = np.where(np.arange(100) < 80, 0, 1 + np.arange(100) % 20)
    xy_b = xy_a + np.column_stack([20 + 2 * parallax, 0 * parallax])
    matrix, inliers, _ = estimate(xy_a, xy_b, SHAPE, "fundamental")
    assert inliers.all() and abs(matrix[2, 1] / matrix[1, 2] + 1) < 0.05
    assert abs(np.delete(matrix.ravel(), [5, 7])).max() < 0.05 * abs(matrix[2, 1])
    few = np.flatnonzero(parallax < 3)  # two points off the plane, by 4 and 6 pixels
    assert estimate(xy_a[few], xy_b[few], SHAPE, "fundamental")[0] is None


@pytest.mark.parametrize("estimator", ["ransac", "magsac"])
def test_a_tight_cluster_of_points_counts_as_one_place(estimator):
    if estimator == "magsac":
        pytest.importorskip("cv2")
    rng = np.random.default_rng(0)
    clusters = np.repeat([[100.0, 100], [300, 120], [200, 300]], 20, axis=0)
    xy = clusters + rng.normal(0, 0.1, (60, 2))
    for geometry, fewest in (("homography", 4), ("fundamental", 8)):
        matrix, inliers, reason = estimate(xy, xy, SHAPE, geometry, estimator)
        assert matrix is None and not inliers.any()
        name = "homography" if geometry == "homography" else "fundamental matrix"
        assert reason == f"no {name} fits {fewest} of 60 matches at different places"


def test_repeated_matches_count_once_and_seven_different_ones_are_no_chance():
    repeated = np.repeat(np.random.default_rng(0).uniform(0, 480, (7, 2)), 30, axis=0)
    matrix, inliers, _ = estimate(repeated, repeated, SHAPE)
    assert corner_distance(matrix, np.eye(3), SHAPE) < 1e-6 and inliers.all()


def test_too_few_matches_are_counted_in_the_reason():
    xy = np.random.default_rng(0).uniform(0, 99, (7, 2))
    advice = "use more keypoints, or pictures that show more of the same"
    for count, matches in ((0, "0 matches"), (1, "1 match"), (3, "3 matches")):
        reason = f"{matches}: a homography needs 4 or more; {advice}"
        assert estimate(xy[:count], xy[:count], SHAPE)[2] == reason
    reason = f"7 matches: a fundamental matrix needs 8 or more; {advice}"
    assert estimate(xy, xy, SHAPE, "fundamental")[2] == reason


def test_four_exact_matches_are_expected_by_chance_and_more_are_not():
    """Of 5 matches in 100x100 pixels, 5 inliers within 1 pixel: one more than the sample.

    Expected: 1 test x C(5, 5) x C(5, 4) x (pi / 10,000) = 5 pi / 10,000.
    """
    alarms = log_false_alarms(5, 5, (100, 100), "homography", 1.0)
    assert alarms == pytest.approx(np.log10(5 * np.pi / 10_000))
    assert log_false_alarms(4, 4, (100, 100), "homography", 1.0) == pytest.approx(0)
    assert log_false_alarms(9, 300, SHAPE, "homography", 3.0) > 0
    assert log_false_alarms(12, 300, SHAPE, "homography", 3.0) < -4


def test_magsac_without_opencv_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="MAGSAC needs OpenCV: pip install opencv"):
        estimate(*matches_of_a_plane(), SHAPE, estimator="magsac")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"estimator": "best"}, "Unknown estimator 'best'"),
        ({"geometry": ["homography"]}, r"Unknown geometry \['homography'\]"),
        ({"threshold": "3"}, "threshold='3': expected a distance in pixels, greater than 0"),
        ({"seed": -1}, "seed=-1: expected a whole number, 0 or more"),
        ({"seed": None}, "seed=None: expected a whole number, 0 or more"),
    ],
)
def test_options_that_cannot_be_used_are_refused(option, message):
    with pytest.raises(UserError, match=message):
        estimate(*matches_of_a_plane(), SHAPE, **option)


@pytest.mark.parametrize("estimator", ["ransac", "magsac"])
def test_a_seed_may_be_large(estimator):
    if estimator == "magsac":
        pytest.importorskip("cv2")
    matrix, *_ = estimate(*matches_of_a_plane(40, 0), SHAPE, estimator=estimator, seed=2**40)
    assert corner_distance(matrix, TILT, SHAPE) < 1.5


@pytest.mark.parametrize("estimator", ["ransac", "magsac"])
def test_points_on_a_line_and_points_shared_by_many_matches_determine_no_homography(estimator):
    if estimator == "magsac":
        pytest.importorskip("cv2")
    xy_a = np.random.default_rng(0).uniform(0, 480, (60, 2))
    line = np.column_stack([xy_a[:, 0], np.full(60, 50.0)])
    repeated = np.repeat(xy_a[:2], 8, axis=0)
    for a, b in ((xy_a, line), (repeated, repeated)):
        matrix, inliers, reason = estimate(a, b, SHAPE, estimator=estimator)
        assert matrix is None and not inliers.any()
        assert reason == f"no homography fits 4 of {len(a)} matches at different places"

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.playthings.neighbours_browser import nearest


def describe_by_one_number(references, others, label=None, name="numbers"):
    """Descriptors with one number for the reference patches, and one for all other views."""
    values = np.repeat(np.array(others, float)[:, None], 16, axis=1)
    values[:, 0] = references
    sequence = np.repeat("v_one", len(references))
    return hk.Descriptors(values[..., None], sequence, label, name=name)


def test_neighbours_are_ranked_by_distance_and_compared_by_place():
    described = describe_by_one_number([0, 10, 20], [9, 1, 4])
    found = nearest(described, 0, "h1", 2)
    assert list(found.points) == [1, 2]
    assert list(found.distances) == [1, 4]
    assert not found.same_place.any() and found.rank == 3


def test_a_point_of_the_same_place_in_another_sequence_is_correct():
    described = describe_by_one_number([0, 10, 20], [9, 1, 4], label=[5, 5, 6])
    found = nearest(described, 0, "h1", 3)
    assert list(found.same_place) == [True, False, True] and found.rank == 1


@pytest.fixture
def browser(patches):
    rng, points = np.random.default_rng(0), len(patches)
    perfect = describe_by_one_number(range(points), range(points), name="perfect")
    random = describe_by_one_number(rng.random(points), rng.random(points), name="random")
    return hk.course.neighbours_browser(perfect, random, patches, count=4)


def test_the_figure_shows_the_rank_of_the_correct_patch_for_both_descriptors(browser):
    axes = browser.figure.axes
    assert len(axes) == 2 * 5
    assert axes[0].get_ylabel() == "perfect\ncorrect: rank 1"
    assert axes[5].get_ylabel().startswith("random\ncorrect: rank ")
    assert [axis.get_xlabel() for axis in axes[1:3]] == ["0", "1"]


def test_the_controls_change_the_query_and_the_view(browser):
    ranks = []
    for point in (1, 7, 19):
        browser.controls["point"].value = point
        ranks.append(browser.figure.axes[5].get_ylabel())
    assert len(set(ranks)) > 1
    browser.controls["view"].value = "t5"
    assert browser.figure.axes[1].get_title(loc="left") == "nearest in t5"


def test_descriptors_of_other_points_are_refused(patches):
    described = describe_by_one_number([0, 1], [0, 1])
    with pytest.raises(UserError, match="numbers has 2 points: expected the 20 of the patches"):
        hk.course.neighbours_browser(described, described, patches)

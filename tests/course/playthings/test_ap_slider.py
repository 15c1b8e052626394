import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.playthings.ap_slider import moved, ranking_numbers

TEN_PAIRS = np.array([1, 1, 0, 1, 0, 0, 1, 0, 1, 0], bool)


@pytest.fixture
def slider():
    return hk.course.ap_slider()


def title_of(plaything, panel):
    return plaything.figure.axes[panel].get_title()


def test_an_entry_moves_to_a_rank_and_the_others_keep_their_order():
    assert moved(list("ABCD"), "D", 1) == list("DABC")
    assert moved(list("ABCD"), "A", 3) == list("BCAD")
    assert moved(list("ABCD"), "B", 2) == list("ABCD")


def test_the_ten_pairs_of_the_lesson_have_the_numbers_of_the_lesson():
    numbers = ranking_numbers(TEN_PAIRS)
    assert numbers["ap"] == pytest.approx(0.754365, abs=1e-6)
    assert numbers["mean_precision"] == pytest.approx(0.775397, abs=1e-6)
    assert numbers["roc_area"] == pytest.approx(1 - 8 / 25)
    assert numbers["precision"][:4] == pytest.approx([1, 1, 1, 2 / 3])
    assert numbers["recall"][[0, 3, 10]] == pytest.approx([0, 0.4, 1])


def test_the_areas_are_those_below_the_curves():
    numbers = ranking_numbers(TEN_PAIRS, missing=2)
    assert np.trapezoid(numbers["precision"], numbers["recall"]) == pytest.approx(numbers["ap"])
    roc = np.trapezoid(numbers["true_positive_rate"], numbers["false_positive_rate"])
    assert roc == pytest.approx(numbers["roc_area"])


def test_missing_positives_scale_recall_and_ap_and_leave_the_roc_area():
    numbers = ranking_numbers(TEN_PAIRS, missing=5)
    assert numbers["recall"][-1] == 0.5
    assert numbers["ap"] == pytest.approx(0.754365 / 2, abs=1e-6)
    assert numbers["roc_area"] == pytest.approx(0.68)


def test_moving_a_pair_changes_the_areas_in_the_figure(slider):
    assert title_of(slider, 1) == "AP 0.754 (mean precision at the positives 0.775)"
    assert title_of(slider, 2) == "ROC area 0.680"
    slider.controls["pair"].value = "D"
    assert slider.controls["rank"].value == 4  # where D is
    slider.controls["rank"].value = 3  # before C: three positives come first
    assert title_of(slider, 1).startswith("AP 0.813 ")
    assert title_of(slider, 2) == "ROC area 0.720"
    slider.controls["missing"].value = 5
    assert title_of(slider, 1).startswith("AP 0.406 ")


def test_moves_are_kept_when_another_pair_is_chosen(slider):
    slider.controls["pair"].value = "D"
    slider.controls["rank"].value = 3
    slider.controls["pair"].value = "C"
    assert slider.controls["rank"].value == 4
    letters = [text.get_text() for text in slider.figure.axes[0].texts]
    assert [letter for letter in letters if letter.isupper()] == list("ABDCEFGHIJ")


@pytest.mark.parametrize("ranking", [[True, True], [False], [True, False] * 14])
def test_rankings_that_cannot_be_drawn_are_refused(ranking):
    with pytest.raises(UserError, match=f"is_positive has {len(ranking)} pairs"):
        hk.course.ap_slider(ranking)

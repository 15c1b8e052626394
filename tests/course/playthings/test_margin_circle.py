import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.playthings.margin_circle import (
    LEARNING_RATE,
    chord,
    descend,
    first_angles,
    triplets,
)

# Anchors at 0 and 180 degrees, positives at 60 and 270 degrees.
ANCHORS, POSITIVES = np.radians([0, 180]), np.radians([60, 270])


def test_60_90_and_180_degrees_are_distances_of_1_root_2_and_2():
    assert chord(np.radians([0, 60, 90, 180, 300])) == pytest.approx([0, 1, 2**0.5, 2, 1])


def test_the_loss_is_margin_plus_positive_minus_negative_distance():
    chosen = triplets(ANCHORS, POSITIVES, 1.0, "hardest")
    assert list(chosen.negative) == [1, 0]
    assert chosen.to_positive == pytest.approx([1, 2**0.5])
    assert chosen.to_negative == pytest.approx([2**0.5, 3**0.5])  # 90 and 120 degrees
    assert chosen.loss == pytest.approx([2 - 2**0.5, 1 + 2**0.5 - 3**0.5])
    assert chosen.active == 1


def test_a_triplet_whose_negative_is_beyond_the_margin_is_not_active():
    chosen = triplets(ANCHORS, POSITIVES, 0.4, "hardest")
    assert chosen.loss == pytest.approx([0, 0.4 + 2**0.5 - 3**0.5])
    assert chosen.active == 0.5


def test_a_semi_hard_negative_is_the_nearest_beyond_the_positive_or_else_the_farthest():
    anchors = np.radians([0, 0, 0, 0])
    positives = np.radians([50, 20, -60, 90])
    assert list(triplets(anchors, positives, 1.0, "hardest").negative) == [1, 0, 1, 1]
    assert list(triplets(anchors, positives, 1.0, "semi-hard").negative) == [2, 0, 3, 2]


def test_random_negatives_are_other_places_and_repeat_with_their_seed():
    angles = first_angles(12)
    chosen = [triplets(*angles, 1.0, "random", seed).negative for seed in range(50)]
    assert all((negative != np.arange(12)).all() for negative in chosen)
    assert len({tuple(negative) for negative in chosen}) > 40
    assert (triplets(*angles, 1.0, "random", 7).negative == chosen[7]).all()


@pytest.mark.parametrize("negatives", ["hardest", "semi-hard", "random"])
def test_a_step_follows_the_negative_gradient_of_the_summed_loss(negatives):
    angles, width = np.stack(first_angles(5)), 1e-6

    def loss(flat):
        return triplets(*flat.reshape(2, 5), 1.0, negatives, (0, 0)).loss.sum()

    slopes = [
        (loss(angles.ravel() + shift) - loss(angles.ravel() - shift)) / (2 * width)
        for shift in width * np.eye(10)
    ]
    moved = np.stack(descend(*angles, 1.0, negatives, 1)) - angles
    assert moved.ravel() == pytest.approx(-LEARNING_RATE * np.array(slopes), abs=1e-6)
    assert np.abs(moved).max() > 0.01


def test_six_places_can_keep_a_margin_of_0_8_but_not_one_of_1_5():
    """Six points on a circle are at most 60 degrees apart, a distance of 1."""
    angles = first_angles(6)
    for margin, active in ((0.8, 0), (1.5, 1)):
        trained = descend(*angles, margin, "hardest", 200)
        assert triplets(*trained, margin, "hardest").active == active


def test_the_controls_change_the_loss_in_the_figure():
    circle = hk.course.margin_circle()
    titles = [circle.figure.axes[0].get_title()]
    for name, value in (("margin", 0.1), ("negatives", "random"), ("steps", 50)):
        circle.controls[name].value = value
        titles.append(circle.figure.axes[0].get_title())
    assert len(set(titles)) == 4 and all(title.startswith("loss ") for title in titles)


def test_two_places_are_refused():
    with pytest.raises(UserError, match="places=2: expected a whole number, 3 or more"):
        hk.course.margin_circle(2)

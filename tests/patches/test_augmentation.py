import numpy as np
import pytest
from scipy.ndimage import affine_transform

from hpatches_kit.patches.augmentation import (
    FLIPS_AND_ROTATIONS,
    flip_and_rotate,
    random_affine,
    warp,
)

SAME = np.array([[1.0, 0, 0], [0, 1, 0]])


def random_patches(count, size=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), np.uint8)


def test_a_marked_corner_goes_where_each_symmetry_says():
    corner = np.zeros((FLIPS_AND_ROTATIONS, 32, 32), np.uint8)
    corner[:, 0, 0], corner[:, 0, 1] = 200, 100  # upper left, and its neighbour to the right
    seen = flip_and_rotate(corner, np.arange(FLIPS_AND_ROTATIONS))
    upper_left, upper_right, lower_left, lower_right = (0, 0), (0, 31), (31, 0), (31, 31)
    turned = [upper_left, lower_left, lower_right, upper_right]  # by 0, 1, 2, 3 quarters
    swapped_first = [upper_right, upper_left, lower_left, lower_right]
    for turns in range(4):
        assert seen[2 * turns][turned[turns]] == 200
        assert seen[2 * turns + 1][swapped_first[turns]] == 200
    assert seen[2, 30, 0] == 100  # one turn counter-clockwise: to the right becomes up
    assert seen[1, 0, 30] == 100  # swapped: to the right becomes to the left


def test_symmetries_agree_with_numpy_and_are_eight():
    patches = random_patches(40)
    symmetries = np.arange(40) % FLIPS_AND_ROTATIONS
    for patch, symmetry, seen in zip(patches, symmetries, flip_and_rotate(patches, symmetries)):
        expected = patch[:, ::-1] if symmetry % 2 else patch
        np.testing.assert_array_equal(seen, np.rot90(expected, symmetry // 2))
    one = np.repeat(patches[:1], FLIPS_AND_ROTATIONS, axis=0)
    assert (
        len({seen.tobytes() for seen in flip_and_rotate(one, np.arange(FLIPS_AND_ROTATIONS))}) == 8
    )


def test_a_change_of_nothing_and_jitter_0_are_the_identity():
    patches = random_patches(20)
    np.testing.assert_array_equal(warp(patches, np.tile(SAME, (20, 1, 1))), patches)
    none = random_affine(20, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(none, np.tile(SAME, (20, 1, 1)))


def test_a_shift_moves_a_ramp_by_parts_of_a_pixel_and_repeats_the_edge():
    ramp = np.broadcast_to(4 * np.arange(32, dtype=np.uint8), (2, 32, 32)).copy()
    ramp[1] = ramp[1].T
    changes = np.stack([SAME, SAME])
    changes[0, 0, 2] = 0.75  # pixel x shows what was at x + 0.75
    changes[1, 1, 2] = -2.5
    right, down = warp(ramp, changes)
    np.testing.assert_array_equal(right[5, :31], 4 * np.arange(31) + 3)
    assert right[5, 31] == 124  # the last pixel, again
    np.testing.assert_array_equal(down[3:, 5], 4 * np.arange(3, 32) - 10)
    np.testing.assert_array_equal(down[:3, 5], [0, 0, 0])


def test_a_quarter_turn_and_a_zoom_are_about_the_middle():
    patches = random_patches(1)
    turned = warp(patches, np.array([[[0, -1, 0], [1, 0, 0]]]))
    np.testing.assert_array_equal(turned, flip_and_rotate(patches, np.array([2])))
    ramp = np.broadcast_to(4 * np.arange(32, dtype=np.uint8), (1, 32, 32))
    zoomed = warp(ramp, np.array([[[0.5, 0, 0], [0, 0.5, 0]]]))
    np.testing.assert_array_equal(zoomed[0, 7], np.floor(62 + 2 * (np.arange(32) - 15.5) + 0.5))


def test_warp_agrees_with_scipy_and_what_is_drawn_stays_within_its_limits():
    patches = random_patches(50)
    changes = random_affine(50, 1.0, np.random.default_rng(1))
    for patch, change, seen in zip(patches, changes.astype(float), warp(patches, changes)):
        matrix = change[::-1, 1::-1]  # scipy counts rows first, from the corner
        offset = change[::-1, 2] + 15.5 - matrix @ (15.5, 15.5)
        oracle = affine_transform(patch.astype(float), matrix, offset, order=1, mode="nearest")
        assert np.abs(seen - oracle).max() <= 0.5 + 1e-2  # nothing but the rounding
    many = random_affine(4000, 2.0, np.random.default_rng(2))
    angle = np.rad2deg(np.arctan2(many[:, 1, 0], many[:, 0, 0]))
    zoom = np.hypot(many[:, 1, 0], many[:, 0, 0])
    for values, most in ((angle, 10), (zoom - 1, 0.1), (many[:, 0, 2], 2), (many[:, 1, 2], 2)):
        assert 0.99 * most < np.abs(values).max() <= most * (1 + 1e-5)
        assert np.abs(values).mean() == pytest.approx(most / 2, rel=0.05)
        assert values.mean() == pytest.approx(0, abs=0.05 * most)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda p: flip_and_rotate(p, np.arange(3)),
            r"Symmetries are int64 \(3,\): .* of 4 patches",
        ),
        (lambda p: flip_and_rotate(p, np.zeros(4)), "Symmetries are float64"),
        (lambda p: flip_and_rotate(p, np.arange(4) + 5), "Symmetries from 5 to 8: expected 0 to 7"),
        (
            lambda p: flip_and_rotate(p[..., None], np.arange(4)),
            r"\(4, 32, 32, 1\): expected uint8",
        ),
        (lambda p: warp(p * 1.0, SAME), "Patches are float64"),
        (lambda p: warp(p[:, 1:], SAME), r"\(4, 31, 32\): expected uint8 \(n, size, size\)"),
        (lambda p: warp(p, SAME), r"Changes have shape \(2, 3\): expected \(4, 2, 3\)"),
        (lambda p: warp(p, np.full((4, 2, 3), np.nan)), "beyond 1000, or that are none"),
    ],
)
def test_what_cannot_be_changed_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(random_patches(4))

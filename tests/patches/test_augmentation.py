import numpy as np
import pytest
from scipy.ndimage import affine_transform

from hpatches_kit.patches.augmentation import (
    FLIPS_AND_ROTATIONS,
    flip_and_rotate,
    random_affine,
    warp,
)

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


def random_patches(count, size=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), np.uint8)


def test_orientations_agree_with_numpy():
    patches = random_patches(40)
    orientations = np.arange(40) % 8
    results = flip_and_rotate(patches, orientations)
    for patch, orientation, result in zip(patches, orientations, results):
        expected = patch[:, ::-1] if orientation % 2 else patch
        np.testing.assert_array_equal(result, np.rot90(expected, orientation // 2))


def test_the_identity_and_jitter_0_change_nothing():
    patches = random_patches(20)
    np.testing.assert_array_equal(warp(patches, np.tile(IDENTITY, (20, 1, 1))), patches)
    changes = random_affine(20, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(changes, np.tile(IDENTITY, (20, 1, 1)))


def test_a_shift_interpolates_a_ramp_and_repeats_the_edge():
    ramp = np.broadcast_to(4 * np.arange(32, dtype=np.uint8), (2, 32, 32)).copy()
    ramp[1] = ramp[1].T
    changes = np.stack([IDENTITY, IDENTITY])
    changes[0, 0, 2] = 0.75  # pixel x is the patch at x + 0.75
    changes[1, 1, 2] = -2.5
    right, down = warp(ramp, changes)
    np.testing.assert_array_equal(right[5, :31], 4 * np.arange(31) + 3)
    assert right[5, 31] == 124  # the last pixel is repeated
    np.testing.assert_array_equal(down[3:, 5], 4 * np.arange(3, 32) - 10)
    np.testing.assert_array_equal(down[:3, 5], [0, 0, 0])


def test_warp_agrees_with_scipy():
    patches = random_patches(50)
    changes = random_affine(50, 1.0, np.random.default_rng(1))
    for patch, change, result in zip(patches, changes.astype(float), warp(patches, changes)):
        matrix = change[::-1, 1::-1]  # scipy counts rows first, from the corner
        offset = change[::-1, 2] + 15.5 - matrix @ (15.5, 15.5)
        oracle = affine_transform(patch.astype(float), matrix, offset, order=1, mode="nearest")
        assert np.abs(result - oracle).max() <= 0.5 + 1e-2  # they differ by rounding only


def test_random_changes_are_uniform_within_the_limits_of_the_jitter():
    changes = random_affine(4000, 2.0, np.random.default_rng(2))
    angle = np.rad2deg(np.arctan2(changes[:, 1, 0], changes[:, 0, 0]))
    zoom = np.hypot(changes[:, 1, 0], changes[:, 0, 0])
    shift_x, shift_y = changes[:, :, 2].T
    for values, limit in ((angle, 10), (zoom - 1, 0.1), (shift_x, 2), (shift_y, 2)):
        assert 0.99 * limit < np.abs(values).max() <= limit * (1 + 1e-5)
        assert np.abs(values).mean() == pytest.approx(limit / 2, rel=0.05)
        assert values.mean() == pytest.approx(0, abs=0.05 * limit)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: flip_and_rotate(p, np.arange(3)), r"are int64 \(3,\): .* of 4 patches"),
        (lambda p: flip_and_rotate(p, np.zeros(4)), "Orientations are float64"),
        (
            lambda p: flip_and_rotate(p, np.arange(5, 9)),
            "Orientations from 5 to 8: expected 0 to 7",
        ),
        (
            lambda p: flip_and_rotate(p[..., None], np.arange(4)),
            r"\(4, 32, 32, 1\): expected uint8",
        ),
        (lambda p: warp(p * 1.0, IDENTITY), "Patches are float64"),
        (lambda p: warp(p[:, 1:], IDENTITY), r"\(4, 31, 32\): expected uint8 \(n, size, size\)"),
        (lambda p: warp(p, IDENTITY), r"Changes have shape \(2, 3\): expected \(4, 2, 3\)"),
        (lambda p: warp(p, np.full((4, 2, 3), np.nan)), "beyond 1000 or NaN"),
    ],
)
def test_wrong_patches_orientations_and_changes_are_rejected(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(random_patches(4))


def test_each_orientation_moves_a_marked_corner_to_its_place():
    corner = np.zeros((FLIPS_AND_ROTATIONS, 32, 32), np.uint8)
    corner[:, 0, 0], corner[:, 0, 1] = 200, 100  # upper left, and its neighbour to the right
    result = flip_and_rotate(corner, np.arange(FLIPS_AND_ROTATIONS))
    upper_left, upper_right, lower_left, lower_right = (0, 0), (0, 31), (31, 0), (31, 31)
    rotated = [upper_left, lower_left, lower_right, upper_right]  # by 0, 1, 2, 3 quarter turns
    flipped_first = [upper_right, upper_left, lower_left, lower_right]
    for turns in range(4):
        assert result[2 * turns][rotated[turns]] == 200
        assert result[2 * turns + 1][flipped_first[turns]] == 200
    assert result[2, 30, 0] == 100  # one quarter turn counter-clockwise: right becomes up
    assert result[1, 0, 30] == 100  # flipped: right becomes left


def test_rotation_and_zoom_are_about_the_centre():
    patches = random_patches(1)
    rotated = warp(patches, np.array([[[0, -1, 0], [1, 0, 0]]]))
    np.testing.assert_array_equal(rotated, flip_and_rotate(patches, np.array([2])))
    ramp = np.broadcast_to(4 * np.arange(32, dtype=np.uint8), (1, 32, 32))
    zoomed = warp(ramp, np.array([[[0.5, 0, 0], [0, 0.5, 0]]]))
    np.testing.assert_array_equal(zoomed[0, 7], np.floor(62 + 2 * (np.arange(32) - 15.5) + 0.5))

import numpy as np
import pytest
from skimage.filters import gaussian

from hpatches_kit._support.errors import UserError
from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.keypoints import (
    REGION,
    detect_keypoints,
    disc_overlap,
    dominant_angle,
    one_per_cluster,
)


def test_a_blob_is_detected_at_its_position_and_scale():
    # High thresholds exclude the faint ring around the blob, and corners, which have no scale.
    y, x = np.mgrid[:200, :200]
    blob = 40 + 180 * np.exp(-((x - 100) ** 2 + (y - 90) ** 2) / (2 * 6.0**2))
    points = detect_keypoints(blob, thresholds={"dog": 0.05, "hessian": 0.01, "harris": np.inf})
    distance = np.hypot(points[:, 0] - 100, points[:, 1] - 90)
    nearest = points[distance.argmin()]
    assert distance.min() <= 1
    assert nearest[2] == pytest.approx(6.0, rel=0.3)  # scales are a third of an octave apart


def test_regions_lie_inside_the_image_for_any_angle():
    image = photograph("camera")
    points = detect_keypoints(image)
    assert len(points) > 500
    margin = np.sqrt(2) * REGION * points[:, 2]
    assert (points[:, :2] >= margin[:, None]).all()
    assert (points[:, :2] + margin[:, None] <= np.array(image.shape)[::-1] - 1).all()


def test_a_region_is_dropped_exactly_if_it_overlaps_a_kept_one_by_more_than_half():
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(0, 100, (400, 2)), rng.uniform(1.6, 6, 400)])
    kept = one_per_cluster(points, rng.permutation(400))
    overlap = np.array([disc_overlap(point, points[kept]) for point in points])
    among_kept = overlap[kept] - np.eye(len(kept))
    assert among_kept.max() <= 0.5
    dropped = np.setdiff1d(np.arange(400), kept)
    assert len(dropped) and (overlap[dropped].max(axis=1) > 0.5).all()


def test_disc_overlap_agrees_with_counting_pixels():
    rng = np.random.default_rng(1)
    point = np.array([0.0, 0.0, 4.0])
    others = np.column_stack([rng.uniform(-30, 30, (30, 2)), rng.uniform(2, 8, 30)])
    y, x = np.mgrid[-70:70:1401j, -70:70:1401j]

    def disc(centre_x, centre_y, scale):
        return np.hypot(x - centre_x, y - centre_y) <= REGION * scale

    discs = [(disc(*point), disc(*other)) for other in others]
    counted = [(a & b).sum() / (a | b).sum() for a, b in discs]
    np.testing.assert_allclose(disc_overlap(point, others), counted, atol=2e-3)
    np.testing.assert_allclose(disc_overlap(point, point[None]), 1)


@pytest.mark.parametrize("degrees", [0, 30, 75, 140, 200, 310])
def test_the_dominant_angle_is_the_direction_of_a_ramp(degrees):
    y, x = np.mgrid[:61, :61]
    angle = np.radians(degrees)
    ramp = (x * np.cos(angle) + y * np.sin(angle))[None].astype(float)
    dominant = dominant_angle(ramp, np.array([[30.0, 30.0, 3.0]]), np.array([0]))[0]
    difference = (np.degrees(dominant - angle) + 180) % 360 - 180
    assert difference == pytest.approx(0, abs=1)


def test_the_same_seed_gives_the_same_keypoints_and_another_seed_gives_others():
    image = photograph("coins")[:200, :200]
    first, same, other = (detect_keypoints(image, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_colour_and_tiny_images_are_rejected():
    with pytest.raises(ValueError, match=r"\(40, 40, 3\): expected \(height, width\)"):
        detect_keypoints(np.zeros((40, 40, 3)))
    with pytest.raises(ValueError, match="20x20 pixels is too small"):
        detect_keypoints(np.zeros((20, 20)))


def test_rotating_the_image_rotates_the_angles():
    image = gaussian(photograph("coffee")[:300, :300], 1)
    x, y, rotated_y = np.array([150.0, 120.0]), np.array([140.0, 200.0]), np.array([149.0, 179.0])
    points = np.column_stack([x, y, [4.0, 4.0]])
    rotated = np.column_stack([y, rotated_y, [4.0, 4.0]])  # (x, y) -> (y, 299 - x)
    before = dominant_angle(image[None], points, np.zeros(2, int))
    after = dominant_angle(np.rot90(image)[None], rotated, np.zeros(2, int))
    difference = np.degrees(before - after) % 360
    np.testing.assert_allclose(difference, 90, atol=3)


def blob(x, y, scale):
    grid_y, grid_x = np.mgrid[:200, :200]
    return 40 + 180 * np.exp(-((grid_x - x) ** 2 + (grid_y - y) ** 2) / (2 * scale**2))


def test_the_strongest_keypoint_is_located_to_a_fraction_of_a_pixel():
    thresholds = {"dog": 0.05, "hessian": 0.01, "harris": np.inf}  # corners have no scale
    (point,) = detect_keypoints(blob(100.3, 89.8, 6.0), thresholds=thresholds, strongest=1)
    assert point[:2] == pytest.approx([100.3, 89.8], abs=0.1)
    assert point[2] == pytest.approx(6.0, rel=0.15)  # scales are a third of an octave apart


def test_the_strongest_keypoints_come_first_and_fewer_are_a_part_of_more():
    image = photograph("coffee")[:250, :300]
    few, more = (detect_keypoints(image, strongest=count) for count in (20, 60))
    assert (len(few), len(more)) == (20, 60)
    np.testing.assert_array_equal(few, more[:20])
    faint = detect_keypoints(0.25 * image, strongest=1000)
    assert len(faint) < len(detect_keypoints(image, strongest=1000))


def test_two_images_have_more_of_the_strongest_keypoints_in_common_than_random_ones():
    image = photograph("coffee")[:250, :300]
    other = gaussian(image, 0.7, preserve_range=True)

    def common(**options):
        a, b = (detect_keypoints(picture, **options)[:60] for picture in (image, other))
        distance = np.hypot(*(a[:, None, :2] - b[None, :, :2]).transpose(2, 0, 1))
        return (distance.min(axis=1) < 1.5).mean()

    assert common(strongest=60) > common() + 0.2


def test_a_number_of_strongest_keypoints_below_1_is_refused():
    with pytest.raises(UserError, match="strongest=0: expected a whole number, 1 or more"):
        detect_keypoints(np.zeros((200, 200)), strongest=0)

"""The kit's descriptors in programs that use OpenCV."""

import numpy as np
import pytest
from two_views import TILT, corner_distance, picture, seen_by

import hpatches_kit as hk
from hpatches_kit.image_matching.describe_image import cut_patches, describe_keypoints
from hpatches_kit.image_matching.keypoints import from_opencv

cv2 = pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def pictures():
    return [np.rint(image).astype(np.uint8) for image in (picture(), seen_by(TILT))]


def homography_of(matches, keypoints_a, keypoints_b):
    a = np.float32([keypoints_a[match.queryIdx].pt for match in matches])
    b = np.float32([keypoints_b[match.trainIdx].pt for match in matches])
    matrix, _ = cv2.findHomography(a, b, cv2.RANSAC, 3.0)
    return matrix


@pytest.mark.parametrize("extractor", ["kit", "sift"])
def test_it_stands_where_sift_stood_before_a_brute_force_matcher(pictures, extractor):
    extractor = hk.opencv.Extractor("pixels") if extractor == "kit" else cv2.SIFT_create()
    (points_a, a), (points_b, b) = (extractor.detectAndCompute(image, None) for image in pictures)
    assert a.dtype == np.float32 and a.shape == (len(points_a), extractor.descriptorSize())
    matches = cv2.BFMatcher(extractor.defaultNorm(), crossCheck=True).match(a, b)
    matrix = homography_of(matches, points_a, points_b)
    assert corner_distance(matrix, TILT, pictures[0].shape) < 2


@pytest.mark.parametrize("detector", ["kit", "sift"])
def test_it_describes_keypoints_of_any_detector_for_a_flann_matcher(pictures, detector):
    extractor = hk.opencv.Extractor("pixels")
    detect = extractor.detect if detector == "kit" else cv2.SIFT_create().detect
    (points_a, a), (points_b, b) = (extractor.compute(i, detect(i, None)) for i in pictures)
    matcher = cv2.FlannBasedMatcher({"algorithm": 1, "trees": 4}, {"checks": 200})
    found = [pair for pair in matcher.knnMatch(a, b, k=2) if len(pair) == 2]
    matches = [first for first, second in found if first.distance < 0.9 * second.distance]
    matrix = homography_of(matches, points_a, points_b)
    assert corner_distance(matrix, TILT, pictures[0].shape) < 2


def test_size_type_and_norm_are_those_of_a_float_descriptor():
    extractor, sift = hk.opencv.Extractor("rootsift"), cv2.SIFT_create()
    for method in ("descriptorSize", "descriptorType", "defaultNorm"):
        assert getattr(extractor, method)() == getattr(sift, method)()


def test_the_descriptors_are_those_of_the_kit(pictures):
    extractor = hk.opencv.Extractor("pixels", points=50)
    keypoints, values = extractor.detectAndCompute(pictures[0], None)
    detected = hk.images.detect_keypoints(pictures[0], strongest=50)
    np.testing.assert_allclose(from_opencv(keypoints)[:, :3], detected[:, :3], atol=1e-3)
    expected = describe_keypoints(pictures[0], detected, "pixels")
    np.testing.assert_allclose(values, expected, atol=0.02)  # angles of OpenCV are float32


def test_the_region_of_a_keypoint_is_five_sizes_wide_or_as_many_as_are_asked_for():
    y, x = np.mgrid[:201, :201]
    square = np.where(np.maximum(abs(x - 100), abs(y - 100)) <= 31, 255, 0).astype(np.uint8)
    (point,) = [cv2.KeyPoint(100, 100, 12.4, 0)]
    _, (whole,) = hk.opencv.Extractor("mean_std").compute(square, [point])  # 62 pixels wide
    assert whole[0] > 250
    _, (half,) = hk.opencv.Extractor("mean_std", region=10).compute(square, [point])
    assert half[0] == pytest.approx(255 / 4, abs=4)


@pytest.mark.parametrize("degrees", [0, 37, 90, 200])
def test_the_angle_of_a_sift_keypoint_turns_the_patch_upright(degrees):
    """A bright and a dark lobe lie in this direction: upright, a patch is its mirror image."""
    y, x = np.mgrid[-100:101, -100:101]
    angle = np.radians(degrees)
    along = np.cos(angle) * x + np.sin(angle) * y
    lobes = 127 + 60 * np.tanh(along / 4) * np.exp(-(x**2 + y**2) / 800)
    keypoints = cv2.SIFT_create().detect(lobes.astype(np.uint8), None)
    points = from_opencv(keypoints)
    assert len(points) == 2 and np.cos(points[:, 3] - angle).min() > 0.99
    for patch in cut_patches(lobes, points)[..., 0].astype(float):
        assert np.abs(patch - patch[::-1]).mean() < 3 < 12 < np.abs(patch - patch[:, ::-1]).mean()


def test_keypoints_that_cannot_be_described_are_left_out_and_none_give_none(pictures):
    extractor = hk.opencv.Extractor("pixels")
    good, upright = cv2.KeyPoint(100, 90, 8, 20), cv2.KeyPoint(50, 60, 8, -1)
    outside, sizeless = cv2.KeyPoint(400, 90, 8, 0), cv2.KeyPoint(100, 90, 0, 0)
    kept, values = extractor.compute(pictures[0], [good, outside, upright, sizeless])
    assert kept == (good, upright) and values.shape == (2, 1024)
    (_, (value,)) = extractor.compute(pictures[0], [cv2.KeyPoint(50, 60, 8, 0)])
    np.testing.assert_array_equal(values[1], value)
    assert extractor.compute(pictures[0], []) == ((), None)
    assert extractor.compute(pictures[0], [outside]) == ((), None)
    assert extractor.detectAndCompute(np.full((99, 99), 7, np.uint8), None) == ((), None)


def test_colours_are_in_the_order_of_opencv(pictures):
    extractor, point = hk.opencv.Extractor("mean_std"), [cv2.KeyPoint(50, 50, 8, 0)]
    blue = np.zeros((101, 101, 3), np.uint8)
    blue[..., 0] = 255
    _, (value,) = extractor.compute(blue, point)
    assert value[0] == pytest.approx(0.0722 * 255, abs=1)


def test_a_mask_removes_keypoints_where_it_is_zero(pictures):
    mask = np.zeros(pictures[0].shape, np.uint8)
    mask[:, 150:] = 1
    extractor = hk.opencv.Extractor("pixels")
    everywhere, masked = extractor.detect(pictures[0]), extractor.detect(pictures[0], mask)
    assert 0 < len(masked) < len(everywhere)
    assert min(point.pt[0] for point in masked) >= 149.5
    with pytest.raises(hk.UserError, match=r"shape \(3, 4\): expected \(240, 300\)"):
        extractor.detect(pictures[0], mask[:3, :4])


def test_a_file_that_opencv_could_not_read_is_an_error_that_says_so():
    with pytest.raises(hk.UserError, match="is None.*cv2.imread returns None for a file that it"):
        hk.opencv.Extractor("pixels").detect(cv2.imread("missing.jpg"))


@pytest.mark.parametrize("option", ["region", "points"])
@pytest.mark.parametrize("value", [0, -1, None, "7", np.nan])
def test_a_region_and_a_number_of_points_are_greater_than_0(option, value):
    with pytest.raises(hk.UserError, match=f"{option}={value!r}: expected"):
        hk.opencv.Extractor("pixels", **{option: value})


@pytest.mark.parametrize("keypoints", [None, 5, np.ones((3, 4))])
def test_keypoints_that_are_not_those_of_opencv_are_refused(pictures, keypoints):
    with pytest.raises(hk.UserError, match="not a list of cv2.KeyPoint"):
        hk.opencv.Extractor("pixels").compute(pictures[0], keypoints)

"""Matching two pictures, from a file to the homography."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from two_views import SHIFT, TILT, corner_distance, picture, seen_by, seen_from_the_side

import hpatches_kit as hk

PIXELS = {"descriptor": hk.baselines.pixels}  # the fastest descriptor


def as_bytes(image):
    return np.rint(image).astype(np.uint8)


def test_a_picture_and_itself_match_at_every_keypoint_by_the_identity():
    result = hk.match(picture(), picture(), **PIXELS)
    count = len(result.keypoints[0])
    assert count > 50
    np.testing.assert_array_equal(result.pairs, np.repeat(np.arange(count), 2).reshape(-1, 2))
    np.testing.assert_allclose(result.distances, 0, atol=1e-3)
    assert result.inliers.all() and result.reason == ""
    assert corner_distance(result.matrix, np.eye(3), result.shapes[0]) < 1e-3
    counts = {"keypoints_a": count, "keypoints_b": count, "matches": count, "inliers": count}
    assert result.counts == counts


@pytest.mark.parametrize(("homography", "accuracy"), [(SHIFT, 0.3), (TILT, 1.0)])
def test_two_views_by_a_known_homography_give_back_that_homography(homography, accuracy):
    result = hk.match(picture(), seen_by(homography), **PIXELS)
    assert corner_distance(result.matrix, homography, picture().shape) < accuracy
    x, y, w = homography @ np.column_stack([result.points_a, np.ones(len(result.pairs))]).T
    errors = np.hypot(x / w - result.points_b[:, 0], y / w - result.points_b[:, 1])
    assert errors[result.inliers].max() < 5
    assert (errors[~result.inliers] > 2).all()


def test_two_different_pictures_agree_on_nothing_and_the_result_says_so():
    result = hk.match(picture("coffee"), picture("camera"), **PIXELS)
    assert result.matrix is None and not result.inliers.any() and len(result.pairs) > 20
    assert "no more than expected by chance" in result.reason
    assert repr(result).endswith(result.reason)


def test_the_same_seed_gives_the_same_matrix():
    results = [hk.match(picture(), seen_by(TILT), seed=3, **PIXELS) for _ in range(2)]
    np.testing.assert_array_equal(results[0].matrix, results[1].matrix)


def test_magsac_finds_the_same_homography():
    pytest.importorskip("cv2")
    result = hk.match(picture(), seen_by(TILT), estimator="magsac", seed=1, **PIXELS)
    assert corner_distance(result.matrix, TILT, picture().shape) < 1.5
    assert "MAGSAC" in repr(result)


def test_paths_images_and_arrays_of_one_picture_give_the_same_matches(tmp_path):
    grey = as_bytes(picture())
    Image.fromarray(grey).save(tmp_path / "a.png")
    forms = [tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(grey), grey[..., None]]
    expected = hk.match(grey, grey[:, 20:], **PIXELS)
    for form in forms:
        result = hk.match(form, grey[:, 20:], **PIXELS)
        np.testing.assert_allclose(result.keypoints[0], expected.keypoints[0], atol=1e-3)
        assert corner_distance(result.matrix, expected.matrix, grey.shape) < 0.1


def test_colour_16_bit_and_turned_pictures_match_the_plain_one(tmp_path):
    grey = as_bytes(picture())
    exif = Image.Exif()
    exif[0x0112] = 6  # the stored picture is turned by a quarter
    Image.fromarray(np.rot90(grey)).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "16-bit.png")
    Image.fromarray(np.stack([grey] * 3, axis=2)).save(tmp_path / "colour.png")
    for name in ("turned", "16-bit", "colour"):
        result = hk.match(tmp_path / f"{name}.png", grey, **PIXELS)
        assert result.shapes[0] == grey.shape
        assert corner_distance(result.matrix, np.eye(3), grey.shape) < 0.1, name


def test_points_and_matrix_of_reduced_pictures_refer_to_their_full_size():
    large = np.kron(picture(), np.ones((2, 2)))
    result = hk.match(large, seen_by(SHIFT), longest=300, **PIXELS)
    assert result.images[0].shape == (240, 300) and result.shapes[0] == (480, 600)
    # Pixel (x, y) of the large picture lies at ((x + 0.5) / 2 - 0.5, ...) of the small one.
    half = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
    assert corner_distance(result.matrix, SHIFT @ half, large.shape) < 0.5
    assert result.keypoints[0][:, 0].max() > 300
    np.testing.assert_allclose(
        (result.points_b - result.points_a / 2)[result.inliers],
        [[-17.25, 8.75]] * result.inliers.sum(),
        atol=3,
    )


def test_the_fundamental_matrix_of_reduced_pictures_refers_to_their_full_size():
    large = np.kron(seen_from_the_side(), np.ones((2, 2)))
    result = hk.match(picture(), large, geometry="fundamental", longest=300, **PIXELS)
    a, b = (np.column_stack([p, np.ones(len(p))]) for p in (result.points_a, result.points_b))
    lines = a @ result.matrix.T
    distances = np.abs((b * lines).sum(1)) / np.hypot(lines[:, 0], lines[:, 1])
    assert distances[result.inliers].max() < 2 * 5  # the threshold is 3 pixels at half the size
    assert result.inliers.sum() > 50
    rows = result.matrix / abs(result.matrix).max()  # points keep their row, at twice the size
    np.testing.assert_allclose(rows[0], 0, atol=0.05)
    np.testing.assert_allclose(rows[1], [0, 0, rows[1, 2]], atol=0.05)
    assert rows[2, 1] / rows[1, 2] == pytest.approx(-2, rel=0.05)


def test_pictures_of_a_flat_scene_have_no_fundamental_matrix_and_the_result_says_why():
    result = hk.match(picture(), seen_by(TILT), geometry="fundamental", **PIXELS)
    assert result.matrix is None and "use geometry='homography'" in repr(result)


def test_keypoints_of_opencv_and_arrays_are_used_as_they_are():
    cv2 = pytest.importorskip("cv2")
    keypoints = hk.images.detect_keypoints(picture(), strongest=40)
    in_opencv = [
        cv2.KeyPoint(x, y, 2 * scale, np.degrees(angle) % 360) for x, y, scale, angle in keypoints
    ]
    for given in (keypoints, keypoints.tolist(), in_opencv, tuple(in_opencv)):
        result = hk.match(picture(), picture(), keypoints_a=given, keypoints_b=given, **PIXELS)
        expected = keypoints * [1, 1, 1, 0]
        np.testing.assert_allclose(result.keypoints[0] * [1, 1, 1, 0], expected, atol=1e-3)
        turned = np.exp(1j * (result.keypoints[0][:, 3] - keypoints[:, 3]))
        np.testing.assert_allclose(turned, 1, atol=1e-3)
        assert result.inliers.sum() == 40


@pytest.mark.parametrize(
    ("keypoints", "message"),
    [
        (np.ones((5, 2)), r"picture B have shape \(5, 2\): expected \(n, 4\).*cv2.KeyPoint"),
        ([[10, 20, 2, 0], [30, 40]], r"picture B are not an array: expected \(n, 4\)"),
        (["corner"], r"picture B are not an array: expected \(n, 4\)"),
        (5, r"picture B are not an array: expected \(n, 4\)"),
        (
            [SimpleNamespace(pt=(1, 2), size=4, angle=0), [1, 2, 3, 4]],
            r"picture B are not an array: expected \(n, 4\)",
        ),
        ([[10, 20, 2, np.nan]], "picture B have NaN"),
        ([[10, 20, 0, 0]], "scale of 0 or less"),
        (
            [[10, 20, 2, 0], [250, 270, 2, 0]],
            "1 of 2 keypoints lie outside the picture B, which has"
            " 300x240 pixels; the first one at x=250, y=270. Are x and y swapped",
        ),
    ],
)
def test_keypoints_that_do_not_fit_the_picture_are_refused(keypoints, message):
    with pytest.raises(hk.UserError, match=message):
        hk.match(picture(), picture(), keypoints_b=keypoints, **PIXELS)


def test_fewer_than_four_matches_give_no_homography_and_the_result_says_why():
    three = hk.images.detect_keypoints(picture(), strongest=3)
    result = hk.match(picture(), picture(), keypoints_a=three, keypoints_b=three, **PIXELS)
    assert result.reason.startswith("3 matches: a homography needs 4 or more; use more keypoints")
    assert result.matrix is None and result.inliers.tolist() == [False] * 3
    one = hk.match(picture(), picture(), keypoints_a=three[:1], keypoints_b=three, **PIXELS)
    assert repr(one).startswith("1 match of 1 and 3 keypoints; 1 match: a homography needs 4")


@pytest.mark.parametrize("empty", [None, [], np.empty((0, 4))])
def test_a_uniform_picture_and_no_keypoints_give_an_empty_result_that_says_why(empty):
    blank = np.full((200, 200), 128, np.uint8) if empty is None else picture()
    result = hk.match(picture(), blank, keypoints_b=empty, **PIXELS)
    assert result.pairs.shape == (0, 2) and result.points_b.shape == (0, 2)
    assert result.matrix is None and result.counts["keypoints_b"] == 0
    why = ": blank, blurred or very small" if empty is None else ""
    assert result.reason == f"the picture B without keypoints{why}"
    both = hk.match(blank, blank, keypoints_a=empty, keypoints_b=empty, **PIXELS)
    assert both.reason.startswith("the picture A and the picture B without keypoints")


def test_a_picture_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "notes.jpg").write_text("no picture")
    with pytest.raises(hk.UserError, match=r"notes\.jpg cannot be read as an image"):
        hk.match(picture(), tmp_path / "notes.jpg", **PIXELS)
    with pytest.raises(hk.UserError, match="missing.jpg cannot be read"):
        hk.match("missing.jpg", picture(), **PIXELS)
    with pytest.raises(hk.UserError, match=r"The picture B cannot be used.*shape \(7,\)"):
        hk.match(picture(), np.ones(7), **PIXELS)
    with pytest.raises(hk.UserError, match="The picture A cannot be used.*is None.*cv2.imread"):
        hk.match(None, picture(), **PIXELS)
    small = "cannot be used. An image of 30x20 pixels is too small for keypoints: use a larger"
    with pytest.raises(hk.UserError, match=f"The picture B {small}"):
        hk.match(picture(), picture()[:20, :30], **PIXELS)
    Image.fromarray(as_bytes(picture()[:20, :30])).save(tmp_path / "icon.png")
    with pytest.raises(hk.UserError, match=f"icon.png {small}"):
        hk.match(tmp_path / "icon.png", picture(), **PIXELS)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"ratio": 1.2}, "ratio=1.2: expected a number greater than 0, at most 1"),
        ({"ratio": "0.8"}, "ratio='0.8': expected a number greater than 0, at most 1"),
        ({"threshold": 0}, "threshold=0: expected a distance in pixels, greater than 0"),
        ({"threshold": np.inf}, "threshold=inf: expected a distance in pixels"),
        ({"points": 0}, "points=0: expected a whole number, 1 or more"),
        ({"points": None}, "points=None: expected a whole number, 1 or more"),
        ({"points": 10.5}, "points=10.5: expected a whole number, 1 or more"),
        ({"seed": -1}, "seed=-1: expected a whole number, 0 or more"),
        ({"longest": -5}, "longest=-5: expected a whole number, 1 or more pixels, or None"),
        ({"geometry": "affine"}, "Unknown geometry 'affine': expected 'homography' or"),
        ({"estimator": "lmeds"}, "Unknown estimator 'lmeds': expected 'ransac' or 'magsac'"),
    ],
)
def test_options_out_of_range_are_refused_before_the_pictures_are_read(option, message):
    with pytest.raises(hk.UserError, match=message):
        hk.match("missing.jpg", "missing.jpg", **option)

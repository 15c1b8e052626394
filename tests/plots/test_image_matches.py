"""Figures of image matching."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from two_views import SHIFT, picture, seen_by, seen_from_the_side

import hpatches_kit as hk
from hpatches_kit.plots import style


@pytest.fixture(scope="module")
def result():
    return hk.match(picture(), seen_by(SHIFT), "pixels")


def legend_of(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def lines_of(axis):
    return [lines for lines in axis.collections if isinstance(lines, LineCollection)]


def colours_of(axis):
    return [lines.get_color()[0] for lines in lines_of(axis)]


def test_the_figure_is_closed_and_has_the_matches_and_the_overlay(result, tmp_path):
    figure = hk.plots.matches(result)
    assert plt.get_fignums() == [] and len(figure.axes) == 2
    figure.savefig(tmp_path / "matches.png", dpi=50)
    assert (tmp_path / "matches.png").stat().st_size > 10_000


def test_inliers_and_outliers_have_two_colours_and_are_counted(result):
    axis = hk.plots.matches(result).axes[0]
    inliers = result.inliers.sum()
    outliers = len(result.pairs) - inliers
    outline = "what both pictures show"
    assert legend_of(axis) == [f"outliers: {outliers}", f"inliers: {inliers}", outline]
    assert len({tuple(colour[:3]) for colour in colours_of(axis)}) == 2


def test_right_inliers_are_green_and_wrong_ones_red_if_the_truth_is_known(result):
    axis = hk.plots.matches(result, SHIFT).axes[0]
    assert any(label.startswith("right inliers: ") for label in legend_of(axis))
    wrong = hk.plots.matches(result, np.eye(3)).axes[0]
    assert f"wrong inliers: {result.inliers.sum()}" in legend_of(wrong)
    assert any((colour[:3] == to_rgb(style.NON_MATCHING)).all() for colour in colours_of(wrong))


def test_a_line_joins_the_two_points_of_a_match_and_pictures_have_the_same_height(result):
    axis = hk.plots.matches(result, lines=7).axes[0]
    lines = lines_of(axis)[-1].get_segments()
    assert len(lines) == 7
    starts = {tuple(point) for point in result.points_a}
    assert all(tuple(line[0]) in starts for line in np.asarray(lines))
    heights = [image.get_extent()[2] for image in axis.images]
    assert heights == [239.5, 239.5]


def test_the_part_that_both_pictures_show_has_an_outline_in_each():
    """The second picture shows the first from x = 17 on, and its first 231 rows 9 pixels lower."""
    image, shape = np.zeros((240, 300), np.float32), (240, 300)
    keypoints = np.array([[100.0, 100.0, 3.0, 0.0]])
    result = hk.image_matching.ImageMatches(
        (image, image), (shape, shape), (keypoints, keypoints), np.zeros((1, 2), int),
        np.zeros(1), np.ones(1, bool), SHIFT, "homography", "by hand",
    )  # fmt: skip
    lines, overlay = hk.plots.matches(result).axes
    left = 300 * 1.02
    for axis, outline, (low, high) in (
        (lines, -2, ([17, 0], [299, 230])),
        (lines, -1, ([left, 9], [left + 282, 239])),
        (overlay, -1, ([17, 0], [299, 230])),
    ):
        points = np.concatenate([path.vertices for path in axis.collections[outline].get_paths()])
        inner = points[(points > np.array(low) - 2).all(1) & (points < np.array(high) + 2).all(1)]
        assert len(inner) == len(points) > 100
        on_left, on_top = abs(points[:, 0] - low[0]) < 1, abs(points[:, 1] - low[1]) < 1
        on_right, on_bottom = abs(points[:, 0] - high[0]) < 1, abs(points[:, 1] - high[1]) < 1
        assert (on_left | on_top | on_right | on_bottom).all()


def test_a_true_homography_of_another_shape_is_refused(result):
    with pytest.raises(hk.UserError, match=r"homography has shape \(2, 3\): expected \(3, 3\)"):
        hk.plots.matches(result, np.eye(3)[:2])


def test_the_overlay_is_grey_where_both_pictures_agree(result):
    overlay = np.asarray(hk.plots.matches(result).axes[1].images[0].get_array())
    middle = overlay[60:180, 80:220]
    assert np.abs(middle[..., 0] - middle[..., 1]).mean() < 0.03
    np.testing.assert_array_equal(overlay[..., 1], overlay[..., 2])


def test_without_a_homography_there_is_no_overlay_and_the_title_says_why(result):
    blank = hk.match(picture(), np.full((200, 300), 99, np.uint8), "pixels")
    (axis,) = hk.plots.matches(blank).axes
    assert axis.get_title() == repr(blank) and blank.reason in repr(blank)
    other = hk.plots.matches(hk.match(picture(), picture("camera"), "pixels")).axes[0]
    assert [label.split(":")[0] for label in legend_of(other)] == ["matches"]
    lines = hk.match(picture(), seen_from_the_side(), "pixels", geometry="fundamental")
    assert lines.matrix is not None and len(hk.plots.matches(lines).axes) == 1


def test_accuracy_has_a_panel_for_each_group_and_a_line_for_each_descriptor():
    rows = {
        (name, group): {"pairs": 5, "AUC 3 px": 0.5, "estimator": "RANSAC, 3 px"}
        | {f"MMA {t} px": t / 10 for t in range(1, 11)}
        for name in ("net", "sift")
        for group in ("all", "viewpoint")
    }
    index = pd.MultiIndex.from_tuples(rows, names=["descriptor", "sequences"])
    figure = hk.plots.matching_accuracy(pd.DataFrame(list(rows.values()), index))
    assert [axis.get_title() for axis in figure.axes] == ["all, 5 pairs", "viewpoint, 5 pairs"]
    for axis in figure.axes:
        assert len(axis.lines) == 2
        np.testing.assert_allclose(axis.lines[0].get_ydata(), np.arange(1, 11) / 10)
        assert axis.lines[0].get_color() == style.RUN_COLOURS[0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["net: AUC 0.50", "sift: AUC 0.50"]


def test_anything_but_the_result_of_a_match_is_refused():
    with pytest.raises(hk.UserError, match="Got a int: expected the result of hk.match."):
        hk.plots.matches(5)

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import hpatches_kit as hk
from hpatches_kit.benchmark.average_precision import average_precision


def history(**curves):
    return SimpleNamespace(history=curves)


@pytest.fixture
def figures(patches, descriptors):
    scores = hk.benchmark.evaluate(descriptors)
    pixels = hk.describe(hk.baselines.pixels, patches, name="pixels")
    runs = {"a": history(loss=[3, 2], val_loss=[3, 2.5]), "b": history(loss=[2, 1])}
    return {
        "rows": hk.plots.patch_rows(
            {"noisy": patches.noisy[:, 0], "clean": patches.clean[:, 0]}, 6
        ),
        "triplets": hk.plots.triplets(patches.clean[:4, :3].reshape(12, 32, 32, 1), 4),
        "views": hk.plots.views(patches, [0, 3]),
        "curves": hk.plots.curves(runs),
        "psnr": hk.plots.curves(history(loss=[1, 2], psnr=[20, 21]), ["loss", "psnr"]),
        "framed": hk.plots.patch_rows(
            {"found": patches.noisy[:, 0]}, 3, {"found": [None, True, False]}
        ),
        "distances": hk.plots.distances({"one": [1, 2, 2], "other": [3, 4]}),
        "ranking": hk.plots.precision_recall(
            {"a": ([1, 2, 2, 3], [True, False, True, False])}, True
        ),
        "pools": hk.plots.pools(scores, scores),
        "scores": hk.plots.scores(scores, scores),
        "neighbours": hk.plots.neighbours(pixels, patches, [0, 9], count=5),
        "matrix": hk.plots.distance_matrix(pixels.values[:, :2].reshape(40, -1), 12, 3),
        "percentiles": hk.plots.percentiles(pixels.values[:, :2].reshape(40, -1)),
        "bars": hk.plots.ranking({"low": 1.0, "high": 3.0, "middle": 2.0}, "dB", {"here": 1.5}),
        "over": hk.plots.metric_curve(pd.DataFrame({"matching": [0.5, 0.4]}, [0, 2]), "q"),
    }


def test_every_figure_is_drawn_closed_and_can_be_saved(figures, tmp_path):
    assert plt.get_fignums() == []  # a notebook would show an open figure twice
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png", dpi=50)
        assert (tmp_path / f"{name}.png").stat().st_size > 1000


def test_patches_are_drawn_on_one_grey_scale(figures):
    limits = {axis.images[0].get_clim() for axis in figures["rows"].axes}
    assert limits == {(0, 255)}
    assert [axis.get_ylabel() for axis in figures["rows"].axes[::6]] == ["noisy", "clean"]


def test_the_views_are_named_in_order(figures):
    assert [axis.get_title() for axis in figures["views"].axes[:16]] == list(hk.VIEWS)


def test_curves_show_both_sides_and_name_them(figures):
    axis = figures["curves"].axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [
        "a train",
        "a validation",
        "b train",
    ]
    np.testing.assert_array_equal(axis.lines[1].get_ydata(), [3, 2.5])
    assert figures["psnr"].axes[1].get_ylabel() == "PSNR in dB"


def test_curves_take_a_log_and_a_dictionary_of_lists_and_begin_a_new_row_after_three():
    log = pd.DataFrame({"epoch": [0, 1], "loss": [3.0, 2.0], "val_loss": [4.0, 3.0]})
    for numbers in (log, {"loss": [3.0, 2.0]}, {"a": log, "b": {"loss": [3.0, 2.0]}}):
        (axis,) = hk.plots.curves(numbers).axes
        np.testing.assert_array_equal(axis.lines[0].get_ydata(), [3, 2])
    figure = hk.plots.curves(log, ["loss", "a", "b", "c"])
    rows = {round(axis.get_position().y0, 2) for axis in figure.axes}
    assert len(figure.axes) == 4 and len(rows) == 2


def test_the_longest_bar_is_on_top_and_lines_are_named(figures):
    (axis,) = figures["bars"].axes
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["low", "middle", "high"]  # upwards
    assert axis.get_legend().get_texts()[0].get_text() == "here 1.50"
    assert [text.get_text().strip() for text in axis.texts] == ["1.00", "2.00", "3.00"]


def test_the_matrix_marks_the_positive_and_the_nearest_negatives():
    """Pair 1 of four points on a line: its positive 0.5 away, the others 1, 3 and 5, or 2, 2, 4."""
    anchors, positives = np.array([0.0, 2.0, 4.0, 6.0]), np.array([1.0, 2.5, 5.0, 7.0])
    rows = np.stack([anchors, positives], 1).reshape(8, 1)
    axis = hk.plots.distance_matrix(rows, pairs=4, pair=1).axes[0]
    np.testing.assert_array_equal(axis.images[0].get_array()[1], [1, 0.5, 3, 5])
    assert axis.get_title() == "pair 1: positive 0.50, row 1.00, column 1.50"
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines]
    assert marks == [(1, 1), (0, 1), (1, 2)]
    median = hk.plots.distance_matrix(rows, pairs=4, pair=1, percentile=50).axes[0]
    assert median.get_title() == "pair 1: positive 0.50, row 3.00, column 2.50"


def test_a_neighbour_has_a_green_frame_exactly_when_it_is_the_same_place(patches):
    pixels = hk.describe(hk.baselines.pixels, patches)
    figure = hk.plots.neighbours(pixels, patches, list(range(20)), view="e1", count=4)
    away = np.linalg.norm(pixels.values[:, None, 0] - pixels.values[None, :, 1], axis=2)
    for point in range(20):
        order = np.argsort(away[point], kind="stable")[:4]
        for axis, found in zip(figure.axes[5 * point + 1 : 5 * point + 5], order):
            colour = axis.spines["top"].get_edgecolor()
            green = colour[1] > colour[0]
            assert green == (found == point)


def test_an_answer_has_a_green_a_red_or_a_blue_frame(figures):
    blue, green, red = (axis.spines["top"].get_edgecolor()[:3] for axis in figures["framed"].axes)
    assert np.argmax([blue, green, red], axis=1).tolist() == [2, 1, 0]


def test_the_curve_of_a_ranking_ends_at_its_average_precision(figures):
    (axis,) = figures["ranking"].axes
    (line,) = axis.lines
    np.testing.assert_allclose(line.get_xdata(), [0, 0.5, 0.5, 1, 1])
    np.testing.assert_allclose(line.get_ydata(), [1, 1, 1 / 2, 2 / 3, 1 / 2])
    area = average_precision([0, 1])
    assert axis.get_legend().get_texts()[0].get_text() == f"a: AP {area:.3f}"


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def test_bars_of_sequences_are_sorted_and_coloured_by_kind(patches):
    (axis,) = hk.plots.lengths(patches.lengths).axes
    bars = [patch for patch in axis.patches if patch.get_height()]
    assert [bar.get_height() for bar in bars] == [8, 7, 5]
    assert bars[0].get_facecolor() == bars[1].get_facecolor() != bars[2].get_facecolor()
    assert [label.get_text() for label in axis.get_xticklabels()] == ["v_three", "v_one", "i_two"]


def test_regions_are_drawn_where_the_homography_takes_them():
    image = np.zeros((60, 80), np.float32)
    shift = np.array([[1, 0, 10], [0, 1, 5], [0, 0, 1.0]])
    pair = hk.images.ImageSequence("v_pair", [image, image], [shift])
    figure = hk.plots.sequence(pair, np.array([[30.0, 25.0, 2.0, 0.0]]))
    one, two = (axis.patches[0].get_xy() for axis in figure.axes)
    np.testing.assert_allclose(one.mean(0)[0], 28)  # the first corner closes the outline
    np.testing.assert_allclose(two - one, np.tile([10, 5], (5, 1)))


def test_inaccuracy_has_a_panel_a_level_and_medians_beside():
    figure = hk.plots.jitter_overlap(5)
    assert titles(figure)[:3] == ["easy", "hard", "tough"]
    labels = [text.get_text() for text in figure.axes[3].get_legend().get_texts()]
    assert [float(label[-4:]) for label in labels] == pytest.approx([0.85, 0.72, 0.60], abs=0.02)


def test_the_map_of_noise_is_that_of_the_differences(patches):
    figure = hk.plots.noise(patches)
    shown = figure.axes[1].get_images()[0].get_array()
    difference = patches.noisy[:, 1:6].astype(float) - patches.clean[:, 1:6]
    np.testing.assert_allclose(shown, difference.std(axis=(0, 1)), rtol=1e-5)


def test_light_counts_every_reference(patches):
    mean, spread, change = hk.plots.brightness(patches).axes
    counts = [sum(bar.get_height() for bar in axis.patches) for axis in (mean, spread, change)]
    assert counts == [20, 20, 300]


def test_a_point_is_drawn_in_all_views_of_all_kinds(patches):
    figure = hk.plots.point(patches, 13)
    drawn = [np.asarray(axis.get_images()[0].get_array()) for axis in figure.axes]
    assert len(drawn) == 32
    np.testing.assert_array_equal(drawn[0], patches.clean[13, 0])
    np.testing.assert_array_equal(drawn[31], patches.noisy[13, 15])
    assert len(hk.plots.point(patches.select("i_two"), 4, ["clean"]).axes) == 16


@pytest.mark.parametrize(
    "reported, legend", [(0.5, ["ours", "reported", "seeds"]), (np.nan, ["ours", "seeds"])]
)
def test_reported_numbers_stand_beside_ours_where_there_are_some(reported, legend):
    cells = pd.DataFrame(
        {"row": ["one", "two"], "column": "AP", "mean": [0.6, 0.7], "spread": [0.1, 0.2]}
    ).assign(reported=[reported, np.nan])
    values = pd.DataFrame({"row": ["one", "two"], "column": "AP", "value": [0.55, 0.75]})
    figure = hk.plots.reported_vs_ours(cells, values)
    assert sorted(text.get_text() for text in figure.legends[0].get_texts()) == sorted(legend)
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]
    seeds, ours, *_ = axis.lines
    assert seeds.get_xdata().tolist() == [0.55, 0.75]
    assert ours.get_xdata().tolist() == [0.6, 0.7] and ours.get_ydata().tolist() == [0, -1]

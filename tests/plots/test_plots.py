from io import BytesIO
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.benchmark.precision_recall import average_precision


def history(**logs):
    return SimpleNamespace(history=logs)


@pytest.fixture(scope="module")
def figures():
    patches = toy_patches({"v_one": 25, "i_two": 20, "v_three": 15})
    pixels = hk.describe(hk.baselines.pixels, patches, name="pixels")
    scores, batch = hk.benchmark.evaluate(pixels), pixels.values[:, :2].reshape(120, -1)
    noisy, clean = patches.noisy[:, 0], patches.clean[:, 0]
    runs = {"a": history(loss=[3, 2], val_loss=[3, 2.5]), "b": history(loss=[2, 1])}
    return {
        "patch_rows": hk.plots.patch_rows({"noisy": noisy, "clean": clean}, 6),
        "frames": hk.plots.patch_rows({"nearest": noisy}, 3, {"nearest": [None, True, False]}),
        "triplets": hk.plots.triplets(patches.clean[:4, :3].reshape(12, 32, 32, 1), 4),
        "views": hk.plots.views(patches, [0, 3]),
        "curves": hk.plots.curves(runs),
        "psnr": hk.plots.curves(history(loss=[1, 2], psnr=[20, 21]), ["loss", "psnr"]),
        "ranking": hk.plots.ranking({"low": 1.0, "high": 3.0, "middle": 2.0}, "dB", {"mean": 1.5}),
        "distances": hk.plots.distances({"positive": [1, 2, 2], "negative": [3, 4]}),
        "precision_recall": hk.plots.precision_recall(
            {"a": ([1, 2, 2, 3], [True, False, True, False])}, True
        ),
        "pools": hk.plots.pools(scores, scores),
        "scores": hk.plots.scores(scores, scores),
        "neighbours": hk.plots.neighbours(pixels, patches, [0, 9], count=5),
        "distance_matrix": hk.plots.distance_matrix(batch, 12, 3),
        "percentiles": hk.plots.percentiles(batch),
        "images": hk.plots.images({f"{k}": noisy[k] for k in range(4)}, columns=3),
        "levels": hk.plots.levels({"SIFT": {"real": (0.8, 0.7, 0.4), "virtual": (0.9, 0.6, 0.3)}}),
        "metric_curve": hk.plots.metric_curve(pd.DataFrame({"matching": [0.5, 0.4]}, [0, 2]), "q"),
    }


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def legend_of(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_a_metric_curve_draws_real_scores_dashed_in_the_colour_of_their_task():
    table = pd.DataFrame({"A": [0.5, 0.4], "B": [0.3, 0.2], "B, real": [0.2, 0.1]}, [0, 2])
    lines = hk.plots.metric_curve(table, "q").axes[0].lines
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--"]
    first, second, real = (line.get_color() for line in lines)
    assert first != second == real


def test_every_figure_is_closed_and_is_saved_at_its_size_with_visible_content(figures, tmp_path):
    assert plt.get_fignums() == []  # a notebook would show an open figure twice
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png", dpi=50)
        with Image.open(tmp_path / f"{name}.png") as image:
            assert image.size == pytest.approx(50 * figure.get_size_inches(), abs=1)
            assert image.convert("RGB").getcolors(1) is None, f"{name} has a single colour"


def test_patches_are_drawn_on_the_grey_scale_0_to_255(figures):
    axes = figures["patch_rows"].axes
    assert {axis.images[0].get_clim() for axis in axes} == {(0, 255)}
    assert [axis.get_ylabel() for axis in axes[::6]] == ["noisy", "clean"]


def test_images_are_named_and_the_rest_of_the_grid_is_empty(figures):
    assert titles(figures["images"]) == ["0", "1", "2", "3", "", ""]
    assert [len(axis.images) for axis in figures["images"].axes] == [1, 1, 1, 1, 0, 0]
    assert not any(axis.axison for axis in figures["images"].axes)


def test_scores_by_level_are_drawn_from_easy_to_tough_with_a_line_per_test_set(figures):
    (axis,) = figures["levels"].axes
    assert [list(line.get_ydata()) for line in axis.lines] == [[0.8, 0.7, 0.4], [0.9, 0.6, 0.3]]
    assert list(axis.lines[0].get_xdata()) == ["easy", "hard", "tough"]
    assert legend_of(axis) == ["real", "virtual"] and axis.get_title() == "SIFT"


def test_views_are_named_in_order(figures):
    assert titles(figures["views"])[:16] == list(hk.VIEWS)


def test_curves_show_and_name_training_and_validation(figures):
    (axis,) = figures["curves"].axes
    assert legend_of(axis) == ["a train", "a validation", "b train"]
    np.testing.assert_array_equal(axis.lines[1].get_ydata(), [3, 2.5])
    assert figures["psnr"].axes[1].get_ylabel() == "PSNR in dB"


@pytest.mark.parametrize(
    ("history", "kinds"),
    [
        ({"loss": [3.0, 2.0], "val_loss": [4.0, 3.0]}, ["(train)", "(validation)"]),
        ({"val_loss": [4.0, 3.0]}, []),
    ],
)
def test_a_common_legend_names_training_and_validation_only_if_both_are_drawn(history, kinds):
    runs = {f"run {k}": history for k in range(4)}
    (legend,) = hk.plots.curves(runs).legends
    assert [text.get_text() for text in legend.get_texts()] == [*runs, *kinds]


def test_curves_accept_a_log_and_a_dictionary_of_lists():
    log = pd.DataFrame({"epoch": [0, 1], "loss": [3.0, 2.0], "val_loss": [4.0, 3.0]})
    for histories in (log, {"loss": [3.0, 2.0]}, {"a": log, "b": {"loss": [3.0, 2.0]}}):
        (axis,) = hk.plots.curves(histories).axes
        np.testing.assert_array_equal(axis.lines[0].get_ydata(), [3, 2])


def test_curves_start_a_new_row_after_three_panels():
    figure = hk.plots.curves({"loss": [3.0, 2.0]}, ["loss", "a", "b", "c"])
    rows = {round(axis.get_position().y0, 2) for axis in figure.axes}
    assert len(figure.axes) == 4 and len(rows) == 2


def test_twelve_runs_have_twelve_different_colours_and_markers():
    (axis,) = hk.plots.curves({f"run {k}": {"loss": [k]} for k in range(12)}).axes
    assert len({(line.get_color(), line.get_marker()) for line in axis.lines}) == 12


def test_groups_beyond_the_number_of_colours_are_drawn():
    groups = {f"group {k}": [k, k + 1.0] for k in range(7)}
    (axis,) = hk.plots.distances(groups).axes
    assert legend_of(axis) == list(groups)


def test_the_largest_number_of_a_ranking_is_at_the_top_and_lines_are_named(figures):
    (axis,) = figures["ranking"].axes
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["low", "middle", "high"]  # from the bottom up
    assert legend_of(axis) == ["mean 1.50"]
    assert [text.get_text().strip() for text in axis.texts] == ["1.00", "2.00", "3.00"]


def test_a_ranking_has_a_dot_for_each_seed_and_prints_and_sorts_by_their_mean():
    values = {"lucky": [1.0, 1.0, 4.0], "steady": [2.5, 2.0, 3.0]}
    (axis,) = hk.plots.ranking(values, "dB", digits=1).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["lucky", "steady"]
    assert [text.get_text().strip() for text in axis.texts] == ["2.0", "2.5"]
    dots = [line.get_xdata().tolist() for line in axis.lines]
    assert dots == [[1.0, 1.0, 4.0], [2.0], [2.5, 2.0, 3.0], [2.5]]


def test_the_distance_matrix_marks_the_positive_and_the_nearest_negatives():
    """Pair 1 of four points on a line: positive at 0.5, negatives at 1, 3, 5 and at 2, 2, 4."""
    anchors, positives = np.array([0.0, 2.0, 4.0, 6.0]), np.array([1.0, 2.5, 5.0, 7.0])
    batch = np.stack([anchors, positives], 1).reshape(8, 1)
    axis = hk.plots.distance_matrix(batch, pairs=4, pair=1).axes[0]
    np.testing.assert_array_equal(axis.images[0].get_array()[1], [1, 0.5, 3, 5])
    assert axis.get_title() == "pair 1: positive 0.50, negative in row 1.00, in column 1.50"
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines]
    assert marks == [(1, 1), (0, 1), (1, 2)]
    median = hk.plots.distance_matrix(batch, pairs=4, pair=1, percentile=50).axes[0]
    assert median.get_title() == "pair 1: positive 0.50, negative in row 3.00, in column 2.50"


def test_a_neighbour_has_a_green_frame_exactly_when_it_shows_the_same_place(patches):
    pixels = hk.describe(hk.baselines.pixels, patches)
    figure = hk.plots.neighbours(pixels, patches, list(range(20)), view="e1", count=4)
    distances = np.linalg.norm(pixels.values[:, None, 0] - pixels.values[None, :, 1], axis=2)
    for point in range(20):
        nearest = np.argsort(distances[point], kind="stable")[:4]
        for axis, neighbour in zip(figure.axes[5 * point + 1 : 5 * point + 5], nearest):
            red, green, *_ = axis.spines["top"].get_edgecolor()
            assert (green > red) == (neighbour == point)


def test_an_answer_has_a_green_a_red_or_a_blue_frame(figures):
    blue, green, red = (axis.spines["top"].get_edgecolor()[:3] for axis in figures["frames"].axes)
    assert np.argmax([blue, green, red], axis=1).tolist() == [2, 1, 0]


def test_the_area_below_a_precision_recall_curve_is_its_average_precision(figures):
    (axis,) = figures["precision_recall"].axes
    (line,) = axis.lines
    np.testing.assert_allclose(line.get_xdata(), [0, 0.5, 0.5, 1, 1])
    np.testing.assert_allclose(line.get_ydata(), [1, 1, 1 / 2, 2 / 3, 1 / 2])
    assert legend_of(axis) == [f"a: AP {average_precision([0, 1]):.3f}"]


class RetrievalScores(dict):
    """Scores of the retrieval task, the same for every level, by size of the pool."""

    def __init__(self, title, ap_by_size):
        super().__init__(retrieval=dict.fromkeys("eht", ap_by_size))
        self.title, self.protocol = title, hk.benchmark.PYTHON


def test_the_ticks_of_the_pool_figure_are_the_pool_sizes_of_all_results():
    large = RetrievalScores("large", {"100": 0.9, "1000": 0.7, "10000": 0.5})
    small = RetrievalScores("small", {"100": 0.8, "500": 0.6})
    for results in [(large, small), (small, large)]:
        for axis in hk.plots.pools(*results).axes:
            assert axis.get_xticks().tolist() == [100, 500, 1000, 10000]
            labels = [label.get_text() for label in axis.get_xticklabels()]
            assert labels == ["100", "500", "1000", "10000"]


def test_bars_of_sequences_are_sorted_and_coloured_by_kind_of_change(patches):
    (axis,) = hk.plots.lengths(patches.lengths).axes
    bars = [bar for bar in axis.patches if bar.get_height()]
    assert [bar.get_height() for bar in bars] == [8, 7, 5]
    assert bars[0].get_facecolor() == bars[1].get_facecolor() != bars[2].get_facecolor()
    assert [label.get_text() for label in axis.get_xticklabels()] == ["v_three", "v_one", "i_two"]


def test_regions_are_drawn_where_the_homography_maps_them():
    image = np.zeros((60, 80), np.float32)
    shift = np.array([[1, 0, 10], [0, 1, 5], [0, 0, 1.0]])
    pair = hk.images.ImageSequence("v_pair", [image, image], [shift])
    figure = hk.plots.sequence(pair, np.array([[30.0, 25.0, 2.0, 0.0]]))
    first, second = (axis.patches[0].get_xy() for axis in figure.axes)
    np.testing.assert_allclose(first.mean(0)[0], 28)  # the outline repeats its first corner
    np.testing.assert_allclose(second - first, np.tile([10, 5], (5, 1)))


@pytest.mark.slow
def test_jitter_has_a_panel_for_each_level_and_the_median_overlaps():
    figure = hk.plots.jitter_overlap(5)
    assert titles(figure)[:3] == ["easy", "hard", "tough"]
    medians = [float(label[-4:]) for label in legend_of(figure.axes[3])]
    assert medians == pytest.approx([0.85, 0.72, 0.60], abs=0.02)


def test_the_noise_figure_shows_the_standard_deviation_of_the_noise_at_each_pixel(patches):
    psnr = hk.metrics.patch_quality(patches.clean, patches.noisy)["PSNR in dB"]
    figure = hk.plots.noise(patches.noisy, patches.clean, psnr)
    deviation = figure.axes[1].get_images()[0].get_array()
    difference = patches.noisy[:, 1:6].astype(float) - patches.clean[:, 1:6]
    np.testing.assert_allclose(deviation, difference.std(axis=(0, 1)), rtol=1e-5)


def test_the_brightness_figure_counts_every_reference_and_every_view(patches):
    mean, deviation, change = hk.plots.brightness(patches).axes
    counts = [sum(bar.get_height() for bar in axis.patches) for axis in (mean, deviation, change)]
    assert counts == [20, 20, 300]


def test_a_point_is_drawn_in_all_views_of_all_kinds(patches):
    figure = hk.plots.point(patches, 13)
    drawn = [np.asarray(axis.get_images()[0].get_array()) for axis in figure.axes]
    assert len(drawn) == 32
    np.testing.assert_array_equal(drawn[0], patches.clean[13, 0])
    np.testing.assert_array_equal(drawn[31], patches.noisy[13, 15])
    assert len(hk.plots.point(patches.select("i_two"), 4, ["clean"]).axes) == 16


@pytest.mark.parametrize(
    ("reported", "legend"), [(0.5, ["ours", "reported", "seeds"]), (np.nan, ["ours", "seeds"])]
)
def test_reported_numbers_are_drawn_where_they_exist_and_every_seed_has_a_mark(reported, legend):
    cells = pd.DataFrame(
        {"row": ["one", "two"], "column": "AP", "mean": [0.6, 0.7], "deviation": [0.1, 0.2]}
    ).assign(reported=[reported, np.nan])
    values = pd.DataFrame({"row": ["one", "two"], "column": "AP", "value": [0.55, 0.75]})
    figure = hk.plots.reported_vs_ours(cells, values)
    assert sorted(text.get_text() for text in figure.legends[0].get_texts()) == sorted(legend)
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one", "two"]
    seeds, ours, *_ = axis.lines
    assert seeds.get_xdata().tolist() == [0.55, 0.75]
    assert ours.get_xdata().tolist() == [0.6, 0.7] and ours.get_ydata().tolist() == [0, -1]


def test_names_of_files_are_text_not_formulas():
    name = r"v_$\frac{$"
    for figure in (hk.plots.lengths({name: 3}), hk.plots.images({name: np.zeros((4, 4))})):
        figure.savefig(BytesIO())

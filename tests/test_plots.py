from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.benchmark.average_precision import average_precision


def history(**curves):
    return SimpleNamespace(history=curves)


@pytest.fixture
def figures(patches, descriptors):
    scores = hk.benchmark.evaluate(descriptors)
    pixels = hk.describe(hk.pixels, patches, name="pixels")
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


def test_a_neighbour_has_a_green_frame_exactly_when_it_is_the_same_place(patches):
    pixels = hk.describe(hk.pixels, patches)
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

"""Drawings of networks: their blocks, skip connections and texts."""

from itertools import combinations

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from keras_tools import ZEROS

import hpatches_kit as hk
from hpatches_kit.models import (
    end_to_end,
    framing_unet,
    hynet,
    l2net,
    nafnet,
    reduced,
    tfeat,
    unet,
    unet_plus_plus,
)

SKIPS = {  # network: its skip connections
    "shallow": (lambda: unet(), 1),
    "6-layer": (lambda: unet("6-layer"), 2),
    "8-layer": (lambda: unet("8-layer"), 3),
    "deep": (lambda: unet("deep", **ZEROS), 3),
    "deeper": (lambda: unet("deeper", **ZEROS), 4),
    "six levels": (lambda: unet(encoder=(2,) * 6, decoder=(2,) * 5), 5),
    "residual": (lambda: unet(residual=True, up_convolution="transposed"), 2),
    "bilinear": (lambda: unet(up_convolution="bilinear"), 1),
    "unet_plus_plus": (lambda: unet_plus_plus(**ZEROS), (1 + 2 + 3) + (1 + 2) + 1),
    "framing_unet": (lambda: framing_unet(residual=True, **ZEROS), 3),
    "nafnet": (lambda: nafnet((2, 2)), 11),  # three for each of three blocks, and two
    "l2net": (lambda: l2net(), 0),
    "reduced": (lambda: reduced(l2net(), np.eye(128), 8), 0),
    "HardNet": (lambda: l2net(standardise=True, affine=False, final_batch_norm=True), 0),
    "tfeat": (lambda: tfeat(), 0),
    "hynet": (lambda: hynet(), 0),
    "U-Net and L2-Net": (lambda: end_to_end(unet("deep", **ZEROS), l2net(**ZEROS)), 3),
    "residual U-Net and HyNet": (lambda: end_to_end(unet(residual=True), hynet()), 2),
}


def parts(figure, kind):
    """The blocks, strips, steps, skip connections or frames of a drawing, in order."""
    return [patch for patch in figure.axes[0].patches if patch.get_gid() == kind]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def labels(figure):
    """The labels of the blocks, without the sizes beneath."""
    return texts(figure)[::2]


def sizes(figure):
    return texts(figure)[1::2]


@pytest.mark.parametrize("name", SKIPS)
def test_every_network_is_drawn_with_its_skip_connections_and_number_of_parameters(name):
    build, skips = SKIPS[name]
    model = build()
    figure = hk.plots.architecture(model)
    assert plt.get_fignums() == []
    assert len(parts(figure, "skip")) == skips
    assert figure.get_suptitle() == f"{model.name}: {model.count_params():,} parameters"
    assert_nothing_overlaps(figure)


def assert_nothing_overlaps(figure):
    """Blocks, texts and lines are apart from each other, and blocks and texts in the picture."""
    figure.draw_without_rendering()
    blocks = [patch.get_window_extent() for patch in parts(figure, "block")]
    boxes = [text.get_window_extent() for text in figure.findobj(plt.Text) if text.get_text()]
    for first, second in [*combinations(blocks, 2), *combinations(boxes, 2)]:
        assert not first.overlaps(second), (first, second)
    for box in blocks + boxes:
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    for line in parts(figure, "skip") + parts(figure, "step"):
        path = figure.axes[0].transData.transform_path(line.get_path())
        corners = path.to_polygons(closed_only=False)[0]
        points = np.concatenate([np.linspace(*ends, 99) for ends in zip(corners, corners[1:])])
        for box in blocks + boxes:
            assert not ((box.min < points) & (points < box.max)).all(axis=1).any()


def test_the_shallow_unet_has_nine_blocks():
    figure = hk.plots.architecture(unet())
    assert len(parts(figure, "block")) == 9
    assert labels(figure) == [
        *("input", "3x3, 16", "max 2x2", "3x3, 32", "up 2x2", "2x2, 64", "concat"),
        *("3x3, 64", "3x3, 1"),
    ]
    assert sizes(figure) == 2 * ["32x32"] + 2 * ["16x16"] + 5 * ["32x32"]
    assert len(parts(figure, "strip")) == 4  # each convolution except the last has a ReLU


def test_blocks_halve_in_height_with_the_size_and_widen_with_each_doubling_of_channels():
    figure = hk.plots.architecture(unet())
    blocks = dict(zip(labels(figure), parts(figure, "block")))
    assert blocks["max 2x2"].get_height() == pytest.approx(blocks["input"].get_height() / 2)
    widths = [blocks[label].get_width() for label in ("3x3, 16", "3x3, 32", "3x3, 64")]
    assert np.diff(widths) == pytest.approx(widths[2] - widths[1]) and widths[2] > widths[1]


def test_a_unet_goes_down_and_up_and_a_descriptor_stays_on_a_line():
    down_and_up = hk.plots.architecture(unet("8-layer"))
    centres = [block.get_center()[1] for block in parts(down_and_up, "block")]
    directions = np.sign(np.diff(centres))
    assert directions[directions != 0].tolist() == [-1, -1, -1, 1, 1, 1]
    assert centres[0] == centres[-1] == max(centres)
    line = hk.plots.architecture(l2net())
    assert np.ptp([block.get_center()[1] for block in parts(line, "block")]) < 1e-6


def test_normalisation_activation_and_dropout_are_strips_and_named_in_the_legend():
    figure = hk.plots.architecture(l2net())
    assert labels(figure)[2:5] == ["3x3, 32", "3x3, 64\nstride 2", "3x3, 64"]
    assert sizes(figure)[-2:] == ["1x1", "128-D"]
    assert len(parts(figure, "strip")) == 6 + 6 + 1 + 1
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    folded = ["batch normalisation", "ReLU", "dropout", "unit normalisation"]
    assert names == ["convolution", *folded]


def test_the_haar_details_of_a_framing_unet_are_part_of_its_skip_connections():
    figure = hk.plots.architecture(framing_unet())
    details = [text for text in texts(figure) if text.startswith("with")]
    assert "with haar1_across, haar1_along, haar1_diagonal" in details and len(details) == 2
    assert len(parts(figure, "block")) == 3 * 2 + 2 * 4 + 1


def test_models_in_a_model_are_framed_and_drawn_like_alone():
    denoiser, descriptor = unet(), tfeat()
    for _ in range(2):  # the second model shares the layers of the first
        figure = hk.plots.architecture(end_to_end(denoiser, descriptor))
        assert len(parts(figure, "frame")) == 2
        assert [text for text in texts(figure) if text in ("unet_shallow", "tfeat")]
        assert len(parts(figure, "block")) == 9 + 1 + 5  # layer normalisation has no block before


def test_a_saved_model_is_drawn_as_before(tmp_path):
    model = end_to_end(unet(), hynet())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    before, after = hk.plots.architecture(model), hk.plots.architecture(loaded)
    assert texts(before) == texts(after)


def test_sequential_models_parallel_branches_and_operations_on_tensors_are_drawn():
    patch = keras.Input((None, None, 1))
    branches = [layers.Conv2D(8, size, padding="same")(patch) for size in (1, 3, 5)]
    x = layers.Concatenate()(branches)
    x = layers.LeakyReLU()(x + layers.DepthwiseConv2D(3, padding="same")(x))
    functional = keras.Model(patch, layers.GlobalAveragePooling2D()(x))
    figure = hk.plots.architecture(functional)
    expected = ["input", "1x1, 8", "3x3, 8", "5x5, 8", "concat", "3x3, 24", "add", "mean"]
    assert sorted(labels(figure)) == sorted(expected)
    assert_nothing_overlaps(figure)
    sequential = keras.Sequential([keras.Input((32, 32, 1)), functional, layers.Dense(3)])
    figure = hk.plots.architecture(sequential)
    assert len(parts(figure, "frame")) == 1 and "dense, 3" in texts(figure)

"""The pictures of README and docs/matching.md: numbers are counted, points lie apart, scripts run."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hpatches_kit as hk

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCRIPT = runpy.run_path(str(DOCS / "pipeline.py"))


def synthetic(points=30, wrong=4):
    """Points on a line 100 pixels apart, whose contrast grows; `wrong` have a nearer neighbour."""
    rng = np.random.default_rng(0)
    strength = np.linspace(10, 200, points)[:, None, None, None]
    patches = (rng.uniform(size=(points, 2, 32, 32)) * strength).astype(np.uint8)
    x = 100.0 * np.arange(points)
    distances = 1 - np.eye(points)
    distances[:wrong, points - 1] = -1
    return {
        "images": [np.zeros((60, 100 * points))] * 2,
        "homography": np.eye(3),
        "points": np.stack([x, x * 0 + 30, x * 0 + 2, x * 0], axis=1),
        **dict.fromkeys(("noisy", "denoised", "clean"), patches),
        "distances": distances,
    }


def test_the_points_of_most_contrast_are_drawn_and_lie_apart():
    assert SCRIPT["choose"](synthetic(), count=3, apart=150) == [25, 27, 29]


def test_the_picture_counts_the_correct_matches():
    figure = SCRIPT["draw"](synthetic(points=30, wrong=4))
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert any("right for 26 of 30 points; 30 drawn" in text for text in texts)
    assert "30 points, each with a square region" in texts


def show_a_smaller_photograph(monkeypatch):
    crop = hk.images.photograph("china")[60:280, 60:400]
    monkeypatch.setattr(hk.images, "photograph", lambda name: crop)


@pytest.mark.slow
def test_the_script_draws_the_picture_of_a_smaller_photograph(tmp_path, monkeypatch):
    show_a_smaller_photograph(monkeypatch)
    SCRIPT["main"](tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (1800, 1080)


@pytest.mark.slow
def test_the_picture_of_the_page_on_matching_has_right_matches_of_a_smaller_photograph(monkeypatch):
    show_a_smaller_photograph(monkeypatch)
    monkeypatch.syspath_prepend(DOCS)
    figure = runpy.run_path(str(DOCS / "matching.py"))["draw"]()
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    right, wrong = (
        int(label.split(": ")[1])
        for kind in ("right inliers", "wrong inliers")
        for label in labels
        if label.startswith(kind)
    )
    assert right > 20 and right > 5 * wrong

import base64
import sys
from types import ModuleType

import ipywidgets as widgets
import pytest
from matplotlib.figure import Figure

import hpatches_kit as hk
from hpatches_kit.course.playthings.plaything import Plaything

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def slider():
    return hk.course.ap_slider()


def test_a_notebook_gets_the_widget_and_a_saved_page_the_picture(slider):
    bundle = slider._repr_mimebundle_()
    assert bundle[WIDGET]["model_id"] == slider.widget.model_id
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == "Plaything(pair='A', rank=1, missing=0)"


def test_a_control_changes_the_picture(slider):
    first = slider._repr_mimebundle_()["image/png"]
    slider.controls["rank"].value = 10
    assert slider._repr_mimebundle_()["image/png"] != first


def test_a_control_that_moves_another_one_draws_once():
    first, second, drawn = widgets.IntSlider(0, 0, 9), widgets.IntSlider(0, 0, 9), []
    first.observe(lambda _: setattr(second, "value", first.value), "value")

    def draw():
        drawn.append((first.value, second.value))
        return Figure()

    plaything = Plaything(draw, {"first": first, "second": second})
    shown = plaything.figure
    first.value = 3
    assert drawn == [(0, 0), (3, 3)] and plaything.figure is not shown


def test_colab_gets_the_widget_alone(slider, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert set(slider._repr_mimebundle_()) == {WIDGET, "text/plain"}

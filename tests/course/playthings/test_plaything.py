import base64
import sys
from types import ModuleType

import pytest

import hpatches_kit as hk

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


def test_colab_gets_the_widget_alone(slider, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert set(slider._repr_mimebundle_()) == {WIDGET, "text/plain"}

import pytest

import hpatches_kit as hk

pytest.importorskip("ipywidgets")


@pytest.fixture
def explorer(patches):
    controls, picture = hk.plots.explore(patches).children
    menu, slider = controls.children
    return menu, slider, picture


def test_the_explorer_shows_the_first_point_of_the_first_sequence(explorer):
    menu, slider, picture = explorer
    assert menu.options == ("v_one", "i_two", "v_three") and menu.value == "v_one"
    assert (slider.min, slider.max, slider.value) == (0, 6, 0)
    assert bytes(picture.value).startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_slider_and_the_menu_change_the_picture(explorer):
    menu, slider, picture = explorer
    pictures = [bytes(picture.value)]
    slider.value = 6
    pictures.append(bytes(picture.value))
    menu.value = "i_two"
    assert (slider.max, slider.value) == (4, 4)  # the sequence has five points
    pictures.append(bytes(picture.value))
    menu.value, slider.value = "v_one", 0
    assert bytes(picture.value) == pictures[0] and len(set(pictures)) == 3


def test_the_sliders_of_the_mining_explorer_change_the_picture(descriptors):
    batch = descriptors.values[:, :2].reshape(120, -1)
    controls, picture = hk.plots.explore_mining(batch, pairs=20).children
    pair, percentile = controls.children
    assert (pair.max, percentile.max) == (19, 100)
    pictures = [bytes(picture.value)]
    percentile.value = 50
    pictures.append(bytes(picture.value))
    pair.value = 7
    pictures.append(bytes(picture.value))
    assert len(set(pictures)) == 3 and pictures[0].startswith(b"\x89PNG")

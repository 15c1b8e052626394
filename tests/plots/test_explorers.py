import pytest

import hpatches_kit as hk

widgets = pytest.importorskip("ipywidgets")


@pytest.fixture
def parts(patches):
    box = hk.plots.explore(patches)
    (menu, slider), picture = box.children[0].children, box.children[1]
    return menu, slider, picture


def test_it_shows_the_first_point_of_the_first_sequence(parts):
    menu, slider, picture = parts
    assert menu.options == ("v_one", "i_two", "v_three") and menu.value == "v_one"
    assert (slider.min, slider.max, slider.value) == (0, 6, 0)
    assert bytes(picture.value).startswith(b"\x89PNG")


def test_the_slider_and_the_menu_change_the_picture(parts):
    menu, slider, picture = parts
    shown = [bytes(picture.value)]
    slider.value = 6
    shown.append(bytes(picture.value))
    menu.value = "i_two"
    assert (slider.max, slider.value) == (4, 4)  # the slider follows
    shown.append(bytes(picture.value))
    menu.value, slider.value = "v_one", 0
    assert bytes(picture.value) == shown[0] and len(set(shown)) == 3


def test_the_slider_of_mining_changes_what_is_marked(descriptors):
    box = hk.plots.explore_mining(descriptors.values[:, :2].reshape(120, -1), pairs=20)
    (pair, percentile), picture = box.children[0].children, box.children[1]
    assert (pair.max, percentile.max) == (19, 100)
    shown = [bytes(picture.value)]
    percentile.value = 50
    shown.append(bytes(picture.value))
    pair.value = 7
    shown.append(bytes(picture.value))
    assert len(set(shown)) == 3 and shown[0].startswith(b"\x89PNG")

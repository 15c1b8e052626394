"""Copies of built-in photographs: found after common changes, and nothing else is."""

import numpy as np
import pytest

from hpatches_kit.datasets.builtin_copies import copied_photograph
from hpatches_kit.images.builtin import photograph

NAMES = ["coffee", "camera", "china", "rocket"]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        lambda image: image[::2, ::2],
        lambda image: image[::-1].T,
        lambda image: 0.6 * image + 20,
        lambda image: np.clip(255 * (image / 255) ** 1.5, 0, 255),
    ],
    ids=["same", "half the size", "rotated", "darker", "gamma"],
)
def test_a_changed_copy_of_a_built_in_photograph_is_found(change):
    assert copied_photograph(change(photograph("camera")), NAMES) == "camera"


def test_crops_and_blank_images_are_not_copies():
    crops = [photograph(name)[60:230, 60:270] for name in NAMES]
    images = [*crops, np.full((100, 100), 128.0)]
    assert [copied_photograph(image, NAMES) for image in images] == [None] * 5

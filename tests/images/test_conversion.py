"""Pictures in any form as grey images."""

import io

import numpy as np
import pytest
from PIL import Image

from hpatches_kit._support.errors import UserError
from hpatches_kit.images import as_grey

GREY = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[..., None],
        GREY.astype(np.uint16) * 257,
        GREY.astype(np.float64),
        GREY.astype(np.int64),
        np.stack([GREY] * 3, axis=2),
        np.stack([GREY] * 3 + [0 * GREY], axis=2),  # transparent everywhere
        np.stack([GREY.astype(np.uint16) * 257] * 3, axis=2),
        np.asfortranarray(GREY),
    ],
)
def test_arrays_of_every_type_become_grey_levels(array):
    grey = as_grey(array)
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, GREY, atol=0.01)


def test_booleans_are_black_and_white():
    np.testing.assert_array_equal(as_grey(np.array([[True, False]])), [[255, 0]])


def test_grey_is_the_luminance_of_red_green_and_blue():
    colours = np.diag([255, 255, 255]).astype(np.uint8)[None]
    np.testing.assert_allclose(as_grey(colours)[0], [54.2, 182.4, 18.4], atol=0.1)


def test_an_image_of_pillow_is_turned_upright_and_read_as_from_a_file(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(GREY).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as stored:
        np.testing.assert_allclose(as_grey(stored), np.rot90(GREY, -1), atol=1e-3)
    np.testing.assert_allclose(as_grey(str(tmp_path / "a.png")), np.rot90(GREY, -1), atol=1e-3)


@pytest.mark.parametrize("form", [np.asarray, Image.fromarray])
def test_a_larger_picture_is_reduced_without_aliasing(form):
    stripes = np.tile(np.array([0, 255], np.uint8), (100, 100))
    reduced = as_grey(form(stripes), longest=50)
    assert reduced.shape == (25, 50)
    np.testing.assert_allclose(reduced[:, 5:-5], 127.5, atol=3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 5, 2), np.uint8), r"shape \(5, 5, 2\): expected \(height, width\)"),
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((0, 5)), r"shape \(0, 5\)"),
        (np.full((5, 5), "a"), "type <U1: expected uint8"),
        (None, "is None: expected a path, an array or an image of Pillow"),
        (np.full((5, 5), np.nan), "NaN or infinite pixels"),
        (np.full((5, 5), 65535.0), r"65535 to 65535: expected 0\.\.255"),
        (np.full((5, 5), -3), r"-3 to -3: expected 0\.\.255"),
        (GREY / 255, r"reach 1: expected 0\.\.255\. Multiply them by 255"),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array, message):
    with pytest.raises(UserError, match=message):
        as_grey(array)


def test_a_longest_side_below_1_is_refused():
    with pytest.raises(UserError, match="longest=0: expected a whole number, 1 or more pixels"):
        as_grey(GREY, longest=0)


def test_an_image_of_pillow_that_turns_out_to_be_damaged_is_refused():
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90), np.uint8)).save(
        stream, "png"
    )
    damaged = Image.open(io.BytesIO(stream.getvalue()[:2000]))
    with pytest.raises(UserError, match="cannot be read as an image"):
        as_grey(damaged)

import numpy as np
import pytest

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.virtual_effects import EFFECTS, MAX_STRENGTH, displacement, random_field


@pytest.fixture(scope="module")
def coffee():
    return photograph("coffee")[::2, ::2]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_of_strength_0_changes_nothing(name, coffee, rng):
    np.testing.assert_array_equal(EFFECTS[name](coffee, 0.0, rng), coffee)


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_grows_with_its_strength_and_keeps_grey_levels(name, coffee):
    changes = []
    for strength in (0.2, 1.0):
        images = [EFFECTS[name](coffee, strength, np.random.default_rng(s)) for s in range(5)]
        assert all(image.dtype == np.float32 and image.shape == coffee.shape for image in images)
        assert 0 <= np.min(images) and np.max(images) <= 255
        changes.append(np.mean([np.abs(image - coffee).mean() for image in images]))
    assert 0 < 1.3 * changes[0] < changes[1]


@pytest.mark.parametrize("name", EFFECTS)
def test_the_seed_decides_the_effect(name, coffee):
    first, same = (EFFECTS[name](coffee, 1.0, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, same)


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("strength", [-0.1, MAX_STRENGTH + 0.1, np.nan])
def test_a_strength_out_of_range_is_named(name, strength, coffee, rng):
    with pytest.raises(ValueError, match=rf"{name} has strength .*: expected 0 \(no change\) to 2"):
        EFFECTS[name](coffee, strength, rng)


def test_an_image_of_another_shape_is_refused(rng):
    with pytest.raises(ValueError, match=r"\(4, 4, 3\): expected grey, \(height, width\)"):
        EFFECTS["haze"](np.zeros((4, 4, 3)), 1.0, rng)


def test_a_random_field_is_smooth_and_reaches_1_at_most():
    for seed in range(5):
        field = random_field((60, 90), 30, np.random.default_rng(seed))
        assert field.shape == (60, 90) and np.abs(field).max() == pytest.approx(1)
        assert np.abs(np.diff(field, axis=0)).max() < 0.2  # changes over 30 pixels, not over one


def test_displacement_is_a_few_pixels_and_0_at_strength_0():
    fields = [displacement((80, 100), 1.0, np.random.default_rng(seed)) for seed in range(200)]
    assert fields[0].shape == (2, 80, 100)
    centred = [field - field.mean((1, 2), keepdims=True) for field in fields]
    assert 1 < np.abs(centred).max() < 5
    # The mean displacement has the standard deviation of the shift, and some of the field.
    assert 0.8 < np.std([field.mean((1, 2)) for field in fields]) < 1.5
    assert not displacement((80, 100), 0.0, np.random.default_rng(0)).any()


def test_exposure_maps_equal_grey_levels_to_equal_ones(coffee, rng):
    exposed = EFFECTS["exposure"](coffee, 1.0, rng)
    order = np.argsort(coffee, axis=None)
    assert (np.diff(exposed.ravel()[order]) >= 0).all()


def test_a_shadow_only_darkens_and_leaves_one_side(rng):
    dark = EFFECTS["shadow"](np.full((100, 100), 200.0), 1.0, rng)
    assert dark.max() > 190 and dark.min() < 170


def test_haze_brings_black_up_and_contrast_down(coffee):
    for seed in range(5):
        hazy = EFFECTS["haze"](coffee, 1.0, np.random.default_rng(seed))
        assert hazy.min() >= coffee.min() and hazy.std() < coffee.std()


@pytest.mark.parametrize("name", ["defocus", "motion_blur"])
def test_blur_spreads_a_point_and_keeps_its_sum_and_position(name):
    image = np.zeros((101, 101))
    image[50, 50] = 255
    for seed in range(5):
        blurred = EFFECTS[name](image, 1.0, np.random.default_rng(seed))
        y, x = np.indices(image.shape)
        assert blurred.sum() == pytest.approx(255, rel=1e-3)
        assert (blurred * x).sum() / 255 == pytest.approx(50, abs=0.05)
        assert (blurred * y).sum() / 255 == pytest.approx(50, abs=0.05)
        assert blurred.max() < 20


def test_motion_blur_of_a_constant_image_changes_nothing(rng):
    blurred = EFFECTS["motion_blur"](np.full((40, 50), 80.0), 1.0, rng)
    np.testing.assert_allclose(blurred, 80, rtol=1e-4)


@pytest.mark.parametrize("name", EFFECTS)
def test_black_and_white_give_grey_levels_and_no_nan(name):
    image = np.zeros((60, 80))
    image[:, 40:] = 255
    for seed in range(5):
        blurred = EFFECTS["motion_blur"](image, 1.0, np.random.default_rng(seed))
        result = EFFECTS[name](blurred, 1.0, np.random.default_rng(seed))
        assert np.isfinite(result).all() and 0 <= result.min() and result.max() <= 255


def test_sensor_noise_has_at_most_the_documented_standard_deviation():
    image = np.full((200, 200), 128.0)
    noisy = [EFFECTS["sensor_noise"](image, 1.0, np.random.default_rng(s)) for s in range(20)]
    assert 8 < np.std(noisy, axis=(1, 2)).max() < 0.045 * 255 * 1.02

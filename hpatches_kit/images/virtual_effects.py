"""Effects of scene, light and camera on an image, one function each.

They model what makes the patches of real sequences differ: scenes that are not flat, homographies
that are off by pixels, light that changes locally, haze, blur, compression. `EFFECTS` lists those
of light and camera by name, in the order in which they are applied:

    image = hk.images.photograph("coffee")
    hazy = hk.images.EFFECTS["haze"](image, 1.0, np.random.default_rng(0))

Each takes an image `(height, width)`, grey levels 0..255, a strength and a random generator, and
returns `float32 (height, width)`, grey levels 0..255. Strength 0 changes nothing, 1 is the strongest
that a virtual sequence uses. They raise UserError for strengths outside 0..2 and for other shapes.
"""

from functools import wraps
from io import BytesIO

import numpy as np
from PIL import Image
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve
from skimage.exposure import equalize_adapthist

from hpatches_kit._support.errors import UserError

MAX_STRENGTH = 2.0
EFFECTS = {}


def check_strength(name, strength, maximum=MAX_STRENGTH):
    """Raise UserError for a strength outside 0 to the maximum, or NaN."""
    if not 0 <= strength <= maximum:
        raise UserError(f"{name} has strength {strength}: expected 0 (no change) to {maximum:g}.")


def check_image(image):
    """Return a grey image as `float32 (height, width)`; UserError for another shape."""
    image = np.asarray(image, np.float32)
    if image.ndim != 2:
        raise UserError(f"The image has shape {image.shape}: expected grey, (height, width).")
    return image


def effect(function):
    """Decorate an effect: check its arguments, return the image for strength 0, list it."""

    @wraps(function)
    def checked(image, strength, rng):
        check_strength(function.__name__, strength)
        image = check_image(image)
        return function(image, strength, rng) if strength else image

    EFFECTS[function.__name__] = checked
    return checked


def random_field(shape, length, rng):
    """Draw a smooth random field `float32 (height, width)`, scaled to a maximum of 1 or -1.

    `shape` is `(height, width)`, `length` the correlation length, both in pixels.
    """
    knots = [np.arange(int(np.ceil(side / length)) + 4) for side in shape]
    spline = RectBivariateSpline(*knots, rng.normal(size=[len(k) for k in knots]))
    y, x = (1 + rng.uniform() + np.arange(side) / length for side in shape)
    field = spline(y, x)
    return (field / np.abs(field).max()).astype(np.float32)


def random_length(shortest, longest, rng):
    """Draw a correlation length in pixels, uniform in its logarithm."""
    return np.exp(rng.uniform(np.log(shortest), np.log(longest)))


def displacement(shape, strength, rng):
    """Displacement of each pixel in pixels, x then y: `float32 (2, height, width)`.

    A smooth field of up to 2.5 pixels, as of a scene that is not flat, and a shift of the whole
    image by 0.8 pixels (standard deviation), as of an inaccurate homography; both along each axis
    and multiplied by the strength.
    """
    check_strength("displacement", strength)
    length = random_length(25, 150, rng)
    field = np.stack([random_field(shape, length, rng) for _ in range(2)])
    shift = rng.normal(0, 0.8, (2, 1, 1))
    return (strength * (2.5 * field + shift)).astype(np.float32)


@effect
def shadow(image, strength, rng):
    """Darken one side of a straight edge: down to a factor of 1 - 0.7 at strength 1."""
    height, width = image.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle, edge = rng.uniform(0, 2 * np.pi), rng.uniform(-0.7, 0.7)
    sharpness = np.exp(rng.uniform(np.log(5), np.log(60)))  # 1 / width of the edge
    distance = x * np.cos(angle) + y * np.sin(angle) - edge
    dark = 1 / (1 + np.exp(sharpness * distance))
    depth = min(0.7 * strength * rng.uniform(0.3, 1), 0.95)
    return _grey(_unit(image) * (1 - depth * dark))


@effect
def local_light(image, strength, rng):
    """Multiply by one or two smooth fields, each by up to exp(0.55) at strength 1."""
    image = _unit(image)
    for _ in range(rng.integers(1, 3)):
        length = random_length(30, max(image.shape), rng)
        image = image * np.exp(0.55 * strength * random_field(image.shape, length, rng))
    return _grey(image)


@effect
def haze(image, strength, rng):
    """Reduce the contrast, by a factor down to 1 - 0.5, and add up to 0.35 of white."""
    contrast = 1 - min(0.5 * strength * rng.uniform(), 0.95)
    veil = min(0.35 * strength * rng.uniform(), 0.95)
    grey = _unit(image)
    grey = grey.mean() + contrast * (grey - grey.mean())
    return _grey(grey * (1 - veil) + veil)


@effect
def defocus(image, strength, rng):
    """Gaussian blur with a standard deviation of up to 6 pixels at strength 1."""
    return gaussian_filter(image, 6 * strength * rng.uniform(0.6, 1))


@effect
def motion_blur(image, strength, rng):
    """Average along a straight line of up to 28 pixels at strength 1; nothing is shifted."""
    length, angle = 28 * strength * rng.uniform(0.6, 1), rng.uniform(0, np.pi)
    line = np.linspace(-length / 2, length / 2, 4 * int(np.ceil(length)) + 1)
    radius = int(np.ceil(length / 2)) + 1
    offset = np.arange(-radius, radius + 1)
    # Each point of the line is shared among its four nearest pixels.
    directions = np.sin(angle), np.cos(angle)
    y, x = (np.clip(1 - np.abs(offset[:, None] - d * line), 0, 1) for d in directions)
    kernel = y @ x.T / len(line)
    blurred = fftconvolve(np.pad(image, radius, "edge"), kernel, "valid")
    return np.clip(blurred, 0, 255).astype(np.float32)  # without rounding errors below 0


@effect
def exposure(image, strength, rng):
    """Change gain and gamma: by factors of up to exp(0.8) and exp(0.9) at strength 1."""
    gain, gamma = np.exp(strength * np.array([0.8, 0.9]) * rng.uniform(-1, 1, 2))
    return _grey(gain * _unit(image) ** gamma)


@effect
def local_equalisation(image, strength, rng):
    """Blend with the locally equalised histogram (CLAHE), with weight 1 at strength 1."""
    weight = min(strength, 1.0)
    grey = np.clip(_unit(image), 0, 1)
    return _grey(grey + weight * (equalize_adapthist(grey, clip_limit=0.02) - grey))


@effect
def sensor_noise(image, strength, rng):
    """Add Gaussian noise with a standard deviation of up to 0.045 of white at strength 1."""
    sigma = 255 * 0.045 * strength * rng.uniform()
    return np.clip(image + rng.normal(0, sigma, image.shape), 0, 255).astype(np.float32)


@effect
def compression(image, strength, rng):
    """Save as JPEG and read: a quality of 95 down to 15 at strength 1."""
    picture = Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    file = BytesIO()
    picture.save(file, "jpeg", quality=max(int(95 - 80 * strength * rng.uniform()), 5))
    return np.asarray(Image.open(file), np.float32)


def _unit(image):
    return image / 255


def _grey(image):
    return np.clip(255 * image, 0, 255).astype(np.float32)

"""Virtual sequences: image sequences made from one photograph, by viewpoint or by lighting.

Image 1 is the photograph; images 2 to 6 differ from it more and more.
"""

from io import BytesIO

import numpy as np
from PIL import Image
from skimage.filters import gaussian
from skimage.transform import warp

from hpatches_kit.images.homographies import random_homography
from hpatches_kit.images.sequences import ImageSequence


def viewpoint_sequence(name, photograph, seed=0):
    """Return an `ImageSequence` that shows a photograph, like a poster, from five more viewpoints.

    Args:
        name: of the sequence, by convention `v_...`.
        photograph: `(height, width)` grey levels 0..255.
        seed: of the viewpoints, which are more and more oblique.
    """
    rng, shape = np.random.default_rng(seed), np.shape(photograph)
    homographies = [random_homography(shape, strength, rng) for strength in np.linspace(0.2, 1, 5)]
    images = [_warp(photograph, matrix) for matrix in homographies]
    return ImageSequence(name, [photograph, *images], homographies)


def lighting_sequence(name, photograph, seed=0):
    """Return an `ImageSequence` that shows a photograph from one viewpoint, under five more lights.

    Args: as for `viewpoint_sequence`; the name is by convention `i_...`.
    """
    rng = np.random.default_rng(seed)
    images = [relight(photograph, strength, rng) for strength in np.linspace(0.2, 1, 5)]
    return ImageSequence(name, [photograph, *images], np.repeat(np.eye(3)[None], 5, 0))


def _warp(photograph, homography):
    # If the homography reduces the photograph, it is blurred first, to avoid aliasing.
    height, width = photograph.shape
    y, x = np.mgrid[0 : height - 1 : 5j, 0 : width - 1 : 5j].reshape(2, -1)
    back = np.linalg.inv(homography)
    points = np.stack(
        [np.stack([x + dx, y + dy, np.ones_like(x)]) for dx, dy in ((0, 0), (1, 0), (0, 1))]
    )
    sources = back @ points
    sources = sources[:, :2] / sources[:, 2:]
    step = np.median(np.linalg.norm(sources[1:] - sources[0], axis=1))
    if step > 1:
        photograph = gaussian(photograph, 0.5 * np.sqrt(step**2 - 1), preserve_range=True)
    image = warp(photograph, back, order=3, mode="reflect", preserve_range=True)
    return np.clip(image, 0, 255).astype(np.float32)


def relight(photograph, strength, rng):
    """Simulate another light and camera: gamma, gain, gradient, shadow, blur, sensor noise, JPEG.

    Args:
        photograph: `(height, width)` grey levels 0..255.
        strength: 0 only applies JPEG at quality 95; the result of 1 is hard to match.
        rng: a `numpy.random.Generator`.

    Returns `float32 (height, width)`, whole grey levels 0..255.
    """
    height, width = photograph.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    gamma = np.exp(0.6 * strength * rng.uniform(-1, 1))
    gain = np.exp(0.5 * strength * rng.uniform(-1, 1))
    light = gain * (np.asarray(photograph, np.float32) / 255) ** gamma
    angle = rng.uniform(0, 2 * np.pi)
    light *= 1 + 0.4 * strength * rng.uniform() * (x * np.cos(angle) + y * np.sin(angle))
    angle, edge = rng.uniform(0, 2 * np.pi), rng.uniform(-0.7, 0.7)
    lit = 1 / (1 + np.exp(-30 * (x * np.cos(angle) + y * np.sin(angle) - edge)))  # with a soft edge
    light *= 1 - 0.6 * strength * rng.uniform() * (1 - lit)
    light = gaussian(light, 1.2 * strength * rng.uniform())
    light += rng.normal(0, 0.02 * strength * rng.uniform(), light.shape)
    image = Image.fromarray(np.clip(np.rint(255 * light), 0, 255).astype(np.uint8))
    file = BytesIO()
    image.save(file, "jpeg", quality=int(95 - 50 * strength * rng.uniform()))
    return np.asarray(Image.open(file), np.float32)

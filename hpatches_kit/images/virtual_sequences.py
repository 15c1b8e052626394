"""One photograph becomes image sequences: virtual viewpoints and virtual lighting.

Image 1 is the photograph itself; images 2 to 6 drift further and further away from it.
"""

from io import BytesIO

import numpy as np
from PIL import Image
from skimage.filters import gaussian
from skimage.transform import warp

from hpatches_kit.images.homographies import random_homography
from hpatches_kit.images.sequences import ImageSequence


def viewpoint_sequence(name, photograph, seed=0):
    """Look at the photograph as at a poster, from five more and more oblique places.

    Args:
        name: of the sequence, by custom `v_...`.
        photograph: `(height, width)` grey levels 0..255.
        seed: decides the viewpoints.

    Returns:
        An `ImageSequence` with random homographies of growing strength.
    """
    rng = np.random.default_rng(seed)
    shape = np.shape(photograph)
    homographies = [random_homography(shape, strength, rng) for strength in np.linspace(0.2, 1, 5)]
    images = [photograph] + [_warp(photograph, matrix) for matrix in homographies]
    return ImageSequence(name, images, homographies)


def lighting_sequence(name, photograph, seed=0):
    """The photograph from one place under five more and more different lights and cameras.

    Args and returns as for `viewpoint_sequence`, by custom `i_...`; the homographies are identities.
    """
    rng = np.random.default_rng(seed)
    images = [relight(photograph, strength, rng) for strength in np.linspace(0.2, 1, 5)]
    return ImageSequence(name, [photograph, *images], np.repeat(np.eye(3)[None], 5, 0))


def _warp(photograph, homography):
    # Where the view shrinks the photograph, blur first, or the finest detail would alias.
    height, width = photograph.shape
    y, x = np.mgrid[0 : height - 1 : 5j, 0 : width - 1 : 5j].reshape(2, -1)
    back = np.linalg.inv(homography)
    points = np.stack(
        [np.stack([x + dx, y + dy, np.ones_like(x)]) for dx, dy in ((0, 0), (1, 0), (0, 1))]
    )
    there = back @ points
    there = there[:, :2] / there[:, 2:]
    step = np.median(np.linalg.norm(there[1:] - there[0], axis=1))
    if step > 1:
        photograph = gaussian(photograph, 0.5 * np.sqrt(step**2 - 1), preserve_range=True)
    image = warp(photograph, back, order=3, mode="reflect", preserve_range=True)
    return np.clip(image, 0, 255).astype(np.float32)


def relight(photograph, strength, rng):
    """Change the light and the camera: gamma, gain, gradient, shadow, blur, sensor noise, JPEG.

    Args:
        photograph: `(height, width)` grey levels 0..255.
        strength: 0 changes nothing but what JPEG at quality 95 does, 1 is a photograph that is hard to match.
        rng: a `numpy.random.Generator`.

    Returns:
        `float32 (height, width)`, whole grey levels 0..255.
    """
    height, width = photograph.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    gamma = np.exp(0.6 * strength * rng.uniform(-1, 1))
    gain = np.exp(0.5 * strength * rng.uniform(-1, 1))
    light = gain * (np.asarray(photograph, np.float32) / 255) ** gamma

    angle = rng.uniform(0, 2 * np.pi)
    light *= 1 + 0.4 * strength * rng.uniform() * (x * np.cos(angle) + y * np.sin(angle))
    angle, edge = rng.uniform(0, 2 * np.pi), rng.uniform(-0.7, 0.7)
    lit = 1 / (1 + np.exp(-30 * (x * np.cos(angle) + y * np.sin(angle) - edge)))  # a soft edge
    light *= 1 - 0.6 * strength * rng.uniform() * (1 - lit)

    light = gaussian(light, 1.2 * strength * rng.uniform())
    light += rng.normal(0, 0.02 * strength * rng.uniform(), light.shape)
    picture = Image.fromarray(np.clip(np.rint(255 * light), 0, 255).astype(np.uint8))
    file = BytesIO()
    picture.save(file, "jpeg", quality=int(95 - 50 * strength * rng.uniform()))
    return np.asarray(Image.open(file), np.float32)

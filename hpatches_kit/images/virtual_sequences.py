"""Virtual sequences: image sequences made from one photograph, by viewpoint or by lighting.

Image 1 is the photograph. Images 2 to 6 differ from it more and more: in viewpoint, and by
the effects of `virtual_effects.py`. The strengths are set so that descriptors lose as much from easy
to tough as on real sequences; `benchmarks/virtual_views.py` compares both.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from hpatches_kit._support.errors import UserError
from hpatches_kit.images.homographies import project, random_homography
from hpatches_kit.images.sequences import ImageSequence
from hpatches_kit.images.virtual_effects import (
    EFFECTS,
    MAX_STRENGTH,
    check_image,
    check_strength,
    displacement,
)

# Greatest strength of each effect, that of image 6, in the order of application.
VIEWPOINT = {
    "homography": 0.9,
    "displacement": 1.0,
    "shadow": 0.6,
    "local_light": 0.6,
    "haze": 0.6,
    "defocus": 1.0,
    "motion_blur": 1.0,
    "exposure": 0.5,
    "local_equalisation": 1.0,
    "sensor_noise": 1.0,
    "compression": 1.0,
}
LIGHTING = VIEWPOINT | {
    "homography": 0.0,
    "displacement": 0.6,
    "shadow": 1.0,
    "local_light": 1.0,
    "haze": 1.0,
    "exposure": 1.0,
}
# The fraction of sequences that have an effect; all, if not listed.
SHARE = {"shadow": 0.6, "defocus": 0.75, "motion_blur": 0.35, "local_equalisation": 0.15}
# Real sequences differ in what changes most: each strength is multiplied by a random weight per
# sequence, and by a factor per image. Images 2 and 3 are close to image 1, image 6 is far from it.
WEIGHT = 0.25, 1.0
MAX_TILT = 1.2  # strength of the homography, beyond which an image may show the horizon
PROGRESS = 0.02, 0.1, 0.3, 0.585, 1.0


def viewpoint_sequence(name, photograph, seed=0, strengths=VIEWPOINT):
    """Return an `ImageSequence` that shows a photograph, like a poster, from five more viewpoints.

    Args:
        name: of the sequence, by convention `v_...`.
        photograph: `(height, width)` grey levels 0..255.
        seed: of all random choices.
        strengths: of the effects in image 6, `{"homography": 0.9, "defocus": 0.5, ...}`, each 0 (no
            change) to 2, and 1.2 for `"homography"`; an effect that is not named has strength 0.
            `VIEWPOINT` lists all names.

    Raises UserError for an unknown effect, a strength out of range and a photograph of another
    shape.
    """
    return _virtual_sequence(name, photograph, seed, strengths)


def lighting_sequence(name, photograph, seed=0, strengths=LIGHTING):
    """Return an `ImageSequence` that shows a photograph from one viewpoint, under five more lights.

    Arguments and errors are those of `viewpoint_sequence`; the name is by convention `i_...`.
    """
    return _virtual_sequence(name, photograph, seed, strengths)


def _virtual_sequence(name, photograph, seed, strengths):
    photograph = check_image(photograph)
    if unknown := set(strengths) - set(VIEWPOINT):
        raise UserError(
            f"Unknown effect {sorted(unknown)[0]!r}: expected some of {', '.join(VIEWPOINT)}."
        )
    for effect, strength in strengths.items():
        check_strength(effect, strength, MAX_TILT if effect == "homography" else MAX_STRENGTH)
    rng = np.random.default_rng(seed)
    weights = dict(zip(VIEWPOINT, rng.uniform(*WEIGHT, len(VIEWPOINT)))) | {"homography": 1.0}
    occurs = dict(zip(VIEWPOINT, rng.uniform(size=len(VIEWPOINT))))
    images, homographies = [photograph], []
    for progress in PROGRESS:
        current = {
            effect: strengths.get(effect, 0.0) * weights[effect] * progress
            for effect in VIEWPOINT
            if occurs[effect] < SHARE.get(effect, 1)
        }
        homography = random_homography(photograph.shape, current["homography"], rng)
        field = displacement(photograph.shape, current["displacement"], rng)
        image = warp(photograph, homography, field)
        for effect, apply in EFFECTS.items():
            image = apply(image, current.get(effect, 0.0), rng)
        images.append(np.rint(image))
        homographies.append(homography)
    return ImageSequence(name, images, homographies)


def warp(photograph, homography, field):
    """Show a photograph from another viewpoint: cubic, without aliasing, reflected at the edges.

    Pixel (x, y) of the result is the pixel of the photograph that the homography maps to it,
    displaced by `field`, `(2, height, width)`.
    """
    if not field.any() and np.array_equal(homography, np.eye(3)):
        return photograph
    y, x = np.indices(photograph.shape, np.float32)
    source = project(np.linalg.inv(homography)[None], np.stack([x.ravel(), y.ravel()], 1))
    x, y = (coordinate.reshape(photograph.shape) for coordinate in source)
    # Distance in the photograph between neighbours of the image, along its rows or its columns.
    step = max(np.median(np.hypot(np.diff(x, axis=k), np.diff(y, axis=k))) for k in (0, 1))
    if step > 1:
        photograph = gaussian_filter(photograph, 0.5 * np.sqrt(step**2 - 1))
    image = map_coordinates(photograph, [y + field[1], x + field[0]], mode="reflect")
    return np.clip(image, 0, 255).astype(np.float32)

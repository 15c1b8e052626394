"""Extraction: an image sequence becomes 65x65 patches, located by its homographies.

The steps are those of HPatches (Balntas et al., CVPR 2017, section 3): keypoints in image 1, affine
jitter of their measurement regions, projection into images 2 to 6, sampling without aliasing.
"""

import numpy as np
from skimage.transform import pyramid_gaussian

from hpatches_kit._support.compiled_loops import compiled
from hpatches_kit.images.homographies import IN_FRONT, project, scaled_to_the_front
from hpatches_kit.images.keypoints import REGION, detect_keypoints
from hpatches_kit.patches.views import SOURCE_SIZE, VIEWS

# Strength of the jitter by level. The median overlap of a jittered square region with the exact one
# is 0.85 (easy), 0.72 (hard) and 0.60 (tough).
JITTER = {"e": 0.66, "h": 1.40, "t": 2.20}
BLANK = 5.0  # a patch is blank below this standard deviation in grey levels
REGION_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)


def regions(points):
    """Return the measurement regions of keypoints as maps from the square [-1, 1] to pixels.

    `points` are `(points, 4)` x, y, scale and angle, the maps `(points, 3, 3)`. A region reaches 5
    scales to each side.
    """
    x, y, scale, angle = np.asarray(points, float).T
    cosine, sine = REGION * scale * np.cos(angle), REGION * scale * np.sin(angle)
    return _affine_maps(cosine, -sine, x, sine, cosine, y)


def _affine_maps(a, b, x, c, d, y):
    """Return `[[a, b, x], [c, d, y], [0, 0, 1]]` for each entry of the arguments, `(n, 3, 3)`."""
    return np.stack(np.broadcast_arrays(a, b, x, c, d, y, 0.0, 0.0, 1.0), 1).reshape(-1, 3, 3)


def jitter(count, level, rng):
    """Draw random affine maps of the square [-1, 1] near the identity, `(count, 3, 3)`.

    At strength 1: a rotation of up to 14 degrees, a zoom and a stretch of up to 17 % each, and a
    shift of up to 12 % of half the side. `level` is `"e"`, `"h"` or `"t"`.
    """
    amplitude = JITTER[level] * np.array([0.24, 0.16, 0.16, 0.12, 0.12])
    turn, zoom, stretch, dx, dy = amplitude[:, None] * rng.uniform(-1, 1, (5, count))
    direction = rng.uniform(0, np.pi, count)  # of the stretch

    def rotation(angle):
        return _affine_maps(np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0)

    scaling = _affine_maps(np.exp(zoom + stretch), 0, 0, 0, np.exp(zoom - stretch), 0)
    shift = _affine_maps(1, 0, dx, 0, 1, dy)
    return shift @ rotation(turn + direction) @ scaling @ rotation(-direction)


def overlap(maps, size=201):
    """Return the intersection over union of jittered regions and the exact one, `(maps,)`.

    `maps` are `(maps, 3, 3)`, as from `jitter`. Areas are counted on a grid of size x size points.
    """
    line = np.linspace(-2.5, 2.5, size)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    square = (np.abs(grid) <= 1).all(1)
    overlaps = []
    for inverse in np.linalg.inv(maps):
        moved = (np.abs(grid @ inverse[:2, :2].T + inverse[:2, 2]) <= 1).all(1)
        overlaps.append((square & moved).sum() / (square | moved).sum())
    return np.array(overlaps)


def sample(image, maps, size=SOURCE_SIZE):
    """Sample square patches of one image without aliasing.

    Args:
        image: `(height, width)` grey levels 0..255.
        maps: `(patches, 3, 3)` homographies from the square [-1, 1] to pixels of the image.
        size: side of a patch in pixels.

    Returns `uint8 (patches, size, size)`, bilinear. If the pixels of a patch are more than one
    pixel of the image apart, they are read from a level of the Gaussian pyramid where they are not.
    """
    corner_x, corner_y = project(maps, REGION_CORNERS)
    edges = np.hypot(corner_x - np.roll(corner_x, 1, 1), corner_y - np.roll(corner_y, 1, 1))
    level = np.ceil(np.log2(np.maximum(edges.max(1) / size, 1)) - 0.05).astype(int)
    deepest = int(level.max(initial=0))
    pyramid = [image]
    if deepest:
        pyramid = list(pyramid_gaussian(image, max_layer=deepest, preserve_range=True))
    patches = np.empty((len(maps), size, size), np.uint8)
    maps = scaled_to_the_front(maps)
    for k in np.unique(level):
        smooth = np.ascontiguousarray(pyramid[min(k, len(pyramid) - 1)], np.float32)
        # A pixel of the pyramid covers 2**k pixels of the image. The edges of both coincide.
        scale = np.divide(smooth.shape, image.shape).astype(np.float32)
        _sample_bilinear(smooth, maps, np.flatnonzero(level == k), scale, patches)
    return patches


@compiled()
def _sample_bilinear(image, maps, rows, scale, patches):
    """Fill these rows of `patches`; coordinates times `scale` (y, x) are pixels of `image`.

    Equals `scipy.ndimage.map_coordinates(image, ..., order=1, mode="nearest")`, without arrays of
    coordinates, which take most of its time.
    """
    half, size = np.float32(0.5), patches.shape[1]
    last_y, last_x = image.shape[0] - 1, image.shape[1] - 1
    for n in rows:
        (a, b, c), (d, e, f), (g, h, i) = maps[n]
        for row in range(size):
            v = (2 * row + 1) / size - 1
            for column in range(size):
                u = (2 * column + 1) / size - 1
                w = max(g * u + h * v + i, IN_FRONT)  # callers sample nothing behind the camera
                x = (np.float32((a * u + b * v + c) / w) + half) * scale[1] - half
                y = (np.float32((d * u + e * v + f) / w) + half) * scale[0] - half
                x = min(np.float64(x), last_x) if x > 0 else 0.0  # 0 for NaN, too
                y = min(np.float64(y), last_y) if y > 0 else 0.0
                left, top = int(x), int(y)
                right, bottom = min(left + 1, last_x), min(top + 1, last_y)
                x, y = x - left, y - top
                grey = (
                    image[top, left] * (1 - y) * (1 - x)
                    + image[top, right] * (1 - y) * x
                    + image[bottom, left] * y * (1 - x)
                    + image[bottom, right] * y * x
                )
                patches[n, row, column] = np.uint8(min(max(np.rint(np.float32(grey)), 0), 255))


def image_of_views(images):
    """Return the index of the image from which each of the 16 views is cut, `[0, 1, ...]`.

    `images` is the number of images in the sequence. With fewer than 6, they are used in turn.
    """
    return [0 if view == "ref" else 1 + (int(view[1]) - 1) % (images - 1) for view in VIEWS]


def extract(sequence, points=None, count=2000, seed=0, blank=BLANK):
    """Cut the 16 views of each point from an image sequence.

    Args:
        sequence: an `ImageSequence`. With fewer than six images, the views use them in turn.
        points: `(points, 4)` keypoints of image 1 as from `detect_keypoints`. Default: detect them.
        count: greatest number of points kept, chosen at random.
        seed: of the jitter and the choice.
        blank: a point is dropped if the standard deviation of one of its patches is below this, in
            grey levels.

    Returns `(patches, kept)`: `uint8 (n, 16, 65, 65)` and the `(n, 4)` keypoints that they show.

    A point is kept only if its jittered regions lie inside image 1 and, after projection, inside
    the images from which they are cut.
    """
    rng = np.random.default_rng(seed)
    points = np.asarray(
        detect_keypoints(sequence.images[0], seed=rng) if points is None else points, float
    )
    exact = regions(points)
    image_of_view = image_of_views(len(sequence.images))
    jittered = [exact] + [exact @ jitter(len(points), view[0], rng) for view in VIEWS[1:]]
    to_image = [np.eye(3), *sequence.homographies]
    maps = np.stack([to_image[k] @ region for k, region in zip(image_of_view, jittered)])

    inside = np.ones(len(points), bool)
    for k, region, projected in zip(image_of_view, jittered, maps):
        inside &= _inside(region, sequence.images[0]) & _inside(projected, sequence.images[k])
    order, kept = rng.permutation(np.flatnonzero(inside)), []
    patches = np.empty((0, len(VIEWS), SOURCE_SIZE, SOURCE_SIZE), np.uint8)
    while len(order) and len(patches) < count:  # more than once only after blank patches
        chunk, order = order[: count - len(patches)], order[count - len(patches) :]
        cut = np.empty((len(chunk), *patches.shape[1:]), np.uint8)
        for k, image in enumerate(sequence.images):
            views = [view for view in range(len(VIEWS)) if image_of_view[view] == k]
            sampled = sample(image, np.concatenate([maps[view, chunk] for view in views]))
            cut[:, views] = sampled.reshape(len(views), *cut[:, 0].shape).swapaxes(0, 1)
        structured = (cut.reshape(*cut.shape[:2], -1).std(2, dtype=np.float32) >= blank).all(1)
        patches, kept = np.concatenate([patches, cut[structured]]), [*kept, *chunk[structured]]
    return patches, points[kept]


def _inside(maps, image):
    height, width = image.shape
    x, y = project(maps, REGION_CORNERS)  # comparisons with NaN are false, which means outside
    return ((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)).all(1)

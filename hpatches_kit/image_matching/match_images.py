"""Match two images: the steps from two pictures to an `ImageMatches`."""

from dataclasses import dataclass
from os import PathLike

import numpy as np
from tqdm import tqdm

from hpatches_kit._support.errors import errors_about
from hpatches_kit._support.options import check_longest, check_whole_number
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.datasets.own_photographs import LONGEST
from hpatches_kit.image_matching.describe_image import (
    describe_images,
    find_descriptor,
)
from hpatches_kit.image_matching.geometry import ESTIMATORS, check_options, estimate
from hpatches_kit.image_matching.image_matches import ImageMatches
from hpatches_kit.image_matching.keypoints import as_keypoints, move_keypoints
from hpatches_kit.image_matching.neighbours import check_ratio, nearest_pairs
from hpatches_kit.images.conversion import as_grey_and_shape
from hpatches_kit.images.homographies import scaling_homography
from hpatches_kit.images.keypoints import detect_keypoints

POINTS = 1000


def match(
    image_a,
    image_b,
    descriptor="descriptor",
    keypoints_a=None,
    keypoints_b=None,
    points=POINTS,
    mutual=True,
    ratio=None,
    geometry="homography",
    estimator="ransac",
    threshold=3.0,
    seed=0,
    longest=LONGEST,
    progress=True,
):
    """Match two pictures: keypoints, descriptors, nearest neighbours, and what they agree on.

        result = hk.match("PHOTOS/coffee.png", "PHOTOS/coffee.png")
        result  # how many matches, and how many of them agree
        hk.plots.matches(result)

    Args:
        image_a, image_b: paths, images of Pillow or arrays, as for `hk.images.as_grey`.
        descriptor: the name of a pretrained network (`hk.models.pretrained()` lists them) or of a
            baseline, such as `"rootsift"`; a `keras.Model`; or any function from patches `uint8 (n,
            32, 32, 1)` to descriptors `(n, dim)`. A model of 65x65 patches gets these.
        keypoints_a, keypoints_b: `(n, 4)` x, y, scale (Gaussian sigma) in pixels of the picture and
            angle in radians, or a list of `cv2.KeyPoint`. Default: the strongest that the kit
            detects.
        points: greatest number of detected keypoints per picture.
        mutual, ratio: tests that a match must pass, see `hk.image_matching.nearest_pairs`.
        geometry, estimator, threshold: see `hk.image_matching.estimate`. The threshold is in pixels
            of the second image, reduced if it is larger than `longest`.
        seed: of the random samples of the estimator.
        longest: a larger picture is matched at this number of pixels along its longer side.
            Keypoints and matrix always refer to the picture at its full size. None: no limit.
        progress: show a bar if it takes more than two seconds.

    Returns `ImageMatches`. Without keypoints, with too few matches, and if no more matches agree
    than by chance, it has no matrix, and its `reason` says why.

    Raises UserError for pictures that cannot be used, keypoints of another shape or outside the
    picture, a descriptor that does not return vectors, and options out of range; ImportError for
    MAGSAC without OpenCV.
    """
    check_options(geometry, estimator, threshold, seed)
    check_ratio(ratio)
    check_whole_number("points", points, 1)
    check_longest(longest)
    with tqdm(total=4, desc="Reading", disable=not progress, delay=2, leave=False) as bar:
        pictures = [
            _read_picture(image, longest, f"the picture {letter}")
            for image, letter in ((image_a, "A"), (image_b, "B"))
        ]
        model = find_descriptor(descriptor)
        _advance(bar, "Detecting keypoints")
        detected = parallel_map(
            lambda pair: _keypoints(*pair, points),
            zip(pictures, (keypoints_a, keypoints_b)),
            "Detecting keypoints",
            progress=False,
        )
        _advance(bar, "Describing keypoints")
        images = tuple(picture.grey for picture in pictures)
        descriptors = describe_images(images, detected, {"": model})[""]
        _advance(bar, "Matching")
        pairs, distances = nearest_pairs(*descriptors, mutual, ratio)
        xy = [keypoints[rows, :2] for keypoints, rows in zip(detected, pairs.T)]
        options = geometry, estimator, threshold, seed
        matrix, inliers, reason = estimate(*xy, images[1].shape, *options)
        bar.update()
    counts = map(len, detected)
    empty = [
        (picture.name, given)
        for picture, given, count in zip(pictures, (keypoints_a, keypoints_b), counts)
        if not count
    ]
    if empty:
        reason = f"{' and '.join(name for name, _ in empty)} without keypoints"
        if all(given is None for _, given in empty):
            reason += ": blank, blurred or very small"
    return ImageMatches(
        images=images,
        shapes=tuple(picture.shape for picture in pictures),
        keypoints=tuple(map(_Picture.to_full_size, pictures, detected)),
        pairs=pairs,
        distances=distances,
        inliers=inliers,
        matrix=None if matrix is None else _matrix_of_full_size(matrix, geometry, *pictures),
        geometry=geometry,
        estimator=f"{ESTIMATORS[estimator]}, {threshold:g} px",
        reason=reason,
    )


@dataclass(frozen=True)
class _Picture:
    """A grey image, and the `(height, width)` of the picture before it was reduced."""

    grey: np.ndarray
    shape: tuple
    name: str

    @property
    def enlarging(self):
        """The map of pixels from the grey image to the full size, `(3, 3)`."""
        return scaling_homography(self.grey.shape, self.shape)

    def to_full_size(self, keypoints):
        return move_keypoints(keypoints, self.enlarging)

    def from_full_size(self, keypoints):
        return move_keypoints(keypoints, np.linalg.inv(self.enlarging))


def _read_picture(image, longest, name):
    if isinstance(image, str | PathLike):
        return _Picture(*as_grey_and_shape(image, longest), str(image))  # errors name the file
    with errors_about(name):
        return _Picture(*as_grey_and_shape(image, longest), name)


def _keypoints(picture, keypoints, points):
    """Keypoints of the grey image, `(n, 4)`, detected or given."""
    if keypoints is None:
        with errors_about(picture.name):
            return detect_keypoints(picture.grey, strongest=points)
    return picture.from_full_size(as_keypoints(keypoints, picture.shape, picture.name))


def _matrix_of_full_size(matrix, geometry, picture_a, picture_b):
    back, forth = np.linalg.inv(picture_a.enlarging), picture_b.enlarging
    if geometry == "fundamental":  # which maps points to lines
        forth = np.linalg.inv(forth).T
    return forth @ matrix @ back


def _advance(bar, title):
    bar.update()
    bar.set_description(title)

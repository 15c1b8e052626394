"""A descriptor of this kit in a program that uses OpenCV: `Extractor` replaces `cv2.SIFT_create()`.

    import cv2

    image = cv2.imread("PHOTOS/coffee.png")
    keypoints, descriptors = hk.opencv.Extractor("rootsift").detectAndCompute(image, None)

OpenCV is imported when a function is called that needs it.
"""

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.optional import import_opencv
from hpatches_kit._support.options import check_positive, check_whole_number
from hpatches_kit.image_matching.describe_image import (
    cut_patches,
    describe_patches,
    find_descriptor,
    takes_originals,
)
from hpatches_kit.image_matching.keypoints import SIZE, from_opencv, is_inside
from hpatches_kit.images.conversion import as_grey
from hpatches_kit.images.keypoints import REGION, detect_keypoints
from hpatches_kit.patches.views import PATCH_SIZE, SOURCE_SIZE


class Extractor:
    """Detect and describe keypoints with the methods and names of OpenCV's `cv2.Feature2D`.

    Images are those of `cv2.imread`: `(height, width)` or `(height, width, 3)` in BGR. Matchers
    such as `cv2.BFMatcher(extractor.defaultNorm())` take the descriptors.

    Args:
        model: as `descriptor` of `hk.match`.
        region: side of a patch in units of `keypoint.size`. The default, 5, is that of the training
            for keypoints of SIFT, whose size is twice the scale. The size of an ORB keypoint is
            already that of its region: use 1.
        points: greatest number of keypoints that `detect` returns.

    Raises UserError for an unknown name, and for a region or number of points of 0 or less.
    """

    def __init__(self, model="descriptor", region=2 * REGION / SIZE, points=1000):
        check_positive("region", region, "the side of a patch")
        check_whole_number("points", points, 1)
        self.model, self.points = find_descriptor(model), points
        self.size = 2 * REGION / region  # `keypoint.size` in units of the scale
        self.dim = None

    def detect(self, image, mask=None):
        """Return the keypoints of the kit as a tuple of `cv2.KeyPoint`, strongest first.

        `mask` is `(height, width)`; keypoints where it is 0 are left out. Raises UserError for an
        image that is too small or has another shape, and for a mask of another shape.
        """
        cv2 = import_opencv("cv2.KeyPoint")
        grey = _grey(image)
        keypoints = detect_keypoints(grey, strongest=self.points)
        if mask is not None:
            if np.shape(mask) != grey.shape:
                raise UserError(f"The mask has shape {np.shape(mask)}: expected {grey.shape}.")
            x, y = np.rint(keypoints[:, :2]).astype(int).T
            keypoints = keypoints[np.asarray(mask)[y, x] != 0]
        return tuple(
            cv2.KeyPoint(x, y, self.size * scale, np.degrees(angle) % 360)
            for x, y, scale, angle in keypoints.tolist()
        )

    def compute(self, image, keypoints):
        """Describe keypoints: `(keypoints, descriptors)`, a tuple and `float32 (n, dim)`.

        As in OpenCV, keypoints that cannot be described are left out: those outside the image, or
        without a size. The region of others may reach beyond it, where the nearest pixel is used. A
        keypoint without an angle (-1) is described upright. Without keypoints, the descriptors are
        None. Raises UserError for anything but a list of `cv2.KeyPoint`, and for an image of
        another shape.
        """
        grey = _grey(image)
        try:
            keypoints = tuple(keypoints)
            points = from_opencv(keypoints, self.size)
        except (TypeError, AttributeError) as error:
            raise UserError("The keypoints are not a list of cv2.KeyPoint.") from error
        usable = is_inside(points, grey.shape) & (points[:, 2] > 0)
        if not usable.any():
            return (), None
        patches = cut_patches(grey, points[usable], takes_originals(self.model))
        kept = tuple(point for point, keep in zip(keypoints, usable) if keep)
        return kept, describe_patches(patches, self.model)

    def detectAndCompute(self, image, mask=None):
        """Detect keypoints and describe them, see `detect` and `compute`."""
        return self.compute(image, self.detect(image, mask))

    def descriptorSize(self):
        """Number of elements of a descriptor."""
        if self.dim is None:
            side = SOURCE_SIZE if takes_originals(self.model) else PATCH_SIZE
            blank = np.zeros((1, side, side, 1), np.uint8)
            self.dim = describe_patches(blank, self.model).shape[1]
        return self.dim

    def descriptorType(self):
        """OpenCV's type of the elements: `cv2.CV_32F`."""
        return import_opencv("The type of descriptors").CV_32F

    def defaultNorm(self):
        """OpenCV's norm for distances: `cv2.NORM_L2`."""
        return import_opencv("The norm of descriptors").NORM_L2


def _grey(image):
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] >= 3:
        image = image[..., 2::-1]  # BGR, or BGR and transparency, to RGB
    return as_grey(image)

"""`ImageMatches`: the result of matching two images."""

from dataclasses import dataclass

import numpy as np

from hpatches_kit._support.units import format_count
from hpatches_kit.image_matching.geometry import NAMES


@dataclass(frozen=True, eq=False, repr=False)
class ImageMatches:
    """Matches of two images, and the matrix that most of them agree with.

    Coordinates are pixels of the pictures that were given, upright and before any reduction: x,
    then y; the centre of the first pixel is (0, 0).

    Attributes:
        images: the two grey images that were matched, `(height, width)`, grey levels 0..255;
            smaller than the pictures if these were reduced.
        shapes: `(height, width)` of the two pictures.
        keypoints: the keypoints of both, `(n, 4)` x, y, scale and angle each.
        pairs: `int (matches, 2)`, rows of the two keypoints of each match.
        distances: `(matches,)`, Euclidean distances of their descriptors.
        inliers: booleans `(matches,)`, the matches that agree with the matrix.
        matrix: `(3, 3)` or None. A homography maps points of the first picture to the second; a
            fundamental matrix maps them to their epipolar lines there.
        geometry: `"homography"` or `"fundamental"`.
        estimator: its name and threshold in words.
        reason: why there is no match or no matrix; `""` if there is a matrix.
    """

    images: tuple
    shapes: tuple
    keypoints: tuple
    pairs: np.ndarray
    distances: np.ndarray
    inliers: np.ndarray
    matrix: np.ndarray | None
    geometry: str
    estimator: str
    reason: str = ""

    @property
    def points_a(self):
        """Points of the first picture, `(matches, 2)` x, y; row i matches row i of `points_b`."""
        return self.keypoints[0][self.pairs[:, 0], :2]

    @property
    def points_b(self):
        """Points of the second picture, `(matches, 2)` x, y."""
        return self.keypoints[1][self.pairs[:, 1], :2]

    @property
    def counts(self):
        """`{"keypoints_a": .., "keypoints_b": .., "matches": .., "inliers": ..}`."""
        keypoints = {f"keypoints_{k}": len(points) for k, points in zip("ab", self.keypoints)}
        return {**keypoints, "matches": len(self.pairs), "inliers": int(self.inliers.sum())}

    def __repr__(self):
        a, b, count, inliers = self.counts.values()
        matches, keypoints = format_count(count, "match", "matches"), f"{a:,} and {b:,} keypoints"
        agree = f"{inliers:,} agree with one {NAMES[self.geometry]} ({self.estimator})"
        return f"{matches} of {keypoints}; {self.reason or agree}"

"""The homography or fundamental matrix of two images, from matches of which many are wrong."""

import warnings

import numpy as np
from scipy.special import gammaln
from skimage.measure import ransac
from skimage.transform import FundamentalMatrixTransform, ProjectiveTransform

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.optional import import_opencv
from hpatches_kit._support.options import check_positive, check_whole_number
from hpatches_kit._support.units import format_count
from hpatches_kit.image_matching.eight_points import second_fundamental_matrix
from hpatches_kit.images.homographies import is_singular

NAMES = {"homography": "homography", "fundamental": "fundamental matrix"}
FEWEST = {"homography": 4, "fundamental": 8}  # matches that determine the matrix
ESTIMATORS = {"ransac": "RANSAC of scikit-image", "magsac": "MAGSAC++ of OpenCV"}
TRANSFORMS = {"homography": ProjectiveTransform, "fundamental": FundamentalMatrixTransform}
CONFIDENCE = 0.999  # probability of at least one sample without wrong matches
# Enough for this confidence if a quarter of the matches is right; for a fundamental matrix, a half.
MOST_SAMPLES = 2000
PLANE_SAMPLES = 200  # enough for a plane that half of the inliers show
FAR = 3  # thresholds; a point of the plane that is located badly is nearer
ON_LINE = 1e-6  # pixels: rounding errors of points on a line
REFITS = 5  # at most, of the matrix to its inliers


def estimate(xy_a, xy_b, shape_b, geometry="homography", estimator="ransac", threshold=3, seed=0):
    """Estimate the matrix that most matches agree with.

    Args:
        xy_a, xy_b: `(matches, 2)` points x, y of the first and the second image, in pixels.
        shape_b: `(height, width)` of the second image.
        geometry: `"homography"`, for a flat scene or a camera that only rotates; or
            `"fundamental"`, for any other scene.
        estimator: `"ransac"` (Fischler & Bolles 1981) of scikit-image, whose result is fitted again
            to its inliers; or `"magsac"` (MAGSAC++, Barath et al., CVPR 2020) of OpenCV.
        threshold: a match is an inlier up to this distance in pixels: of the point from where the
            homography maps the other one, or from the epipolar line (Sampson distance).
        seed: of the random samples.

    Returns `(matrix, inliers, reason)`: `(3, 3)` or None, booleans `(matches,)`, and why there is
    no matrix, or `""`. A matrix is also refused if as many inliers are expected by chance, if they
    lie at too few places, and if they do not determine it: those on one line, and for a fundamental
    matrix also those on one plane. Raises UserError for unknown names, a threshold of 0 or less and
    a negative seed, ImportError for MAGSAC without OpenCV.
    """
    check_options(geometry, estimator, threshold, seed)
    none, fewest, name = np.zeros(len(xy_a), bool), FEWEST[geometry], NAMES[geometry]
    matches = format_count(len(xy_a), "match", "matches")
    if len(xy_a) < fewest:
        advice = "use more keypoints, or pictures that show more of the same"
        return None, none, f"{matches}: a {name} needs {fewest} or more; {advice}"
    xy_a, xy_b = np.array(xy_a, float), np.array(xy_b, float)
    fit = {"ransac": _ransac, "magsac": _magsac}[estimator]
    matrix, inliers = fit(xy_a, xy_b, geometry, threshold, seed)
    # Matches that share a point, or are closer than the threshold, support a matrix only once.
    cells = np.round(np.hstack([xy_a, xy_b]) / threshold)
    places = 0 if matrix is None else min(_count(cells[inliers, :2]), _count(cells[inliers, 2:]))
    if places < fewest or _is_undetermined(matrix, xy_a[inliers], xy_b[inliers], geometry):
        return None, none, f"no {name} fits {fewest} of {matches} at different places"
    if log_false_alarms(places, _count(cells), shape_b, geometry, threshold) >= 0:
        agreement = f"{inliers.sum()} of {matches} agree with one {name}"
        return None, none, f"{agreement}, no more than expected by chance"
    if geometry == "fundamental" and not _is_determined(xy_a, xy_b, inliers, shape_b, threshold):
        agreement = f"{inliers.sum()} of {matches} agree with more than one {name}"
        cause = "as for a flat scene, or a camera that only rotates"
        return None, none, f"{agreement}, {cause}: use geometry='homography'"
    return matrix, inliers, ""


def check_options(geometry, estimator, threshold, seed):
    """Raise the errors of `estimate`."""
    if not isinstance(geometry, str) or geometry not in TRANSFORMS:
        raise UserError(f"Unknown geometry {geometry!r}: expected 'homography' or 'fundamental'.")
    if not isinstance(estimator, str) or estimator not in ESTIMATORS:
        raise UserError(f"Unknown estimator {estimator!r}: expected 'ransac' or 'magsac'.")
    check_positive("threshold", threshold, "a distance in pixels")
    check_whole_number("seed", seed, 0)
    if estimator == "magsac":
        import_opencv("MAGSAC")


def log_false_alarms(inliers, matches, shape, geometry, threshold, sample=None):
    """Return log10 of the expected number of matrices with so many inliers among random matches.

    From 0 on, chance explains the inliers. Random matches are uniform in the second image, of
    `shape`. `sample` matches determine a matrix; default: those of `FEWEST`. Reference: Moisan,
    Moulon & Monasse, Automatic Homographic Registration of a Pair of Images, with A Contrario
    Elimination of Outliers, IPOL 2012.
    """
    height, width = shape
    sample, area = sample or FEWEST[geometry], height * width
    # The fraction of the image that is within the threshold of a point, or of a line.
    near = np.pi * threshold**2 if geometry == "homography" else 2 * threshold * np.hypot(*shape)
    chance = min(near / area, 1)

    def log_binomial(n, k):
        return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)

    log = (
        np.log(max(matches - sample, 1))
        + log_binomial(matches, inliers)
        + log_binomial(inliers, sample)
        + (inliers - sample) * np.log(chance)
    )
    return log / np.log(10)


def _count(rows):
    """The number of distinct rows."""
    return len(np.unique(rows, axis=0))


def _is_undetermined(matrix, xy_a, xy_b, geometry):
    """Whether a matrix is not finite, or a homography has no inverse or inliers on one line."""
    if geometry == "fundamental":  # which has no inverse
        return not np.isfinite(matrix).all()
    return is_singular(matrix) or _on_one_line(xy_a) or _on_one_line(xy_b)


def _on_one_line(xy):
    """Whether points, `(n, 2)`, are closer than `ON_LINE` pixels to one line on average."""
    singular_values = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
    return singular_values[-1] < ON_LINE * np.sqrt(len(xy))


def _is_determined(xy_a, xy_b, inliers, shape_b, threshold):
    """Whether the inliers of a fundamental matrix exclude every other one.

    Points on a plane or line agree with many matrices. Any two more matches select one of these, so
    more than two must agree with it, and more than by chance.
    """
    _, of_plane = _ransac(xy_a[inliers], xy_b[inliers], "homography", threshold, 0, PLANE_SAMPLES)
    flat = inliers.copy()
    if of_plane is not None and of_plane.sum() >= FEWEST["fundamental"]:
        flat[inliers] = of_plane
    for _ in range(REFITS):  # wrong matches among the inliers are left out step by step
        other = second_fundamental_matrix(xy_a[flat], xy_b[flat])
        residuals = FundamentalMatrixTransform(matrix=other).residuals(xy_a, xy_b)
        decisive = ~(residuals <= FAR * threshold)
        flat = inliers & ~decisive
        if flat.sum() < FEWEST["fundamental"]:
            break
    agree, decide = (inliers & decisive).sum(), decisive.sum()
    options = {"geometry": "fundamental", "threshold": threshold, "sample": 2}
    return agree > 2 and log_false_alarms(agree, decide, shape_b, **options) < 0


def _ransac(xy_a, xy_b, geometry, threshold, seed, samples=MOST_SAMPLES):
    data, transform = (xy_a, xy_b), TRANSFORMS[geometry]
    options = {"stop_probability": CONFIDENCE, "max_trials": samples, "rng": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a matrix that cannot be estimated is handled by callers
        model, inliers = ransac(data, transform, FEWEST[geometry], threshold, **options)
        for _ in range(REFITS if model else 0):
            agree = model.residuals(*data) < threshold
            if agree.sum() < inliers.sum() or np.array_equal(agree, inliers):
                break
            refit = _fit(transform, xy_a[agree], xy_b[agree])
            if not refit:
                break
            model, inliers = refit, agree
    return (np.asarray(model.params), inliers) if model else (None, None)


def _fit(transform, xy_a, xy_b):
    """Fit a transform of scikit-image to all points; what it returns is false if this fails."""
    if hasattr(transform, "from_estimate"):  # since version 0.26
        return transform.from_estimate(xy_a, xy_b)
    model = transform()
    return model.estimate(xy_a, xy_b) and model


def _magsac(xy_a, xy_b, geometry, threshold, seed):
    cv2 = import_opencv("MAGSAC")
    settings = cv2.UsacParams()
    settings.threshold, settings.confidence = threshold, CONFIDENCE
    settings.maxIterations = 10 * MOST_SAMPLES
    settings.randomGeneratorState = seed % 2**31  # which takes 32 bits with a sign
    settings.score, settings.loMethod = cv2.SCORE_METHOD_MAGSAC, cv2.LOCAL_OPTIM_SIGMA
    settings.sampler, settings.final_polisher = cv2.SAMPLING_UNIFORM, cv2.MAGSAC
    find = {"homography": cv2.findHomography, "fundamental": cv2.findFundamentalMat}[geometry]
    matrix, _ = find(xy_a, xy_b, settings)
    if matrix is None:
        return None, None
    residuals = TRANSFORMS[geometry](matrix=matrix).residuals(xy_a, xy_b)
    return matrix, residuals <= threshold

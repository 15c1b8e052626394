"""The homography or fundamental matrix of two images, from matches of which many are wrong."""

import warnings

import numpy as np
from scipy.special import gammaln
from skimage.measure import ransac
from skimage.transform import FundamentalMatrixTransform, ProjectiveTransform

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.optional import import_opencv
from hpatches_kit.images.homographies import is_singular

NAMES = {"homography": "homography", "fundamental": "fundamental matrix"}
FEWEST = {"homography": 4, "fundamental": 8}  # matches that determine the matrix
ESTIMATORS = {"ransac": "RANSAC of scikit-image", "magsac": "MAGSAC++ of OpenCV"}
TRANSFORMS = {"homography": ProjectiveTransform, "fundamental": FundamentalMatrixTransform}
CONFIDENCE = 0.999  # probability of at least one sample without wrong matches
# Enough for this confidence if a quarter of the matches is right; for a fundamental matrix, a half.
MOST_SAMPLES = 2000
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
    no matrix, or `""`. A matrix is also refused if it is singular (a homography), and if as many
    inliers are expected by chance. Raises UserError for unknown names and a threshold of 0 or less, ImportError for MAGSAC without OpenCV.
    """
    check_options(geometry, estimator, threshold)
    none, fewest, name = np.zeros(len(xy_a), bool), FEWEST[geometry], NAMES[geometry]
    if len(xy_a) < fewest:
        return None, none, f"{len(xy_a)} matches: a {name} needs {fewest} or more"
    xy_a, xy_b = np.array(xy_a, float), np.array(xy_b, float)
    fit = {"ransac": _ransac, "magsac": _magsac}[estimator]
    matrix, inliers = fit(xy_a, xy_b, geometry, threshold, seed)
    # Matches that share a point, as without the mutual test, support a matrix only once.
    distinct = 0 if matrix is None else min(_count(xy_a[inliers]), _count(xy_b[inliers]))
    if distinct < fewest or (geometry == "homography" and is_singular(matrix)):
        return None, none, f"no {name} fits {fewest} of {len(xy_a)} matches"
    if log_false_alarms(distinct, len(xy_a), shape_b, geometry, threshold) >= 0:
        agreement = f"{inliers.sum()} of {len(xy_a)} matches agree with one {name}"
        return None, none, f"{agreement}, no more than expected by chance"
    return matrix, inliers, ""


def check_options(geometry, estimator, threshold):
    """Raise the errors of `estimate`."""
    if geometry not in TRANSFORMS:
        raise UserError(f"Unknown geometry {geometry!r}: expected 'homography' or 'fundamental'.")
    if estimator not in ESTIMATORS:
        raise UserError(f"Unknown estimator {estimator!r}: expected 'ransac' or 'magsac'.")
    if not threshold > 0:
        raise UserError(f"{threshold=}: expected a distance greater than 0, in pixels.")
    if estimator == "magsac":
        import_opencv("MAGSAC")


def log_false_alarms(inliers, matches, shape, geometry, threshold):
    """Return log10 of the expected number of matrices with so many inliers among random matches.

    From 0 on, chance explains the inliers. Random matches are uniform in the second image, of
    `shape`. Reference: Moisan, Moulon & Monasse, Automatic Homographic Registration of a Pair of
    Images, with A Contrario Elimination of Outliers, IPOL 2012.
    """
    height, width = shape
    sample, area = FEWEST[geometry], height * width
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


def _count(xy):
    """The number of distinct points of `(n, 2)`."""
    return len(np.unique(xy, axis=0))


def _ransac(xy_a, xy_b, geometry, threshold, seed):
    data, transform = (xy_a, xy_b), TRANSFORMS[geometry]
    options = {"stop_probability": CONFIDENCE, "max_trials": MOST_SAMPLES, "rng": seed}
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
    settings.maxIterations, settings.randomGeneratorState = 10 * MOST_SAMPLES, seed
    settings.score, settings.loMethod = cv2.SCORE_METHOD_MAGSAC, cv2.LOCAL_OPTIM_SIGMA
    settings.sampler, settings.final_polisher = cv2.SAMPLING_UNIFORM, cv2.MAGSAC
    find = {"homography": cv2.findHomography, "fundamental": cv2.findFundamentalMat}[geometry]
    matrix, _ = find(xy_a, xy_b, settings)
    if matrix is None:
        return None, None
    residuals = TRANSFORMS[geometry](matrix=matrix).residuals(xy_a, xy_b)
    return matrix, residuals <= threshold

"""Compare the descriptors of patches that were dealt twice."""

import numpy as np

from hpatches_kit.course.challenge.dealing.secret_order import control_pairs

SAME = 0.05  # of the median distance between different patches; rounding gives 0.0001
AT_LEAST = 0.9  # of the controls


def depends_on_pixels_alone(values, rows):
    """Whether identical patches have the same descriptor, as for every function of the pixels.

    Args:
        values: `float32 (dealt, dim)`.
        rows: see `dealt_rows`.
    """
    first, second = control_pairs(rows).T
    distance = _norms(values[first] - values[second])
    other = np.median(_norms(values[first] - np.roll(values[second], 1, axis=0)))
    return bool((distance <= SAME * other).mean() >= AT_LEAST)


def _norms(differences):
    return np.linalg.norm(differences.astype(np.float64), axis=1)

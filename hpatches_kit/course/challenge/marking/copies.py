"""Find submissions that are copies of each other, also after a rotation, a change of scale, or noise.

Such changes keep the distances between patches, so distances are compared.
"""

import numpy as np

from hpatches_kit.course.challenge.dealing.secret_order import secret_order

SAMPLE = 150  # patches; 11,175 distances
# Correlation of the distances. Noise of a tenth of the norm of a descriptor leaves 0.995; two
# trainings of one network that differ only in the seed have 0.9. Different reductions of the pixels,
# such as smaller patches and principal components, have up to 0.988.
COPY = 0.99


def distance_profile(values, secret):
    """Return the distances between secret patches at mean 0 and norm 1, `float32 (pairs,)`.

    `values` are `float32 (dealt, dim)`. Constant descriptors give zeros.
    """
    sample = values[secret_order(secret, "copies", len(values))[:SAMPLE]].astype(np.float64)
    squares = (sample**2).sum(axis=1)
    squared = squares[:, None] + squares - 2 * sample @ sample.T
    distances = np.sqrt(np.maximum(squared, 0))[np.triu_indices(len(sample), 1)]
    distances -= distances.mean()
    return (distances / max(np.linalg.norm(distances), 1e-12)).astype(np.float32)


def find_copies(profiles):
    """Return for each profile the positions of the others that are almost the same."""
    profiles = np.stack(profiles)
    similar = profiles @ profiles.T > COPY
    np.fill_diagonal(similar, False)
    return [np.flatnonzero(row).tolist() for row in similar]

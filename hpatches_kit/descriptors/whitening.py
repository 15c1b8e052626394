"""Whitening and power-law normalisation of descriptors, learned from other sequences."""

import warnings

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.patches.views import view_index

RELATIVE_ZERO = 1e-12  # eigenvalues below this fraction of the largest are rounding errors


def pca_power_law(descriptors, train, clip=0.6, power=0.5, name=None):
    """Whiten, then apply power-law normalisation; improves hand-crafted descriptors such as SIFT.

        train, _, test = patches.split()
        train, test = (hk.describe(hk.baselines.sift, side) for side in (train, test))
        hk.benchmark.evaluate(hk.descriptors.pca_power_law(test, train))

    The steps are those of `--pcapl` in the official Python tool:

    1. compute `W = whitening(train, clip)`;
    2. subtract from the descriptors of each image (one view of one sequence) their own mean;
    3. multiply by `W`;
    4. replace each number `x` by `sign(x) * abs(x) ** power`;
    5. divide each row by its norm.

    A row that is zero after step 4 stays zero, where the official tool gives NaN. This happens to a
    descriptor that equals the mean of its image, for example if the image has only one point.

    Args:
        descriptors, train: `Descriptors` by one model, of different sequences.
        clip: see `whitening`.
        power: exponent; 1 leaves the whitened numbers unchanged.
        name: for tables and figures; default: the old name with `_pcapl`.

    Returns new `Descriptors`. Raises UserError when the dimensions differ, when either is empty,
    and when `clip` or `power` is out of range. Warns when a sequence is in both.

    References: Balntas et al., HPatches, CVPR 2017; for the power: Arandjelovic & Zisserman, Three
    Things Everyone Should Know to Improve Object Retrieval, CVPR 2012.
    """
    if not len(descriptors):
        raise UserError("There are no descriptors to normalise.")
    dim, train_dim = descriptors.values.shape[2], train.values.shape[2]
    if dim != train_dim:
        raise UserError(
            f"The descriptors have dimension {dim}, those of train {train_dim}: expected the same."
        )
    if not power > 0:
        raise UserError(f"{power=}: expected more than 0.")
    shared = sorted(set(descriptors.names) & set(train.names))
    if shared:
        warnings.warn(
            f"{len(shared)} of {len(descriptors.names)} sequences, {shared[0]!r} first, are also in"
            " train: the whitening is learned from them, and scores will be too high.",
            stacklevel=2,
        )
    matrix = whitening(train, clip)
    values = np.empty_like(descriptors.values)
    for rows in _sequence_rows(descriptors):
        for view in range(values.shape[1]):  # one image at a time, in double precision
            image = descriptors.values[rows, view].astype(np.float64)
            image = (image - image.mean(axis=0)) @ matrix
            image = np.sign(image) * np.abs(image) ** power
            norm = np.linalg.norm(image, axis=1, keepdims=True)
            values[rows, view] = image / np.where(norm > 0, norm, 1)
    name = name or f"{descriptors.name}_pcapl"
    return Descriptors(
        values, descriptors.sequence, descriptors.label, descriptors.flat, name, descriptors.kind
    )


def whitening(train, clip=0.6):
    """The whitening matrix: it makes the numbers of a descriptor uncorrelated, with variance 1.

    `W = V diag(1 / sqrt(eigenvalues)) V'`, from the covariance of the reference views. Eigenvalues
    below the one at position `int(clip * dim)`, counted from the smallest, are raised to it. With
    0.6, the 60% of the directions with the least variance, which is mostly noise, all get the same
    factor. The rotation back by `V'` (ZCA instead of PCA) changes no distance by itself, but it
    matters for the power law that follows, which works on each number separately.

    Eigenvalues that are zero up to rounding are raised at least to the smallest one that is not.
    When all descriptors are equal, `W` is the identity.

    Args:
        train: `Descriptors`.
        clip: fraction of the eigenvalues that are raised, 0 or more and below 1.

    Returns `float64 (dim, dim)`, symmetric. Raises UserError when `train` is empty and when `clip`
    is out of range.

    Reference, for the raised eigenvalues: Hua, Brown & Winder, Discriminant Embedding for Local
    Image Descriptors, ICCV 2007.
    """
    if not len(train):
        raise UserError("There are no descriptors to learn the whitening from.")
    if not 0 <= clip < 1:
        raise UserError(f"{clip=}: expected 0 or more and less than 1.")
    dim, column = train.values.shape[2], view_index("ref")
    total, covariance = np.zeros(dim), np.zeros((dim, dim))
    for rows in _sequence_rows(train):
        total += train.values[rows, column].sum(axis=0, dtype=np.float64)
    mean = total / len(train)
    for rows in _sequence_rows(train):
        centred = train.values[rows, column] - mean
        covariance += centred.T @ centred
    eigenvalues, vectors = np.linalg.eigh(covariance / len(train))  # ascending
    nonzero = eigenvalues[eigenvalues > RELATIVE_ZERO * eigenvalues[-1]]
    smallest = nonzero[0] if eigenvalues[-1] > 0 else 1.0
    eigenvalues = np.maximum(eigenvalues, max(eigenvalues[int(clip * dim)], smallest))
    return vectors / np.sqrt(eigenvalues) @ vectors.T


def _sequence_rows(descriptors):
    for name in descriptors.names:
        start = descriptors.start[name]
        yield slice(start, start + descriptors.lengths[name])

"""Descriptors made comparable after the fact: whitening and the power law, learnt from others."""

import warnings

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.patches.views import view_index

NOTHING = 1e-12  # a smaller share of the largest eigenvalue is rounding, not variance


def pca_power_law(descriptors, train, clip=0.6, power=0.5, name=None):
    """Whiten, take a signed power, scale to length 1: what lifts SIFT towards the learned.

    As `--pcapl` of the official Python tool does it:

    1. `W = whitening(train, clip)`;
    2. the descriptors of each image, that is one view of one sequence, minus their own mean;
    3. times `W`;
    4. `x` becomes `sign(x) * abs(x) ** power`;
    5. each row divided by its length.

    A row of zeros after step 4 stays zeros (the official tool's NaN, put to 0): a descriptor that
    is exactly the mean of its image, as where an image has one point or all its descriptors are
    equal. A descriptor of zeros, like SIFT of a blank patch, is not one of those.

    Args:
        descriptors: `Descriptors` to normalise.
        train: `Descriptors` of other sequences, by the same model.
        clip: share of the eigenvalues that are lifted, see `whitening`.
        power: exponent; 1 leaves the whitened numbers as they are.
        name: for tables and figures; default: the old name and `_pcapl`.

    Returns:
        New `Descriptors` of the same points.

    Raises UserError for descriptors of another length than those of `train`, where either is
    empty, and for `clip` or `power` out of range. Warns when a sequence is in both.

    References: Balntas et al., HPatches, CVPR 2017; the power: Arandjelovic & Zisserman, Three
    Things Everyone Should Know to Improve Object Retrieval, CVPR 2012.

        train, test = (hk.describe(hk.baselines.sift, part) for part in data.split())
        hk.benchmark.evaluate(hk.descriptors.pca_power_law(test, train))
    """
    if not len(descriptors):
        raise UserError("There is no descriptor to normalise.")
    dim, train_dim = descriptors.values.shape[2], train.values.shape[2]
    if dim != train_dim:
        raise UserError(f"Descriptors have {dim} numbers, those to learn from {train_dim}.")
    if not power > 0:
        raise UserError(f"{power=}: expected more than 0.")
    shared = sorted(set(descriptors.names) & set(train.names))
    if shared:
        warnings.warn(
            f"{len(shared)} of {len(descriptors.names)} sequences, {shared[0]!r} first, are also"
            " those that the whitening is learnt from: scores will look better than they are.",
            stacklevel=2,
        )
    matrix = whitening(train, clip)
    values = np.empty_like(descriptors.values)
    for rows in _sequences(descriptors):
        for view in range(values.shape[1]):  # one image at a time, in double precision
            image = descriptors.values[rows, view].astype(np.float64)
            image = (image - image.mean(axis=0)) @ matrix
            image = np.sign(image) * np.abs(image) ** power
            length = np.linalg.norm(image, axis=1, keepdims=True)
            values[rows, view] = image / np.where(length > 0, length, 1)
    return Descriptors(
        values,
        descriptors.sequence,
        descriptors.label,
        descriptors.flat,
        name or f"{descriptors.name}_pcapl",
        descriptors.kind,
    )


def whitening(train, clip=0.6):
    """The matrix after which the numbers of a descriptor vary alike and independently.

    `W = V diag(1 / sqrt(eigenvalues)) V'`, from the covariance of the reference views. Eigenvalues
    below the one at position `int(clip * dim)`, counted from the smallest, are lifted to it:
    with 0.6, the 60% of the directions that vary least, mostly with noise, are all blown up alike.
    The rotation back by `V'`, which makes it ZCA rather than PCA, changes no distance by itself; it
    matters to a power law after it, which looks at each number alone.

    Directions in which nothing varies are lifted at least to the smallest eigenvalue that is more
    than a rounding error; where nothing varies at all, `W` is the identity.

    Args:
        train: `Descriptors`.
        clip: 0 to lift none; below 1.

    Returns:
        `float64 (dim, dim)`, symmetric.

    Raises UserError when `train` is empty and for `clip` out of range.

    Reference: the lifting is that of Hua, Brown & Winder, Discriminant Embedding for Local Image
    Descriptors, ICCV 2007.
    """
    if not len(train):
        raise UserError("There is no descriptor to learn the whitening from.")
    if not 0 <= clip < 1:
        raise UserError(f"{clip=}: expected 0 or more and less than 1.")
    dim, column = train.values.shape[2], view_index("ref")
    total, covariance = np.zeros(dim), np.zeros((dim, dim))
    for rows in _sequences(train):
        total += train.values[rows, column].sum(axis=0, dtype=np.float64)
    mean = total / len(train)
    for rows in _sequences(train):
        centred = train.values[rows, column] - mean
        covariance += centred.T @ centred
    values, vectors = np.linalg.eigh(covariance / len(train))  # ascending
    varying = values[values > NOTHING * values[-1]]
    least = varying[0] if values[-1] > 0 else 1.0
    values = np.maximum(values, max(values[int(clip * dim)], least))
    return vectors / np.sqrt(values) @ vectors.T


def _sequences(descriptors):
    """The rows of each sequence, as slices."""
    for name in descriptors.names:
        start = descriptors.start[name]
        yield slice(start, start + descriptors.lengths[name])

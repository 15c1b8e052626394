"""Whitening and power-law normalisation."""

import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA

import hpatches_kit as hk
from hpatches_kit.descriptors.whitening import whitening


def make_descriptors(dim=8, lengths=None, seed=0, mix=None):
    """Descriptors with correlated numbers and a mean far from 0."""
    lengths = lengths or {"v_train": 90, "i_train": 60}
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(dim, dim)) if mix is None else mix
    values = rng.normal(size=(sum(lengths.values()), 16, dim)) @ mix + 5
    return hk.Descriptors(
        values, np.repeat(list(lengths), list(lengths.values())), name="correlated"
    )


def equal_views(sequence, *vectors):
    """Descriptors of points whose 16 views are equal."""
    values = np.repeat(np.array(vectors, "float32")[:, None], 16, axis=1)
    return hk.Descriptors(values, [sequence] * len(vectors))


@pytest.fixture
def train():
    return make_descriptors()


@pytest.fixture
def test():
    return make_descriptors(lengths={"v_test": 30, "i_test": 20}, seed=1)


def test_two_dimensions_by_hand():
    # Mean (1, 4), variances 2 and 18.
    train = equal_views("a", (1 + 2, 4), (1 - 2, 4), (1, 4 + 6), (1, 4 - 6))
    np.testing.assert_allclose(whitening(train, clip=0), np.diag([2**-0.5, 18**-0.5]), rtol=1e-6)
    # Eigenvalues 2, 18: that at position int(0.6 * 2) is 18, and 2 is raised to it.
    np.testing.assert_allclose(whitening(train), np.eye(2) * 18**-0.5, rtol=1e-6)
    # The image has mean (5, 5). Its first row, centred, is (-4, 9). Whitening multiplies both
    # numbers by one factor; the square root gives (-2, 3), with norm sqrt 13.
    test = equal_views("b", (1, 14), (9, -4))
    normalised = hk.descriptors.pca_power_law(test, train).values
    expected = np.array([[-2, 3], [2, -3]]) / 13**0.5
    np.testing.assert_allclose(normalised, np.repeat(expected[:, None], 16, axis=1), rtol=1e-5)


def test_only_the_largest_eigenvalues_are_whitened():
    scale = np.arange(1.0, 11.0)
    train = make_descriptors(dim=10, mix=np.diag(scale))
    reference = train.values[:, 0].astype("float64")
    whitened = (reference - reference.mean(axis=0)) @ whitening(train, clip=0.6)
    variances = np.linalg.eigvalsh(np.cov(whitened.T, bias=True))
    # Positions 6 to 9 get variance 1, positions 0 to 5 stay smaller.
    np.testing.assert_allclose(variances[-4:], 1, rtol=1e-9)
    assert (variances[:-4] < 0.99).all()


def test_without_power_and_clip_it_agrees_with_scikit_learn(train, test):
    pca = PCA(whiten=True).fit(train.values[:, 0].astype("float64"))
    normalised = hk.descriptors.pca_power_law(test, train, clip=0, power=1).values
    for start, stop in ((0, 30), (30, 50)):
        for view in (0, 7, 15):
            image = test.values[start:stop, view].astype("float64")
            centred = image - image.mean(axis=0) + pca.mean_
            # Rotated back, because the signs of principal components are arbitrary.
            expected = pca.transform(centred) @ pca.components_
            expected /= np.linalg.norm(expected, axis=1, keepdims=True)
            np.testing.assert_allclose(normalised[start:stop, view], expected, atol=1e-6)


def test_rows_have_unit_norm_and_points_keep_their_fields(train, test):
    fields = np.arange(50) // 2, np.arange(50) == 4, "set", "noisy"
    labelled = hk.Descriptors(test.values, test.sequence, *fields)
    normalised = hk.descriptors.pca_power_law(labelled, train)
    assert normalised.values.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(normalised.values, axis=2), 1, rtol=1e-6)
    np.testing.assert_array_equal(normalised.label, labelled.label)
    np.testing.assert_array_equal(normalised.flat, labelled.flat)
    assert (normalised.name, normalised.kind) == ("set_pcapl", "noisy")
    assert normalised.names == test.names
    assert hk.descriptors.pca_power_law(test, train, name="other").name == "other"


def test_each_image_is_centred_by_itself(train, test):
    expected = hk.descriptors.pca_power_law(test, train).values
    test.values[30:, 4] += 100  # one view of one sequence
    normalised = hk.descriptors.pca_power_law(test, train).values
    np.testing.assert_allclose(normalised, expected, atol=1e-3)


def test_only_reference_views_are_used_for_the_whitening(train, test):
    expected = hk.descriptors.pca_power_law(test, train).values
    train.values[:, 1:] = 7
    np.testing.assert_array_equal(hk.descriptors.pca_power_law(test, train).values, expected)


def test_constant_descriptors_give_zeros_not_nan(train, test):
    constant = hk.Descriptors(np.full((3, 16, 8), 0.1), ["v_c"] * 3)
    np.testing.assert_array_equal(whitening(constant), np.eye(8))
    np.testing.assert_array_equal(hk.descriptors.pca_power_law(constant, train).values, 0)
    alone = hk.Descriptors(test.values[:1], ["v_alone"])
    np.testing.assert_array_equal(hk.descriptors.pca_power_law(alone, train).values, 0)


def test_directions_without_variance_are_not_amplified(test):
    mix = np.zeros((8, 8))
    mix[:2, :2] = [[1, 2], [-1, 1]]  # two directions of eight: position 4 has eigenvalue 0
    train = make_descriptors(mix=mix)
    variances = np.linalg.eigvalsh(np.cov(train.values[:, 0].T, bias=True))[-2:]
    normalised = np.linalg.eigvalsh(whitening(train)) ** -2.0
    np.testing.assert_allclose(normalised[0], variances[1], rtol=1e-4)
    np.testing.assert_allclose(normalised[1:], variances[0], rtol=1e-4)
    assert np.isfinite(hk.descriptors.pca_power_law(test, train).values).all()


def test_invalid_input_is_refused_and_shared_sequences_cause_a_warning(train, test):
    with pytest.raises(ValueError, match="have dimension 8, those of train 5"):
        hk.descriptors.pca_power_law(test, make_descriptors(dim=5))
    empty = hk.Descriptors(np.zeros((0, 16, 8)), [])
    with pytest.raises(ValueError, match="no descriptors to learn"):
        hk.descriptors.pca_power_law(test, empty)
    with pytest.raises(ValueError, match="no descriptors to normalise"):
        hk.descriptors.pca_power_law(empty, train)
    with pytest.raises(ValueError, match=r"clip=1: expected 0 or more and less than 1"):
        hk.descriptors.pca_power_law(test, train, clip=1)
    with pytest.raises(ValueError, match=r"power=0: expected more than 0"):
        hk.descriptors.pca_power_law(test, train, power=0)
    with pytest.warns(UserWarning, match=r"2 of 2 sequences, 'i_train' first, are also in train"):
        hk.descriptors.pca_power_law(train, train)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hk.descriptors.pca_power_law(test, train)


def test_whitened_references_have_the_identity_as_covariance(train):
    reference = train.values[:, 0].astype("float64")
    whitened = (reference - reference.mean(axis=0)) @ whitening(train, clip=0)
    np.testing.assert_allclose(whitened.T @ whitened / len(train), np.eye(8), atol=1e-9)

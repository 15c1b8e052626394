import keras
import numpy as np
import pytest
from keras import ops

from hpatches_kit.losses import HardMining, Triplet

EAST, NORTH, WEST = np.array([[1, 0], [0, 1], [-1, 0]], "float32")
ROOT2 = np.sqrt(2)


def unit(rows, dim, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype("float32")


def test_triplet_by_hand():
    anchor, positive, negative = [0.0, 0.0], [1.0, 1.0], [2.0, 0.0]
    # mean squares: to the positive 1, to the negative 2; with margin 1 the loss is just 0
    batch = np.array([anchor, positive, negative, anchor, negative, positive], "float32")
    np.testing.assert_allclose(Triplet(margin=1.0, reduction=None)(np.zeros(6), batch), [0, 2])
    assert float(Triplet(margin=1.5)(np.zeros(6), batch)) == pytest.approx((0.5 + 2.5) / 2)


def test_hard_mining_by_hand():
    # Anchors east and west, positives north and west:
    # d = [[sqrt 2, 2], [sqrt 2, 0]], hardest negatives of pair 0: 2 and sqrt 2, of pair 1: sqrt 2 and 2
    batch, labels = np.stack([EAST, NORTH, WEST, WEST]), np.array([0, 0, 1, 1])
    average, minimum = (HardMining(0.5, kind, reduction=None) for kind in ("average", "minimum"))
    np.testing.assert_allclose(
        average(labels, batch), [0.5 + ROOT2 - (2 + ROOT2) / 2, 0], atol=2e-3
    )
    np.testing.assert_allclose(minimum(labels, batch), [0.5, 0], atol=2e-3)


def hard_mining_slowly(labels, descriptors, margin, negative):
    """Report A, equation 6, one pair at a time."""
    anchors, positives, labels = descriptors[::2], descriptors[1::2], labels[::2]
    losses = []
    for i in range(len(labels)):
        others = [j for j in range(len(labels)) if labels[j] != labels[i]]
        row = min(np.linalg.norm(anchors[i] - positives[j]) for j in others)
        column = min(np.linalg.norm(anchors[j] - positives[i]) for j in others)
        hardest = (row + column) / 2 if negative == "average" else min(row, column)
        losses.append(max(0.0, margin + np.linalg.norm(anchors[i] - positives[i]) - hardest))
    return np.mean(losses)


@pytest.mark.parametrize("pairs", [2, 7, 64])
@pytest.mark.parametrize(("margin", "negative"), [(0.01, "average"), (1.0, "minimum")])
def test_hard_mining_agrees_with_a_loop(pairs, margin, negative):
    descriptors, labels = unit(2 * pairs, 16), np.repeat(np.arange(pairs), 2)
    expected = hard_mining_slowly(labels, descriptors, margin, negative)
    assert float(HardMining(margin, negative)(labels, descriptors)) == pytest.approx(
        expected, abs=1e-4
    )


def test_equal_labels_are_never_each_others_negatives():
    descriptors = unit(8, 16)
    descriptors[4:6] = descriptors[0:2]  # pair 2 is pair 0 once more
    labels = np.array([0, 0, 1, 1, 0, 0, 3, 3])
    expected = hard_mining_slowly(labels, descriptors, 1.0, "minimum")
    assert float(HardMining(1.0, "minimum")(labels, descriptors)) == pytest.approx(
        expected, abs=1e-4
    )


def test_the_gradient_is_finite_where_descriptors_coincide():
    """One step on a layer that maps everything to one point: weights stay finite."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, kernel_initializer="zeros", bias_initializer="ones"),
            keras.layers.UnitNormalization(),
        ]
    )
    for loss in (HardMining(), Triplet()):
        model.compile("sgd", loss)
        rows = 12
        model.fit(unit(rows, 4), np.arange(rows) // 2, batch_size=rows, shuffle=False, verbose=0)
        assert all(np.isfinite(ops.convert_to_numpy(w)).all() for w in model.weights)


@pytest.mark.parametrize("loss", [Triplet(margin=0.7), HardMining(0.3, "minimum")])
def test_losses_are_registered_and_keep_their_settings(loss):
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


def test_an_unknown_kind_of_negative_is_refused():
    with pytest.raises(ValueError, match="'median': expected 'average' or 'minimum'"):
        HardMining(negative="median")

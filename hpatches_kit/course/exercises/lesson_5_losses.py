"""Exercises of lesson 5: triplet losses, and distances that can be differentiated at 0."""

import keras
import numpy as np

from hpatches_kit.course.exercises.exercise import Exercise, Wrong
from hpatches_kit.course.exercises.expectations import (
    expect,
    expect_array,
    expect_return,
    is_close,
)


def triplet_loss(anchor, positive, negative, distance, margin=1.0):
    """Losses of triplets: descriptors (triplets, dim), three times, to (triplets,).

    max(0, margin + d(anchor, positive) - d(anchor, negative)). `distance` says what d is:
    "euclidean", the root of the sum of the squared differences (report A), "squared", that sum
    (report B), or "mean_squared", their mean (the course's starter code).
    """

    def d(a, b):
        squares = keras.ops.square(a - b)
        if distance == "mean_squared":
            return keras.ops.mean(squares, axis=-1)
        squared = keras.ops.sum(squares, axis=-1)
        return squared if distance == "squared" else keras.ops.sqrt(squared)

    return keras.ops.relu(margin + d(anchor, positive) - d(anchor, negative))


# The distances d(a, p) and d(a, n) of three triplets in four dimensions, for each form.
ANCHOR = np.zeros((3, 4), "float32")
POSITIVE = np.array([[3, 4, 0, 0], [1, 0, 0, 0], [3, 4, 0, 0]], "float32")
NEGATIVE = np.array([[0, 0, 2, 0], [0, 0, 6, 8], [0, 0, 0, 5]], "float32")
FORMS = {
    "euclidean": ([5, 1, 5], [2, 10, 5]),
    "squared": ([25, 1, 25], [4, 100, 25]),
    "mean_squared": ([6.25, 0.25, 6.25], [1, 25, 6.25]),
}


def check_triplet_loss(triplet_loss):
    for form, (to_positive, to_negative) in FORMS.items():
        value = triplet_loss(ANCHOR, POSITIVE, NEGATIVE, form)
        what = f'triplet_loss(..., "{form}")'
        expect_return(value, what)
        expect(
            np.shape(value) != (),
            f"{what} is one number: expected one loss per triplet. Sum or average over the last"
            " axis only: Keras averages the losses of the batch.",
        )
        expect(
            np.shape(value) != (4,),
            f"{what} has one number for each dimension: expected one for each triplet. Sum or"
            " average over the last axis, not over the triplets.",
        )
        value = expect_array(value, (3,), what)
        near, far = np.array(to_positive, float), np.array(to_negative, float)
        _check_form(value, form, near, far)
    value = expect_array(
        triplet_loss(ANCHOR, POSITIVE, NEGATIVE, "euclidean", margin=3.0), (3,), "the loss"
    )
    expect(
        is_close(value, [6, 0, 3]),
        f"with margin 3 and Euclidean distances 5 and 5 the loss is {value[2]:g}: expected 3. Is"
        " the margin fixed to 1?",
    )
    moved = triplet_loss(ANCHOR + 1, POSITIVE + 1, NEGATIVE + 1, "euclidean")
    expect(
        is_close(expect_array(moved, (3,), "the loss"), [4, 0, 1]),
        "the loss changes when the same vector is added to anchor, positive and negative. A"
        " distance depends on differences only: subtract before you square.",
    )


def _check_form(value, form, near, far):
    expected = np.maximum(0, 1 + near - far)
    if is_close(value, expected):
        return
    expect(
        value.min() >= 0,
        f"a loss is {value.min():g}: expected 0 or more. A negative that is far enough away has"
        " loss 0: use relu or maximum.",
    )
    differences = {
        "positive and negative are swapped: the loss must grow with the distance to the positive.": (
            1 + far - near
        ),
        "the margin has the wrong sign: at equal distances the loss is 1.": near - far - 1,
        "the margin is missing: at equal distances the loss is 1, not 0.": near - far,
    }
    if form == "euclidean":
        sentence = "you took the root of the mean: it is the root of the sum of the squares."
        differences[sentence] = 1 + (near - far) / 2  # of four numbers
    for other, (other_near, other_far) in FORMS.items():
        if other != form:
            sentence = f'this is the loss of "{other}".'
            differences[sentence] = 1 + np.array(other_near) - np.array(other_far)
    across = np.sum((POSITIVE - NEGATIVE) ** 2, axis=1)
    across = {"euclidean": np.sqrt(across), "squared": across, "mean_squared": across / 4}[form]
    sentence = "you measured the negative from the positive: measure it from the anchor."
    differences[sentence] = 1 + near - across
    for sentence, difference in differences.items():
        wrong = np.maximum(0, difference)
        expect(not is_close(value, wrong), f'with "{form}": {sentence}')
    raise Wrong(
        f'with "{form}", d(a, p) = {near[0]:g} and d(a, n) = {far[0]:g}, the loss is {value[0]:g}:'
        f" expected 1 + {near[0]:g} - {far[0]:g} = {expected[0]:g}."
    )


def distances(anchors, positives):
    """Distances of descriptors of unit norm: (n, dim) and (m, dim) to (n, m).

    sqrt(2 - 2 cos), where cos is the inner product. Use keras.ops, so that Keras can differentiate
    it. Where two descriptors are equal, the gradient must be finite, and the distance at most 0.01.
    """
    cosines = keras.ops.matmul(anchors, keras.ops.transpose(positives))
    return keras.ops.sqrt(keras.ops.maximum(2 - 2 * cosines, 1e-6))


def check_distances(distances):
    anchors = np.array([[1, 0], [0, 1]], "float32")
    positives = np.array([[1, 0], [0.6, 0.8], [-1, 0]], "float32")
    value = expect_array(
        distances(anchors, positives), (2, 3), "the result for 2 and 3 descriptors"
    )
    expected = np.array([[0, 0.8, 4], [2, 0.4, 2]]) ** 0.5
    mistakes = {
        "these are squared distances: the root is missing.": expected**2,
        "the factor 2 is missing: orthogonal descriptors are 1.414 apart, opposite ones 2.": (
            expected / 2**0.5
        ),
        "these are cosines: 1 means equal. The distance is sqrt(2 - 2 cos).": 1 - expected**2 / 2,
        "equal descriptors are 2 apart and opposite ones 0: the cosine has the wrong sign.": (
            4 - expected**2
        )
        ** 0.5,
    }
    for sentence, wrong in mistakes.items():
        expect(not np.allclose(value, wrong, atol=0.011), sentence)
    expect(not np.allclose(value, value[0, 0]), "all distances are equal: collapse.")
    others_are_right = np.allclose(value[:, 1:], expected[:, 1:], atol=0.011)
    expect(
        not others_are_right or value[0, 0] <= 0.011,
        f"equal descriptors are {value[0, 0]:.3f} apart: expected at most 0.01. The number under the"
        " root is too large: the smallest distance is its root.",
    )
    expect(
        np.allclose(value, expected, atol=0.011),
        f"descriptors with cosines 0.6 and -1 are {value[0, 1]:.3f} and {value[0, 2]:.3f} apart:"
        " expected 0.894 and 2.",
    )
    _check_rounding(distances)
    _check_gradient(distances)


def _check_rounding(distances):
    """Rounded norms are a little more than 1 at times, and cosines with them."""
    rounded = np.array([[1.0000001, 0], [0, 1]], "float32")
    value = np.asarray(keras.ops.convert_to_numpy(distances(rounded, rounded)))
    expect(
        np.isfinite(value).all(),
        "a distance of equal descriptors is NaN. Rounding can make a cosine 1.0000002, and"
        " 2 - 2 cos negative: take the maximum with a small positive number before the root.",
    )


def _check_gradient(distances):
    unequal = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.8, -0.6]], "float32")
    moved, expected = (_train_step(f, unequal, normalise=True) for f in (distances, _solution))
    expect(
        np.allclose(moved, expected, atol=1e-2),
        "between different descriptors, the gradient is wrong or 0. Compute the distances with"
        " keras.ops from start to end.",
    )
    equal = np.array([[1, 0], [1, 0], [0, 1], [0.8, -0.6]], "float32")
    expect(
        np.isfinite(_train_step(distances, equal, normalise=False)).all(),
        "after one step with two equal descriptors, the weights are NaN or infinite: the slope of"
        " the square root is infinite at 0. Keep a small positive number under the root, with"
        " maximum(..., 1e-6). A `where` around the root helps on some backends only: others"
        " multiply the infinite slope by 0, which is NaN.",
    )


_solution = distances


def _train_step(distances, patches, normalise):
    """The weights of a tiny network after one step: rows 2k are anchors, 2k + 1 positives."""
    layers = [keras.layers.Dense(2, use_bias=False, kernel_initializer="identity")]
    layers += [keras.layers.UnitNormalization()] if normalise else []
    model = keras.Sequential([keras.Input((2,)), *layers])

    def mean_distance(labels, descriptors):
        return keras.ops.mean(distances(descriptors[0::2], descriptors[1::2]))

    model.compile(keras.optimizers.SGD(1.0), mean_distance, run_eagerly=True)
    try:
        model.train_on_batch(patches, np.zeros(len(patches), "float32"))
    except Exception as error:  # of any backend
        raise Wrong(
            f"Keras cannot differentiate it ({type(error).__name__}): use keras.ops instead of"
            " NumPy."
        ) from error
    return model.get_weights()[0]


TRIPLET_LOSS = Exercise(
    "triplet_loss",
    5,
    triplet_loss,
    check_triplet_loss,
    (
        "The three forms differ in one thing: what is done with the squared differences. Write that"
        " once, and call it for the positive and for the negative.",
        "anchor - positive is (triplets, dim). Summed or averaged over the last axis it is"
        " (triplets,), and so is the loss.",
        "return keras.ops.relu(margin + d(anchor, positive) - d(anchor, negative))",
    ),
)
DISTANCES = Exercise(
    "distances",
    5,
    distances,
    check_distances,
    (
        "For unit vectors, |a - b|^2 = 2 - 2 cos. One matrix product gives all cosines. Under the"
        " root there must be no 0.",
        "(n, dim) times (dim, m) is (n, m): transpose the second.",
        "return keras.ops.sqrt(keras.ops.maximum(2 - 2 * cosines, 1e-6))",
    ),
)
